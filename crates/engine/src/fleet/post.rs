//! Post: brings mail to the recorder, and tells other nodes of theirs.
//!
//! The store is the truth: a letter is there until the commit that does what it says takes it away. Being
//! told of it only makes that quicker.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use foldhash::HashMap;
use model::{MessageId, Name};
use store::{Mail, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Member;
use super::letter::Letter;
use super::slots::Slot;
use crate::engine::Engine;
use crate::facts::{Fact, Facts, Recorded};

/// How often mail is looked for of which nobody told.
const EVERY: Duration = Duration::from_millis(500);
/// Mail that is read, and under way to the recorder, at a time.
const PAGE: usize = 64;
const UNDER_WAY_MAX: usize = 256;
/// Others are told at most so often.
const WAKE_EVERY: Duration = Duration::from_millis(1);

/// Mail on its way to the recorder.
#[derive(Default)]
struct UnderWay {
    by_ticket: HashMap<u64, MessageId>,
    next: u64,
    /// Mail that this version can't read. It waits for one that can.
    unread: BTreeSet<MessageId>,
}

impl UnderWay {
    fn ids(&self) -> Vec<MessageId> {
        self.by_ticket.values().chain(&self.unread).copied().collect()
    }
}

/// Brings mail for as long as it is polled.
pub(crate) async fn run(engine: Engine, member: Arc<Member>) {
    let (durable, mut heard) = mpsc::unbounded_channel::<Recorded>();
    let mut under_way = UnderWay::default();
    // It ends with this task.
    let mut beside = JoinSet::new();
    beside.spawn(wake_others(member.clone()));
    loop {
        while let Ok(Recorded { acks, .. }) = heard.try_recv() {
            acks.iter().for_each(|ticket| _ = under_way.by_ticket.remove(ticket));
        }
        match fetch(&engine, &member, &mut under_way, &durable).await {
            Ok(PAGE) => continue,
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the mail of this node can't be read"),
        }
        tokio::select! {
            () = member.store.news(&member.name) => {}
            () = member.mail.notified() => {}
            Some(Recorded { acks, .. }) = heard.recv(), if under_way.by_ticket.len() >= UNDER_WAY_MAX => {
                acks.iter().for_each(|ticket| _ = under_way.by_ticket.remove(ticket));
            }
            () = tokio::time::sleep(EVERY) => {}
            () = engine.inner.facts.closed() => return,
        }
    }
}

/// Hands what there is to the recorder. Returns how much was read.
async fn fetch(
    engine: &Engine,
    member: &Member,
    under_way: &mut UnderWay,
    durable: &mpsc::UnboundedSender<Recorded>,
) -> Result<usize, StoreError> {
    let slots: Vec<Name> = member.held().slots().iter().map(Slot::name).collect();
    if slots.is_empty() || under_way.by_ticket.len() >= UNDER_WAY_MAX {
        return Ok(0);
    }
    let mail = member.store.mail(&slots, &under_way.ids(), PAGE).await?;
    let count = mail.len();
    for Mail { id, to, content } in mail {
        let letters: Result<Vec<Letter>, _> = serde_json::from_slice(&content);
        let facts = Slot::parse(&to).zip(letters.ok()).and_then(|(slot, letters)| {
            letters.into_iter().map(|letter| letter.into_fact(&slot)).collect::<Option<Vec<Fact>>>()
        });
        let Some(mut facts) = facts else {
            tracing::warn!(slot = %to, "mail of another version of the program waits for a node of that version");
            under_way.unread.insert(id);
            continue;
        };
        facts.push(Fact::MailDone { id });
        let ticket = under_way.next;
        under_way.next += 1;
        under_way.by_ticket.insert(ticket, id);
        let acknowledge = Some((durable.clone(), Recorded { acks: vec![ticket], outcomes: 0 }));
        let gone = |_| StoreError::Unavailable("the gateway has stopped".into());
        engine.inner.facts.send(Facts { facts, acknowledge }).await.map_err(gone)?;
    }
    Ok(count)
}

/// Tells other nodes of mail that is durable.
async fn wake_others(member: Arc<Member>) {
    loop {
        member.to_wake.1.notified().await;
        let nodes: Vec<Name> = {
            let mut nodes = member.to_wake.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *nodes).into_iter().collect()
        };
        if let Err(error) = member.store.wake(&nodes).await {
            tracing::debug!(%error, "other nodes can't be told of their mail: they look by themselves");
        }
        tokio::time::sleep(WAKE_EVERY).await;
    }
}

impl Member {
    /// Mail is durable: who has its slots is told.
    pub fn posted<'m>(&self, mail: impl Iterator<Item = &'m Mail>) {
        let mut any = false;
        for slot in mail.filter_map(|mail| Slot::parse(&mail.to)) {
            match self.written_to(&slot) {
                Some(node) if node == self.name => self.mail.notify_one(),
                Some(node) => any |= self.to_wake.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node),
                None => {}
            }
        }
        if any {
            self.to_wake.1.notify_one();
        }
    }
}
