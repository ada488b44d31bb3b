//! What must hold for every text and any octets.

use proptest::prelude::*;
use sms::receipt::{looks_like_receipt, parse, parse_date};
use sms::tpdu::{Address, Direction, Submit, Timestamp, Tpdu, UserData, Validity, join_smsc, split_smsc};
use sms::{Alphabet, Body, Choice, DefaultAlphabet, Described, Language, Shift, TextOptions, TextPlan, Udh};
use sms::{count, decode_gsm7, decode_latin1, decode_ucs2, decode_user_data, encode_gsm7, encode_ucs2, fill_bits};
use sms::{header_septets, pack, pack_with_cr, plan, plan_octets, unpack, unpack_with_cr};

/// Texts that are GSM 7-bit, nearly so, or not at all.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 @£$èéùÇØΔΓ\\^{}€\\[\\]~|\\\\]{0,400}",
        "[a-zıİşŞğĞçáíõ€{}]{0,400}",
        "[a-z “”’–…łŁ€]{0,300}",
        "[\\x00-\\x{10FFFF}]{0,200}",
    ]
}

fn languages() -> impl Strategy<Value = Option<Language>> {
    proptest::option::of(proptest::sample::select(&Language::ALL[..]))
}

fn decoded(alphabet: Alphabet, octets: &[u8]) -> String {
    match alphabet {
        Alphabet::Gsm7 { .. } => decode_gsm7(octets, alphabet.shift()),
        Alphabet::Ucs2 => decode_ucs2(octets),
        Alphabet::Latin1 => decode_latin1(octets),
        Alphabet::Octets => panic!("texts are no octets"),
    }
}

/// Every part on its own fits, is readable, and is where it says.
fn check_parts(plan: &TextPlan) -> String {
    let mut joined = String::new();
    let mut at = 0;
    let total = plan.part_count();
    for (index, part) in plan.parts().enumerate() {
        let header = part.udh(0xABCD).unwrap_or_default();
        let units = part.units();
        assert_eq!((units.start, units.end > units.start || total == 1), (at, true));
        at = units.end;
        match plan.alphabet() {
            Alphabet::Gsm7 { .. } => assert!(header_septets(header.len()) + units.len() <= 160),
            _ => assert!(header.len() + part.octets().len() <= 140),
        }
        let concat = (!header.is_empty()).then(|| Udh::split(&header).expect("a header").0.concat()).flatten();
        assert_eq!(
            concat.map(|c| (usize::from(c.total), usize::from(c.sequence))),
            (total > 1).then_some((total, index + 1))
        );
        joined.push_str(&decoded(plan.alphabet(), part.octets()));
    }
    assert_eq!(at, plan.units());
    joined
}

