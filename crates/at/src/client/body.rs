//! Texts of messages in text mode, which may look like anything else that a modem says: what of the line is theirs is
//! told by the length that stands in front of them (`AT+CSDH=1`, 3GPP 27.005 §3.3).

use std::time::Duration;

use super::step::{Step, is_header};
use super::{Client, text};
use crate::answer::final_result;
use crate::error::Failure;
use crate::fields::{after, split};

/// How long the next line of a text may take. A modem that counts otherwise is waited for so long.
const NEXT: Duration = Duration::from_secs(1);
/// How long more of a text may follow what looks like the end of an answer, where no length is told.
const MORE: Duration = Duration::from_millis(300);
/// Characters of a text at the most, as 255 septets may be shown.
const LENGTH_MAX: usize = 512;
/// Characters of the GSM alphabet that take two septets (3GPP 23.038 §6.2.1.1).
const TWICE: [char; 10] = ['\u{C}', '^', '{', '}', '\\', '[', '~', ']', '|', '€'];

/// A text that is being read.
#[derive(Debug)]
pub(super) struct Body {
    of: Of,
    /// As it was announced.
    length: usize,
    lines: Vec<String>,
    /// They are as long as they should be, but the last of them would end an answer: if none comes, it has.
    fits: Option<String>,
    /// Until when its next line may come.
    pub(super) until: Duration,
}

#[derive(Debug)]
enum Of {
    /// A place in the store that is being read.
    Listed,
    /// What came directly, with the fields of its header.
    Direct(Vec<String>),
}

/// The end of an answer, unless it is a line of a text.
#[derive(Debug)]
pub(super) struct PerhapsOver {
    pub(super) until: Duration,
    line: String,
    result: Result<(), Failure>,
}

impl Body {
    fn new(of: Of, length: usize, now: Duration) -> Self {
        Self { of, length, lines: Vec::new(), fits: None, until: now.saturating_add(NEXT) }
    }
}

impl Client {
    /// A message comes directly (`+CMT`), and its text is to follow.
    pub(super) fn direct_text(&mut self, line: &str, now: Duration) {
        let said = after(line, "+CMT").unwrap_or_default();
        // As in the store, but without a state.
        let header: Vec<String> = std::iter::once("").chain(split(said)).map(str::to_owned).collect();
        let fields: Vec<&str> = header.iter().map(String::as_str).collect();
        // Text of one line, where no length is told; and hexadecimal, which has no lines.
        let length = text::length(&fields).filter(|_| !self.ucs2).unwrap_or(0).min(LENGTH_MAX);
        self.body = Some(Body::new(Of::Direct(header), length, now));
    }

    /// A line of the answer was heard: if it is a header that tells how long its text is, that follows.
    pub(super) fn header_heard(&mut self, line: &str, now: Duration) {
        let reads = self.running.as_ref().is_some_and(|running| matches!(running.step, Step::Read(_) | Step::List));
        if !reads || !self.reads_plain_text() || !is_header(line) {
            return;
        }
        let listed = after(line, "+CMGL");
        let header = split(listed.or_else(|| after(line, "+CMGR")).unwrap_or_default());
        let header = if listed.is_some() { header.get(1..).unwrap_or_default() } else { &header };
        if let Some(length) = text::length(header).filter(|length| (1..=LENGTH_MAX).contains(length)) {
            self.body = Some(Body::new(Of::Listed, length, now));
        }
    }

    /// A line of the text.
    pub(super) fn hear_text(&mut self, mut body: Body, line: String, now: Duration) {
        if let Some(text) = body.fits.take_if(|_| !line.trim().is_empty()) {
            self.text_heard(body.of, text);
            return self.hear_line(line, now);
        }
        if body.fits.is_some() {
            return self.body = Some(body);
        }
        let may_end = !body.lines.is_empty() && self.running.is_some() && final_result(&line).is_some();
        body.lines.push(line);
        body.until = now.saturating_add(NEXT);
        match joined(&body.lines, body.length) {
            Some(text) if may_end => self.body = Some(Body { fits: Some(text), ..body }),
            Some(text) => self.text_heard(body.of, text),
            None => self.body = Some(body),
        }
    }

