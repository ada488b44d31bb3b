//! `demo --once`: four messages of different kinds, and what became of each.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::Scene;
use crate::api::Api;
use crate::colour::Paint;
use crate::outcome::{Failure, Outcome, say};
use crate::timeline::{has_ended, lines, style};

/// How long everything may take.
const PATIENCE: Duration = Duration::from_secs(30);

const LONG: &str = "A long text is cut into parts that each carry a little header, so that the phone can put them \
                    together again. Every part has a receipt of its own, and the message is delivered when all of \
                    its parts are. This one needs two of them.";

/// Sends, waits until webhooks have told the end of each, and shows the timelines.
pub async fn run(scene: &mut Scene, paint: Paint) -> Outcome {
    let messages = [
        ("plain", json!({ "to": "+447700900101", "text": "Hello from Postrider" })),
        ("long", json!({ "to": "+447700900102", "text": LONG })),
        ("Unicode", json!({ "to": "+4915112345603", "text": "Zażółć gęślą jaźń, 你好 🙂" })),
        ("flash", json!({ "to": "+33612345604", "text": "Your code is 314159", "class": 0, "priority": 3 })),
    ];
    let api = scene.api();
    let mut sent = Vec::new();
    for (name, message) in messages {
        let accepted = post(&api, message).await?;
        sent.push((name, accepted["id"].as_str().unwrap_or_default().to_owned()));
    }
    let mut ended = HashMap::new();
    let all = timeout(PATIENCE, async {
        while ended.len() < sent.len() {
            let event = scene.sink.next().await?;
            let message = &event["data"];
            let id = message["id"].as_str().unwrap_or_default();
            if has_ended(message["status"].as_str().unwrap_or_default()) && sent.iter().any(|(_, known)| known == id) {
                ended.insert(id.to_owned(), event["type"].as_str().unwrap_or_default().to_owned());
            }
        }
        Ok::<(), Failure>(())
    });
    let in_time = all.await.unwrap_or(Ok(())).map(|()| ended.len() == sent.len())?;
    let mut delivered = 0;
    for (name, id) in &sent {
        let (message, events) = read(&api, id).await?;
        delivered += usize::from(message["status"] == "delivered");
        show(name, &message, &events, ended.get(id), paint)?;
    }
    if in_time && delivered == sent.len() {
        return say(format_args!(
            "{delivered} of {} messages were delivered, and their webhooks were signed.",
            sent.len()
        ));
    }
    Err(Failure::failed(format_args!("{delivered} of {} messages were delivered within {PATIENCE:?}", sent.len())))
}

fn show(name: &str, message: &Value, events: &[Value], webhook: Option<&String>, paint: Paint) -> Outcome {
    let text = |key: &str| message[key].as_str().unwrap_or_default();
    let parts = message["parts"].as_array().map_or(1, Vec::len);
    say(format_args!(
        "{name}: to {} over {}, {}, {parts} {}: {}",
        text("to"),
        text("connector"),
        text("encoding"),
        if parts == 1 { "part" } else { "parts" },
        paint.text(style(text("status")), text("status"))
    ))?;
    lines(events, parts, 0, paint).into_iter().try_for_each(say)?;
    say(match webhook {
        Some(event) => format!("  webhook {event}, signature verified\n"),
        None => "  no webhook came in time\n".to_owned(),
    })
}

/// Sends a message from where waiting hurts nobody.
pub async fn post(api: &Api, message: Value) -> Outcome<Value> {
    let api = api.clone();
    tokio::task::spawn_blocking(move || api.post("/v1/messages", &message)).await?
}

async fn read(api: &Api, id: &str) -> Outcome<(Value, Vec<Value>)> {
    let (api, path) = (api.clone(), format!("/v1/messages/{id}"));
    tokio::task::spawn_blocking(move || {
        let message = api.get(&path)?;
        let events = api.get(&format!("{path}/events"))?;
        Ok((message, events["data"].as_array().cloned().unwrap_or_default()))
    })
    .await?
}