proptest! {
    #[test]
    fn parts_join_to_the_text(
        text in texts(),
        wide_reference: bool,
        ucs2: bool,
        language in languages(),
    ) {
        // A byte order mark is no text, so it does not come back.
        prop_assume!(!text.starts_with(['\u{FEFF}', '\u{FFFE}']));
        let languages: Vec<Language> = language.into_iter().collect();
        let choice = if ucs2 { Choice::Ucs2 } else { Choice::Auto };
        let options = TextOptions { choice, wide_reference, languages: &languages, ..TextOptions::default() };
        let plan = plan(&text, &options).expect("short enough");
        let counted = count(&text, &options).expect("any text");
        prop_assert_eq!(
            (counted.alphabet, counted.parts, counted.units),
            (plan.alphabet(), plan.part_count(), plan.units())
        );
        if plan.alphabet() == Alphabet::Ucs2 && plan.part_count() > 1 {
            // A later part may begin with what looks like a byte order mark; the whole is read.
            prop_assert_eq!(decode_ucs2(plan.octets()), text.as_str());
            for part in plan.parts() {
                prop_assert!(String::from_utf16(&part.octets().chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>()).is_ok());
            }
        } else {
            prop_assert_eq!(check_parts(&plan), text);
        }
    }

    #[test]
    fn transliterated_text_is_counted_as_planned(text in texts(), language in languages()) {
        let languages: Vec<Language> = language.into_iter().collect();
        let options = TextOptions { transliterate: true, languages: &languages, ..TextOptions::default() };
        let plan = plan(&text, &options).expect("short enough");
        let counted = count(&text, &options).expect("any text");
        prop_assert_eq!(
            (counted.alphabet, counted.parts, counted.units),
            (plan.alphabet(), plan.part_count(), plan.units())
        );
        if plan.alphabet() != Alphabet::Ucs2 {
            let joined = check_parts(&plan);
            prop_assert_eq!(joined == text, plan.replaced() == 0);
        }
    }

    #[test]
    fn septets_of_any_tables_decode_to_what_was_encoded(
        text in texts(), locking in languages(), single in languages(),
    ) {
        let shift = Shift { locking, single };
        match encode_gsm7(&text, shift) {
            Ok(septets) => {
                prop_assert_eq!(septets.len(), text.chars().map(|c| shift.width(c)).sum::<usize>());
                prop_assert_eq!(decode_gsm7(&septets, shift), text);
            }
            Err(fault) => {
                prop_assert_eq!(text[fault.position..].chars().next(), Some(fault.character));
                prop_assert_eq!(shift.width(fault.character), 0);
            }
        }
    }

    #[test]
    fn packing_comes_back(septets in proptest::collection::vec(0u8..0x80, 0..200), header in 0usize..20) {
        let fill = fill_bits(header);
        let packed = pack(&septets, fill);
        prop_assert_eq!(packed.len(), (usize::from(fill) + septets.len() * 7).div_ceil(8));
        prop_assert_eq!(&unpack(&packed, fill, septets.len()), &septets);
        // A final "@" or CR on an octet boundary cannot be told from filling.
        prop_assume!(septets.last() != Some(&0) && !septets.ends_with(b"\r\r"));
        prop_assert_eq!(unpack_with_cr(&pack_with_cr(&septets)), septets);
    }

    #[test]
    fn utf16_comes_back(text: String) {
        prop_assume!(!text.starts_with(['\u{FEFF}', '\u{FFFE}']));
        prop_assert_eq!(decode_ucs2(&encode_ucs2(&text)), text);
    }

    #[test]
    fn octets_join_to_the_data(
        data in proptest::collection::vec(any::<u8>(), 0..2000),
        element in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
    ) {
        let udh = element.map_or(Vec::new(), |data| sms::UdhBuilder::new().element(0x70, &data).finish());
        let plan = plan_octets(&data, &udh, true, 255).expect("short enough");
        prop_assert_eq!(plan.octets(), data);
        for part in plan.parts() {
            let header = part.udh(1).unwrap_or_default();
            prop_assert!(header.len() + part.octets().len() <= 140);
            prop_assert_eq!(udh.is_empty(), !header.windows(2).any(|pair| pair[0] == 0x70));
        }
    }

    #[test]
    fn submits_come_back(
        number in "[0-9*#]{0,20}", international: bool, coding: u8, vp: u8, flags: [bool; 3],
        data in proptest::collection::vec(any::<u8>(), 0..=140),
    ) {
        let number = if international { format!("+{number}") } else { number };
        let user_data = UserData::octets(&[], &data).expect("it fits");
        let coding = coding & 0x03 | 0x04;
        let mut submit = Submit::new(Address::number(&number).expect("digits"), coding, user_data);
        submit.validity = Validity::Relative(vp);
        [submit.reject_duplicates, submit.status_report, submit.reply_path] = flags;
        prop_assert_eq!(Tpdu::decode(&submit.encode(), Direction::FromPhone), Ok(Tpdu::Submit(submit)));
    }

    #[test]
    fn names_come_back(name in "[A-Za-z0-9 .&_-]{0,10}[A-Za-z0-9]") {
        let address = Address::alphanumeric(&name).expect("a short name");
        let tpdu = Submit::new(address.clone(), 0, UserData::default()).encode();
        prop_assert_eq!(Submit::decode(&tpdu).map(|submit| submit.destination), Ok(address));
    }

    #[test]
    fn any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..300), coding: u8, length: u8, udhi: bool) {
        for direction in [Direction::ToPhone, Direction::FromPhone, Direction::Either] {
            if let Ok(tpdu) = Tpdu::decode(&octets, direction) {
                // What was read can be written, and what was written is read as the same.
                let written = tpdu.encode();
                prop_assert_eq!(Tpdu::decode(&written, direction).map(|again| again.encode()), Ok(written));
            }
        }
        if let Ok((smsc, rest)) = split_smsc(&octets) {
            prop_assert!(join_smsc(smsc.as_ref(), rest).ends_with(rest));
        }
        if let Ok((udh, rest)) = Udh::split(&octets) {
            prop_assert_eq!(udh.octets().len() + rest.len(), octets.len());
            let inside: usize = udh.elements().map(|element| element.data.len() + 2).sum();
            prop_assert!(inside < udh.octets().len() || inside == 0);
            let _ = (udh.concat(), udh.ports(), udh.shift(), udh.waiting().count());
        }
        let defaults = [DefaultAlphabet::Gsm7, DefaultAlphabet::Gsm7Packed, DefaultAlphabet::Latin1, DefaultAlphabet::Ascii, DefaultAlphabet::Utf8];
        for default in defaults {
            let received = decode_user_data(&octets, udhi, Described::Smpp { data_coding: coding, default });
            prop_assert!(!matches!(received.body, Body::Text(ref text) if text.len() > octets.len() * 4));
        }
        let _ = decode_user_data(&octets, udhi, Described::Tpdu { dcs: coding, length });
        let _ = decode_user_data(&octets, udhi, Described::Unpacked { dcs: coding });
        let _ = (parse(&octets), looks_like_receipt(&octets), parse_date(&octets, i64::from(length)));
        if let Some(stamp) = octets.first_chunk::<7>().and_then(Timestamp::decode) {
            prop_assert_eq!(Timestamp::decode(&stamp.encode()), Some(stamp));
        }
    }

    #[test]
    fn nearly_receipts_are_read_without_a_panic(text in "( |id:|ID:|sub:|dlvrd:|submit date:|done_date:|stat:|err:|text:|[0-9A-Z]{0,14}|\\x00|é){0,30}") {
        if let Some(receipt) = parse(text.as_bytes()) {
            prop_assert!(receipt.id.as_deref().is_none_or(|id| !id.is_empty() && !id.contains(' ')));
            let _ = (receipt.state(), receipt.submitted_at(0), receipt.done_at(i64::MAX));
        }
    }
}
