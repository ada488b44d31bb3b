//! Phones that write to the gateway, and what it says about that.

use serde_json::Value;
use simulator::{Mo, MoContent, MoForm};

use crate::ask_until;
use crate::carrier::Carrier;
use crate::http::Client;

/// The number that phones write to.
pub const NUMBER: &str = "+447700900000";

/// A timeline: events with their details.
pub type Timeline = Vec<(String, String)>;

/// Writes to [`NUMBER`] from a phone, as soon as there is a session.
///
/// # Panics
/// When there never is.
pub fn write(carrier: &Carrier, from: &str, text: &str) {
    let content = MoContent::Text { text: text.into(), form: MoForm::Udh, reference: 1 };
    let mo = Mo { from: from.into(), to: NUMBER.into(), content, system_id: None };
    ask_until("bound session", || (carrier.inject_mo(&mo).expect("a text") > 0).then_some(()));
}

/// A message from a phone, once it is there, and its timeline.
///
/// # Panics
/// When it never is.
pub fn received(client: &mut Client, text: &str) -> (String, Timeline) {
    let id = ask_until("incoming message", || {
        let found = client.get("/v1/messages?direction=mo").json();
        let found = found["data"].as_array()?.iter().find(|message| message["text"] == text)?.clone();
        Some(id_of(&found))
    });
    let events = timeline(client, &id);
    (id, events)
}

/// What happened to a message.
///
/// # Panics
/// When there is none.
pub fn timeline(client: &mut Client, id: &str) -> Timeline {
    let events = client.get(&format!("/v1/messages/{id}/events")).json();
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let events = events["data"].as_array().expect("a timeline");
    events.iter().map(|event| (text(event, "event"), text(event, "detail"))).collect()
}

/// The details of one kind of event.
pub fn details<'a>(events: &'a [(String, String)], event: &str) -> Vec<&'a str> {
    events.iter().filter(|(is, _)| is == event).map(|(_, detail)| detail.as_str()).collect()
}

/// The id of what was sent because of another message, and to whom.
///
/// # Panics
/// When the detail does not say.
pub fn sent(detail: &str) -> (&str, &str) {
    detail.split_once(" to ").expect("an id and a number")
}

/// What the carrier took for a number.
pub fn texts(carrier: &Carrier, to: &str) -> Vec<String> {
    let seen = carrier.seen();
    let to = to.trim_start_matches('+');
    seen.iter().filter(|message| *message.destination.2 == *to).map(|message| message.text.to_string()).collect()
}

/// A message's id.
///
/// # Panics
/// When it has none.
pub fn id_of(message: &Value) -> String {
    message["id"].as_str().expect("an id").to_owned()
}

/// Every message of a direction.
///
/// # Panics
/// When they can't be listed.
pub fn every(client: &mut Client, direction: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = client.get(&format!("/v1/messages?direction={direction}&limit=100{cursor}")).json();
        all.append(page["data"].as_array_mut().expect("a page"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
