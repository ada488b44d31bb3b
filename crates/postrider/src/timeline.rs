//! A message's timeline as aligned lines for people.

use model::Timestamp;
use serde_json::Value;

/// One line an event: how long after the first, what, which part, and more.
pub fn lines(events: &[Value], parts: usize, shown: usize) -> Vec<String> {
    let at = |event: &Value| event["at"].as_str().and_then(|text| text.parse::<Timestamp>().ok()).unwrap_or_default();
    let start = events.first().map(at).unwrap_or_default();
    let line = |event: &Value| {
        let after = at(event).millis_since(start) as f64 / 1000.0;
        let part = match event["part"].as_u64() {
            Some(part) if parts > 1 => format!("{part}/{parts}"),
            _ => String::new(),
        };
        let name = event["event"].as_str().unwrap_or_default();
        let detail = event["detail"].as_str().unwrap_or_default();
        format!("  {after:>+8.3}s  {name:<11} {part:<5} {detail}").trim_end().to_owned()
    };
    events.iter().skip(shown).map(line).collect()
}

/// Has a message of this status ended?
pub fn has_ended(status: &str) -> bool {
    !matches!(status, "scheduled" | "queued" | "sent" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stand_in_columns() {
        let events = serde_json::json!([
            { "at": "2026-01-01T00:00:00.000Z", "event": "accepted" },
            { "at": "2026-01-01T00:00:01.250Z", "event": "sent", "part": 2, "detail": "carrier-a 12ab" },
        ]);
        assert_eq!(
            lines(events.as_array().unwrap(), 2, 0),
            ["    +0.000s  accepted", "    +1.250s  sent        2/2   carrier-a 12ab"]
        );
        assert_eq!(lines(events.as_array().unwrap(), 2, 1).len(), 1);
        assert!(has_ended("delivered") && !has_ended("sent"));
    }
}
