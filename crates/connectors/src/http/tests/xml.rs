//! Providers that answer and call in XML, and lists whose entries are read one by one.

use engine::CarrierCall;
use engine::dispatch::Incoming;
use model::ReceiptState;
use model::resources::http::HttpClass;

use super::answers::document;
use super::*;
use crate::http::answer::Verdict;

const DESCRIPTION: &str = r#"
id = "c"
protocol = "http"
address = "https://x"

[http]
send = { xml = "<submit to='{to}'>{text}</submit>" }
receipt = { each = "xml:/reports/report", id = "xml:@id", state = "xml:/state", states = { DELIVRD = "delivered" } }
message = { each = "xml:/reports/sms", from = "xml:/from", to = "xml:/to", text = "xml:/text" }
callback = { url = "https://sms.example", secret = "sixteen-letters-long" }

[http.answer]
each = "xml:/response/message"
accepted = { at = "xml:@status", is = ["0"] }
id = "xml:/id"
code = "xml:@status"
reason = "xml:/error"
errors = [{ code = ["8"], class = "throttled" }, { body = "(?i)maintenance", class = "temporary" }]
"#;

fn described(toml: &str) -> Api {
    Api::compile(&toml::from_str(toml).unwrap()).unwrap()
}

fn call(body: &[u8]) -> CarrierCall {
    CarrierCall {
        connector: "c".into(),
        secret: "sixteen-letters-long".into(),
        query: "from=nobody".into(),
        headers: vec![("content-type".into(), b"text/xml; charset=utf-8"[..].into())],
        body: body.into(),
        remote: [127, 0, 0, 1].into(),
    }
}

#[test]
fn answers_in_xml_are_read_by_path() {
    let api = described(DESCRIPTION);
    let verdicts = |status: u16, body: &str, ids: &[&str]| api.reader.answers(&document(status, body), ids);
    let told = "<?xml version=\"1.0\"?>\n<response><message status='0'><id> m-1 </id></message><message status='8'>\
                <error>too &quot;fast&quot;</error></message><message status=\"5\"/></response>";
    let found = verdicts(200, told, &["a", "b", "c"]);
    assert_eq!(found[0], Verdict::Sent("m-1".into()));
    assert!(
        matches!(&found[1], Verdict::Not(HttpClass::Throttled, why) if *why.detail == *"HTTP 200 code 8: too \"fast\"")
    );
    assert!(matches!(&found[2], Verdict::Not(HttpClass::Permanent, _)));
    let class = |status: u16, body: &str| match &verdicts(status, body, &["a", "b"])[..] {
        [Verdict::Not(class, _), Verdict::Not(other, _)] if class == other => *class,
        other => panic!("{other:?}"),
    };
    assert_eq!(class(200, told), HttpClass::Doubt, "three answers for two messages");
    assert_eq!(class(200, "<response>"), HttpClass::Doubt);
    assert_eq!(class(500, "<html><h1>Maintenance</h1></html>"), HttpClass::Temporary);
    assert_eq!(class(400, "<error/>"), HttpClass::Permanent);
}

#[test]
fn calls_in_xml_are_read_by_path() {
    let api = described(DESCRIPTION);
    let told = "<reports><report id='7'><state>DELIVRD</state></report><sms><from>447700900055</from><to>60777</to>\
                <text>a &lt; b</text></sms><sms><from>447700900056</from><text/></sms><report id='8'/></reports>";
    let incoming = api.reader.called(&call(told.as_bytes()), NOW).unwrap();
    let [Incoming::Receipt { remote_ids, receipt, .. }, Incoming::Mo(first), Incoming::Mo(second)] = &incoming[..]
    else {
        panic!("{incoming:?}");
    };
    assert_eq!((&*remote_ids[0], receipt.state), ("7", ReceiptState::Delivered));
    assert_eq!([&first.from.to_string(), &first.to.to_string()], ["+447700900055", "60777"]);
    assert_eq!([first.content.text(), second.content.text()], [Some("a < b"), Some("")]);
    assert!(api.reader.called(&call(b"<reports>"), NOW).is_err());
    assert!(api.reader.called(&call(b"\xFF<"), NOW).is_err());
}

#[test]
fn an_expression_looks_at_an_entry_by_itself() {
    let api = described(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://x'\n[http]\nsend = {}\n[http.answer]\neach = '/messages'\n\
         accepted = { at = 'regex:OK' }\nid = 'regex:OK ([0-9]+)'",
    );
    let found = api.reader.answers(&document(200, r#"{"messages":["OK 1",{"said":"OK 2"},["no"]]}"#), &["a", "b", "c"]);
    assert_eq!(found[..2], [Verdict::Sent("1".into()), Verdict::Sent("2".into())]);
    assert!(matches!(found[2], Verdict::Not(..)));
}

#[test]
fn long_answers_take_no_square_of_the_time() {
    // What took minutes when each entry, and each message, had the whole looked through again.
    let api = described(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://x'\n[http]\nsend = {}\n[http.answer]\n\
         reason = 'regex:(?s)^.*(z)$'\nerrors = [{ body = '(?s)^.*z$', class = 'doubt' }]\n[http.receipt]\n\
         each = '/r'\nid = 'regex:(?s)^.*(z)$'\nstate = 'regex:(?s)^.*(z)$'",
    );
    let long = format!("{{\"r\":[{}0],\"x\":\"{}\"}}", "0,".repeat(9_000), "x".repeat(1 << 20));
    let ids = vec!["id"; 1000];
    assert_eq!(api.reader.answers(&document(500, &long), &ids).len(), 1000);
    assert_eq!(api.reader.polled(&document(200, &long)), []);
}
