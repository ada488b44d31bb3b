//! User data in every coding, read as text.

use sms::{Alphabet, Body, DefaultAlphabet, Described, Language, MessageClass, Received, UdhBuilder};
use sms::{Shift, decode_user_data, pack, pack_with_cr};

fn smpp(octets: &[u8], udhi: bool, data_coding: u8, default: DefaultAlphabet) -> Received<'_> {
    decode_user_data(octets, udhi, Described::Smpp { data_coding, default })
}

fn text(octets: &[u8], data_coding: u8) -> String {
    match smpp(octets, false, data_coding, DefaultAlphabet::Gsm7).body {
        Body::Text(text) => text,
        Body::Octets(octets) => panic!("not text: {octets:02X?}"),
    }
}

#[test]
fn smpp_data_codings() {
    let cases: &[(u8, &[u8], &str)] = &[
        (0x00, b"\x00\x1B\x65\x09", "@€Ç"),
        (0x01, b"a`b\xE9", "a`b\u{FFFD}"),
        (0x03, b"\xE9\xA0", "é\u{A0}"),
        (0x05, b"\x83\x65\x83\x58\x83\x67", "テスト"),
        (0x06, b"\xBF\xE0\xD8\xD2\xD5\xE2", "Привет"),
        (0x07, b"\xF9\xEC\xE5\xED", "שלום"),
        (0x08, b"\x04\x16\xD8\x3D\xDE\x00", "Ж😀"),
        (0x0A, b"\x1B$B%F%9%H\x1B(B", "テスト"),
        (0x0D, b"\xA5\xC6\xA5\xB9\xA5\xC8", "テスト"),
        (0x0E, b"\xBE\xC8\xB3\xE7", "안녕"),
        (0x10, b"\x00", "@"),
        (0x18, b"\x04\x16", "Ж"),
        (0xF0, b"\x02", "$"),
        (0xE8, b"\x04\x16", "Ж"),
    ];
    for &(data_coding, octets, expected) in cases {
        assert_eq!(text(octets, data_coding), expected, "{data_coding:#04X}");
    }
}

#[test]
fn codings_that_are_no_text_stay_octets() {
    for data_coding in [0x02, 0x04, 0x09, 0x0B, 0x14, 0x80, 0xF5] {
        let received = smpp(b"\x01\x02", false, data_coding, DefaultAlphabet::Gsm7);
        assert_eq!(received.body, Body::Octets(vec![1, 2]), "{data_coding:#04X}");
        assert_eq!(received.alphabet, Alphabet::Octets);
    }
    let class = smpp(b"", false, 0xF6, DefaultAlphabet::Gsm7).class;
    assert_eq!(class, Some(MessageClass::Sim));
}

#[test]
fn the_default_alphabet_is_the_links() {
    let packed = pack_with_cr(b"pattern");
    let cases: &[(DefaultAlphabet, &[u8], &str)] = &[
        (DefaultAlphabet::Gsm7, b"\x11", "_"),
        (DefaultAlphabet::Latin1, b"@\xE9", "@é"),
        (DefaultAlphabet::Ascii, b"@", "@"),
        (DefaultAlphabet::Utf8, "é\u{20AC}".as_bytes(), "é€"),
        (DefaultAlphabet::Utf8, b"\xFF", "\u{FFFD}"),
        (DefaultAlphabet::Gsm7Packed, &packed, "pattern"),
    ];
    for &(default, octets, expected) in cases {
        assert_eq!(smpp(octets, false, 0, default).body, Body::Text(expected.into()), "{default:?}");
    }
}

#[test]
fn headers_stand_before_unpacked_and_packed_text() {
    let header = [5, 0, 3, 7, 2, 1];
    let unpacked = [&header[..], b"hello"].concat();
    let received = smpp(&unpacked, true, 0, DefaultAlphabet::Gsm7);
    assert_eq!(received.body, Body::Text("hello".into()));
    assert_eq!(received.udh.and_then(|udh| udh.concat()).map(|concat| concat.sequence), Some(1));
    for body in [&b"hello"[..], b"hellohe", b"hellohel"] {
        let packed = [&header[..], &pack(body, 1)].concat();
        let received = smpp(&packed, true, 0, DefaultAlphabet::Gsm7Packed);
        assert_eq!(received.body, Body::Text(String::from_utf8_lossy(body).into_owned()));
    }
}

#[test]
fn national_tables_of_the_header_are_obeyed() {
    let shift = Shift { locking: Some(Language::Turkish), single: Some(Language::Turkish) };
    let octets = [UdhBuilder::new().shift(shift).finish().as_slice(), b"\x1C\x1B\x47"].concat();
    let received = smpp(&octets, true, 0, DefaultAlphabet::Gsm7);
    assert_eq!(received.body, Body::Text("ŞĞ".into()));
    assert_eq!(received.alphabet.shift(), shift);
    // An unknown language leaves the default tables.
    let unknown = smpp(b"\x03\x25\x01\x63\x1C", true, 0, DefaultAlphabet::Gsm7);
    assert_eq!(unknown.body, Body::Text("Æ".into()));
}

#[test]
fn a_header_that_overruns_is_no_header() {
    let received = smpp(b"Hi", true, 0, DefaultAlphabet::Gsm7);
    assert_eq!((received.udh, received.body), (None, Body::Text("Hi".into())));
}

#[test]
fn unpacked_text_under_a_tp_dcs() {
    let received = decode_user_data(b"\x00A", false, Described::Unpacked { dcs: 0x10 });
    assert_eq!((received.body, received.class), (Body::Text("@A".into()), Some(MessageClass::Flash)));
}
