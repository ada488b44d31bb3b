//! The log, on standard error: short coloured lines for people, JSON lines for programs.
//!
//! Texts, secrets and tokens are left out whatever asks for them to be logged, and numbers are
//! shortened as configured: by the names of their fields.

use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Write as _, stderr};

use model::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry, reload};

use crate::colour::{BAD, Colour, DOUBTFUL, FAINT, GOOD, Paint};
use crate::config::{Log, LogFormat, Numbers};

/// Fields that never stand in a log.
const SECRET: [&str; 9] =
    ["text", "body", "payload", "password", "secret", "token", "api_token", "authorization", "short_message"];
/// Fields that hold phone numbers.
const NUMBERS: [&str; 9] = ["to", "from", "sender", "recipient", "number", "phone", "msisdn", "source", "destination"];

/// Changes the level of a running log, and writes lines that are always wanted.
#[derive(Clone, Debug)]
pub struct LogHandle {
    lines: Lines,
    filter: reload::Handle<Targets, Registry>,
}

#[derive(Clone, Copy, Debug)]
struct Lines {
    json: bool,
    paint: Paint,
    numbers: Numbers,
}

/// Starts the log of this process.
pub fn start(config: &Log, colour: Colour) -> LogHandle {
    let lines = Lines::new(config, colour);
    let (filter, handle) = reload::Layer::new(levels(&config.level).unwrap_or_default());
    let subscriber = Registry::default().with(lines.with_filter(filter));
    // A second log in one process, in tests, changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber);
    LogHandle { lines, filter: handle }
}

/// What is worth a line: `info`, or `info,connectors=debug`.
pub fn levels(text: &str) -> Result<Targets, String> {
    let mut targets = Targets::new();
    for rule in text.split(',').map(str::trim) {
        let (target, level) = match rule.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, rule),
        };
        let wrong = || format!("\"{level}\" is no level; write error, warn, info, debug or trace");
        let parsed = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse::<LevelFilter>().ok());
        let level = parsed.ok_or_else(wrong)?;
        targets = match target {
            Some(target) => targets.with_target(target, level),
            None => targets.with_default(level),
        };
    }
    Ok(targets)
}

impl LogHandle {
    /// Changes what is worth a line.
    pub fn set_level(&self, level: &str) {
        if let Ok(levels) = levels(level) {
            let _ = self.filter.reload(levels);
        }
    }

    /// Writes a line whatever the level is.
    pub fn always(&self, event: &str, fields: &[(&str, &str)]) {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.lines.write(now(), Level::INFO, "postrider", event, fields);
    }
}

impl Lines {
    fn new(config: &Log, colour: Colour) -> Self {
        let json = match config.format {
            LogFormat::Auto => !stderr().is_terminal(),
            LogFormat::Text => false,
            LogFormat::Json => true,
        };
        Self { json, paint: colour.on(&stderr()), numbers: config.redact.numbers }
    }

    fn write(&self, at: Timestamp, level: Level, target: &str, event: &str, fields: Map<String, Value>) {
        let line = if self.json {
            json_line(at, level, target, event, fields)
        } else {
            text_line(at, level, event, &fields, self.paint)
        };
        // There is nowhere to say that the log can't be written.
        let _ = stderr().lock().write_all(line.as_bytes());
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields { message: String::new(), fields: Map::new(), numbers: self.numbers };
        event.record(&mut fields);
        let metadata = event.metadata();
        self.write(now(), *metadata.level(), metadata.target(), &fields.message, fields.fields);
    }
}

struct Fields {
    message: String,
    fields: Map<String, Value>,
    numbers: Numbers,
}

impl Fields {
    fn text(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, Value::String(text));
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let value = match value {
            _ if SECRET.contains(&name) => return,
            Value::String(text) if NUMBERS.contains(&name) => match shortened(&text, self.numbers) {
                Some(text) => text.into(),
                None => return,
            },
            value => value,
        };
        self.fields.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// A number as it may be shown; `None` if it may not.
pub fn shortened(number: &str, how: Numbers) -> Option<String> {
    let how = match how {
        Numbers::Full => ingress::http::NumberRedaction::Full,
        Numbers::Last4 => ingress::http::NumberRedaction::Last4,
        Numbers::None => ingress::http::NumberRedaction::None,
    };
    how.apply(number)
}

fn json_line(at: Timestamp, level: Level, target: &str, event: &str, fields: Map<String, Value>) -> String {
    let mut line = Map::new();
    line.insert("time".into(), at.to_string().into());
    line.insert("level".into(), level.as_str().to_lowercase().into());
    line.insert("target".into(), target.into());
    line.insert("event".into(), event.into());
    for (name, value) in fields {
        line.entry(name).or_insert(value);
    }
    format!("{}\n", Value::Object(line))
}

fn text_line(at: Timestamp, level: Level, event: &str, fields: &Map<String, Value>, paint: Paint) -> String {
    let at = at.to_string();
    let style = match level {
        Level::ERROR => BAD,
        Level::WARN => DOUBTFUL,
        Level::INFO => GOOD,
        _ => FAINT,
    };
    let mut line = format!(
        "{} {} {}",
        paint.text(FAINT, at.get(11..23).unwrap_or(&at)),
        paint.text(style, &format!("{:<5}", level.as_str())),
        printable(event)
    );
    for (name, value) in fields {
        let value = match value {
            Value::String(text) if text.contains(' ') => format!("\"{}\"", printable(text)),
            Value::String(text) => printable(text),
            value => value.to_string(),
        };
        let _ = write!(line, " {}{value}", paint.text(FAINT, &format!("{name}=")));
    }
    line.push('\n');
    line
}

/// Control characters could forge lines or move the cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words_and_typing_mistakes_are_told() {
        assert!(levels("info").is_ok() && levels("warn, connectors=debug").is_ok());
        assert!(levels("inof").unwrap_err().contains("\"inof\" is no level"));
        assert!(levels("connectors=verbose").is_err() && levels("").is_err());
    }

    #[test]
    fn lines_are_json_or_text() {
        let fields: Map<String, Value> = [("http".to_owned(), json!("127.0.0.1:80"))].into_iter().collect();
        let at = Timestamp::from_millis(0);
        assert_eq!(
            json_line(at, Level::INFO, "t", "listening", fields.clone()),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"target\":\"t\",\"event\":\"listening\",\"http\":\"127.0.0.1:80\"}\n"
        );
        assert_eq!(
            text_line(at, Level::WARN, "listening", &fields, Paint::NONE),
            "00:00:00.000 WARN  listening http=127.0.0.1:80\n"
        );
        assert!(
            !text_line(at, Level::INFO, "a\nb\x1b[2J", &Map::new(), Paint::NONE).trim_end().contains(['\n', '\x1b'])
        );
    }

    #[test]
    fn numbers_are_shortened() {
        assert_eq!(shortened("447700900123", Numbers::Last4).as_deref(), Some("…0123"));
        assert_eq!(shortened("447700900123", Numbers::None), None);
    }
}
