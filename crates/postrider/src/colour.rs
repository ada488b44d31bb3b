//! Whether what people read is coloured, and how.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// What is fine.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What went wrong and may still end well.
pub const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What is less important than what stands round it.
pub const FAINT: Style = Style::new().dimmed();

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Colours, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(bool);

impl Colour {
    /// How to write to `stream`.
    pub fn on(self, stream: &impl IsTerminal) -> Paint {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint(match self {
            Self::Auto => {
                stream.is_terminal() && !forbidden && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
            Self::Always => true,
            Self::Never => false,
        })
    }
}

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub const NONE: Self = Self(false);

    /// The text in this style.
    pub fn text(self, style: Style, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_put_round_the_text_or_left_out() {
        let nowhere = tempfile::tempfile().unwrap();
        assert_eq!(Colour::Always.on(&nowhere).text(BAD, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Colour::Always.on(&nowhere).text(BAD, ""), "");
        for colour in [Colour::Auto, Colour::Never] {
            assert_eq!(colour.on(&nowhere).text(BAD, "x"), "x");
        }
    }
}