    /// Nothing more of the text comes: the length was another one. Its first line is its own, for the others it is
    /// asked what they look like.
    pub(super) fn give_up_text(&mut self, now: Duration) {
        let Some(body) = self.body.take() else { return };
        let mut lines = body.lines.into_iter();
        if let Some(first) = lines.next() {
            self.text_heard(body.of, first);
        }
        for line in lines.filter(|line| !line.trim().is_empty()) {
            self.hear_line(line, now);
        }
    }

    fn text_heard(&mut self, of: Of, text: String) {
        match (of, &mut self.running) {
            (Of::Listed, Some(running)) => running.add_text(text),
            // What was read is not read any more.
            (Of::Listed, None) => {}
            (Of::Direct(header), _) => {
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                let read = text::read(&header, &text, self.ucs2);
                self.take_direct(read);
            }
        }
    }

    /// May this end of an answer be a line of a text?
    pub(super) fn may_be_text(&self) -> bool {
        // What has no header in front of it is none.
        let reads =
            |running: &super::Running| matches!(running.step, Step::Read(_) | Step::List) && !running.lines.is_empty();
        self.reads_plain_text() && !self.details && self.running.as_ref().is_some_and(reads)
    }

    /// It looks like the end of an answer: it is, unless more follows.
    pub(super) fn perhaps_over(&mut self, line: String, result: Result<(), Failure>, now: Duration) {
        self.perhaps_over = Some(PerhapsOver { until: now.saturating_add(MORE), line, result });
    }

    /// More has followed: it was a line of a text.
    pub(super) fn not_over(&mut self) {
        let Some(PerhapsOver { line, .. }) = self.perhaps_over.take() else { return };
        if let Some(running) = &mut self.running {
            running.add(line);
        }
    }

    /// Nothing more has followed.
    pub(super) fn over(&mut self, now: Duration) {
        let Some(PerhapsOver { result, .. }) = self.perhaps_over.take() else { return };
        self.conclude(result, now);
    }

    /// Are texts on the line readable, with lines of their own?
    fn reads_plain_text(&self) -> bool {
        self.status.text_mode && !self.ucs2
    }
}

/// The text of these lines, if they are all of it. Whether the modem writes a line's end as one character or two, and
/// counts characters or septets, is its own.
fn joined(lines: &[String], length: usize) -> Option<String> {
    let characters: usize = lines.iter().map(|line| line.chars().count()).sum();
    let twice = lines.iter().flat_map(|line| line.chars()).filter(|character| TWICE.contains(character)).count();
    let ends = lines.len().saturating_sub(1);
    let fits = |ends: usize| [characters + ends, characters + twice + ends].contains(&length);
    match lines {
        // Hexadecimal has more digits than the text has characters.
        [line] if characters + twice >= length => Some(line.clone()),
        // What stands in front of an answer's end is an empty line as well.
        [.., last] if last.is_empty() => None,
        _ if fits(ends) => Some(lines.join("\n")),
        _ if fits(2 * ends) => Some(lines.join("\r\n")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_text_is_whole_when_it_is_as_long_as_it_should_be() {
        let whole =
            |lines: &[&str], length| joined(&lines.iter().map(|line| (*line).into()).collect::<Vec<_>>(), length);
        assert_eq!(whole(&["OK"], 2).as_deref(), Some("OK"));
        assert_eq!(whole(&["OK"], 8), None);
        assert_eq!(whole(&["OK", "ERROR"], 8).as_deref(), Some("OK\nERROR"));
        assert_eq!(whole(&["OK", "ERROR"], 9).as_deref(), Some("OK\r\nERROR"));
        assert_eq!(whole(&["a", "", "b"], 4).as_deref(), Some("a\n\nb"));
        assert_eq!(whole(&["a [x] €"], 10).as_deref(), Some("a [x] €"), "septets");
        assert_eq!(whole(&["a [x] €", "OK"], 13).as_deref(), Some("a [x] €\nOK"), "septets");
        assert_eq!(whole(&["Hello", "", "OK"], 10), None);
        assert_eq!(whole(&["00480065006C006C006F"], 5).as_deref(), Some("00480065006C006C006F"));
    }
}
