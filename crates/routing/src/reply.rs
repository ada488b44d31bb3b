//! Texts that answer a message, with what it says filled in.

use crate::error::RuleProblem;

/// Most characters of an answer: a longer one is cut.
pub(crate) const REPLY_MAX: usize = 1600;

/// A reply, cut at its placeholders.
#[derive(Debug)]
pub(crate) struct Reply(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Fixed(Box<str>),
    From,
    To,
    Keyword,
    Text,
    Rest,
    Date,
    Time,
}

/// What is filled in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Filling<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub keyword: &'a str,
    pub text: &'a str,
    /// What follows the first word.
    pub rest: &'a str,
    /// A day, as `2026-01-31`.
    pub date: &'a str,
    /// A time of that day, as `14:05`.
    pub time: &'a str,
}

impl Reply {
    /// Reads a text with placeholders: `{from}`, `{to}`, `{keyword}`, `{text}`, `{rest}`, `{date}` and
    /// `{time}`; `{{` and `}}` are braces.
    pub fn compile(text: &str) -> Result<Self, RuleProblem> {
        if text.chars().count() > REPLY_MAX {
            return Err(RuleProblem::TooLong(REPLY_MAX));
        }
        let mut pieces = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            fixed.push_str(before);
            let mut signs = brace.chars();
            let (first, second) = (signs.next(), signs.next());
            if first == second {
                fixed.extend(first);
                rest = signs.as_str();
                continue;
            }
            let Some((name, after)) = brace.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
                return Err(RuleProblem::Placeholder(brace.chars().skip(1).take(20).collect()));
            };
            let piece = match name {
                "from" => Piece::From,
                "to" => Piece::To,
                "keyword" => Piece::Keyword,
                "text" => Piece::Text,
                "rest" => Piece::Rest,
                "date" => Piece::Date,
                "time" => Piece::Time,
                _ => return Err(RuleProblem::Placeholder(name.chars().take(20).collect())),
            };
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed).into()));
            }
            pieces.push(piece);
            rest = after;
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(fixed.into()));
        }
        Ok(Self(pieces))
    }

    /// Does it say when it was written?
    pub fn asks_clock(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Date | Piece::Time))
    }

    /// The text, at most [`REPLY_MAX`] characters of it.
    pub fn fill(&self, filling: Filling<'_>) -> String {
        let mut text = String::new();
        let mut room = REPLY_MAX;
        for piece in &self.0 {
            let piece = match piece {
                Piece::Fixed(fixed) => fixed,
                Piece::From => filling.from,
                Piece::To => filling.to,
                Piece::Keyword => filling.keyword,
                Piece::Text => filling.text,
                Piece::Rest => filling.rest,
                Piece::Date => filling.date,
                Piece::Time => filling.time,
            };
            text.extend(piece.chars().take(room).inspect(|_| room -= 1));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(reply: &str) -> Result<String, String> {
        let filling = Filling {
            from: "+447700900123",
            to: "60777",
            keyword: "INFO",
            text: "INFO {to}",
            rest: "{to}",
            date: "2026-01-31",
            time: "14:05",
        };
        Reply::compile(reply).map(|reply| reply.fill(filling)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn placeholders_are_filled_in_once() {
        assert_eq!(filled("{from} to {to}: {keyword}").unwrap(), "+447700900123 to 60777: INFO");
        assert_eq!(filled("You said {text}").unwrap(), "You said INFO {to}");
        assert_eq!(filled("{{text}} é }}").unwrap(), "{text} é }");
        assert_eq!(filled("{rest} at {time} on {date}").unwrap(), "{to} at 14:05 on 2026-01-31");
        assert_eq!(filled("").unwrap(), "");
    }

    #[test]
    fn what_nothing_fills_in_is_told() {
        assert_eq!(
            filled("Hi {name}").unwrap_err(),
            "{name} is none of {from}, {to}, {keyword}, {text}, {rest}, {date} and {time}; write {{ for a brace"
        );
        for bad in ["a { b", "a } b", "{", "}", "{text", "{}", "{te{xt}}"] {
            assert!(filled(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_long_answer_is_cut() {
        let reply = Reply::compile("é{text}{text}").unwrap();
        let text = "x".repeat(REPLY_MAX - 3);
        let filled = reply.fill(Filling { text: &text, ..Filling::default() });
        assert_eq!(filled.chars().count(), REPLY_MAX);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_reply_or_an_error(text in "[{}a-z é]{0,12}") {
            let _ = filled(&text);
        }
    }
}
