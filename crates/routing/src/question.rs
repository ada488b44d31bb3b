//! What is known of a message when a route is wanted for it.

use model::{Address, AddressKind, Encoding, Timestamp};

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
    /// When it is routed.
    pub now: Option<Timestamp>,
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
            now: None,
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
