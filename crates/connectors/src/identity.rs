//! What SMSCs of UCP and CIMD2 call a message: to whom, and in which second they took it (`AdC:SCTS`).
//!
//! Parts of one message, taken in the same second, have the same name. They are told apart here by the
//! order in which they were taken, and their notifications by the order in which they come. That is
//! remembered in memory only: after a restart a notification may count for another part to the same phone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 50_000;

/// The names that one connector's SMSC has given, shared by its sessions.
#[derive(Debug, Default)]
pub(crate) struct Identities(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    names: HashMap<Box<str>, Count>,
    /// In the order in which they were first given.
    order: VecDeque<Box<str>>,
}

/// How often a name was given, and how many of those have come to their end.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    taken: u16,
    ended: u16,
}

impl Identities {
    /// The SMSC has taken a message and calls it so: its remote id.
    pub(crate) fn taken(&self, adc: &[u8], scts: &[u8]) -> Box<str> {
        let name = name(adc, scts);
        let count = self.lock().note(&name, |count| count.taken = count.taken.saturating_add(1));
        numbered(&name, count.taken)
    }

    /// What a notification is about. It may come before the result of its submission, and there may be
    /// more of them than results were heard.
    pub(crate) fn reported(&self, adc: &[u8], scts: &[u8], is_final: bool) -> Box<str> {
        let name = name(adc, scts);
        let count = self.lock().note(&name, |count| count.ended = count.ended.saturating_add(u16::from(is_final)));
        numbered(&name, count.ended.saturating_add(u16::from(!is_final)))
    }

    /// Have several messages the name in this remote id, as far as is known?
    pub(crate) fn is_shared(&self, remote_id: &str) -> bool {
        let name = remote_id.split_once('/').map_or(remote_id, |(name, _)| name);
        name != remote_id || self.lock().names.get(name).is_some_and(|count| count.taken.max(count.ended) > 1)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&mut self, name: &str, change: impl FnOnce(&mut Count)) -> Count {
        if let Some(count) = self.names.get_mut(name) {
            change(count);
            return *count;
        }
        while self.order.len() >= REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.names.remove(&oldest);
            }
        }
        let mut count = Count::default();
        change(&mut count);
        self.names.insert(name.into(), count);
        self.order.push_back(name.into());
        count
    }
}

/// A plus sign and zeros in front are left out: some SMSCs write the recipient with its prefix, some without.
fn name(adc: &[u8], scts: &[u8]) -> Box<str> {
    let digits =
        adc.iter().position(|octet| !matches!(octet, b'0' | b'+')).and_then(|at| adc.get(at..)).unwrap_or_default();
    format!("{}:{}", String::from_utf8_lossy(digits), String::from_utf8_lossy(scts)).into()
}

fn numbered(name: &str, number: u16) -> Box<str> {
    if number > 1 { format!("{name}/{number}").into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_in_one_second_is_told_apart() {
        let identities = Identities::default();
        let second = b"221026183639";
        let ids = [(); 3].map(|()| identities.taken(b"+447700900124", second).to_string());
        assert_eq!(ids, ["447700900124:221026183639", "447700900124:221026183639/2", "447700900124:221026183639/3"]);
        let shared = [&*ids[0], &*ids[2], "447700900124:221026183640"].map(|id| identities.is_shared(id));
        assert_eq!(shared, [true, true, false]);
        let told = |is_final| identities.reported(b"447700900124", second, is_final).to_string();
        assert_eq!([told(false), told(true), told(true)], [ids[0].clone(), ids[0].clone(), ids[1].clone()]);
        assert_eq!([told(true), told(true)], [ids[2].clone(), "447700900124:221026183639/4".into()]);
        // Their results come when there were four of five.
        assert_eq!(*identities.taken(b"447700900124", second), *"447700900124:221026183639/4");
    }

    #[test]
    fn so_many_are_remembered() {
        let identities = Identities::default();
        assert_eq!(*identities.reported(b"000", b"1", false), *":1");
        for number in 0..REMEMBERED + 10 {
            identities.taken(number.to_string().as_bytes(), b"1");
        }
        let known = identities.lock();
        assert_eq!((known.names.len(), known.order.len()), (REMEMBERED, REMEMBERED));
    }
}
