//! Several nodes: memberships are leases, slots and mail are tables of their own, and news are `NOTIFY`.
//!
//! A claim is one transaction under a lock of its own, so that what it decides by, the leases of those who have
//! slots, was committed before it looks: a node that joined and claimed a moment ago is never taken for one that
//! is gone. Commits only share their own node's lease, so nobody waits for claims but who has lost.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use model::{MessageId, Name};
use store::{CommitError, Fleet, Lease, MEMBERSHIP, Mail, Node, Slot, StoreError};
use uuid::Uuid;

use crate::decode::each;
use crate::error::{FENCED, Failure};
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;
use crate::text::Text;
use crate::{Inner, Listener, News, PostgresStore, read, write};

/// The channel of all nodes: what is said is which nodes have mail.
const CHANNEL: &str = "postrider";
/// The class of the lock that claims take: no other lock's.
const CLAIMS_LOCK: i32 = 0x7072_636c;
/// Octets of one notification.
const SAID_MAX: usize = 7000;

/// Who listens for a node's news.
#[derive(Default)]
pub(crate) struct Ears(std::sync::Mutex<HashMap<Box<str>, Arc<tokio::sync::Mutex<Listener>>>>);

impl Inner {
    /// The time that a test has set, as the statements want it.
    fn set_millis(&self) -> Option<i64> {
        self.set_time().map(|now| now.as_millis())
    }
}

#[async_trait]
impl Fleet for PostgresStore {
    async fn keep(&self, node: &str, holder: &str, ttl_millis: i64, about: &str) -> Result<Option<Lease>, StoreError> {
        let (now, name) = (self.inner.set_time(), format!("{MEMBERSHIP}{node}"));
        let (name, about) = (&name, about);
        let work = |connection: Arc<Connection>| async move {
            let lease = write::take_lease(&connection, (name, holder), ttl_millis, now).await?;
            if lease.is_some() {
                let step = Step::new(Sql::PutNode, values![Text(node), Text(holder), Text(about)]);
                connection.run(Around::Nothing, &[step]).await?;
            }
            Ok(lease)
        };
        self.inner.writing(work).await
    }

    async fn leave(&self, membership: &Lease) -> Result<(), StoreError> {
        let now = self.inner.set_time();
        let work = |connection: Arc<Connection>| async move {
            write::release_lease(&connection, membership, now).await?;
            let step = Step::new(Sql::DropSlotsOf, values![Text(node_of(membership)), membership.epoch.cast_signed()]);
            connection.run(Around::Nothing, &[step]).await.map(drop)
        };
        self.inner.writing(work).await
    }

