//! The index over rules: from a message to the few rules that may be for it, in order.
//!
//! Rules are numbered as they are looked at. Each is filed in a bucket: those of some account
//! under that account, else those of some sender under that sender, else in the common bucket.
//! Inside a bucket a rule stands at the recipient prefixes that it names, else at its countries,
//! else among the rest. A message gets the lists of at most four buckets, merged by number, so that
//! the first rule that stands the full test is the first of all that do.

use std::collections::HashMap;

use crate::condition::Conditions;
use crate::country::CountryId;
use crate::digits::Digits;
use crate::question::Asked;
use crate::trie::Trie;

/// A rule that would stand in more places than this under its accounts or senders is filed in
/// the common bucket instead.
const PLACES_MAX: usize = 1024;
/// Keys below which a rule is filed under each, however many prefixes it has.
const FEW_KEYS: usize = 4;
/// Set in a value of the trie that is a place in `lists`. Without it the value is the number of
/// the only rule there: most prefixes have one, and it saves the way to a list.
const LIST: u32 = 1 << 31;
/// Lists of a message that are kept without asking for memory; more are rare.
const FEW_LISTS: usize = 8;

/// Rules by what they ask for.
#[derive(Debug, Default)]
pub(crate) struct Index {
    common: Bucket,
    by_account: HashMap<Box<str>, Bucket>,
    by_sender: HashMap<Box<str>, Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    /// Values are rule numbers, or places in `lists` with [`LIST`] set.
    prefixes: Trie,
    lists: Lists,
    countries: HashMap<CountryId, Box<[u32]>>,
    rest: Box<[u32]>,
}

/// Lists of rule numbers, each list once.
#[derive(Debug, Default)]
struct Lists {
    numbers: Box<[u32]>,
    /// Where each list begins; the next one's beginning is its end.
    starts: Box<[u32]>,
}

impl Index {
    /// Files `rules` under their places in the slice.
    pub fn new<'r>(rules: impl Iterator<Item = &'r Conditions>) -> Self {
        let mut common = Draft::default();
        let mut by_account: HashMap<Box<str>, Draft> = HashMap::new();
        let mut by_sender: HashMap<Box<str>, Draft> = HashMap::new();
        for (rule, number) in rules.zip(0..) {
            let places = rule.prefixes.iter().len().max(rule.countries.len()).max(1);
            let fits = |keys: usize| keys > 0 && (keys <= FEW_KEYS || keys.saturating_mul(places) <= PLACES_MAX);
            let (drafts, keys) = match () {
                () if fits(rule.accounts.len()) => (&mut by_account, &rule.accounts),
                () if fits(rule.senders.len()) => (&mut by_sender, &rule.senders),
                () => {
                    common.file(rule, number);
                    continue;
                }
            };
            keys.iter().for_each(|key| drafts.entry(key.clone()).or_default().file(rule, number));
        }
        let finish = |drafts: HashMap<Box<str>, Draft>| drafts.into_iter().map(|(key, d)| (key, d.finish())).collect();
        Self { common: common.finish(), by_account: finish(by_account), by_sender: finish(by_sender) }
    }

    /// The numbers of all rules that may be for the message, lowest first. What a rule asks of
    /// the recipient's prefix is known to be so.
    pub fn candidates(&self, asked: Asked<'_>) -> Candidates<'_> {
        let mut candidates = Candidates::default();
        candidates.add_bucket(&self.common, asked);
        if !self.by_account.is_empty()
            && let Some(bucket) = self.by_account.get(asked.question.account)
        {
            candidates.add_bucket(bucket, asked);
        }
        if !self.by_sender.is_empty() {
            let (sender, bare) = (asked.question.from.as_str(), asked.question.from.bare());
            self.by_sender.get(sender).into_iter().for_each(|bucket| candidates.add_bucket(bucket, asked));
            if bare != sender {
                self.by_sender.get(bare).into_iter().for_each(|bucket| candidates.add_bucket(bucket, asked));
            }
        }
        candidates
    }
}

/// Rule numbers from several sorted lists, lowest first, each once.
#[derive(Default)]
pub(crate) struct Candidates<'i> {
    few: [&'i [u32]; FEW_LISTS],
    count: usize,
    more: Vec<&'i [u32]>,
}

impl<'i> Candidates<'i> {
    fn add_bucket(&mut self, bucket: &'i Bucket, asked: Asked<'_>) {
        bucket.prefixes.visit(asked.digits, |value| match value & LIST {
            0 => self.add(std::slice::from_ref(value)),
            _ => self.add(bucket.lists.get(value & !LIST)),
        });
        if let Some(country) = asked.country
            && !bucket.countries.is_empty()
            && let Some(list) = bucket.countries.get(&country)
        {
            self.add(list);
        }
        self.add(&bucket.rest);
    }

    fn add(&mut self, list: &'i [u32]) {
        if list.is_empty() {
            return;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => {
                *slot = list;
                self.count += 1;
            }
            None => self.more.push(list),
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let lists = || self.few.iter().take(self.count).chain(&self.more);
        let lowest = lists().filter_map(|list| list.first()).min().copied()?;
        for list in self.few.iter_mut().take(self.count).chain(&mut self.more) {
            if let Some((first, rest)) = list.split_first()
                && *first == lowest
            {
                *list = rest;
            }
        }
        Some(lowest)
    }
}

impl Lists {
    fn get(&self, list: u32) -> &[u32] {
        let at = list as usize;
        let (Some(start), Some(end)) = (self.starts.get(at), self.starts.get(at + 1)) else { return &[] };
        self.numbers.get(*start as usize..*end as usize).unwrap_or_default()
    }
}

/// A bucket that is being filled.
#[derive(Default)]
struct Draft {
    prefixes: Vec<(Digits, u32)>,
    countries: HashMap<CountryId, Vec<u32>>,
    rest: Vec<u32>,
}

impl Draft {
    fn file(&mut self, rule: &Conditions, number: u32) {
        if !rule.prefixes.is_empty() {
            self.prefixes.extend(rule.prefixes.iter().map(|prefix| (prefix, number)));
        } else if !rule.countries.is_empty() {
            for country in &rule.countries {
                self.countries.entry(*country).or_default().push(number);
            }
        } else {
            self.rest.push(number);
        }
    }

    fn finish(mut self) -> Bucket {
        self.prefixes.sort_unstable();
        let (mut numbers, mut starts) = (Vec::new(), vec![0]);
        // Rules that share one prefix often share more, so one list serves them all.
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut entries = Vec::new();
        for group in self.prefixes.chunk_by(|(a, _), (b, _)| a == b) {
            if let [only] = group {
                entries.push(*only);
                continue;
            }
            let list: Vec<u32> = group.iter().map(|(_, number)| *number).collect();
            let place = *known.entry(list).or_insert_with_key(|list| {
                numbers.extend_from_slice(list);
                starts.push(numbers.len() as u32);
                starts.len() as u32 - 2
            });
            entries.extend(group.first().map(|(prefix, _)| (*prefix, place | LIST)));
        }
        Bucket {
            prefixes: Trie::new(entries),
            lists: Lists { numbers: numbers.into(), starts: starts.into() },
            countries: self.countries.into_iter().map(|(country, list)| (country, list.into())).collect(),
            rest: self.rest.into(),
        }
    }
}
