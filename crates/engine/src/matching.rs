//! Match: which part a receipt is for.
//!
//! Carriers write the id of a receipt differently from the id in their answer: hexadecimal here
//! and decimal there, padded, in another case. Each connector's ids are stored in one *normal
//! form*; a receipt's id is turned into the forms it may stand for, and the connector learns from
//! what arrives which of them is right.

use std::borrow::Cow;

use foldhash::HashMap;
use model::resources::ReceiptIdForm;
use model::{Address, Name, Part, Timestamp};
use store::{PartRef, RemoteKey};

/// How a receipt's id relates to the answer's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The same, but for case and leading zeros.
    Same,
    /// The answer had hexadecimal, the receipt decimal.
    HexToDec,
    /// The answer had decimal, the receipt hexadecimal.
    DecToHex,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::Same, Form::HexToDec, Form::DecToHex];

    pub fn as_str(self) -> &'static str {
        match self {
            Form::Same => "same",
            Form::HexToDec => "hex-to-dec",
            Form::DecToHex => "dec-to-hex",
        }
    }
}

/// The normal form of an id in an answer: what it is stored under.
pub(crate) fn normal_id(form: ReceiptIdForm, id: &str) -> Cow<'_, str> {
    match form {
        ReceiptIdForm::AsIs => Cow::Borrowed(id),
        _ => loose(id),
    }
}

/// What a receipt's `id` may be stored under, the likeliest first. Two forms may come to the same.
pub(crate) fn candidates(
    rule: ReceiptIdForm,
    learnt: Option<Form>,
    id: &str,
) -> impl Iterator<Item = (Form, Cow<'_, str>)> {
    let forms: &[Form] = match rule {
        ReceiptIdForm::AsIs | ReceiptIdForm::Loose => &[Form::Same],
        ReceiptIdForm::HexToDec => &[Form::HexToDec],
        ReceiptIdForm::DecToHex => &[Form::DecToHex],
        ReceiptIdForm::Auto => &Form::ALL,
    };
    let learnt = learnt.filter(|form| forms.contains(form));
    let others = forms.iter().copied().filter(move |form| Some(*form) != learnt);
    learnt.into_iter().chain(others).filter_map(move |form| {
        let normal = match form {
            Form::Same => normal_id(rule, id),
            // What was hexadecimal in the answer is a decimal number here.
            Form::HexToDec => Cow::Owned(format!("{:x}", decimal(id)?)),
            Form::DecToHex => Cow::Owned(hexadecimal(id)?.to_string()),
        };
        Some((form, normal))
    })
}

/// What a receipt that came before the answer may have been parked under: the same question the
/// other way round. Receipts are parked under the normal form of their own id.
pub(crate) fn parked_under(form: ReceiptIdForm, answer: &str) -> Vec<(Form, String)> {
    let (form, turned) = match form {
        ReceiptIdForm::HexToDec => (ReceiptIdForm::DecToHex, true),
        ReceiptIdForm::DecToHex => (ReceiptIdForm::HexToDec, true),
        form => (form, form == ReceiptIdForm::Auto),
    };
    let turn = |form| match form {
        Form::HexToDec if turned => Form::DecToHex,
        Form::DecToHex if turned => Form::HexToDec,
        form => form,
    };
    candidates(form, None, answer).map(|(form, id)| (turn(form), id.into_owned())).collect()
}

/// Do two writings of a phone's number, one ours and one of a receipt, speak against each other?
pub(crate) fn other_phone(to: &Address, named: &str) -> bool {
    named.bytes().any(|b| b.is_ascii_digit()) && !same_phone(to, named)
}

/// Lower case, without leading zeros.
fn loose(id: &str) -> Cow<'_, str> {
    let id = id.trim();
    let bare = id.trim_start_matches('0');
    let bare = if bare.is_empty() { id.get(..1).unwrap_or(id) } else { bare };
    if bare.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(bare.to_ascii_lowercase())
    } else {
        Cow::Borrowed(bare)
    }
}

/// Numbers of up to 128 bits: ids of 18 digits and more are common.
fn decimal(id: &str) -> Option<u128> {
    id.bytes().all(|b| b.is_ascii_digit()).then(|| id.parse().ok())?
}

fn hexadecimal(id: &str) -> Option<u128> {
    id.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u128::from_str_radix(id, 16).ok())?
}

/// A part that a receipt may be for.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'m> {
    pub form: Form,
    pub key: RemoteKey,
    pub part: PartRef,
    /// The recipient of that part's message, if it is known.
    pub to: Option<&'m Address>,
}

