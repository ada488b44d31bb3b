//! Opt-outs: who wants to hear nothing more from an account, asked for every message that is to be
//! accepted.
//!
//! The store has them; here is a hash of each in memory, sixteen octets or so, so that asking is one
//! look-up, and none while there are no opt-outs at all. All are read when the engine starts. After
//! that the recorder alone changes them, in the store and here, whether a phone wrote or the API asked:
//! here as soon as the change is in a draft, so that what comes next in the same commit knows of it.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::HashSet;
use foldhash::fast::RandomState;
use model::resources::{HELP_WORDS, OptOutScope, OptOutWords, START_REPLY, START_WORDS, STOP_REPLY, STOP_WORDS};
use model::{Address, Body, DeliveryId, OptOut, OptOutId, OptOutKey, Progress};
use routing::{InboundPlan, Words};
use store::{OptOutFilter, Store, StoreError};
use tokio::sync::oneshot;

use crate::access::Caller;
use crate::announce;
use crate::engine::Engine;
use crate::explain_inbound::InboundQuestion;
use crate::facts::Fact;
use crate::persist::{Draft, Recorder};
use crate::respond::{Consequence, Manner};
use crate::world::{AccountView, World};

/// Opt-outs read from the store at a time.
const PAGE: usize = 1000;

/// Every opt-out of every account, by its hash.
#[derive(Debug, Default)]
pub(crate) struct OptOuts {
    count: AtomicUsize,
    hashes: RwLock<HashSet<u64>>,
    hasher: RandomState,
}

impl OptOuts {
    /// With all that the store has.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let opt_outs = Self::default();
        opt_outs.read(store).await?;
        Ok(opt_outs)
    }

    /// Adds all that the store has.
    pub async fn read(&self, store: &dyn Store) -> Result<(), StoreError> {
        let (filter, mut before) = (OptOutFilter::default(), None);
        loop {
            let page = store.opt_outs(&filter, before, PAGE).await?;
            for opt_out in &page {
                self.add(&opt_out.key);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => before = Some(last.id),
                _ => return Ok(()),
            }
        }
    }

    /// Does `phone` want nothing from this sender of the account?
    pub fn has(&self, account: &str, sender: &Address, phone: &Address) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let (all, one) = (self.hash(account, None, phone), self.hash(account, Some(sender), phone));
        let hashes = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        hashes.contains(&all) || hashes.contains(&one)
    }

    /// Adds one; `false` if it was there.
    fn add(&self, key: &OptOutKey) -> bool {
        self.change(|hashes| hashes.insert(self.hash_of(key)))
    }

    fn remove(&self, key: &OptOutKey) -> bool {
        self.change(|hashes| hashes.remove(&self.hash_of(key)))
    }

    /// Another node has put it into the store, or taken it out.
    pub fn put(&self, key: &OptOutKey, out: bool) {
        _ = if out { self.add(key) } else { self.remove(key) };
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<u64>) -> bool) -> bool {
        let mut hashes = self.hashes.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut hashes);
        self.count.store(hashes.len(), Ordering::Release);
        changed
    }

    fn hash_of(&self, key: &OptOutKey) -> u64 {
        self.hash(&key.account, key.sender.as_ref(), &key.phone)
    }

    fn hash(&self, account: &str, sender: Option<&Address>, phone: &Address) -> u64 {
        self.hasher.hash_one((account, sender.map(Address::bare), phone.bare()))
    }
}

/// What an account's phones may write, ready to be looked up.
#[derive(Debug)]
pub(crate) struct OptOutRules {
    stop: Words,
    start: Words,
    help: Words,
    stop_reply: Option<String>,
    start_reply: Option<String>,
    help_reply: Option<String>,
    scope: OptOutScope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Stop,
    Start,
    Help,
}

impl OptOutRules {
    pub fn new(words: &OptOutWords) -> Self {
        let list = |own: &[String], usual: &[&str]| match own {
            [] => Words::new(usual.iter().copied()),
            own => Words::new(own.iter().map(String::as_str)),
        };
        let reply = |own: &Option<String>, usual: &str| {
            Some(own.clone().unwrap_or_else(|| usual.to_owned())).filter(|text| !text.trim().is_empty())
        };
        Self {
            stop: list(&words.stop, &STOP_WORDS),
            start: list(&words.start, &START_WORDS),
            help: list(&words.help, &HELP_WORDS),
            stop_reply: reply(&words.stop_reply, STOP_REPLY),
            start_reply: reply(&words.start_reply, START_REPLY),
            help_reply: reply(&words.help_reply, ""),
            scope: words.scope,
        }
    }

    fn word(&self, text: &str) -> Option<Word> {
        if self.stop.is(text) {
            Some(Word::Stop)
        } else if self.start.is(text) {
            Some(Word::Start)
        } else if self.help_reply.is_some() && self.help.is(text) {
            Some(Word::Help)
        } else {
            None
        }
    }

