//! One thing that is wrong with what a person has written, for people and for programs.
//!
//! A fault is told in one sentence, "what is wrong; what to do", wherever it comes from: a type that
//! reads a value, the model, or the reader of files. Programs are given the two halves.

use std::fmt;

use serde_json::{Value, json};

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The file or the environment variable, if it is about one.
    pub file: Option<String>,
    /// Line and column, both from 1; `None` where there is no text to point at.
    pub place: Option<(usize, usize)>,
    /// The key that is at that place, with those round it: `connector.0.address`.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do, where that does not go without saying.
    pub cure: Option<String>,
}

impl Fault {
    /// A fault that `told` has in one sentence: what is wrong, a semicolon, what to do.
    pub fn new(told: impl fmt::Display) -> Self {
        let told = told.to_string();
        match semicolon(&told) {
            Some(at) => {
                let (message, cure) = told.split_at(at);
                Self { message: message.to_owned(), cure: Some(cure[2..].to_owned()), ..Self::default() }
            }
            None => Self { message: told, ..Self::default() },
        }
    }

    /// The same, of a file or an environment variable.
    #[must_use]
    pub fn of(self, file: impl fmt::Display) -> Self {
        Self { file: Some(file.to_string()), ..self }
    }

    /// The fault for programs; what there is not is null.
    pub fn json(&self) -> Value {
        json!({
            "file": self.file,
            "line": self.place.map(|(line, _)| line),
            "column": self.place.map(|(_, column)| column),
            "key": self.key,
            "message": self.message,
            "cure": self.cure,
        })
    }
}

/// Where "; " stands first, names in quotation marks aside.
fn semicolon(told: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in told.char_indices() {
        quoted ^= c == '"';
        if !quoted && told[at..].starts_with("; ") {
            return Some(at);
        }
    }
    None
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some((line, column)) = self.place {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_was_told_and_programs_its_halves() {
        for told in ["is wrong; do this; or that", "is wrong", "there is no \"a; b\"; add it", "", "\"; "] {
            let fault = Fault::new(told);
            assert_eq!(fault.to_string(), told);
            let placed = Fault { place: Some((3, 4)), ..fault.of("x.toml") };
            assert_eq!(placed.to_string(), format!("x.toml:3:4: {told}"));
        }
        let fault = Fault::new("there is no \"a; b\"; add it").of("x.toml");
        let expected = json!({
            "file": "x.toml", "line": null, "column": null, "key": null,
            "message": "there is no \"a; b\"", "cure": "add it",
        });
        assert_eq!(fault.json(), expected);
    }
}