/// Chooses among the parts that were found under the forms of a receipt's ids.
///
/// The phone decides: an id that was read in the wrong form finds somebody else's message now and
/// then. Where the receipt names no phone, or names it so that it can't be compared, the learnt
/// form decides; two that are equally likely are not guessed between.
pub(crate) fn choose<'m>(
    mut found: Vec<Candidate<'m>>,
    addresses: &[Box<str>; 2],
    learnt: Option<Form>,
) -> Option<Candidate<'m>> {
    if found.len() > 1 {
        let by_phone = |c: &Candidate<'_>| c.to.is_some_and(|to| addresses.iter().any(|a| same_phone(to, a)));
        if found.iter().any(by_phone) {
            found.retain(by_phone);
        }
        let mut parts: Vec<PartRef> = found.iter().map(|c| c.part).collect();
        parts.dedup();
        if parts.len() > 1 {
            found.retain(|c| Some(c.form) == learnt);
            if found.len() != 1 {
                return None;
            }
        }
    }
    found.into_iter().next()
}

/// How far ahead of the time at which it was sent a part may have been taken: clocks of carriers are often in another
/// zone than they say.
const CLOCKS_MS: i64 = 15 * 3_600_000;

/// Chooses among parts that have a name in common: the open one that was sent next to the time at which the carrier
/// took what it speaks of. What was sent long after that is none of them.
pub(crate) fn choose_by_time(
    mut found: Vec<(RemoteKey, PartRef, Option<&Part>)>,
    taken_at: Option<Timestamp>,
) -> Option<(RemoteKey, PartRef)> {
    let taken = taken_at.map(Timestamp::as_millis);
    let sent = |part: &Option<&Part>| part.and_then(|part| part.submitted_at).map(Timestamp::as_millis);
    if let Some(taken) = taken {
        found.retain(|(_, _, part)| sent(part).is_none_or(|sent| sent - taken <= CLOCKS_MS));
    }
    let is_closed = |part: &Option<&Part>| part.is_some_and(|part| part.final_at.is_some());
    let far = |part: &Option<&Part>| match taken {
        Some(taken) => sent(part).map_or(i64::MAX, |sent| (sent - taken).abs()),
        // Without a time the last is.
        None => sent(part).map_or(i64::MAX, |sent| -sent),
    };
    found.into_iter().min_by_key(|(_, _, part)| (is_closed(part), far(part))).map(|(key, part, _)| (key, part))
}

/// Is this the same phone, as far as the last digits tell? Carriers add and drop prefixes.
pub(crate) fn same_phone(to: &Address, named: &str) -> bool {
    const DIGITS: usize = 8;
    let tail = |text| str::bytes(text).rev().filter(u8::is_ascii_digit).take(DIGITS);
    let (ours, theirs) = (tail(to.as_str()), tail(named));
    ours.clone().next().is_some() && ours.eq(theirs)
}

/// What was learnt of a connector's ids: how often each form was right.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    counts: HashMap<Name, [u64; 3]>,
}

impl Learnt {
    /// How many matches make a form the one to believe.
    const ENOUGH: u64 = 8;

    /// Counts a match, and returns how many of this form there were.
    pub fn count(&mut self, connector: &Name, form: Form) -> u64 {
        let counts = match self.counts.get_mut(connector) {
            Some(counts) => counts,
            None => self.counts.entry(connector.clone()).or_default(),
        };
        counts[form as usize] += 1;
        counts[form as usize]
    }