    fn reply(&self, word: Word) -> Option<&String> {
        match word {
            Word::Stop => self.stop_reply.as_ref(),
            Word::Start => self.start_reply.as_ref(),
            Word::Help => self.help_reply.as_ref(),
        }
    }
}

impl Engine {
    /// The word of opting out that a message from a phone would be, and what would answer it.
    pub(crate) fn word_from(
        &self,
        account: &AccountView,
        question: &InboundQuestion,
    ) -> Option<(&'static str, Option<String>)> {
        let rules = account.opt_out.as_ref()?;
        let word = rules.word(question.text.as_deref()?)?;
        let phone = phone_of(&question.from, account);
        let told = match word {
            Word::Stop => "stop",
            Word::Start if self.inner.opt_outs.has(&account.id, &question.to, &phone) => "start",
            Word::Start => return None,
            Word::Help => "help",
        };
        Some((told, rules.reply(word).cloned()))
    }
}

impl Recorder {
    /// Does what the sender of a message asks for with one word, if it is one: then the rule neither
    /// answers nor sends on. `None` leaves the message to its rule.
    pub(crate) fn heed(
        &mut self,
        plan: &InboundPlan,
        cause: &Body,
        progress: &mut Progress,
        world: &World,
        draft: &mut Draft,
    ) -> Option<Vec<Consequence>> {
        let account = world.account(&plan.account)?;
        let rules = account.opt_out.as_ref()?;
        let word = rules.word(cause.content.text()?)?;
        let now = draft.now;
        let phone = phone_of(&cause.from, account);
        let engine = self.engine.clone();
        let opt_outs = &engine.inner.opt_outs;
        let key = |sender| OptOutKey { account: account.id.clone(), phone: phone.clone(), sender };
        let written_to = Some(cause.to.clone());
        match word {
            Word::Stop => {
                let key = key(written_to.filter(|_| rules.scope == OptOutScope::Number));
                let from = key.sender.as_ref().map_or_else(|| "every sender".to_owned(), ToString::to_string);
                progress.note(now, "opted_out", None, Some(format!("{phone} from {from}").into()));
                let id = OptOutId(engine.next_id(now).0);
                let opt_out = OptOut { id, key, created_at: now, message: Some(cause.id) };
                put(&engine, account, opt_out, draft);
            }
            Word::Start => {
                let keys = [key(None), key(written_to)];
                // Who never opted out may say "yes" to something else.
                if !opt_outs.has(&account.id, &cause.to, &phone) {
                    return None;
                }
                progress.note(now, "opted_in", None, Some(phone.to_string().into()));
                keys.into_iter().for_each(|key| take(opt_outs, key, draft));
            }
            Word::Help => progress.note(now, "helped", None, None),
        }
        let reply = rules.reply(word).cloned();
        let (forward, forward_text) = (Vec::new(), None);
        let plan = InboundPlan { reply, reply_limit: None, forward, forward_text, group: None, ..plan.clone() };
        let manner = Manner { heeds_word: true, ..Manner::default() };
        Some(self.respond(&plan, cause, progress, world, now, &manner))
    }

    /// Somebody asked through the API.
    pub(crate) fn opt_out_asked(
        &mut self,
        change: OptOutChange,
        reply: oneshot::Sender<()>,
        world: &World,
        draft: &mut Draft,
    ) {
        match change {
            OptOutChange::Put(opt_out) => {
                if let Some(account) = world.account(&opt_out.key.account) {
                    put(&self.engine, account, opt_out, draft);
                }
            }
            OptOutChange::Take(key) => take(&self.engine.inner.opt_outs, key, draft),
        }
        draft.heard.push(reply);
    }
}

/// What the API wants of an opt-out.
#[derive(Debug)]
pub(crate) enum OptOutChange {
    Put(OptOut),
    Take(OptOutKey),
}

fn put(engine: &Engine, account: &AccountView, opt_out: OptOut, draft: &mut Draft) {
    draft.changes.opt_outs_done.retain(|key| *key != opt_out.key);
    if !engine.inner.opt_outs.add(&opt_out.key) {
        return;
    }
    engine.inner.metrics.opted_out(&account.id);
    let now = draft.now;
    let next_id = || DeliveryId(engine.next_id(now).0);
    draft.changes.deliveries.extend(announce::of_opt_out(account, &opt_out, now, next_id));
    draft.changes.opt_outs.push(opt_out);
}

fn take(opt_outs: &OptOuts, key: OptOutKey, draft: &mut Draft) {
    opt_outs.remove(&key);
    draft.changes.opt_outs.retain(|put| put.key != key);
    draft.changes.opt_outs_done.push(key);
}

/// A phone as messages to it have it.
pub(crate) fn phone_of(from: &Address, account: &AccountView) -> Address {
    Address::recipient(from.as_str(), account.country).unwrap_or_else(|_| from.clone())
}

