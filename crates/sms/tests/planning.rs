//! From texts to parts: alphabets, limits, national tables, headers.

use sms::udh::{CONCAT_8, PORTS_16};
use sms::{Alphabet, Choice, Language, TextError, TextOptions, TextPlan, Udh, UdhBuilder, count, plan, plan_octets};

fn planned(text: &str, options: TextOptions<'_>) -> TextPlan {
    let plan = plan(text, &options).expect("a plan");
    let counted = count(text, &options).expect("a count");
    assert_eq!(
        (counted.alphabet, counted.parts, counted.units),
        (plan.alphabet(), plan.part_count(), plan.units()),
        "counting agrees with planning"
    );
    plan
}

fn sizes(plan: &TextPlan) -> Vec<usize> {
    plan.parts().map(|part| part.units().len()).collect()
}

fn with_languages(languages: &[Language]) -> TextOptions<'_> {
    TextOptions { languages, ..TextOptions::default() }
}

#[test]
fn sizes_of_parts_by_alphabet_and_reference() {
    let cases = [
        ("x", Choice::Auto, [160, 153, 152]),
        ("x", Choice::Latin1, [140, 134, 133]),
        ("ж", Choice::Auto, [70, 67, 66]),
    ];
    for (unit, choice, [single, narrow, wide]) in cases {
        let options = TextOptions { choice, ..TextOptions::default() };
        let full = planned(&unit.repeat(single), options);
        assert_eq!((full.part_count(), full.units_left(), full.units_per_part()), (1, 0, single));
        assert_eq!(full.part(0).expect("a part").udh(1), None);
        let split = planned(&unit.repeat(single + 1), options);
        assert_eq!(sizes(&split), [narrow, single + 1 - narrow]);
        assert_eq!((split.units_per_part(), split.units_left()), (narrow, 2 * narrow - single - 1));
        let split = planned(&unit.repeat(single + 1), TextOptions { wide_reference: true, ..options });
        assert_eq!(sizes(&split), [wide, single + 1 - wide]);
    }
}

#[test]
fn an_empty_text_is_one_empty_part() {
    let plan = planned("", TextOptions::default());
    assert_eq!((plan.alphabet(), plan.part_count(), plan.units(), plan.units_left()), (Alphabet::GSM7, 1, 0, 160));
}

#[test]
fn headers_count_the_parts() {
    let plan = planned(&"x".repeat(400), TextOptions::default());
    let headers: Vec<_> = plan.parts().map(|part| part.udh(0x1AB).expect("a header")).collect();
    assert_eq!(headers, [[5, 0, 3, 0xAB, 3, 1], [5, 0, 3, 0xAB, 3, 2], [5, 0, 3, 0xAB, 3, 3]]);
    let wide = planned(&"x".repeat(161), TextOptions { wide_reference: true, ..TextOptions::default() });
    let header = wide.part(1).expect("a second part").udh(0x1AB);
    assert_eq!(header.as_deref(), Some(&[6, 8, 4, 1, 0xAB, 2, 2][..]));
    let (user_data, udhi) = wide.part(1).expect("a second part").user_data(0x1AB);
    assert_eq!((&user_data[..8], udhi, user_data.len()), (&[6, 8, 4, 1, 0xAB, 2, 2, b'x'][..], true, 7 + 9));
}

#[test]
fn pairs_stay_together() {
    let escapes = planned(&"€".repeat(81), TextOptions::default());
    assert_eq!(sizes(&escapes), [152, 10]);
    let emoji = planned(&"😀".repeat(36), TextOptions::default());
    assert_eq!(sizes(&emoji), [66, 6]);
}

#[test]
fn the_characters_that_force_ucs2_are_named() {
    let plan = planned("aж€`", TextOptions::default());
    assert_eq!((plan.alphabet(), plan.forced_by()), (Alphabet::Ucs2, &[('ж', 1), ('`', 6)][..]));
    let many = planned(&"ж".repeat(50), TextOptions::default());
    assert_eq!((many.forced_by().len(), many.forced_by()[19]), (20, ('ж', 38)));
    let asked = planned("plain", TextOptions { choice: Choice::Ucs2, ..TextOptions::default() });
    assert_eq!((asked.alphabet(), asked.forced_by()), (Alphabet::Ucs2, &[][..]));
}

#[test]
fn an_alphabet_asked_for_is_used_or_refused() {
    let gsm = TextOptions { choice: Choice::Gsm7, ..TextOptions::default() };
    assert_eq!(plan("aж", &gsm), Err(TextError::NotInAlphabet { character: 'ж', position: 1 }));
    assert_eq!(count("aж", &gsm), Err(TextError::NotInAlphabet { character: 'ж', position: 1 }));
    let latin = TextOptions { choice: Choice::Latin1, ..TextOptions::default() };
    assert_eq!(planned("é`ç", latin).octets(), b"\xE9`\xE7");
    assert_eq!(plan("a€", &latin), Err(TextError::NotInAlphabet { character: '€', position: 1 }));
    let replaced = TextOptions { transliterate: true, ..latin };
    assert_eq!(planned("é’ł", replaced).octets(), b"\xE9'l");
    assert_eq!(plan("’ж", &replaced), Err(TextError::NotInAlphabet { character: 'ж', position: 3 }));
}

#[test]
fn too_many_parts_are_refused_with_their_number() {
    let options = TextOptions { max_parts: 2, ..TextOptions::default() };
    assert_eq!(plan(&"x".repeat(400), &options), Err(TextError::TooManyParts { parts: 3, max: 2 }));
    assert_eq!(plan(&"x".repeat(306), &options).map(|plan| plan.part_count()), Ok(2));
    let most = "x".repeat(255 * 153 + 1);
    assert_eq!(plan(&most, &TextOptions::default()), Err(TextError::TooManyParts { parts: 256, max: 255 }));
}

