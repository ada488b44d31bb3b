//! Any text under any options: it is counted as it is planned, each part fits a short message, and
//! the parts, decoded in order, are the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::{
    Alphabet, Choice, Language, TextOptions, TextPlan, Udh, count, decode_gsm7, decode_latin1, decode_ucs2,
    header_septets, plan,
};

fuzz_target!(|octets: &[u8]| {
    let Some((&[flags, language], text)) = octets.split_first_chunk::<2>() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let languages: Vec<Language> = Language::from_identifier(language % 16).into_iter().collect();
    let options = TextOptions {
        choice: [Choice::Auto, Choice::Gsm7, Choice::Latin1, Choice::Ucs2][usize::from(flags % 4)],
        transliterate: flags & 4 != 0,
        wide_reference: flags & 8 != 0,
        languages: &languages,
        max_parts: 255,
    };
    let Ok(plan) = plan(text, &options) else { return };
    let counted = count(text, &options).expect("what can be planned can be counted");
    assert_eq!((counted.alphabet, counted.parts, counted.units), (plan.alphabet(), plan.part_count(), plan.units()));
    check_parts(&plan);
    // A byte order mark is no text, so it does not come back.
    if plan.replaced() == 0 && !options.transliterate && !text.starts_with(['\u{FEFF}', '\u{FFFE}']) {
        assert_eq!(rejoined(&plan), text);
    }
});

fn check_parts(plan: &TextPlan) {
    let (total, mut at) = (plan.part_count(), 0);
    for (index, part) in plan.parts().enumerate() {
        let header = part.udh(0xABCD).unwrap_or_default();
        let units = part.units();
        assert_eq!(units.start, at);
        at = units.end;
        match plan.alphabet() {
            Alphabet::Gsm7 { .. } => assert!(header_septets(header.len()) + units.len() <= 160),
            _ => assert!(header.len() + part.octets().len() <= 140),
        }
        let concat = (!header.is_empty()).then(|| Udh::split(&header).expect("a header").0.concat()).flatten();
        let place = concat.map(|concat| (usize::from(concat.total), usize::from(concat.sequence)));
        assert_eq!(place, (total > 1).then_some((total, index + 1)));
    }
    assert_eq!(at, plan.units());
}

/// What a phone would show. Of UCS-2 the whole is read: a later part may begin with what looks like a
/// byte order mark.
fn rejoined(plan: &TextPlan) -> String {
    match plan.alphabet() {
        Alphabet::Ucs2 => decode_ucs2(plan.octets()),
        alphabet => plan
            .parts()
            .map(|part| match alphabet {
                Alphabet::Gsm7 { .. } => decode_gsm7(part.octets(), alphabet.shift()),
                _ => decode_latin1(part.octets()),
            })
            .collect(),
    }
}