impl Engine {
    /// Opt-outs that pass `filter`, newest first; an admin sees everybody's.
    pub async fn opt_outs(
        &self,
        caller: &Caller,
        mut filter: OptOutFilter,
        before: Option<OptOutId>,
        limit: usize,
    ) -> Result<Vec<OptOut>, StoreError> {
        if !caller.is_admin() {
            filter.account = Some(caller.account.id.clone());
        }
        self.inner.store.opt_outs(&filter, before, limit).await
    }

    /// From now on the account sends nothing of this sender to this phone. The opt-out as it is
    /// durable, and whether it is new.
    pub async fn opt_out(&self, key: OptOutKey) -> Result<(OptOut, bool), StoreError> {
        let found = |opt_outs: Vec<OptOut>| opt_outs.into_iter().find(|opt_out| opt_out.key == key);
        let (account, phone) = (Some(key.account.clone()), Some(key.phone.clone()));
        let filter = OptOutFilter { account, phone, id: None };
        if let Some(before) = found(self.inner.store.opt_outs(&filter, None, PAGE).await?) {
            return Ok((before, false));
        }
        let now = self.now();
        let id = OptOutId(self.next_id(now).0);
        let opt_out = OptOut { id, key: key.clone(), created_at: now, message: None };
        self.change_opt_outs(OptOutChange::Put(opt_out.clone())).await?;
        // Somebody else may have been quicker.
        let kept = found(self.inner.store.opt_outs(&filter, None, PAGE).await?);
        Ok(kept.map_or((opt_out, true), |kept| {
            let new = kept.id == id;
            (kept, new)
        }))
    }

    /// The account may send there again.
    pub async fn opt_in(&self, key: OptOutKey) -> Result<(), StoreError> {
        self.change_opt_outs(OptOutChange::Take(key)).await
    }

    async fn change_opt_outs(&self, change: OptOutChange) -> Result<(), StoreError> {
        let (reply, durable) = oneshot::channel();
        self.report(Fact::OptOut { change: Box::new(change), reply }).await?;
        durable.await.map_err(|_| StoreError::Unavailable("the gateway has stopped".into()))
    }

    /// The recipient, if it wants nothing from the sender of this message.
    pub(crate) fn opted_out(&self, account: &AccountView, body: &Body) -> Option<Address> {
        let decided = body.plan.is_some().then(|| (body.routed_from(), body.routed_to()));
        let mut ends = std::iter::once((&body.from, &body.to)).chain(decided);
        ends.find(|(from, to)| self.inner.opt_outs.has(&account.id, from, to)).map(|(_, to)| to.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, sender: Option<&str>, phone: &str) -> OptOutKey {
        let sender = sender.map(|sender| Address::sender(sender, None).unwrap());
        OptOutKey { account: account.into(), phone: Address::recipient(phone, None).unwrap(), sender }
    }

    #[test]
    fn an_opt_out_is_from_one_sender_or_from_all() {
        let opt_outs = OptOuts::default();
        let has = |account, sender: &str, phone: &str| {
            let (sender, phone) = (Address::sender(sender, None).unwrap(), Address::recipient(phone, None).unwrap());
            opt_outs.has(account, &sender, &phone)
        };
        assert!(!has("a", "SHOP", "+447700900001"));
        assert!(opt_outs.add(&key("a", None, "+447700900001")) && !opt_outs.add(&key("a", None, "447700900001")));
        opt_outs.add(&key("a", Some("SHOP"), "+447700900002"));
        assert!(has("a", "SHOP", "447700900001") && has("a", "60777", "447700900001"));
        assert!(has("a", "SHOP", "447700900002") && !has("a", "60777", "447700900002"));
        assert!(!has("b", "SHOP", "447700900001"));
        assert!(opt_outs.remove(&key("a", None, "+447700900001")));
        assert!(!has("a", "SHOP", "+447700900001"));
    }

    #[test]
    fn a_word_counts_alone_and_in_any_language() {
        let rules = OptOutRules::new(&OptOutWords::default());
        for text in ["STOP", " stop. ", "Arrêt", "стоп!", "Stop  all", "توقف", "退订"] {
            assert_eq!(rules.word(text), Some(Word::Stop), "{text}");
        }
        for text in ["stop by at five", "nonstop", "", "!", "help"] {
            assert_eq!(rules.word(text), None, "{text}");
        }
        assert_eq!(rules.word("Yes"), Some(Word::Start));
        let own = OptOutWords { stop: vec!["raus".into()], help_reply: Some("Call us".into()), ..Default::default() };
        let rules = OptOutRules::new(&own);
        assert_eq!(
            (rules.word("RAUS"), rules.word("stop"), rules.word("Hilfe")),
            (Some(Word::Stop), None, Some(Word::Help))
        );
    }
}
