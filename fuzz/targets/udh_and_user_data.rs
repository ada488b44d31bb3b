//! Any octets as user data under any coding: headers stay within their octets, texts within reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sms::{Body, Dcs, DefaultAlphabet, Described, SmppCoding, Udh, decode_user_data, pack, plan_octets, unpack};

const DEFAULTS: [DefaultAlphabet; 5] = [
    DefaultAlphabet::Gsm7,
    DefaultAlphabet::Gsm7Packed,
    DefaultAlphabet::Latin1,
    DefaultAlphabet::Ascii,
    DefaultAlphabet::Utf8,
];

fuzz_target!(|octets: &[u8]| {
    let Some((&[flags, coding, length], data)) = octets.split_first_chunk::<3>() else { return };
    let udhi = flags & 1 != 0;
    let _ = (Dcs::decode(coding), SmppCoding::decode(coding));
    let default = DEFAULTS[usize::from(flags >> 1) % DEFAULTS.len()];
    let received = decode_user_data(data, udhi, Described::Smpp { data_coding: coding, default });
    if let Body::Text(text) = &received.body {
        assert!(text.len() <= data.len() * 4, "{} octets became {} of text", data.len(), text.len());
    }
    let _ = decode_user_data(data, udhi, Described::Tpdu { dcs: coding, length });
    let _ = decode_user_data(data, udhi, Described::Unpacked { dcs: coding });
    check_header(data);
    check_packing(data, flags % 7);
    check_data_message(data, usize::from(length));
});

fn check_header(data: &[u8]) {
    let Ok((udh, rest)) = Udh::split(data) else { return };
    assert_eq!(udh.octets().len() + rest.len(), data.len());
    let inside: usize = udh.elements().map(|element| element.data.len() + 2).sum();
    assert!(inside < udh.octets().len() || inside == 0);
    let _ = (udh.concat(), udh.ports(), udh.shift(), udh.waiting().count());
}

fn check_packing(data: &[u8], fill_bits: u8) {
    let septets: Vec<u8> = data.iter().map(|octet| octet & 0x7F).collect();
    assert_eq!(unpack(&pack(&septets, fill_bits), fill_bits, septets.len()), septets);
}

/// The octets as a header of the user's own and its data.
fn check_data_message(octets: &[u8], header: usize) {
    let (udh, data) = octets.split_at(header.min(octets.len()));
    let Ok(plan) = plan_octets(data, udh, header.is_multiple_of(2), 255) else { return };
    assert_eq!(plan.octets(), data);
    for part in plan.parts() {
        assert!(part.udh(1).unwrap_or_default().len() + part.octets().len() <= 140);
    }
}
