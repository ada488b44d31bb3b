//! Providers with an HTTP API that are difficult: requests are cut, refused whole, answered by somebody else, and so
//! are tokens and certificates.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use scenarios::carrier::Carrier;
use scenarios::provider::{Scripted, answer};
use scenarios::{Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::{HttpApi, HttpProvider, HttpProviderSettings};

const WINDOW: usize = 2;
const BAD: &str = "447700900666";

/// A place with one connector, which has these settings.
fn place(sink: &Sink, address: impl std::fmt::Display, more: &str) -> Place {
    let provider = connector("provider", address, more).replace("\"smpp\"", "\"http\"");
    Place::new(&resources(sink, "provider", &provider))
}

fn simulated(carrier: &Carrier<HttpProvider>, sink: &Sink, preset: &str, more: &str) -> Place {
    let more = format!("window = {WINDOW}\nhttp = {{ preset = \"{preset}\"{more} }}");
    place(sink, format!("http://{}", carrier.address()), &more)
}

/// Answers so slowly that messages gather behind the window and go in batches.
fn settings(api: HttpApi) -> HttpProviderSettings {
    let resp_delay = (Duration::from_millis(5), Duration::from_millis(15));
    HttpProviderSettings { user: "gateway".into(), resp_delay, ..HttpProviderSettings::new(api) }
}

/// Sends so many messages at once, and gives their ids.
fn send_all(gateway: &Gateway, numbers: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let mut client = gateway.client();
    numbers.map(|(to, text)| (client.send(&json!({ "to": to, "text": text })), text)).collect()
}

/// How often each text came.
fn times(carrier: &Carrier<HttpProvider>) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for seen in carrier.seen() {
        *times.entry(seen.text.into()).or_default() += 1;
    }
    times
}

fn ready(gateway: &Gateway) -> usize {
    gateway.log().all().iter().filter(|line| line.contains("\"ready\"")).count()
}

#[test]
fn one_bad_number_in_each_batch_spoils_none_of_the_others() {
    const MESSAGES: usize = 400;
    let bad_number = Some(BAD.into());
    let carrier = Carrier::start_http(HttpProviderSettings { bad_number, ..settings(HttpApi::Infobip) });
    let sink = Sink::start();
    let gateway = simulated(&carrier, &sink, "infobip", "").into_gateway();
    let to = |number: usize| if number % 20 == 7 { format!("+{BAD}") } else { "+447700900001".into() };
    let ids = send_all(&gateway, (0..MESSAGES).map(|number| (to(number), format!("message {number}"))));
    let is_bad =
        |text: &str| text.rsplit(' ').next().and_then(|number| number.parse().ok()).is_some_and(|n: usize| n % 20 == 7);
    let mut client = gateway.client();
    for (id, text) in &ids {
        let wanted = if is_bad(text) { "rejected" } else { "sent" };
        ask_until("end of a message", || (client.message(id)["status"] == wanted).then_some(()));
    }
    let times = times(&carrier);
    assert_eq!(times.len(), ids.values().filter(|text| !is_bad(text)).count());
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    // Each goes out once by itself after the batch that it was in, and hardly more.
    let counters = carrier.counters();
    assert!(counters.submits <= 4 * MESSAGES as u64, "{counters:?}");
}

#[test]
fn batches_are_sent_however_often_the_gateway_is_killed() {
    const KILLS: usize = 4;
    const MESSAGES: usize = 300;
    const BATCH: usize = 20;
    let carrier = Carrier::start_http(settings(HttpApi::Infobip));
    let sink = Sink::start();
    let place = simulated(&carrier, &sink, "infobip", &format!(", batch = {{ most = {BATCH} }}"));
    let mut ids = HashMap::new();
    for kill in 0..KILLS {
        let gateway = place.start();
        let texts = (0..MESSAGES).map(|number| ("+447700900001".to_owned(), format!("message {number} before {kill}")));
        ids.extend(send_all(&gateway, texts));
        gateway.kill();
    }
    let _gateway = place.start();
    ask_until("distinct messages", || (carrier.counters().distinct == (KILLS * MESSAGES) as u64).then_some(()));
    let times = times(&carrier);
    assert!(ids.values().all(|text| times.contains_key(text)), "some were accepted and never sent");
    // The requests under way with all that is in them, and what was answered and not settled yet.
    let again = carrier.counters().duplicates as usize;
    assert!(again <= KILLS * (WINDOW * BATCH + 64), "{again} messages were sent again");
}

