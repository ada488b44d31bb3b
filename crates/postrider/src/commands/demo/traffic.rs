//! Live traffic: a few messages a second, replies now and then, and a line for each event.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::Mo;

use super::Scene;
use super::once::post;
use crate::colour::Paint;
use crate::outcome::{Outcome, say};
use crate::timeline::style;

/// Between two messages.
const EVERY: Duration = Duration::from_millis(400);
/// Messages for each reply from a phone.
const REPLY_EVERY: u32 = 15;

const TEXTS: [&str; 6] = [
    "Your code is 493021. It is good for ten minutes.",
    "Your parcel comes today between 14:00 and 16:00.",
    "Ihre Rechnung über 49,90 € ist fällig.",
    "Przesyłka jest już w drodze. Dziękujemy!",
    "ご予約を承りました。ありがとうございます。",
    "Reminder: your appointment with Dr. Weiss is tomorrow at 9:30. If you can't come, please tell us at least four \
     hours before, so that somebody else can have it. You can answer this message, or call us from 8 to 18.",
];
const PREFIXES: [&str; 5] = ["447700900", "447700901", "491511234", "336123456", "485012345"];

/// Runs until it is dropped.
pub async fn run(scene: &mut Scene, paint: Paint) -> Outcome {
    let api = scene.api();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sent = 0u32;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                sent = sent.wrapping_add(1);
                let text = pick(&TEXTS, sent.wrapping_mul(7));
                let to = format!("+{}{:03}", pick(&PREFIXES, sent), sent % 1000);
                let reference = format!("demo-{sent}");
                post(&api, json!({ "to": to, "text": text, "receipt": "all", "client_ref": reference })).await?;
                if sent.is_multiple_of(REPLY_EVERY) {
                    // Nobody may be bound yet; then there is no reply.
                    let phone = format!("+447700900{:03}", sent % 1000);
                    let _ = scene.swift.inject_mo(&Mo::text(&phone, "60777", "Thank you!"));
                }
            }
            event = scene.sink.next() => show(&event?, paint)?,
        }
    }
}

fn pick<'a>(list: &[&'a str], n: u32) -> &'a str {
    list.get(n as usize % list.len().max(1)).copied().unwrap_or_default()
}

fn show(event: &Value, paint: Paint) -> Outcome {
    let message = &event["data"];
    let text = |key: &str| message[key].as_str().unwrap_or_default();
    let parts = message["parts"].as_array().map_or(0, Vec::len);
    let kind = event["type"].as_str().unwrap_or_default();
    let status = kind.rsplit('.').next().unwrap_or_default();
    let line = format!(
        "{} {:<16} {:<8} {:<5} {} {}",
        paint.text(style(status), &format!("{kind:<20}")),
        if text("direction") == "mo" { text("from") } else { text("to") },
        text("connector"),
        text("encoding"),
        match parts {
            0 => "       ".to_owned(),
            1 => "1 part ".to_owned(),
            _ => format!("{parts} parts"),
        },
        message["reason"]["detail"].as_str().unwrap_or_default()
    );
    say(line.trim_end())
}
