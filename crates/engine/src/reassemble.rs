//! Reassembly of incoming messages from their parts (3GPP 23.040 §9.2.3.24.1). Every part that
//! waits is in the store as well, so a restart loses none. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use model::{Body, Content, Encoding, MessageId, Name, Timestamp};
use store::{MoPart, MoPartKey};

use crate::receive::MoReceived;

/// Seconds that parts wait for the rest; then what came is given out.
const WAIT_SECONDS: i64 = 300;
/// Parts that were put together lately, and are remembered.
const JOINED_MAX: usize = 4096;
/// Sets that wait at a time; beyond this the oldest is given out early.
const SETS_MAX: usize = 10_000;

/// What a part came to.
#[derive(Debug)]
pub(crate) enum Added {
    /// It was a message of its own.
    Whole(Body),
    /// It waits for the rest.
    Waits(MoPart),
    /// It was the last one: the whole message, and the keys of the parts that it was made of.
    Complete(Body, Vec<MoPartKey>),
}

/// Whose message it is a part of: the key without the sequence.
type SetKey = (Name, Box<str>, u16, u8);

#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    sets: HashMap<SetKey, Set>,
    /// Parts that were put together lately: who reads them in the store may have read too early.
    joined: VecDeque<MessageId>,
}

#[derive(Debug)]
struct Set {
    parts: BTreeMap<u8, MoPart>,
    expires_at: Timestamp,
}

impl Reassembly {
    /// With the parts that waited when the process ended.
    pub fn new(parts: Vec<MoPart>) -> Self {
        let mut reassembly = Self::default();
        for part in parts {
            let set = reassembly.sets.entry(set_key(&part.key)).or_insert_with(|| Set::new(part.expires_at));
            set.parts.insert(part.key.sequence, part);
        }
        reassembly
    }

    pub fn add(&mut self, received: MoReceived, now: Timestamp) -> Added {
        match received.into_part(now) {
            Err(whole) => Added::Whole(*whole),
            Ok(part) => match self.put(part.clone()) {
                Some((body, keys)) => Added::Complete(body, keys),
                None => Added::Waits(part),
            },
        }
    }

    /// Takes up a part that another node has put into the store, unless it is known.
    pub fn take_in(&mut self, part: MoPart) -> Option<(Body, Vec<MoPartKey>)> {
        if self.joined.contains(&part.body.id) {
            return None;
        }
        let same = |known: &MoPart| known.body.id == part.body.id;
        let known = self.sets.get(&set_key(&part.key)).and_then(|set| set.parts.get(&part.key.sequence));
        if known.is_some_and(same) { None } else { self.put(part) }
    }

    /// Puts a part to the others. All together, if it was the last.
    fn put(&mut self, part: MoPart) -> Option<(Body, Vec<MoPartKey>)> {
        let (set_key, total) = (set_key(&part.key), part.key.total);
        let set = self.sets.entry(set_key.clone()).or_insert_with(|| Set::new(part.expires_at));
        // A part that comes again replaces the first, whether the carrier repeats itself or the
        // phone has come round to this reference again.
        set.parts.insert(part.key.sequence, part);
        if set.parts.len() < usize::from(total) {
            return None;
        }
        self.join(&set_key)
    }

    /// A set as one message, which it is no set any more.
    fn join(&mut self, key: &SetKey) -> Option<(Body, Vec<MoPartKey>)> {
        let set = self.sets.remove(key)?;
        self.joined.extend(set.parts.values().map(|part| part.body.id));
        let too_many = self.joined.len().saturating_sub(JOINED_MAX);
        self.joined.drain(..too_many);
        set.join()
    }

    /// Sets that have waited long enough, each as one message of what came.
    pub fn give_up(&mut self, now: Timestamp) -> Vec<(Name, Body, Vec<MoPartKey>)> {
        let mut over: Vec<(Timestamp, SetKey)> = Vec::new();
        for (key, set) in self.sets.iter().filter(|(_, set)| set.expires_at <= now) {
            over.push((set.expires_at, key.clone()));
        }
        if self.sets.len() > SETS_MAX + over.len() {
            let mut all: Vec<(Timestamp, SetKey)> = self.sets.iter().map(|(k, s)| (s.expires_at, k.clone())).collect();
            all.sort_unstable();
            all.truncate(self.sets.len() - SETS_MAX);
            over = all;
        }
        over.sort_unstable();
        over.into_iter()
            .filter_map(|(_, key)| {
                let (body, keys) = self.join(&key)?;
                Some((key.0, body, keys))
            })
            .collect()
    }
}

impl MoReceived {
    /// It as a part that waits for the others; or the body of one that is whole.
    pub fn into_part(self, now: Timestamp) -> Result<MoPart, Box<Body>> {
        let Some(concat) = self.concat.filter(|c| c.total > 1 && (1..=c.total).contains(&c.sequence)) else {
            return Err(Box::new(self.body));
        };
        let key = MoPartKey {
            connector: self.connector,
            addresses: format!("{} {}", self.body.from, self.body.to).into(),
            reference: concat.reference,
            total: concat.total,
            sequence: concat.sequence,
        };
        Ok(MoPart { key, body: Arc::new(self.body), expires_at: now.plus_seconds(WAIT_SECONDS) })
    }
}

impl Set {
    fn new(expires_at: Timestamp) -> Self {
        Self { parts: BTreeMap::new(), expires_at }
    }

    /// The parts that came as one message, in order; the first part's id and times.
    fn join(self) -> Option<(Body, Vec<MoPartKey>)> {
        let keys: Vec<MoPartKey> = self.parts.values().map(|p| p.key.clone()).collect();
        let first = self.parts.values().next()?;
        let mut body = Body::clone(&first.body);
        let contents = self.parts.values().map(|p| &p.body.content);
        if self.parts.values().all(|p| p.body.content.text().is_some()) {
            let text: String = contents.filter_map(Content::text).collect();
            body.content = Content::Text(text.into());
        } else {
            let mut joined = Vec::new();
            let mut coding = 4;
            for content in contents {
                match content {
                    Content::Binary { data, dcs, .. } => {
                        joined.extend_from_slice(data);
                        coding = *dcs;
                    }
                    Content::Text(text) => joined.extend_from_slice(text.as_bytes()),
                }
            }
            body.content = Content::Binary { data: joined.into(), udh: Box::default(), dcs: coding };
            body.encoding = Encoding::Binary;
        }
        if self.parts.values().any(|p| p.body.encoding == Encoding::Ucs2) && body.content.text().is_some() {
            body.encoding = Encoding::Ucs2;
        }
        body.created_at = self.parts.values().map(|p| p.body.created_at).min().unwrap_or(body.created_at);
        Some((body, keys))
    }
}

fn set_key(key: &MoPartKey) -> SetKey {
    (key.connector.clone(), key.addresses.clone(), key.reference, key.total)
}
