//! What clients submit, whichever operation they use for it.

use std::time::Duration;

use sms::{Concat, Described, decode_user_data};
use ucp::{AddressType, NotificationType, Operation, OperationType, unpack_name};

/// A message that a UCP SMSC took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UcpSeen {
    /// Who submitted it; empty without a login.
    pub account: Box<str>,
    /// The connection that it came over, counted from 1.
    pub connection: u64,
    /// When, since the SMSC started.
    pub at: Duration,
    /// The operation that it came with.
    pub ot: OperationType,
    /// The recipient, as it was written.
    pub to: Box<str>,
    /// The sender: digits as they were written, or a name.
    pub from: Box<str>,
    /// Header and octets.
    pub user_data: Box<[u8]>,
    /// The text without the header; empty if it is none.
    pub text: Box<str>,
    /// Its place in a long message.
    pub concat: Option<Concat>,
    /// The message class.
    pub class: Option<u8>,
    /// The validity period, as it was written.
    pub validity: Box<str>,
    /// The identity that it was given, `AdC:SCTS`.
    pub identity: Box<str>,
}

/// A submission.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) ot: OperationType,
    pub(super) adc: Box<[u8]>,
    pub(super) oadc: Box<[u8]>,
    /// Where the notification is to go.
    pub(super) notify: Box<[u8]>,
    /// Which outcomes are to be notified.
    pub(super) wanted: NotificationType,
    pub(super) user_data: Vec<u8>,
    header: bool,
    dcs: u8,
    named: bool,
    class: Option<u8>,
    validity: Box<[u8]>,
}

impl UcpSeen {
    /// It says what a modification says. What that leaves out stays.
    pub(super) fn replace(&mut self, other: Self, with_text: bool) {
        if with_text {
            (self.user_data, self.text, self.concat) = (other.user_data, other.text, other.concat);
            self.class = other.class;
        }
        if !other.validity.is_empty() {
            self.validity = other.validity;
        }
    }
}

impl Submission {
    /// Reads 01, 30 and 51, and what 54 puts in the place of those; `None` for anything else.
    pub(super) fn read(operation: &Operation<'_>) -> Option<Self> {
        let ot = operation.ot();
        let plain = |adc: &[u8], oadc: &[u8], user_data: Vec<u8>| Self {
            ot,
            adc: adc.into(),
            oadc: oadc.into(),
            notify: oadc.into(),
            wanted: NotificationType::NONE,
            user_data,
            header: false,
            dcs: 0,
            named: false,
            class: None,
            validity: Box::default(),
        };
        Some(match operation {
            Operation::CallInput(call) => {
                let octets = call.content.octets().map(|hex| hex.to_vec()).unwrap_or_default();
                plain(call.adc, call.oadc, octets)
            }
            Operation::MessageTransfer(message) => Self {
                wanted: if message.nrq == Some(1) { NotificationType::FINAL } else { NotificationType::NONE },
                notify: if message.nadc.is_empty() { message.oadc } else { message.nadc }.into(),
                validity: message.vp.into(),
                ..plain(message.adc, message.oadc, message.amsg.to_vec())
            },
            Operation::Submit(message) | Operation::Modify(message) => {
                let mut user_data = message.xser.udh().map(|udh| udh.to_vec()).unwrap_or_default();
                let header = !user_data.is_empty();
                match message.content {
                    ucp::Content::Numeric(digits) => user_data.extend_from_slice(digits),
                    content => content.octets().into_iter().for_each(|hex| hex.append_to(&mut user_data)),
                }
                let transparent = matches!(message.content, ucp::Content::Transparent { .. });
                let wanted = message.nt.unwrap_or(NotificationType::FINAL);
                Self {
                    wanted: if message.nrq == Some(1) { wanted } else { NotificationType::NONE },
                    notify: if message.nadc.is_empty() { message.oadc } else { message.nadc }.into(),
                    header,
                    dcs: message.xser.dcs().unwrap_or(if transparent { 4 } else { 0 }),
                    named: message.otoa == Some(AddressType::ALPHANUMERIC),
                    class: message.mcls,
                    validity: message.vp.into(),
                    ..plain(message.adc, message.oadc, user_data)
                }
            }
            _ => return None,
        })
    }

    /// How it is remembered.
    pub(super) fn seen(&self, account: &str, connection: u64, at: Duration, identity: &[u8]) -> UcpSeen {
        let received = decode_user_data(&self.user_data, self.header, Described::Unpacked { dcs: self.dcs });
        let concat = received.udh.and_then(|udh| udh.concat());
        let text = match received.body {
            sms::Body::Text(text) => text.into(),
            sms::Body::Octets(_) => Box::default(),
        };
        let name = self.named.then(|| unpack_name(&self.oadc)).flatten();
        let from = match name {
            Some(septets) => sms::decode_gsm7(&septets, sms::Shift::default()).into(),
            None => words(&self.oadc),
        };
        UcpSeen {
            account: account.into(),
            connection,
            at,
            ot: self.ot,
            to: words(&self.adc),
            from,
            user_data: self.user_data.as_slice().into(),
            text,
            concat,
            class: self.class,
            validity: words(&self.validity),
            identity: words(identity),
        }
    }
}

fn words(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}