    /// The form that nearly all receipts of this connector had.
    pub fn form(&self, connector: &Name) -> Option<Form> {
        let counts = self.counts.get(connector)?;
        let total: u64 = counts.iter().sum();
        Form::ALL.into_iter().find(|&f| counts[f as usize] >= Self::ENOUGH && counts[f as usize] * 10 >= total * 9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MessageId;

    fn key(id: &str) -> RemoteKey {
        RemoteKey { connector: "a".into(), id: id.into() }
    }

    fn finds(form: ReceiptIdForm, answer: &str, receipt: &str) -> bool {
        let stored = normal_id(form, answer);
        candidates(form, None, receipt).any(|(_, c)| c == stored)
    }

    #[test]
    fn ids_of_real_carriers_find_each_other() {
        use ReceiptIdForm::{AsIs, Auto, DecToHex, HexToDec, Loose};
        assert!(finds(Auto, "60edc86a", "1626196074"));
        assert!(finds(Auto, "38601fa", "0059113978"));
        assert!(finds(Auto, "1626196074", "60EDC86A"));
        assert!(finds(Auto, "145100315320224957", "145100315320224957"));
        assert!(finds(Auto, "74E02EE1-4e2f", "74e02ee1-4e2f"));
        assert!(finds(HexToDec, "18D0E03A", "0416342074"));
        assert!(!finds(HexToDec, "123", "123"));
        assert!(finds(DecToHex, "0416342074", "18d0e03a"));
        assert!(finds(Loose, "00AB", "ab"));
        assert!(!finds(AsIs, "AB", "ab"));
        assert!(finds(Auto, "0", "000"));
        assert!(finds(Auto, "", ""));
    }

    #[test]
    fn receipts_that_came_first_are_found_from_the_answer() {
        use ReceiptIdForm::{AsIs, Auto, DecToHex, HexToDec};
        let finds = |form, answer: &str, receipt: &str| {
            let parked = normal_id(form, receipt);
            parked_under(form, answer).into_iter().find(|(_, id)| *id == parked).map(|(form, _)| form)
        };
        assert_eq!(finds(Auto, "60edc86a", "1626196074"), Some(Form::HexToDec));
        assert_eq!(finds(Auto, "1626196074", "60EDC86A"), Some(Form::DecToHex));
        assert_eq!(finds(Auto, "AB-1", "ab-1"), Some(Form::Same));
        assert_eq!(finds(HexToDec, "18D0E03A", "0416342074"), Some(Form::HexToDec));
        assert_eq!(finds(DecToHex, "0416342074", "18d0e03a"), Some(Form::DecToHex));
        assert_eq!(finds(AsIs, "AB", "AB"), Some(Form::Same));
        assert_eq!(finds(AsIs, "AB", "ab"), None);
    }

    #[test]
    fn what_was_learnt_is_tried_first() {
        let mut found = candidates(ReceiptIdForm::Auto, Some(Form::HexToDec), "16");
        assert_eq!(found.next(), Some((Form::HexToDec, "10".into())));
        assert_eq!(found.next(), Some((Form::Same, "16".into())));
    }

    fn candidate(form: Form, message: u64, to: &Address) -> Candidate<'_> {
        let at = model::Timestamp::from_millis(message as i64);
        let part = PartRef { message: MessageId::first_at(at), part: 0 };
        Candidate { form, key: key("x"), part, to: Some(to) }
    }

    #[test]
    fn the_phone_decides_between_two_readings() {
        let [one, two] = ["+447700900111", "+447700900222"].map(|to| Address::recipient(to, None).unwrap());
        let found = || vec![candidate(Form::Same, 1, &one), candidate(Form::HexToDec, 2, &two)];
        let phone = |p: &str| [Box::from(p), Box::from("SHOP")];
        assert_eq!(choose(found(), &phone("447700900222"), None).unwrap().form, Form::HexToDec);
        assert_eq!(choose(found(), &phone("07700900111"), Some(Form::HexToDec)).unwrap().form, Form::Same);
        assert_eq!(choose(found(), &phone(""), Some(Form::Same)).unwrap().form, Form::Same);
        assert!(choose(found(), &phone(""), None).is_none(), "two that are equally likely");
        assert!(choose(vec![], &phone(""), None).is_none());
    }

    #[test]
    fn of_parts_with_one_name_the_one_that_was_sent_then_is_meant() {
        let place = |n: u8| PartRef { message: MessageId::first_at(model::Timestamp::from_millis(0)), part: n };
        let part = |sent: i64, ended: bool| Part {
            submitted_at: Some(model::Timestamp::from_millis(sent * 1000)),
            final_at: ended.then(|| model::Timestamp::from_millis(sent * 1000)),
            ..Part::waiting()
        };
        let chosen = |parts: &[Part], taken: Option<i64>| {
            let found = (0..).zip(parts).map(|(n, part)| (key("x"), place(n), Some(part)));
            let taken = taken.map(|seconds| model::Timestamp::from_millis(seconds * 1000));
            choose_by_time(found.collect(), taken).map(|(_, chosen)| chosen.part)
        };
        let day = 86_400;
        assert_eq!(chosen(&[part(0, false), part(300, false)], Some(2)), Some(0));
        assert_eq!(chosen(&[part(0, false), part(300, false)], Some(299)), Some(1));
        // What has its receipt needs no other, and what was sent later was not taken before.
        assert_eq!(chosen(&[part(0, true), part(300, false)], Some(2)), Some(1));
        assert_eq!(chosen(&[part(0, true), part(day, false)], Some(2)), Some(0));
        assert_eq!(chosen(&[part(day, false)], Some(2)), None);
        assert_eq!(chosen(&[part(0, false)], Some(day)), Some(0), "it may have been taken at any time after");
        assert_eq!(chosen(&[part(0, false), part(300, false)], None), Some(1));
        assert_eq!(chosen(&[], Some(2)), None);
    }

    #[test]
    fn a_form_is_learnt_from_many_and_unlearnt_from_others() {
        let (mut learnt, a) = (Learnt::default(), Name::from("a"));
        (0..8).for_each(|_| {
            learnt.count(&a, Form::DecToHex);
        });
        assert_eq!(learnt.form(&a), Some(Form::DecToHex));
        (0..8).for_each(|_| {
            learnt.count(&a, Form::Same);
        });
        assert_eq!(learnt.form(&a), None);
        assert_eq!(learnt.form(&"b".into()), None);
    }
}
