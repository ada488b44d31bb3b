//! A message's timeline as aligned lines for people.

use anstyle::Style;
use model::Timestamp;
use serde_json::Value;

use crate::colour::{BAD, DOUBTFUL, FAINT, GOOD, Paint};

/// One line an event from the `shown`-th on: how long after the first, what, which part, and more.
pub fn lines(events: &[Value], parts: usize, shown: usize, paint: Paint) -> Vec<String> {
    let at = |event: &Value| event["at"].as_str().and_then(|text| text.parse::<Timestamp>().ok()).unwrap_or_default();
    let start = events.first().map(at).unwrap_or_default();
    let line = |event: &Value| {
        let after = format!("{:>+8.3}s", at(event).millis_since(start) as f64 / 1000.0);
        let part = match event["part"].as_u64() {
            Some(part) if parts > 1 => format!("{part}/{parts}"),
            _ => String::new(),
        };
        let name = event["event"].as_str().unwrap_or_default();
        let detail = event["detail"].as_str().unwrap_or_default();
        // Nothing is painted that is not there, so that no line ends in blanks.
        let rest = format!("{part:<5} {detail}");
        let rest = rest.trim_end();
        let gap = if rest.is_empty() { "" } else { &" ".repeat(12_usize.saturating_sub(name.chars().count()).max(1)) };
        format!("  {}  {}{gap}{rest}", paint.text(FAINT, &after), paint.text(style(name), name))
    };
    events.iter().skip(shown).map(line).collect()
}

/// How an event or a status is painted.
pub fn style(event: &str) -> Style {
    match event {
        "delivered" | "received" => GOOD,
        "undelivered" | "expired" | "rejected" | "refused" | "failed" | "canceled" => BAD,
        "unknown" | "in_doubt" | "retry" | "throttled" => DOUBTFUL,
        _ => Style::new(),
    }
}

/// Has a message of this status ended?
pub fn has_ended(status: &str) -> bool {
    !matches!(status, "scheduled" | "queued" | "sent" | "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Colour;

    fn told(colour: Colour, shown: usize) -> Vec<String> {
        let events = serde_json::json!([
            { "at": "2026-01-01T00:00:00.000Z", "event": "accepted" },
            { "at": "2026-01-01T00:00:01.250Z", "event": "delivered", "part": 2, "detail": "carrier-a 12ab" },
        ]);
        let paint = colour.on(&tempfile::tempfile().unwrap());
        lines(events.as_array().unwrap(), 2, shown, paint)
    }

    #[test]
    fn events_stand_in_columns() {
        assert_eq!(told(Colour::Never, 0), ["    +0.000s  accepted", "    +1.250s  delivered   2/2   carrier-a 12ab"]);
        assert_eq!(told(Colour::Never, 1).len(), 1);
        assert!(has_ended("delivered") && !has_ended("sent"));
    }

    #[test]
    fn colours_change_no_column() {
        let painted = told(Colour::Always, 0);
        assert_eq!(painted[1], "  \x1b[2m  +1.250s\x1b[0m  \x1b[32mdelivered\x1b[0m   2/2   carrier-a 12ab");
        assert_eq!(painted[0], "  \x1b[2m  +0.000s\x1b[0m  accepted");
    }
}
