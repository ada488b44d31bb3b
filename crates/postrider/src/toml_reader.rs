//! Reads TOML into typed values and tells every fault at once, with its place and what to do.
//!
//! serde stops at the first thing that it can't read. Here what it stopped at is noted and taken
//! out of the document, and it reads on, until nothing is left to complain about.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::fault::Fault;

/// Faults of one document that are told at most.
const FAULTS_MAX: usize = 100;

/// A document with the faults that were found in it so far.
#[derive(Debug)]
pub struct Document<'i> {
    file: String,
    text: &'i str,
    /// As it was written, to find keys by their places.
    written: DeTable<'i>,
    /// Faults, in the order in which they were found.
    pub faults: Vec<Fault>,
}

impl<'i> Document<'i> {
    /// Reads the syntax. What can't be read is a fault; the rest is in the table.
    pub fn parse(file: &str, text: &'i str) -> (Self, Spanned<DeTable<'i>>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut document = Self { file: file.to_owned(), text, written: table.get_ref().clone(), faults: Vec::new() };
        for error in errors.iter().take(FAULTS_MAX) {
            // What the parser says has no second half that would be advice.
            let message = sentence(error.message());
            document.note(error.span().unwrap_or(0..0), Fault { message, ..Fault::default() });
        }
        (document, table)
    }

    /// Notes a fault of the text at `span`: what is wrong; what to do.
    pub fn fault(&mut self, span: Range<usize>, told: impl std::fmt::Display) {
        self.note(span, Fault::new(told));
    }

    fn note(&mut self, span: Range<usize>, fault: Fault) {
        let fault = Fault {
            place: Some(place(self.text, span.start)),
            key: key_at(&self.written, span.start),
            ..fault.of(&self.file)
        };
        if self.faults.len() < FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Reads a value; `None` if it can't be had even without what is wrong in it.
    pub fn read<T: DeserializeOwned>(&mut self, mut value: Spanned<DeValue<'i>>) -> Option<T> {
        let mut taken = Vec::new();
        for _ in 0..FAULTS_MAX {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let whole = value.span();
            let span = error.span().unwrap_or_else(|| whole.clone());
            let missing = error.message().strip_prefix("missing field `").map(|name| name.trim_end_matches('`'));
            // What is missing only because it was taken out has been told already.
            let told = missing.is_some_and(|key| taken.contains(&Taken { table: span.clone(), key: key.to_owned() }));
            if !told {
                self.fault(span.clone(), friendly(error.message()));
            }
            let DeValue::Table(table) = value.get_mut() else { return None };
            taken.push(match missing {
                Some(_) => take_table(table, &whole, &span)?,
                None => take_out(table, &whole, &span)?,
            });
        }
        None
    }

    /// The faults by their place in the file.
    pub fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.place);
        self.faults
    }
}

/// An entry that was taken out: the place of its table, and its key, which is empty for an item of a list.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    table: Range<usize>,
    key: String,
}

/// Takes the smallest entry out that `span` points into, of a table that is at `place`.
fn take_out(table: &mut DeTable<'_>, place: &Range<usize>, span: &Range<usize>) -> Option<Taken> {
    let inside = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let found = table.iter().find(|(key, value)| inside(key.span()) || inside(value.span()));
    let Some(key) = found.map(|(key, _)| key.clone()) else {
        // The span of a table with a header does not cover its entries.
        return table.iter_mut().find_map(|(_, value)| within(value, span));
    };
    if !inside(key.span())
        && let Some(taken) = table.get_mut(&key).and_then(|value| within(value, span))
    {
        return Some(taken);
    }
    table.remove(&key)?;
    Some(Taken { table: place.clone(), key: key.get_ref().to_string() })
}

fn within(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Taken> {
    let place = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, &place, span),
        DeValue::Array(items) => items.iter_mut().find_map(|item| match item.get_ref() {
            DeValue::Table(_) => within(item, span),
            _ => None,
        }),
        _ => None,
    }
}

/// Takes the whole table out that is at `span`.
fn take_table(table: &mut DeTable<'_>, place: &Range<usize>, span: &Range<usize>) -> Option<Taken> {
    let is_it = |value: &Spanned<DeValue<'_>>| value.get_ref().is_table() && value.span() == *span;
    let found = table.iter().find(|(_, value)| is_it(value)).map(|(key, _)| key.clone());
    if let Some(key) = found {
        table.remove(&key)?;
        return Some(Taken { table: place.clone(), key: key.get_ref().to_string() });
    }
    table.iter_mut().find_map(|(_, value)| {
        let place = value.span();
        match value.get_mut() {
            DeValue::Table(inner) => take_table(inner, &place, span),
            DeValue::Array(items) => match items.iter().position(is_it) {
                Some(at) => {
                    *items = items.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, item)| item.clone()).collect();
                    Some(Taken { table: place, key: String::new() })
                }
                None => items.iter_mut().find_map(|item| {
                    let place = item.span();
                    match item.get_mut() {
                        DeValue::Table(inner) => take_table(inner, &place, span),
                        _ => None,
                    }
                }),
            },
            _ => None,
        }
    })
}

/// The path of the innermost key that is at an octet, or whose value is.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    // The span of a table with a header does not cover its entries, so that every entry is looked into.
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        let deeper = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, at).map(|rest| format!("{name}.{rest}")),
            DeValue::Array(items) => items.iter().enumerate().find_map(|(n, item)| {
                let deeper = match item.get_ref() {
                    DeValue::Table(inner) => key_at(inner, at).map(|rest| format!("{name}.{n}.{rest}")),
                    _ => None,
                };
                deeper.or_else(|| item.span().contains(&at).then(|| format!("{name}.{n}")))
            }),
            _ => None,
        };
        deeper.or_else(|| (key.span().contains(&at) || value.span().contains(&at)).then(|| name.to_string()))
    })
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
    fn what_is_wrong_in_one_table_hides_nothing_of_the_next() {
        let text =
            "number = 300\n[[inner]]\nname = 7\nnmae = 1\n[[inner]]\ncount = 1\n[[inner]]\nname = true\n[tabel]\n";
        let (_, faults) = read(text);
        let told: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
        assert_eq!(
            told,
            ["x.toml:1:10", "x.toml:3:8", "x.toml:4:1", "x.toml:5:1", "x.toml:8:8", "x.toml:9:2"],
            "{faults:#?}"
        );
    }

    #[test]
    fn keys_are_found_by_their_places() {
        let text = "number = \"x\"\n[[inner]]\nname = \"a\"\n[[inner]]\nname = 1\nnmae = 3\n[table]\ncount = 1\n";
        let (mut document, table) = Document::parse("x.toml", text);
        let span = table.span();
        document.read::<Outer>(Spanned::new(span, DeValue::Table(table.into_inner())));
        let faults = document.into_faults();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_deref().unwrap_or("none")).collect();
        assert_eq!(keys, ["number", "inner.1.name", "inner.1.nmae", "table"]);
        assert_eq!(
            (faults[3].message.as_str(), faults[3].cure.as_deref()),
            ("the key \"name\" is missing", Some("add it"))
        );
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
