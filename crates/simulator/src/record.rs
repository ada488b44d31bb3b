//! The memory of the messages that were taken: what a fault test counts losses and duplicates by.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};
use std::time::Duration;

use smpp::ReplaceSm;
use sms::{Concat, DefaultAlphabet, Described, decode_user_data};

use crate::settings::Memory;

/// A message that an SMSC took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMessage {
    /// Who submitted it.
    pub system_id: Box<str>,
    /// The connection that it came over, counted from 1.
    pub connection: u64,
    /// When, since the SMSC started.
    pub at: Duration,
    /// The sender: type of number, numbering plan, address.
    pub source: (u8, u8, Box<str>),
    /// The recipient.
    pub destination: (u8, u8, Box<str>),
    /// `service_type` as it came.
    pub service_type: Box<str>,
    /// `protocol_id`, `priority_flag` and `replace_if_present_flag` as they came; 0 in a data_sm.
    pub flags: [u8; 3],
    /// `esm_class` as it came.
    pub esm_class: u8,
    /// `data_coding` as it came.
    pub data_coding: u8,
    /// `registered_delivery` as it came.
    pub registered_delivery: u8,
    /// `validity_period` as it came.
    pub validity: Box<str>,
    /// short_message or message_payload, header included.
    pub user_data: Box<[u8]>,
    /// The text without the header; empty if it is none.
    pub text: Box<str>,
    /// Its place in a long message.
    pub concat: Option<Concat>,
    /// The TLVs as they came.
    pub tlvs: Box<[u8]>,
    /// The id that it was given.
    pub message_id: Box<str>,
}

impl SeenMessage {
    /// It says what a replace_sm says; how it is coded stays (SMPP 3.4 §4.10.1).
    pub(crate) fn replace(&mut self, pdu: &ReplaceSm<'_>, default: DefaultAlphabet) {
        self.user_data = pdu.user_data().into();
        (self.text, self.concat) = text_of(&self.user_data, self.esm_class & 0x40 != 0, self.data_coding, default);
        self.registered_delivery = pdu.registered_delivery.0;
        if !pdu.validity_period.is_empty() {
            self.validity = String::from_utf8_lossy(pdu.validity_period).into();
        }
    }
}

/// Shared by all connections of an SMSC.
#[derive(Debug)]
pub(crate) struct Record<M> {
    /// How often each message was taken, by its hash.
    times: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    messages: Vec<M>,
}

/// What one connection has taken since it last told the record.
#[derive(Debug)]
pub(crate) struct Taken<M> {
    hashes: Vec<u64>,
    messages: Vec<M>,
}

impl<M> Default for Record<M> {
    fn default() -> Self {
        Self { times: HashMap::default(), messages: Vec::new() }
    }
}

impl<M> Default for Taken<M> {
    fn default() -> Self {
        Self { hashes: Vec::new(), messages: Vec::new() }
    }
}

impl<M> Record<M> {
    /// Adds what was taken; how many were new, and how many not.
    pub(crate) fn add(&mut self, taken: &mut Taken<M>) -> (u64, u64) {
        let (mut new, mut again) = (0, 0);
        for hash in taken.hashes.drain(..) {
            let times = self.times.entry(hash).or_insert(0);
            *times = times.saturating_add(1);
            if *times == 1 { new += 1 } else { again += 1 }
        }
        self.messages.append(&mut taken.messages);
        (new, again)
    }

    pub(crate) fn times(&self, destination: &[u8], user_data: &[u8]) -> u32 {
        self.times.get(&hash_of(destination, user_data)).copied().unwrap_or(0)
    }

    pub(crate) fn messages(&self) -> &[M] {
        &self.messages
    }

    /// Changes the last message that `is` says yes to.
    pub(crate) fn change(&mut self, is: impl Fn(&M) -> bool, change: impl FnOnce(&mut M)) {
        if let Some(message) = self.messages.iter_mut().rev().find(|message| is(message)) {
            change(message);
        }
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl<M> Taken<M> {
    /// Remembers a message; `whole` is asked for only if everything is remembered.
    pub(crate) fn remember(&mut self, memory: Memory, destination: &[u8], user_data: &[u8], whole: impl FnOnce() -> M) {
        if memory != Memory::Off {
            self.hashes.push(hash_of(destination, user_data));
        }
        if memory == Memory::Messages {
            self.messages.push(whole());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// The text of user data, and its place in a long message.
pub(crate) fn text_of(
    user_data: &[u8],
    udhi: bool,
    data_coding: u8,
    default: DefaultAlphabet,
) -> (Box<str>, Option<Concat>) {
    let received = decode_user_data(user_data, udhi, Described::Smpp { data_coding, default });
    let concat = received.udh.and_then(|udh| udh.concat());
    match received.body {
        sms::Body::Text(text) => (text.into(), concat),
        sms::Body::Octets(_) => (Box::default(), concat),
    }
}

/// The same for the same recipient and user data, in every process.
fn hash_of(destination: &[u8], user_data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(destination);
    hasher.write_u8(0);
    hasher.write(user_data);
    hasher.finish()
}

/// For keys that are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(octet);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