#[test]
fn tokens_that_end_in_traffic_lose_and_double_nothing() {
    const MESSAGES: usize = 300;
    let short = HttpProviderSettings { token_seconds: Some(2), ..settings(HttpApi::MtnV3) };
    let revoked = HttpProviderSettings { token_uses: Some(40), ..settings(HttpApi::MtnV3) };
    for settings in [short, revoked] {
        let is_revoked = settings.token_uses.is_some();
        let (carrier, sink) = (Carrier::start_http(settings), Sink::start());
        let gateway = simulated(&carrier, &sink, "mtn-v3", ", values = { service_code = \"777\" }").into_gateway();
        let mut ids = HashMap::new();
        let mut round = 0;
        // A token that was told to end after two seconds has to do so while messages go out.
        while round == 0 || carrier.counters().binds < 4 {
            let texts =
                (0..MESSAGES).map(|number| ("+447700900001".to_owned(), format!("message {number} of {round}")));
            ids.extend(send_all(&gateway, texts));
            ask_until("messages", || (carrier.counters().accepted >= ids.len() as u64).then_some(()));
            round += 1;
        }
        let mut client = gateway.client();
        for id in ids.keys() {
            ask_until("message that is sent", || (client.message(id)["status"] == "sent").then_some(()));
        }
        let counters = carrier.counters();
        assert_eq!((counters.distinct, counters.duplicates), (ids.len() as u64, 0), "{counters:?}");
        if is_revoked {
            assert!(counters.binds_refused >= 3, "{counters:?}");
        }
        assert_eq!(ready(&gateway), 1, "the session went on");
    }
}

#[test]
fn what_may_have_been_taken_is_sent_again_only_after_a_pause() {
    // Somebody in between answers for the provider; later the connection is cut under a request that has gone.
    let page = |asked: &scenarios::provider::Asked, number: usize| match number {
        0 | 1 => Some(answer(200, "text/html", "<html>Please log in</html>")),
        2 | 3 => None,
        _ => Some(answer(200, "application/json", &json!({ "data": { "id": asked.body.len() } }).to_string())),
    };
    let (provider, sink) = (Scripted::start(page), Sink::start());
    let http = "http = { preset = \"telnyx\" }";
    let gateway = place(&sink, format!("http://{}", provider.address()), http).into_gateway();
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "perhaps" }));
    let mut client = gateway.client();
    ask_until("message that is sent", || (client.message(&id)["status"] == "sent").then_some(()));
    assert_eq!(provider.asked().len(), 5);
    // Each doubt ended a session, and the next began after the wait for that.
    assert_eq!(ready(&gateway), 5, "{}", gateway.log().tail());
    let waits = gateway.log().all().iter().filter(|line| line.contains("retry_in_ms")).count();
    assert_eq!(waits, 4);
}

#[test]
fn doubt_that_is_to_fail_is_sent_once() {
    let (provider, sink) = (Scripted::start(|_, _| Some(answer(204, "text/plain", ""))), Sink::start());
    let http = "in_doubt = \"fail\"\nhttp = { preset = \"telnyx\" }";
    let gateway = place(&sink, format!("http://{}", provider.address()), http).into_gateway();
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "perhaps" }));
    sink.wait_event(&id, "message.unknown");
    assert_eq!(provider.asked().len(), 1);
}

