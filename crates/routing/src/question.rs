//! What is known of a message when a route is wanted for it.

use model::{Address, AddressKind, Encoding, Timestamp};

use crate::chance::{hash, mix};
use crate::country::{Countries, CountryId};
use crate::digits::Digits;

/// What a route looks at.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The account that sends.
    pub account: &'a str,
    /// The recipient.
    pub to: &'a Address,
    /// The sender.
    pub from: &'a Address,
}

/// All that a route can look at. What is not known is `None` or empty, and matches no rule that
/// asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The account that sends.
    pub account: &'a str,
    /// The recipient.
    pub to: &'a Address,
    /// The sender.
    pub from: &'a Address,
    /// The way in that it came: one of [`model::resources::INGRESSES`].
    pub ingress: Option<&'a str>,
    /// The text, if it is one.
    pub text: Option<&'a str>,
    /// How it goes over the air.
    pub encoding: Option<Encoding>,
    /// How many parts it has.
    pub parts: Option<u16>,
    /// 0 to 3.
    pub priority: Option<u8>,
    /// Its tags.
    pub tags: &'a [(Box<str>, Box<str>)],
    /// The network that the recipient belongs to, MCC and MNC.
    pub network: Option<&'a str>,
    /// When it is routed.
    pub now: Option<Timestamp>,
    /// Of a part of a long message that the application has cut itself: its concatenation reference (3GPP
    /// 23.040 §9.2.3.24.1). What has the same account, addresses and reference goes the same way as the same.
    pub reference: Option<u16>,
}

impl Question<'_> {
    /// What chance is drawn from: a number that all parts of one long message share, or else `fresh`.
    pub(crate) fn chance(&self, fresh: u64) -> u64 {
        let Some(reference) = self.reference else { return fresh };
        let ends = mix(hash(self.to.as_str())) ^ hash(self.from.as_str());
        mix(ends ^ mix(hash(self.account) ^ u64::from(reference)))
    }
}

impl<'a> From<Outgoing<'a>> for Question<'a> {
    fn from(message: Outgoing<'a>) -> Self {
        Self {
            account: message.account,
            to: message.to,
            from: message.from,
            ingress: None,
            text: None,
            encoding: None,
            parts: None,
            priority: None,
            tags: &[],
            network: None,
            now: None,
            reference: None,
        }
    }
}

/// A question with what is worked out once for all rules.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub question: &'a Question<'a>,
    pub digits: Digits,
    pub country: Option<CountryId>,
}

impl<'a> Asked<'a> {
    /// With the recipient's country if `countries` are given.
    pub fn new(question: &'a Question<'a>, countries: Option<&Countries>) -> Self {
        let country = countries.and_then(|countries| country(question.to, countries));
        Self { question, digits: Digits::leading(question.to.bare()), country }
    }
}

/// The country that a recipient is in. A short code is in none.
pub(crate) fn country(to: &Address, countries: &Countries) -> Option<CountryId> {
    (to.kind() == AddressKind::International).then(|| countries.of(Digits::leading(to.bare()))).flatten()
}
