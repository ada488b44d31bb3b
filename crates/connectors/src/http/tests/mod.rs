//! Every preset's requests, and what is made of answers and calls, by what the providers' documents show.

mod answers;
mod calls;
mod requests;
mod signatures;
mod xml;

use engine::dispatch::Job;
use http::header::HeaderValue;
use model::resources::Connector;
use model::{Address, Body, Content, Encoding, ReceiptWish, Timestamp};

use super::api::Api;
use super::values::{Outgoing, Values};

/// Of the key pair whose seed is 32 sevens.
const PUBLIC_KEY: &str = "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
/// 2026-11-22T20:14:56Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

fn connector(preset: &str, more: &str) -> Connector {
    let secrets = format!("secrets = {{ k = 's', signing_key = 'key', public_key = '{PUBLIC_KEY}' }}");
    let callback = "callback = { url = 'https://sms.example', secret = 'sixteen-letters-long' }";
    let text = format!(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://api.example'\nsystem_id = 'user'\npassword = 'pass word'\n\
         http = {{ {preset} {callback}, values = {{ service_code = '777' }}, {secrets} {more} }}"
    );
    toml::from_str(&text).unwrap()
}

fn api(preset: &str, more: &str) -> Api {
    Api::compile(&connector(&format!("preset = '{preset}',"), more)).unwrap()
}

fn message(text: &str, encoding: Encoding) -> Body {
    let from = Address::sender("SHOP", None).unwrap();
    Body {
        from,
        content: Content::Text(text.into()),
        encoding,
        receipt: ReceiptWish::Final,
        ..model::samples::body(NOW)
    }
}

fn job(body: Body) -> Job {
    Job { ticket: 1, body: body.into(), part: 0, parts: 1 }
}

/// A request as it goes over the wire: its line, the headers that tell, and the body.
fn request(api: &Api, bodies: Vec<Body>) -> String {
    let jobs: Vec<Job> = bodies.into_iter().map(job).collect();
    let binary = jobs.iter().any(|job| job.body.content.text().is_none());
    let written = if binary { api.binary.as_ref().expect("it can send octets") } else { &api.send };
    let outgoing: Vec<_> = jobs.iter().map(|job| Outgoing::new(job, written.wants_octets).unwrap()).collect();
    let plain = Values::plain(&api.known, NOW);
    let values: Vec<_> = outgoing.iter().map(|one| Values { message: Some(one), ..plain }).collect();
    let token = HeaderValue::from_static("Bearer fetched");
    let request = written.write(&api.origin, &values, Some(&token)).unwrap();
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        if !matches!(name.as_str(), "host" | "user-agent" | "content-type") {
            text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    text + std::str::from_utf8(request.body()).unwrap()
}

mod anything {
    use proptest::prelude::*;

    use super::answers::document;
    use super::calls::{FORM, JSON, called};
    use super::*;

    fn presets() -> Vec<(&'static str, Api)> {
        let names = model::resources::http::preset::ALL.iter().map(|preset| preset.name);
        names.map(|name| (name, api(name, ", signature = { check = false }"))).collect()
    }

    proptest! {
        #[test]
        fn any_answer_and_any_call_is_read(
            status in 100u16..600,
            body in prop_oneof![".{0,80}", r#"\{"(id|messages|results|data|sid)":(\[\{"(to|status|id)":"?[0-9a-z]{1,5}"?\}\]|"x"|7|null)\}"#],
        ) {
            for (name, api) in presets() {
                let verdicts = api.reader.answers(&document(status, &body), &["a", "b"]);
                prop_assert_eq!(verdicts.len(), 2, "{}", name);
                let _ = called(name, ", signature = { check = false }", &body, &[FORM], &body);
                let _ = called(name, ", signature = { check = false }", "", &[JSON], &body);
            }
        }

        #[test]
        fn any_text_goes_into_every_request(text in "\\PC{1,40}", control in any::<char>()) {
            let text: String = text.chars().chain([control]).collect();
            for (name, api) in presets() {
                let whole = request(&api, vec![message(&text, Encoding::Ucs2)]);
                if let Some((_, json)) = whole.split_once("\n{") {
                    let json = serde_json::from_str::<serde_json::Value>(&format!("{{{json}"));
                    prop_assert!(json.is_ok(), "{} {}", name, whole);
                }
            }
        }
    }
}