#[test]
fn transliteration_is_opt_in_and_all_or_nothing() {
    let text = "“Łódź”…";
    assert_eq!(planned(text, TextOptions::default()).alphabet(), Alphabet::Ucs2);
    let options = TextOptions { transliterate: true, ..TextOptions::default() };
    let plain = planned(text, options);
    assert_eq!((plain.alphabet(), plain.octets(), plain.replaced()), (Alphabet::GSM7, &b"\"Lodz\"..."[..], 6));
    let emoji = planned("“😀”", options);
    assert_eq!((emoji.alphabet(), emoji.replaced()), (Alphabet::Ucs2, 0));
    assert_eq!((emoji.octets(), emoji.forced_by()), (sms::encode_ucs2("“😀”").as_slice(), &[('😀', 3)][..]));
}

#[test]
fn national_tables_are_used_where_they_are_allowed_and_needed() {
    let turkish = [Language::Turkish];
    assert_eq!(planned("plain", with_languages(&turkish)).alphabet(), Alphabet::GSM7);
    let single = planned("Işık", with_languages(&turkish));
    let alphabet = |locking, single| Alphabet::Gsm7 { locking, single };
    let tr = Some(Language::Turkish);
    // Locking writes ı and ş in one septet each.
    assert_eq!((single.alphabet(), single.units()), (alphabet(tr, None), 4));
    assert_eq!(single.part(0).expect("a part").udh(0).as_deref(), Some(&[3, 0x25, 1, 1][..]));
    assert_eq!(single.units_per_part(), 155);
    // è is only in the default table.
    let mixed = planned("ışè", with_languages(&turkish));
    assert_eq!((mixed.alphabet(), mixed.units()), (alphabet(None, tr), 5));
    // Long texts repeat the element in every part.
    let long = planned(&"ş".repeat(156), with_languages(&turkish));
    assert_eq!((long.alphabet(), sizes(&long)), (alphabet(tr, None), vec![149, 7]));
    let header = long.part(1).expect("a second part").udh(9);
    assert_eq!(header.as_deref(), Some(&[8, 0x25, 1, 1, 0, 3, 9, 2, 2][..]));
    // Spanish has no locking table.
    let spanish = planned("á", with_languages(&[Language::Spanish]));
    assert_eq!(spanish.alphabet(), alphabet(None, Some(Language::Spanish)));
    // A table that does not help changes nothing.
    assert_eq!(planned("ж", with_languages(&turkish)).alphabet(), Alphabet::Ucs2);
}

#[test]
fn tables_that_lose_nothing_come_before_replacements() {
    let languages = [Language::Turkish];
    let options = TextOptions { transliterate: true, ..with_languages(&languages) };
    let kept = planned("ş", options);
    assert_eq!((kept.replaced(), kept.alphabet().shift().locking), (0, Some(Language::Turkish)));
    let partly = planned("ş’", options);
    assert_eq!(partly.replaced(), 1);
    let plain = planned("s’", options);
    assert_eq!((plain.replaced(), plain.alphabet()), (1, Alphabet::GSM7));
}

#[test]
fn octets_keep_their_header_and_share_it() {
    let ports = UdhBuilder::new().ports(2948, 9200).finish();
    let whole = plan_octets(&[7; 133], &ports, false, 9).expect("a plan");
    assert_eq!((whole.part_count(), whole.part(0).expect("a part").udh(1)), (1, Some(ports.clone())));
    let split = plan_octets(&[7; 134], &ports, false, 9).expect("a plan");
    assert_eq!(sizes(&split), [128, 6]);
    let header = split.part(1).expect("a second part").udh(0x42).expect("a header");
    let (udh, _) = Udh::split(&header).expect("a whole header");
    let identifiers: Vec<u8> = udh.elements().map(|element| element.identifier).collect();
    assert_eq!((header.len(), identifiers), (12, vec![PORTS_16, CONCAT_8]));
}

#[test]
fn octets_that_cannot_be_split_are_refused() {
    let concat = [5, 0, 3, 1, 2, 1];
    assert!(plan_octets(&[0; 134], &concat, false, 9).is_ok());
    assert_eq!(plan_octets(&[0; 135], &concat, false, 9), Err(TextError::CannotSplit { header: 6 }));
    let large = UdhBuilder::new().element(0x70, &[0; 133]).finish();
    assert_eq!(plan_octets(&[0; 9], &large, false, 9), Err(TextError::CannotSplit { header: 136 }));
    assert_eq!(plan_octets(&[0; 140], &[2, 0x70, 9], false, 9), Err(TextError::CannotSplit { header: 3 }));
    let oversized = UdhBuilder::new().element(0x70, &[0; 138]).finish();
    assert_eq!(plan_octets(&[], &oversized, false, 9), Err(TextError::CannotSplit { header: 141 }));
    assert_eq!(plan_octets(&[0; 9], &[5, 0], false, 9), Err(TextError::BadHeader { claimed: 6, present: 2 }));
    assert_eq!(plan_octets(&[0; 9], &[0, 0], false, 9), Err(TextError::BadHeader { claimed: 1, present: 2 }));
    assert_eq!(plan_octets(&[0; 400], &[], false, 2), Err(TextError::TooManyParts { parts: 3, max: 2 }));
    assert_eq!(plan_octets(&[0; 140], &[0], false, 2).map(|plan| plan.part_count()), Ok(1));
}