    async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let now = self.inner.set_millis();
        let work = |connection: Arc<Connection>| async move {
            let rows = read_rows(&connection, Sql::Nodes, values![now]).await?;
            each("node", &rows, |columns| {
                Ok(Node { name: columns.name(0)?, epoch: columns.big(1)?, about: columns.name(2)? })
            })
        };
        self.inner.writing(work).await
    }

    async fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        let now = self.inner.set_millis();
        let work = |connection: Arc<Connection>| async move {
            let rows = read_rows(&connection, Sql::Slots, values![now]).await?;
            each("slot", &rows, |columns| Ok(Slot { name: columns.name(0)?, node: columns.name(1)? }))
        };
        self.inner.writing(work).await
    }

    async fn claim(&self, membership: &Lease, wanted: &[Name]) -> Result<Vec<Name>, CommitError> {
        let now = self.inner.set_millis();
        let epoch = membership.epoch.cast_signed();
        let names = || wanted.iter().map(|name| Text(&**name)).collect::<Vec<_>>();
        let names = &names;
        let work = |connection: Arc<Connection>| async move {
            let steps = [
                Step::new(Sql::LockClaims, values![CLAIMS_LOCK]),
                Step::new(Sql::Fences, values![vec![Text(&*membership.name)], vec![epoch]]),
                Step::new(Sql::EndMemberships, values![names(), now, Text(&*membership.name)]),
                Step::new(Sql::Claim, values![names(), Text(node_of(membership)), epoch]),
                Step::new(Sql::Held, values![names(), Text(node_of(membership)), epoch]),
            ];
            match connection.run(Around::Whole, &steps).await {
                Ok(rows) => {
                    let held = rows.into_iter().next_back().unwrap_or_default();
                    Ok(Some(each("slot", &held, |columns| columns.name(0))?))
                }
                Err(failure) if failure.refused(FENCED).is_some() => {
                    connection.roll_back().await?;
                    Ok(None)
                }
                Err(failure) => Err(failure),
            }
        };
        self.inner.writing(work).await?.ok_or_else(|| CommitError::Fenced(membership.name.clone()))
    }

    async fn release(&self, membership: &Lease, slots: &[Name]) -> Result<(), StoreError> {
        let work = |connection: Arc<Connection>| async move {
            let names: Vec<_> = slots.iter().map(|name| Text(&**name)).collect();
            let values = values![names, Text(node_of(membership)), membership.epoch.cast_signed()];
            connection.run(Around::Nothing, &[Step::new(Sql::Release, values)]).await.map(drop)
        };
        self.inner.writing(work).await
    }

    async fn mail(&self, slots: &[Name], under_way: &[MessageId], limit: usize) -> Result<Vec<Mail>, StoreError> {
        let work = |connection: Arc<Connection>| async move {
            let names: Vec<_> = slots.iter().map(|name| Text(&**name)).collect();
            let under_way: Vec<Uuid> = under_way.iter().map(|id| id.0).collect();
            let rows = read_rows(&connection, Sql::Mail, values![names, under_way, read::limit(limit)]).await?;
            each("mail", &rows, |columns| {
                let content: &[u8] = columns.get(2)?;
                Ok(Mail { id: MessageId(columns.get(0)?), to: columns.name(1)?, content: content.into() })
            })
        };
        self.inner.reading(work).await
    }

    async fn forget_mail(&self, prefix: &str) -> Result<u64, StoreError> {
        let now = self.inner.set_millis();
        let work = |connection: Arc<Connection>| async move {
            let steps = [
                Step::new(Sql::LockClaims, values![CLAIMS_LOCK]),
                Step::new(Sql::EndBeforeForgetting, values![Text(prefix), now]),
                Step::new(Sql::ForgetMail, values![Text(prefix)]),
            ];
            let rows = connection.run(Around::Whole, &steps).await?.pop().unwrap_or_default();
            Ok(each("mail", &rows, |columns| columns.big(0))?.into_iter().next().unwrap_or(0))
        };
        self.inner.writing(work).await
    }

    async fn news(&self, node: &str) {
        let ear = {
            let mut ears = self.inner.news.0.lock().unwrap_or_else(PoisonError::into_inner);
            let ear = || Arc::new(tokio::sync::Mutex::new(self.listen(CHANNEL)));
            ears.entry(node.into()).or_insert_with(ear).clone()
        };
        let mut ear = ear.lock().await;
        loop {
            match ear.next().await {
                Some(News::Missed) => return,
                Some(News::Said(nodes)) if nodes.lines().any(|said| said == node) => return,
                Some(News::Said(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    async fn wake(&self, nodes: &[Name]) -> Result<(), StoreError> {
        let mut said = String::new();
        for node in nodes {
            if said.len() + node.len() >= SAID_MAX {
                self.notify(CHANNEL, &std::mem::take(&mut said)).await?;
            }
            said.push_str(node);
            said.push('\n');
        }
        if said.is_empty() { Ok(()) } else { self.notify(CHANNEL, &said).await }
    }
}

/// The node of a membership.
fn node_of(membership: &Lease) -> &str {
    membership.name.strip_prefix(MEMBERSHIP).unwrap_or(&membership.name)
}

async fn read_rows(
    connection: &Connection,
    sql: Sql,
    values: Vec<crate::pipeline::Value<'_>>,
) -> Result<Vec<tokio_postgres::Row>, Failure> {
    Ok(connection.run(Around::Nothing, &[Step::new(sql, values)]).await?.pop().unwrap_or_default())
}
