//! What clients submit.

use std::time::Duration;

use cimd2::{StatusReports, Submit, septets};
use sms::{Coding, Concat, Dcs, Described, decode_user_data};

/// A message that a CIMD2 SMSC took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cimd2Seen {
    /// Who submitted it.
    pub user: Box<str>,
    /// The connection that it came over, counted from 1.
    pub connection: u64,
    /// When, since the SMSC started.
    pub at: Duration,
    /// The recipient, as it was written.
    pub to: Box<str>,
    /// The sender: digits as they were written, or a name.
    pub from: Box<str>,
    /// Data coding scheme; 0 if there was none.
    pub dcs: u8,
    /// Header and octets; texts as septets of the default alphabet, one an octet.
    pub user_data: Box<[u8]>,
    /// The text without the header; empty if it is none.
    pub text: Box<str>,
    /// Its place in a long message.
    pub concat: Option<Concat>,
    /// The validity period: relative, or absolute as it was written.
    pub validity: Box<str>,
    /// Which reports were asked for.
    pub status_reports: StatusReports,
    /// 1 to 9; 0 if there was none.
    pub priority: u8,
    /// The time stamp that it was given.
    pub timestamp: Box<str>,
}

/// A submission to one recipient.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) to: Box<[u8]>,
    pub(super) from: Box<[u8]>,
    pub(super) wanted: StatusReports,
    pub(super) user_data: Vec<u8>,
    header: bool,
    dcs: u8,
    validity: Box<str>,
    priority: u8,
}

impl Submission {
    /// One for each recipient. `reports` are those of a message that says nothing of them.
    pub(super) fn read(message: &Submit<'_>, reports: StatusReports) -> Vec<Self> {
        let mut user_data = message.header.to_vec();
        let header = !user_data.is_empty();
        user_data.extend(message.text.into_iter().flat_map(septets));
        user_data.extend(message.binary.iter());
        let from = match message.alpha_originator {
            b"" => message.originator.into(),
            name => sms::decode_gsm7(&septets(name).collect::<Vec<_>>(), sms::Shift::default()).into_bytes().into(),
        };
        let one = |to: &[u8]| Self {
            to: to.into(),
            from: Box::clone(&from),
            wanted: message.status_reports.unwrap_or(reports),
            user_data: user_data.clone(),
            header,
            dcs: message.dcs.unwrap_or(0),
            validity: match message.validity {
                Some(relative) => relative.0.to_string().into(),
                None => words(message.valid_until),
            },
            priority: message.priority.unwrap_or(0),
        };
        message.destinations.iter().map(one).collect()
    }

    /// How it is remembered.
    pub(super) fn seen(&self, user: &str, connection: u64, at: Duration, timestamp: &[u8]) -> Cimd2Seen {
        let dcs = match Dcs::decode(self.dcs).coding {
            // A text came in its notation, whatever the coding says.
            Coding::Gsm7 => 0,
            _ => self.dcs,
        };
        let received = decode_user_data(&self.user_data, self.header, Described::Unpacked { dcs });
        let concat = received.udh.and_then(|udh| udh.concat());
        let text = match received.body {
            sms::Body::Text(text) => text.into(),
            sms::Body::Octets(_) => Box::default(),
        };
        Cimd2Seen {
            user: user.into(),
            connection,
            at,
            to: words(&self.to),
            from: words(&self.from),
            dcs: self.dcs,
            user_data: self.user_data.as_slice().into(),
            text,
            concat,
            validity: self.validity.clone(),
            status_reports: self.wanted,
            priority: self.priority,
            timestamp: words(timestamp),
        }
    }
}

fn words(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}
