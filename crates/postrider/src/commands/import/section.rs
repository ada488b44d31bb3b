//! Settings as they stand in a file: keys and values with their places, in sections.

use std::fmt;
use std::rc::Rc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: Rc<str>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A key, its value, and where they stand.
#[derive(Clone, Debug)]
pub struct Setting {
    pub key: String,
    pub value: String,
    pub place: Place,
}

/// What stands together: a group of Kannel, a session of jcli. Translators take settings out; what
/// they leave is left out.
#[derive(Clone, Debug)]
pub struct Section {
    /// Where it begins.
    pub place: Place,
    /// In the order of the file.
    pub settings: Vec<Setting>,
}

impl Section {
    pub fn new(place: Place) -> Self {
        Self { place, settings: Vec::new() }
    }

    /// The last setting of this key, which goes out of the section with those that it overrules.
    pub fn take(&mut self, key: &str) -> Option<Setting> {
        let last = self.settings.iter().rposition(|setting| setting.key == key)?;
        let taken = self.settings.remove(last);
        self.settings.retain(|setting| setting.key != key);
        Some(taken)
    }

    /// The value of [`Section::take`].
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(|setting| setting.value)
    }

    /// The value without taking it.
    pub fn peek(&self, key: &str) -> Option<&str> {
        self.settings.iter().rev().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
    }

    /// Takes a value that `read` understands; what it does not stays.
    pub fn parsed<T>(&mut self, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = read(self.peek(key)?)?;
        self.take(key);
        Some(value)
    }

    /// Takes settings out that say nothing: those of `key` whose value is one of `values`.
    pub fn drop_defaults(&mut self, defaults: &[(&str, &[&str])]) {
        let says_nothing = |setting: &Setting| {
            defaults.iter().any(|(key, values)| {
                *key == setting.key && values.iter().any(|v| v.eq_ignore_ascii_case(&setting.value))
            })
        };
        self.settings.retain(|setting| !says_nothing(setting));
    }
}
