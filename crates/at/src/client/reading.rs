//! What lies in the modem's store.

use std::time::Duration;

use sms::tpdu::{Direction, Tpdu, split_smsc};

use super::event::Event;
use super::inbox::Place;
use super::step::is_header;
use super::{Client, Received, text};
use crate::error::{CmeError, CmsError, Failure};
use crate::fields::{after, split};
use crate::hex::from_hex;

/// When the store is looked at again in which something was.
const AGAIN: Duration = Duration::from_secs(1);

/// What lies in a place.
struct Found<'a> {
    index: Option<u16>,
    header: Vec<&'a str>,
    text: String,
}

/// A message or report in hexadecimal, with the address of the SMSC in front.
pub(super) fn of_pdu(line: &str) -> Result<Received, String> {
    let octets = from_hex(line.trim()).ok_or("it is not hexadecimal")?;
    let (_, tpdu) = split_smsc(&octets).map_err(|error| error.to_string())?;
    match Tpdu::decode(tpdu, Direction::ToPhone).map_err(|error| error.to_string())? {
        Tpdu::Deliver(deliver) => Ok(Received::Message(deliver)),
        Tpdu::StatusReport(report) => Ok(Received::Report(report)),
        _ => Err("it is neither a message nor a report".into()),
    }
}

/// Does a failure to read or delete mean that nothing lies there?
pub(super) fn is_empty_place(failure: &Failure) -> bool {
    matches!(failure, Failure::Cms(CmsError(321)) | Failure::Cme(CmeError(21 | 22)))
}

impl Client {
    /// The answer to reading a place: its lines, and which of them are texts of messages.
    pub(super) fn was_read(&mut self, place: &Place, result: Result<(), Failure>, answer: (&[String], &[usize])) {
        self.inbox.read(place);
        if let Err(failure) = &result {
            // Some name the wrong store: then it is found by looking.
            if is_empty_place(failure) {
                self.look_soon = true;
            }
            return;
        }
        if let Some(found) = found(answer, "+CMGR").pop() {
            self.take(place.clone(), &found);
        }
    }

    pub(super) fn was_listed(&mut self, good: bool, answer: (&[String], &[usize]), now: Duration) {
        if !good {
            return;
        }
        let store = self.selected.clone().unwrap_or_default();
        let all = found(answer, "+CMGL");
        if !all.is_empty() {
            // The network may have more, and have waited for room.
            self.next_poll = self.next_poll.min(now.saturating_add(AGAIN));
        }
        for found in all {
            let Some(index) = found.index else { continue };
            let place = (store.clone(), index);
            if self.details && text::is_short(&found.header) {
                // A list does not say how texts are coded; what lies in the place does.
                self.inbox.seen(place);
                continue;
            }
            self.inbox.read(&place);
            self.take(place, &found);
        }
    }

    /// Gives it to the caller, who has room or may have a little more.
    fn take(&mut self, place: Place, found: &Found<'_>) {
        if !self.inbox.is_new(&place) {
            return self.inbox.seen_again(&place);
        }
        if !self.inbox.has_room() {
            return self.inbox.told(place);
        }
        let state = found.header.first().copied().unwrap_or_default();
        // What a person has written on the phone is none of ours.
        if matches!(state, "2" | "3") || state.starts_with("STO") {
            return;
        }
        // An empty place, as some answer.
        if found.text.is_empty() && found.header.len() <= 3 {
            return;
        }
        let read = if self.status.text_mode {
            text::read(&found.header, &found.text, self.ucs2).ok_or_else(|| "it can't be read as text".to_owned())
        } else {
            of_pdu(&found.text)
        };
        match read {
            Ok(message) => {
                let ack = self.inbox.hold(Some(place));
                self.events.push_back(Event::Received { ack, message });
            }
            Err(reason) => {
                if self.inbox.unreadable(&place) {
                    self.events.push_back(Event::Unreadable { reason });
                }
            }
        }
    }
}

/// Headers with what follows them: which of the lines are texts is known, or they don't look like headers.
fn found<'a>((lines, texts): (&'a [String], &[usize]), prefix: &str) -> Vec<Found<'a>> {
    let mut all: Vec<Found<'_>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match after(line, prefix).filter(|_| is_header(line) && !texts.contains(&at)) {
            Some(text) => {
                let mut header = split(text);
                let index = if prefix == "+CMGL" && !header.is_empty() { header.remove(0).parse().ok() } else { None };
                all.push(Found { index, header, text: String::new() });
            }
            None => {
                if let Some(last) = all.last_mut() {
                    if !last.text.is_empty() {
                        last.text.push('\n');
                    }
                    last.text.push_str(line);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_from_what_follows() {
        let lines = ["+CMGL: 1,1,,28", "00", "+CMGL: 7,\"REC READ\",\"+44\"", "Hello", "World"].map(String::from);
        let all = found((&lines, &[]), "+CMGL");
        assert_eq!((all[0].index, &*all[0].text, all[0].header[2]), (Some(1), "00", "28"));
        assert_eq!((all[1].index, &*all[1].text), (Some(7), "Hello\nWorld"));
        let lines = ["+CMGL: 7,\"REC READ\",\"+44\"", "+CMGL: 8,\"REC READ\",\"+44\""].map(String::from);
        assert_eq!(found((&lines, &[1]), "+CMGL").len(), 1);
    }
}