/// An authority, and what a server shows that it has signed for this name.
fn signed(folder: &std::path::Path, name: &str) -> (std::path::PathBuf, ServerConfig) {
    let named = |name: &str| {
        let mut named = DistinguishedName::new();
        named.push(DnType::CommonName, name);
        named
    };
    let key = KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::new(vec![]).expect("no names are sound");
    authority.distinguished_name = named("an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, authority.self_signed(&key).expect("a certificate can be made").pem())
        .expect("it can be written");
    let own = KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name = named(name);
    let cert = params.signed_by(&own, &Issuer::new(authority, key)).expect("a certificate can be made");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = builder.expect("versions").with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
    (ca, config.expect("the key belongs to the certificate"))
}

#[test]
fn only_a_provider_with_the_right_certificate_is_told_anything() {
    let folder = tempfile::tempdir().expect("a directory");
    let (ca, config) = signed(folder.path(), "localhost");
    let taken = |asked: &scenarios::provider::Asked, _| {
        let asked: Value = serde_json::from_str(&asked.body).expect("JSON");
        Some(answer(200, "application/json", &json!({ "data": { "id": asked["text"] } }).to_string()))
    };
    let (provider, sink) = (Scripted::start_tls(config, taken), Sink::start());
    let port = provider.address().port();
    let http = "http = { preset = \"telnyx\" }";
    let at = |host: &str, tls: &str| place(&sink, format!("https://{host}:{port}"), &format!("{tls}{http}"));
    let known = format!("tls = {{ ca = {ca:?} }}\n");

    // Nobody knows who has signed it; and it is for another name.
    for (host, tls, why) in [("localhost", "", "UnknownIssuer"), ("127.0.0.1", &*known, "not valid for name")] {
        let gateway = at(host, tls).into_gateway();
        gateway.client().send(&json!({ "to": "+447700900001", "text": "secret" }));
        gateway.log().wait(why, |line| (line.contains("not bound") && line.contains(why)).then_some(()));
    }
    assert_eq!(provider.asked().len(), 0);

    let gateway = at("localhost", &known).into_gateway();
    let id = gateway.client().send(&json!({ "to": "+447700900001", "text": "t-1" }));
    let mut client = gateway.client();
    let sent = ask_until("message that is sent", || Some(client.message(&id)).filter(|one| one["status"] == "sent"));
    assert_eq!(sent["parts"][0]["remote_id"], "t-1", "{sent}");
    // The name may be another than the address.
    let named = format!("tls = {{ ca = {ca:?}, server_name = \"localhost\" }}\n");
    let gateway = at("127.0.0.1", &named).into_gateway();
    gateway.client().send(&json!({ "to": "+447700900001", "text": "t-2" }));
    ask_until("request", || (provider.asked().len() == 2).then_some(()));
}

#[test]
fn a_path_whose_secret_is_empty_is_nobodys() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("secret");
    std::fs::write(&file, "\n").expect("it can be written");
    let (provider, sink) = (Scripted::start(|_, _| Some(answer(200, "application/json", "{}"))), Sink::start());
    let callback = format!("callback = {{ url = \"https://sms.example\", secret = {{ file = {file:?} }} }}");
    let http = format!("http = {{ preset = \"vonage\", {callback} }}");
    let gateway = place(&sink, format!("http://{}", provider.address()), &http).into_gateway();
    let mut client = gateway.client();
    let forged = "msisdn=447700900055&to=60777&text=forged";
    for path in ["/carriers/provider/", "/carriers/provider", "/carriers/provider/%20", "/carriers/provider//"] {
        let status = client.get(&format!("{path}?{forged}")).status;
        assert!([404, 503].contains(&status), "{path} was answered {status}");
    }
    // It sends nothing either: the provider would be told to call there.
    client.send(&json!({ "to": "+447700900001", "text": "x" }));
    gateway.log().wait("reason", |line| line.contains("callback.secret must be at least 16").then_some(()));
    assert_eq!(provider.asked().len(), 0);
    assert!(!sink.look(|seen| seen.calls.iter().any(|call| call.event == "message.received")));
}
