//! Reads TOML into typed values and tells every fault at once, with its place and what to do.
//!
//! serde stops at the first thing that it can't read. Here what it stopped at is noted and taken
//! out of the document, and it reads on, until nothing is left to complain about.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Faults of one document that are told at most.
const FAULTS_MAX: usize = 100;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the environment variable.
    pub file: String,
    /// Line and column, both from 1; `None` where there is no text to point at.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// A document with the faults that were found in it so far.
#[derive(Debug)]
pub struct Document<'i> {
    file: String,
    text: &'i str,
    /// Faults, in the order in which they were found.
    pub faults: Vec<Fault>,
}

impl<'i> Document<'i> {
    /// Reads the syntax. What can't be read is a fault; the rest is in the table.
    pub fn parse(file: &str, text: &'i str) -> (Self, Spanned<DeTable<'i>>) {
        let mut document = Self { file: file.to_owned(), text, faults: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(FAULTS_MAX) {
            document.fault(error.span().unwrap_or(0..0), sentence(error.message()));
        }
        (document, table)
    }

    /// Notes a fault of the text at `span`.
    pub fn fault(&mut self, span: Range<usize>, message: impl Into<String>) {
        let fault =
            Fault { file: self.file.clone(), place: Some(place(self.text, span.start)), message: message.into() };
        if self.faults.len() < FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Reads a value; `None` if it can't be had even without what is wrong in it.
    pub fn read<T: DeserializeOwned>(&mut self, mut value: Spanned<DeValue<'i>>) -> Option<T> {
        for _ in 0..FAULTS_MAX {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| value.span());
            self.fault(span.clone(), friendly(error.message()));
            let DeValue::Table(table) = value.get_mut() else { return None };
            if !take_out(table, &span) {
                return None;
            }
        }
        None
    }

    /// The faults by their place in the file.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.place);
        self.faults
    }
}

/// Takes the smallest entry out that `span` points into; `false` if there is none.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let inside = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let found = table.iter().find(|(key, value)| inside(key.span()) || inside(value.span()));
    let Some(key) = found.map(|(key, _)| key.clone()) else {
        // The span of a table with a header does not cover its entries.
        return table.iter_mut().any(|(_, value)| within(value.get_mut(), span));
    };
    if !inside(key.span()) && table.get_mut(&key).is_some_and(|value| within(value.get_mut(), span)) {
        return true;
    }
    table.remove(&key).is_some()
}

fn within(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => take_out(table, span),
        DeValue::Array(items) => items.iter_mut().any(|item| match item.get_mut() {
            DeValue::Table(table) => take_out(table, span),
            _ => false,
        }),
        _ => false,
    }
}

/// Line and column of an octet, both from 1; columns count characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// What serde says, in words that say what to do.
fn friendly(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let wrong = quoted.next().unwrap_or_default();
        return unknown("key", wrong, &quoted.collect::<Vec<_>>());
    }
    if message.starts_with("unknown variant") {
        let wrong = quoted.next().unwrap_or_default();
        return unknown("choice", wrong, &quoted.collect::<Vec<_>>());
    }
    if message.starts_with("missing field") {
        return format!("the key \"{}\" is missing; add it", quoted.next().unwrap_or_default());
    }
    if message.contains("untagged enum Secret") {
        return "must be a string, { env = \"NAME\" } or { file = \"PATH\" }".into();
    }
    if message.contains("socket address") && !message.starts_with("invalid type") {
        return "is no address; write an IP address and a port, such as \"127.0.0.1:8080\"".into();
    }
    if message.contains("IP address syntax") {
        return "is no network; write an address and a length, such as \"10.0.0.0/8\"".into();
    }
    sentence(message)
}

/// That something is not known, and what was perhaps meant.
pub fn unknown(what: &str, wrong: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(wrong.len()) / 4)
        .min();
    match near {
        Some((_, candidate)) => format!("there is no {what} \"{wrong}\" here; did you mean \"{candidate}\"?"),
        None if known.is_empty() => format!("there is no {what} \"{wrong}\" here; remove it"),
        None => format!("there is no {what} \"{wrong}\" here; there is: {}", known.join(", ")),
    }
}

fn sentence(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default)]
        number: u8,
        #[serde(default)]
        inner: Vec<Inner>,
        #[serde(default)]
        table: Option<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        name: String,
        #[serde(default)]
        count: u8,
    }

    fn read(text: &str) -> (Option<Outer>, Vec<String>) {
        let (mut document, table) = Document::parse("x.toml", text);
        let span = table.span();
        let value = document.read(Spanned::new(span, DeValue::Table(table.into_inner())));
        (value, document.into_faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let text = "nubmer = 1\nnumber = \"x\"\n[[inner]]\nname = \"a\"\ncount = 300\nnmae = 3\n[table]\ncount = 1\n";
        let (value, faults) = read(text);
        assert_eq!(
            faults,
            [
                "x.toml:1:1: there is no key \"nubmer\" here; did you mean \"number\"?",
                "x.toml:2:10: invalid type: string \"x\", expected u8",
                "x.toml:5:9: invalid value: integer `300`, expected u8",
                "x.toml:6:1: there is no key \"nmae\" here; did you mean \"name\"?",
                "x.toml:7:1: the key \"name\" is missing; add it",
            ]
        );
        assert_eq!(value.unwrap().inner[0].name, "a");
    }

    #[test]
    fn faults_of_the_syntax_have_places_too() {
        let (_, faults) = read("number = 1\ninner = [\n= 3\n");
        assert!(!faults.is_empty() && faults.iter().all(|f| f.starts_with("x.toml:")), "{faults:?}");
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(place("é = 1\nñ x", 9), (2, 2));
        assert_eq!(place("", 99), (1, 1));
    }

    #[test]
    fn far_words_are_answered_with_the_list() {
        assert_eq!(unknown("key", "zzz", &["alpha", "beta"]), "there is no key \"zzz\" here; there is: alpha, beta");
    }
}
