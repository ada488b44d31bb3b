//! Lines: octets from a modem to lines and prompts (3GPP 27.007 §4.2, ITU-T V.250 §5.7.1).
//!
//! Either line end is taken, empty lines are none, and what modems strew in between (NULs, the echo of
//! Ctrl-Z and ESC) is left out. A line that never ends is dropped.

/// Octets of a line at the most; a listed PDU has some 360, an answer by USSD up to 800.
pub const LINE_MAX: usize = 4096;
/// Octets that wait to be read as lines.
const WAITING_MAX: usize = 128 * 1024;

/// What a modem wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A line that is not empty, without its end.
    Line(String),
    /// It waits for the text of a message.
    Prompt,
}

/// Takes octets, gives tokens.
#[derive(Debug, Default)]
pub struct Lines {
    input: Vec<u8>,
    /// So many octets of `input` were taken out already.
    taken: usize,
    /// The rest of a line that was too long is being skipped.
    skipping: bool,
    /// The space behind a prompt may be still to come.
    prompted: bool,
}

impl Lines {
    /// Takes octets in; gives how many. All are, unless nobody takes out what is there.
    pub fn fill(&mut self, octets: &[u8]) -> usize {
        if self.taken > 0 {
            self.input.drain(..self.taken);
            self.taken = 0;
        }
        let room = WAITING_MAX.saturating_sub(self.input.len());
        let fits = octets.get(..room).unwrap_or(octets);
        self.input.extend_from_slice(fits);
        fits.len()
    }

    /// The next line; or, if one is awaited, a prompt.
    pub fn next(&mut self, prompt_awaited: bool) -> Option<Token> {
        loop {
            let rest = self.input.get(self.taken..).unwrap_or_default();
            let skip = rest.iter().position(|&octet| !self.is_skipped(octet)).unwrap_or(rest.len());
            if skip > 0 {
                self.prompted = false;
            }
            self.taken += skip;
            let rest = rest.get(skip..).unwrap_or_default();
            if prompt_awaited && !self.skipping && rest.first() == Some(&b'>') {
                self.taken += 1;
                self.prompted = true;
                return Some(Token::Prompt);
            }
            let Some(end) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')) else {
                if rest.len() > LINE_MAX {
                    self.skipping = true;
                    self.taken = self.input.len();
                }
                return None;
            };
            let line = rest.get(..end).unwrap_or_default();
            let whole = !self.skipping && line.len() <= LINE_MAX;
            let text: Vec<u8> =
                if whole { line.iter().copied().filter(|o| !is_noise(*o)).collect() } else { Vec::new() };
            self.taken += end;
            (self.skipping, self.prompted) = (false, false);
            let text = String::from_utf8_lossy(&text);
            if !text.trim().is_empty() {
                return Some(Token::Line(text.into_owned()));
            }
        }
    }

    /// The next line as it stands behind the line before, an empty one too: within the text of a message.
    pub(crate) fn next_of_text(&mut self) -> Option<Token> {
        let rest = self.input.get(self.taken..).unwrap_or_default();
        let ended = match rest {
            [b'\r', b'\n', ..] => 2,
            // Its other half may be still to come.
            [b'\r'] => return None,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        let rest = rest.get(ended..).unwrap_or_default();
        let Some(end) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')) else {
            if rest.len() > LINE_MAX {
                self.skipping = true;
                self.taken = self.input.len();
            }
            return None;
        };
        let line = rest.get(..end).filter(|line| !self.skipping && line.len() <= LINE_MAX).unwrap_or_default();
        let line: Vec<u8> = line.iter().copied().filter(|octet| !is_noise(*octet)).collect();
        self.taken += ended + end;
        (self.skipping, self.prompted) = (false, false);
        Some(Token::Line(String::from_utf8_lossy(&line).into_owned()))
    }

    /// Forgets everything: what comes next belongs to nothing before.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// May it stand before a line without being of it?
    fn is_skipped(&self, octet: u8) -> bool {
        !self.skipping && (matches!(octet, b'\r' | b'\n') || is_noise(octet) || (self.prompted && octet == b' '))
    }
}

fn is_noise(octet: u8) -> bool {
    matches!(octet, 0 | 0x1A | 0x1B)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(octets: &[u8], awaited: bool) -> Vec<Token> {
        let mut lines = Lines::default();
        assert_eq!(lines.fill(octets), octets.len());
        std::iter::from_fn(|| lines.next(awaited)).collect()
    }

    fn line(text: &str) -> Token {
        Token::Line(text.into())
    }

    #[test]
    fn lines_end_with_either_octet_and_may_be_empty_between() {
        assert_eq!(tokens(b"\r\nOK\r\n\r\n+CSQ: 1,2\nERROR\r", false), [line("OK"), line("+CSQ: 1,2"), line("ERROR")]);
        assert_eq!(tokens(b"\0\0\r\nO\0K\r\n\x1A\x1B", false), [line("OK")]);
        assert_eq!(tokens(b"no end", false), []);
    }

    #[test]
    fn prompts_have_no_line_end() {
        assert_eq!(tokens(b"\r\n> ", true), [Token::Prompt]);
        assert_eq!(tokens(b"\r\n>\r\n> \r\nOK\r\n", true), [Token::Prompt, Token::Prompt, line("OK")]);
        assert_eq!(tokens(b"\r\n> \r\nOK\r\n", false), [line("> "), line("OK")]);
        assert_eq!(tokens(b"> 00\r", true), [Token::Prompt, line("00")]);
    }

    #[test]
    fn within_a_text_empty_lines_count_and_either_line_end_does() {
        let mut lines = Lines::default();
        lines.fill(b"\r\n+CMGR: 1\r\none\r\n\r\n  two\nthree\rfour\r");
        assert_eq!(lines.next(false), Some(line("+CMGR: 1")));
        let text: Vec<Token> = std::iter::from_fn(|| lines.next_of_text()).collect();
        assert_eq!(text, ["one", "", "  two", "three", "four"].map(line));
        lines.fill(b"\n\r\nOK\r\n");
        assert_eq!((lines.next_of_text(), lines.next(false)), (Some(line("")), Some(line("OK"))));
        lines.fill(&[b'x'; LINE_MAX + 1]);
        assert_eq!(lines.next_of_text(), None);
        lines.fill(b"x\r\nOK\r\n");
        assert_eq!((lines.next_of_text(), lines.next_of_text()), (Some(line("")), Some(line("OK"))));
    }

    #[test]
    fn a_line_that_never_ends_is_dropped() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            assert_eq!(lines.fill(&[b'x'; 10_000]), 10_000);
            assert_eq!(lines.next(true), None);
        }
        assert!(lines.input.len() < 2 * WAITING_MAX);
        lines.fill(b">\nOK\n");
        assert_eq!(lines.next(true), Some(line("OK")));
    }
}
