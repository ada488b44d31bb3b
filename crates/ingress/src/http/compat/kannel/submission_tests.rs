use model::submission::BinarySubmission;
use proptest::prelude::*;

use super::super::super::fields::Fields;
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_007);

fn sending() -> Sending<'static> {
    Sending { service: "tester", has_sender: true, has_webhooks: false, may_choose: true, country: None }
}

fn read(query: &str) -> Result<Sound, String> {
    submissions(Given::of_fields(&Fields::parse(query.as_bytes())), sending(), NOW)
}

fn only(query: &str) -> Submission {
    let mut sound = read(&format!("to=447700900123&{query}")).unwrap();
    assert_eq!(sound.submissions.len(), 1);
    sound.submissions.remove(0)
}

fn octets(query: &str) -> (Vec<u8>, Vec<u8>, u32) {
    let BinarySubmission { data, udh, dcs } = only(query).binary.expect("octets");
    let decode = |text: &str| STANDARD.decode(text).unwrap();
    (decode(&data), decode(udh.as_deref().unwrap_or_default()), dcs.unwrap())
}

fn terms(submission: &Submission) -> &KannelTerms {
    match submission.dialect.as_deref() {
        Some(Dialect::Kannel(terms)) => terms,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_text_is_a_submission() {
    let submission = only("from=Shop&text=Hello+%E2%82%AC&priority=2&validity=60&smsc=a");
    assert_eq!((submission.to.as_str(), submission.from.as_deref()), ("447700900123", Some("Shop")));
    assert_eq!((submission.text.as_deref(), submission.encoding), (Some("Hello €"), EncodingChoice::Auto));
    assert_eq!((submission.priority, submission.validity_seconds), (Some(2), Some(3600)));
    assert_eq!((submission.connector.as_deref(), submission.send_at), (Some("a"), None));
    assert_eq!((submission.receipt, submission.ingress), (ReceiptWish::None, Ingress::Kannel));
    assert_eq!(only("").text.as_deref(), Some(""), "an empty message is one");
}

#[test]
fn what_a_receipt_is_to_say_stays_with_the_message() {
    let url = "http%3A%2F%2Fx%2Fdlr%3Fid%3D7%26s%3D%25d%26p%3D%25p";
    let submission =
        only(&format!("from=Shop&text=x&dlr-mask=31&dlr-url={url}&account=a1&binfo=b&meta-data=%3Fg%3Fk%3Dv"));
    assert_eq!(submission.callback_url.as_deref(), Some("http://x/dlr?id=7&s=%d&p=%p"));
    assert_eq!(submission.receipt, ReceiptWish::All);
    let terms = terms(&submission);
    assert_eq!((terms.mask, &*terms.to, &*terms.from, &*terms.service), (31, "447700900123", "Shop", "tester"));
    assert_eq!((terms.account.as_deref(), terms.meta_data.as_deref()), (Some("a1"), Some("?g?k=v")));
    let final_only = only(&format!("text=x&dlr-mask=3&dlr-url={url}"));
    assert_eq!(final_only.receipt, ReceiptWish::Final);
    let unwanted = only(&format!("text=x&dlr-url={url}"));
    assert_eq!((unwanted.callback_url, unwanted.receipt), (None, ReceiptWish::None));
    let odd = only("text=x&dlr-mask=1&dlr-url=HTTP%3A%2F%2Fx%2F%3Fa%3D%C3%A9+b");
    assert_eq!(odd.callback_url.as_deref(), Some("http://x/?a=%C3%A9%20b"));
}

#[test]
fn codings_and_classes_are_data_coding_schemes() {
    let ucs2 = only("coding=2&text=%20%AC&mclass=0");
    assert_eq!((ucs2.text.as_deref(), ucs2.encoding, ucs2.class), (Some("€"), EncodingChoice::Ucs2, Some(0)));
    let named = only("coding=2&charset=UTF-8&text=%E2%82%AC");
    assert_eq!((named.text.as_deref(), named.encoding), (Some("€"), EncodingChoice::Ucs2));
    assert_eq!(octets("coding=1&text=%00%FF"), (vec![0, 255], vec![], 4));
    assert_eq!(octets("text=%01&udh=%05%00%03%07%02%01"), (vec![1], vec![5, 0, 3, 7, 2, 1], 4));
    assert_eq!(octets("coding=0&text=a%40&udh=%02%70%00"), (vec![0x61, 0], vec![2, 0x70, 0], 0));
    assert_eq!(octets("coding=0&text=%D0%B6&udh=%02%70%00").2, 8);
    assert_eq!(octets("coding=2&text=%20%AC&udh=%02%70%00"), (vec![0x20, 0xac], vec![2, 0x70, 0], 8));
    assert_eq!(octets("coding=1&text=x&mclass=2").2, 0x16);
    assert_eq!(octets("coding=1&text=x&mclass=2&alt-dcs=1").2, 0xf6);
    assert_eq!(octets("coding=1&text=x&compress=1").2, 0x24);
    assert_eq!(octets("mwi=0"), (vec![], vec![], 0xc8));
    assert_eq!(octets("mwi=5"), (vec![], vec![], 0xc1));
    assert_eq!(octets("mwi=2&text=A"), (vec![0, 0x41], vec![], 0xea));
}

#[test]
fn times_are_minutes_from_now() {
    let later = only("text=x&deferred=10&validity=60");
    assert_eq!(later.send_at.as_deref(), Some("2026-11-22T20:24:56.007Z"));
    assert_eq!(later.validity_seconds, Some(50 * 60));
    assert_eq!(only("text=x&validity=99999999").validity_seconds, Some(63 * 7 * 86_400));
    assert_eq!(only("text=x&deferred=0").send_at, None);
}

#[test]
fn recipients_are_taken_once_each_and_the_rest_is_told() {
    let sound = read("to=447700900123+447700900124++447700900123+x1+12&text=x&from=1234").unwrap();
    let to: Vec<&str> = sound.submissions.iter().map(|s| s.to.as_str()).collect();
    assert_eq!(to, ["447700900123", "447700900124"]);
    assert_eq!(sound.denied, ["x1", "12"]);
    assert_eq!(&*terms(&sound.submissions[1]).to, "447700900124");
}

#[test]
fn what_is_wrong_is_told_in_kannels_words() {
    let field = |name: &str| format!("{name} field misformed, rejected");
    for (query, expected) in [
        ("to=abc", "Number(s) has/have been denied by white- and/or black-lists.".to_owned()),
        ("to=++", "Number(s) has/have been denied by white- and/or black-lists.".to_owned()),
        ("to=1234567&udh=%05%00", field("UDH")),
        ("to=1234567&dlr-url=ftp%3A%2F%2Fx", field("DLR-URL")),
        ("to=1234567&dlr-url=http%3A%2F%2F", field("DLR-URL")),
        ("to=1234567&dlr-mask=64", field("DLR-Mask")),
        ("to=1234567&dlr-mask=-2", field("DLR-Mask")),
        ("to=1234567&mclass=4", field("MClass")),
        ("to=1234567&pid=256", field("PID")),
        ("to=1234567&rpi=3", field("RPI")),
        ("to=1234567&alt-dcs=2", field("Alt-DCS")),
        ("to=1234567&mwi=8", field("MWI")),
        ("to=1234567&coding=3", field("Coding")),
        ("to=1234567&compress=2", field("Compress")),
        ("to=1234567&compress=1&text=x", field("Compress")),
        ("to=1234567&validity=-5", field("Validity")),
        ("to=1234567&deferred=-5", field("Deferred")),
        ("to=1234567&priority=4", field("Priority")),
        ("to=1234567&account=a%5Bb", "Account field misformed or too long, rejected".to_owned()),
        ("to=1234567&charset=klingon&text=x", "Charset or body misformed, rejected".to_owned()),
        ("to=1234567&coding=2&text=x", "Charset or body misformed, rejected".to_owned()),
    ] {
        assert_eq!(read(query).unwrap_err(), expected, "{query}");
    }
    let long = format!("to=1234567&udh=%FF{}", "x".repeat(255));
    assert_eq!(read(&long).unwrap_err(), "UDH field is too long, rejected");
    let nobody = Sending { has_sender: false, ..sending() };
    let given = Given::of_fields(&Fields::parse(b"to=1234567&text=x"));
    assert_eq!(submissions(given, nobody, NOW).unwrap_err(), "Sender missing and no global set, rejected");
}

proptest! {
    #[test]
    fn any_request_is_answered(
        query: Vec<u8>,
        tail in "(&(to|text|udh|coding|mclass|mwi|validity|deferred|charset|compress|dlr-url|dlr-mask)=[0-9a-z%+-]{0,6}){0,8}",
    ) {
        let mut query = query;
        query.extend_from_slice(b"&to=1234567");
        query.extend_from_slice(tail.as_bytes());
        let _ = submissions(Given::of_fields(&Fields::parse(&query)), sending(), NOW);
    }
}
