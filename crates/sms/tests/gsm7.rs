//! GSM 7-bit texts, packed and unpacked, and part counts, from independent implementations.

mod common;

use common::{hex_field, list, number_field, text_field, vectors};
use sms::{Choice, Shift, TextOptions, count, decode_gsm7, encode_gsm7, pack, pack_with_cr, plan, plan_octets};
use sms::{transliteration, unpack, unpack_with_cr};

#[test]
fn texts_packed_and_unpacked() {
    let file = vectors("gsm7");
    for entry in list(&file, "vectors") {
        let id = &entry["id"];
        let text = text_field(entry, "text").expect("a text");
        let Ok(septets) = encode_gsm7(text, Shift::default()) else {
            // One-way replacements: Greek capitals that look Latin.
            let replaced = text.chars().next().and_then(transliteration).expect("a replacement");
            assert_eq!(Some(replaced.as_bytes().to_vec()), hex_field(entry, "unpacked_hex"), "{id}");
            continue;
        };
        assert_eq!(decode_gsm7(&septets, Shift::default()), text, "{id}");
        if let Some(expected) = hex_field(entry, "unpacked_hex") {
            assert_eq!(septets, expected, "{id}");
        }
        if let Some(expected) = number_field(entry, "septets") {
            assert_eq!(septets.len() as i64, expected, "{id}");
        }
        let Some(packed) = hex_field(entry, "packed_hex") else { continue };
        if text_field(entry, "variant") == Some("USSD") {
            assert_eq!(pack_with_cr(&septets), packed, "{id}");
            assert_eq!(unpack_with_cr(&packed), septets, "{id}");
            continue;
        }
        let fill_bits = number_field(entry, "fill_bits").unwrap_or(0) as u8;
        assert_eq!(unpack(&packed, fill_bits, septets.len()), septets, "{id}");
        // gsm7-039 fills the spare septet with an escape; only reading it is asked for.
        if *id != "gsm7-039" {
            assert_eq!(pack(&septets, fill_bits), packed, "{id}");
        }
    }
}

/// Reads "x*160" and "ő*201+x".
fn built(description: &str) -> String {
    description
        .split('+')
        .map(|piece| match piece.split_once('*') {
            Some((unit, times)) => unit.repeat(times.parse().expect("a count")),
            None => piece.to_owned(),
        })
        .collect()
}

#[test]
fn part_counts() {
    let file = vectors("gsm7");
    for entry in list(&file, "segmentation") {
        let expected = number_field(entry, "segments").expect("a count") as usize;
        if let Some(octets) = number_field(entry, "octets") {
            let plan = plan_octets(&vec![0; octets as usize], &[], false, 255).expect("a plan");
            assert_eq!(plan.part_count(), expected, "{entry}");
            continue;
        }
        let text = built(text_field(entry, "input").expect("an input"));
        let choice = match text_field(entry, "alphabet") {
            Some("gsm7") => Choice::Gsm7,
            _ => Choice::Ucs2,
        };
        let options = TextOptions { choice, ..TextOptions::default() };
        let plan = plan(&text, &options).expect("a plan");
        let units = number_field(entry, "septets").or(number_field(entry, "code_units"));
        assert_eq!((plan.part_count(), plan.units() as i64), (expected, units.expect("units")), "{entry}");
        let counted = count(&text, &options).expect("a count");
        assert_eq!((counted.parts, counted.units), (plan.part_count(), plan.units()), "{entry}");
    }
}
