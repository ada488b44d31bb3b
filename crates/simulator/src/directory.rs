//! Who is bound, and what is owed to those who are not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Something that is owed, and when it is due.
pub(crate) type Owed<D> = (Duration, D);

/// Everybody who is bound, by system id.
#[derive(Debug)]
pub(crate) struct Directory<D> {
    clients: Mutex<HashMap<Box<str>, Client<D>>>,
}

impl<D> Default for Directory<D> {
    fn default() -> Self {
        Self { clients: Mutex::default() }
    }
}

#[derive(Debug)]
struct Client<D> {
    /// Every bound connection; only those that can receive have an inbox.
    connections: Vec<(u64, Option<Arc<Inbox<D>>>)>,
    /// Waits for a connection that can receive.
    owed: Vec<Owed<D>>,
    turn: usize,
}

/// Where a connection is handed what others have for it.
#[derive(Debug)]
pub(crate) struct Inbox<D> {
    owed: Mutex<Vec<Owed<D>>>,
    news: Notify,
}

impl<D> Default for Inbox<D> {
    fn default() -> Self {
        Self { owed: Mutex::default(), news: Notify::new() }
    }
}

impl<D> Inbox<D> {
    /// Waits for news; cancel-safe.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    pub(crate) fn take(&self) -> Vec<Owed<D>> {
        std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, owed: impl IntoIterator<Item = Owed<D>>) {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).extend(owed);
        self.news.notify_one();
    }
}

impl<D> Directory<D> {
    /// Adds a bound connection, if the client has fewer than `max`. What is owed to the client comes
    /// to it, if it can receive.
    pub(crate) fn enter(
        &self,
        system_id: &str,
        connection: u64,
        inbox: Option<&Arc<Inbox<D>>>,
        max: Option<usize>,
    ) -> bool {
        let mut clients = self.clients();
        let client = clients.entry(system_id.into()).or_default();
        if max.is_some_and(|max| client.connections.len() >= max) {
            return false;
        }
        client.connections.push((connection, inbox.cloned()));
        if let Some(inbox) = inbox {
            inbox.put(client.owed.drain(..));
        }
        true
    }

    /// Takes a connection out, and keeps what it still owed.
    pub(crate) fn leave(&self, system_id: &str, connection: u64, owed: Vec<Owed<D>>) {
        if let Some(client) = self.clients().get_mut(system_id) {
            let gone: Vec<_> = client.connections.extract_if(.., |(number, _)| *number == connection).collect();
            // Something may have come in after the connection looked for the last time.
            let late = gone.iter().filter_map(|(_, inbox)| inbox.as_deref()).flat_map(Inbox::take);
            let owed = owed.into_iter().chain(late).collect();
            client.owe(owed, None);
        }
    }

    /// Hands something to a connection of the client other than `not`, in turn; to that one if there
    /// is no other, and to the next one that comes if there is none at all.
    pub(crate) fn owe(&self, system_id: &str, owed: Vec<Owed<D>>, not: Option<u64>) {
        self.clients().entry(system_id.into()).or_default().owe(owed, not);
    }

    /// Any client that is bound and can receive.
    pub(crate) fn anybody(&self) -> Option<Box<str>> {
        let clients = self.clients();
        let mut bound =
            clients.iter().filter(|(_, client)| client.connections.iter().any(|(_, inbox)| inbox.is_some()));
        bound.next().map(|(system_id, _)| system_id.clone())
    }

    /// Connections that are bound.
    pub(crate) fn bound(&self) -> usize {
        self.clients().values().map(|client| client.connections.len()).sum()
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Client<D>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D> Default for Client<D> {
    fn default() -> Self {
        Self { connections: Vec::new(), owed: Vec::new(), turn: 0 }
    }
}

impl<D> Client<D> {
    fn owe(&mut self, owed: Vec<Owed<D>>, not: Option<u64>) {
        if owed.is_empty() {
            return;
        }
        let can_receive = self.connections.iter().filter_map(|(number, inbox)| Some((*number, inbox.as_ref()?)));
        let inboxes: Vec<_> = can_receive.collect();
        let others = inboxes.iter().filter(|(number, _)| Some(*number) != not).count();
        self.turn = self.turn.wrapping_add(1);
        let chosen = match others {
            0 => inboxes.first(),
            others => inboxes.iter().filter(|(number, _)| Some(*number) != not).nth(self.turn % others),
        };
        match chosen {
            Some((_, inbox)) => inbox.put(owed),
            None => self.owed.extend(owed),
        }
    }
}
