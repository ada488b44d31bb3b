//! Values of the configuration with a form of their own.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A duration with its unit: `500ms`, `15s`, `5m`, `2h`, `90d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<store_postgres::Target>),
}

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no duration; write a number and its unit, such as \"15s\" or \"90d\"");
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(digits);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        // A thousand years are enough for everybody, and never overflow a time stamp.
        match number.checked_mul(*millis).filter(|total| *total <= 1000 * 365 * 86_400_000) {
            Some(total) => Ok(Self(Duration::from_millis(total))),
            None => Err(format!("\"{text}\" is longer than a thousand years")),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl FromStr for StorageUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text.parse().map(|target| Self::Postgres(Box::new(target))).map_err(
                |error: store_postgres::OpenError| {
                    // It names no value of the URL, for that may hold a password.
                    error.to_string()
                },
            );
        }
        let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        match path {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(format!(
                "\"{text}\" is no store; write \"sqlite:\" and the path of a file, or \"postgres://user@host/database\""
            )),
        }
    }
}

impl<'de> Deserialize<'de> for StorageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let millis = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(millis("90d"), Ok(90 * 86_400_000));
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("0d"), Ok(0));
        for wrong in ["", "15", "s", "-1s", "1.5h", "15 years", "99999999999999999999d", "366000d"] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stores_are_named_by_their_url() {
        let path = |text: &str| text.parse::<StorageUrl>();
        assert_eq!(path("sqlite:a/b.db"), Ok(StorageUrl::Sqlite("a/b.db".into())));
        assert_eq!(path("sqlite:///var/b.db"), Ok(StorageUrl::Sqlite("/var/b.db".into())));
        assert!(
            matches!(path("postgres://x/y"), Ok(StorageUrl::Postgres(target)) if target.to_string() == "postgres://@x/y")
        );
        assert!(path("postgresql://me:hush@x/y?sslmode=hush").is_err_and(|error| !error.contains("hush")));
        assert!(path("a.db").is_err() && path("sqlite:").is_err());
    }
}
