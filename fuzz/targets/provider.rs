//! Any octets as what a provider with an HTTP API says: answers, polled documents, answers to questions, and calls as
//! JSON, XML, forms and parameters, with signatures of every kind. It is read by every preset, and by a description that
//! looks for everything everywhere.

#![no_main]

use std::sync::LazyLock;

use connectors::http::{Document, ProviderReader, Verdict};
use engine::CarrierCall;
use engine::dispatch::Incoming;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use model::Timestamp;

const SECRET: &str = "sixteen-letters-long";
const IDS: [&str; 3] = ["a", "b", "c"];
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);
/// Octets of a body that is repeated.
const LONG: usize = 64 * 1024;

const EVERYTHING: &str = r#"
answer = { each = "/m", accepted = { at = "/s", is = ["0", "ok"] }, id = "/id", code = "regex:c(\\d+)", reason = "regex:(?s)(.*)r", errors = [{ status = ["5xx"], body = "(?i)x.*y", class = "doubt" }, { code = ["7"], class = "throttled" }] }
receipt = { each = "/r", id = "regex:(\\w+)", state = "/s", error = "header:x-e", to = "/t", states = { "D*" = "delivered" } }
message = { each = "/m", from = "/f", to = "/t", text = "regex:(?s)t(.*)", data = "/d", udh = "/u", part_reference = "/p", part_count = "/c", part = "/n" }
query = { request = {}, state = "regex:s=(\\S+)", error = "status" }
"#;
const XML: &str = r#"
answer = { each = "xml:/a/m", accepted = { at = "xml:@s", is = ["0"] }, id = "xml:/id", code = "xml:@s", reason = "xml:" }
receipt = { each = "xml:/a/r", id = "xml:@id", state = "xml:/s", states = { "D*" = "delivered" } }
message = { each = "xml:/a/m", from = "xml:/f", text = "xml:/t", data = "xml:/d", data_form = "base64" }
query = { request = {}, state = "xml:/a/r@s" }
"#;

static READERS: LazyLock<Vec<ProviderReader>> = LazyLock::new(|| {
    let presets = model::resources::http::preset::ALL.iter();
    let presets = presets.flat_map(|preset| {
        // As it is shipped, and with what it knows of signatures.
        ["", "signature = { check = false }", "signature = { check = true, max_age_seconds = 86400 }"]
            .map(|more| format!("preset = \"{}\"\n{more}", preset.name))
    });
    let own = [EVERYTHING, XML].map(|own| format!("send = {{}}\n{own}"));
    let token = "send = {}\nsignature = { algorithm = \"jwt-hs256\", key = \"s\", max_age_seconds = 60 }\n".to_owned();
    presets.chain(own).chain([token]).filter_map(|http| reader(&http)).collect()
});

/// `None` where there is nothing to sign with, such as a time.
fn reader(http: &str) -> Option<ProviderReader> {
    let whole = format!(
        "id = \"c\"\nprotocol = \"http\"\naddress = \"https://a\"\nsystem_id = \"u\"\npassword = \"p\"\n[http]\n{http}\n\
         callback = {{ url = \"https://b\", secret = \"{SECRET}\" }}\nsecrets = {{ webhook = \"k\", signing_key = \"k\", \
         public_key = \"6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=\" }}\nvalues = {{ service_code = \"1\" }}"
    );
    ProviderReader::new(&toml::from_str(&whole).expect("a connector")).ok()
}

fuzz_target!(|octets: &[u8]| {
    let Some((&[which, status, times], said)) = octets.split_first_chunk::<3>() else { return };
    // A head, the query and the body follow each other, a zero between.
    let mut pieces = said.splitn(3, |octet| *octet == 0);
    let (head, query) = (pieces.next().unwrap_or_default(), pieces.next().unwrap_or_default());
    let body = long(pieces.next().unwrap_or_default(), times);
    let readers = &*READERS;
    let Some(reader) = readers.get(usize::from(which) % readers.len()) else { return };
    let headers: Vec<(&[u8], &[u8])> = head.split(|octet| *octet == b'\n').filter_map(split).collect();

    let document = || {
        let headers = headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        });
        Document::new(u16::from(status) * 4, headers.take(100).collect::<HeaderMap>(), body.clone())
    };
    let verdicts = reader.answers(&document(), &IDS);
    assert_eq!(verdicts.len(), IDS.len());
    for verdict in &verdicts {
        match verdict {
            Verdict::Sent(id) => assert!(id.len() <= 200),
            Verdict::Not(_, reason) => assert!(reason.detail.chars().count() <= 300, "{reason:?}"),
        }
    }
    let _ = reader.told(&document());
    check(&reader.polled(&document()), body.len() + head.len());

    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase().into_boxed_str();
    let call = CarrierCall {
        connector: "c".into(),
        secret: SECRET.into(),
        query: String::from_utf8_lossy(query).into(),
        headers: headers.iter().map(|(name, value)| (lower(name), (*value).into())).collect(),
        body,
        remote: [127, 0, 0, 1].into(),
    };
    if let Ok(incoming) = reader.called(&call, NOW) {
        check(&incoming, call.body.len() + call.query.len() + head.len());
    }
    let other = CarrierCall { secret: "another-secret-here".into(), ..call };
    assert!(reader.called(&other, NOW).is_err());
});

/// A body whose middle comes again and again: deep, wide, or both.
fn long(body: &[u8], times: u8) -> Vec<u8> {
    let mut parts = body.splitn(3, |octet| *octet == 1);
    let (begin, middle, end) = (parts.next(), parts.next(), parts.next());
    let (Some(middle), Some(end)) = (middle, end) else { return body.to_vec() };
    let times = (1usize << (times % 16)).min(LONG / middle.len().max(1));
    [begin.unwrap_or_default(), &middle.repeat(times), end].concat()
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|octet| *octet == b':')?;
    Some((&line[..at], &line[at + 1..]))
}

/// What is read is not more than was said.
fn check(incoming: &[Incoming], said: usize) {
    assert!(incoming.len() <= said.max(2));
    for one in incoming {
        match one {
            Incoming::Receipt { remote_ids, .. } => assert!(remote_ids.iter().all(|id| id.len() <= 200)),
            Incoming::Mo(mo) => assert!(mo.concat.is_none_or(|concat| (1..=concat.total).contains(&concat.sequence))),
            Incoming::Report { .. } | Incoming::Call { .. } => panic!("only modems tell of that: {one:?}"),
        }
    }
}
