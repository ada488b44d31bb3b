//! Several nodes on one store.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::dispatch::{LinkSession, Outcome, SessionState};
use engine::{Caller, Engine, FleetView, NodeSettings, Retention, Settings, Vault};
use model::{Message, MessageId, Status};
use store::{MemoryStore, Store};
use support::{delivered, incoming, mo, resources, sent, settle, take};

const TWO_BINDS: &str = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x","sessions":2}"#;
const ONE_BIND: &str = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x"}"#;

/// A node of a fleet.
struct Node {
    engine: Engine,
    caller: Caller,
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(support::clock))
}

async fn node(store: &Arc<MemoryStore>, name: &str) -> Node {
    let settings = Settings {
        vault: Vault::new(&[1; 32]),
        retention: Retention::default(),
        webhook_concurrency: 64,
        watch_resources: Duration::from_millis(50),
        authority: None,
        node: Some(NodeSettings { name: name.into(), holder: name.into(), membership: Duration::from_secs(1) }),
    };
    let engine = Engine::start(store.clone(), settings).await.unwrap();
    let caller = engine.authenticate("secret").unwrap();
    Node { engine, caller }
}

/// Two nodes with a connector, when each has its share.
async fn two(connector: &str) -> (Arc<MemoryStore>, Node, Node) {
    let store = store();
    let wanted = resources(&[connector], &[], &[]);
    engine::resources::apply(&*store, &Vault::new(&[1; 32]), &wanted).await.unwrap();
    let (one, two) = (node(&store, "one").await, node(&store, "two").await);
    (store, one, two)
}

/// Looks again and again until it is so.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            match look().await {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("never: {what}"))
}

impl Node {
    fn slots(&self, node: &str, kind: &str) -> usize {
        let FleetView { nodes, .. } = self.engine.fleet().unwrap();
        let node = nodes.into_iter().find(|one| *one.name == *node);
        node.and_then(|node| node.slots.get(kind).copied()).unwrap_or(0)
    }

    async fn until_it_has(&self, kind: &str, count: usize) {
        let name = self.engine.fleet().unwrap().node;
        until(&format!("{name} has {count} of {kind}"), async || (self.slots(&name, kind) == count).then_some(()))
            .await;
    }

    async fn submit(&self, json: &str) -> MessageId {
        let submission = serde_json::from_str(json).unwrap();
        let answer = |message: &Message| (202, message.body.id.to_string().into());
        match self.engine.submit(&self.caller, submission, None, answer).await.unwrap() {
            engine::Accepted::New(message, _) => message.body.id,
            engine::Accepted::Replayed(answer) => panic!("{answer:?}"),
        }
    }

    /// One of its sessions of the connector, bound.
    fn session(&self) -> LinkSession {
        let link = self.engine.link("a").unwrap();
        for number in link.binds().borrow().iter() {
            link.set_state(*number, SessionState::Bound { since: support::clock() });
        }
        link.session()
    }

    async fn status(&self, id: MessageId) -> Status {
        self.engine.message(&self.caller, id).await.unwrap().unwrap().progress.status
    }

    async fn until_status(&self, id: MessageId, status: Status) {
        until(&format!("{id} is {status:?}"), async || (self.status(id).await == status).then_some(())).await;
    }
}

const ONE: &str = r#"{"to":"+447700900123","text":"hi"}"#;

#[tokio::test]
async fn nodes_share_what_there_is() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("bind", 1).await;
        node.until_it_has("queue", 8).await;
        node.until_it_has("hooks", 8).await;
    }
    until("one of them has the duty", async || (one.engine.has_duty() != two.engine.has_duty()).then_some(())).await;
    two.engine.drain();
    two.engine.stop().await;
    one.until_it_has("queue", 16).await;
    one.until_it_has("bind", 2).await;
    assert!(one.engine.has_duty());
}

#[tokio::test]
async fn what_one_node_accepts_another_sends_if_it_alone_may_bind() {
    let (_, one, two) = two(ONE_BIND).await;
    let nodes = [&one, &two];
    let binder = until("one of them binds and has the queue", async || {
        nodes.into_iter().find(|node| {
            let name = node.engine.fleet().unwrap().node;
            node.slots(&name, "bind") == 1 && node.slots(&name, "queue") == 16
        })
    })
    .await;
    let other = nodes.into_iter().find(|node| !std::ptr::eq(*node, binder)).unwrap();
    let mut session = binder.session();
    let id = other.submit(ONE).await;
    let job = take(&mut session, 1).await.remove(0);
    assert_eq!(job.body.id, id);
    sent(&mut session, &job, "60ab").await;
    other.until_status(id, Status::Sent).await;
}

#[tokio::test]
async fn a_node_that_can_not_bind_leaves_the_queue_to_one_that_can() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    let id = two.submit(ONE).await;
    let mut session = one.session();
    one.until_it_has("queue", 16).await;
    let job = take(&mut session, 1).await.remove(0);
    assert_eq!(job.body.id, id);
    sent(&mut session, &job, "60ab").await;
    two.until_status(id, Status::Sent).await;
    let _other = two.session();
    two.until_it_has("queue", 8).await;
}

#[tokio::test]
async fn a_receipt_that_arrives_anywhere_finds_its_message() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    let (mut here, mut there) = (one.session(), two.session());
    let id = one.submit(ONE).await;
    let job = take(&mut here, 1).await.remove(0);
    sent(&mut here, &job, "60ab").await;
    two.until_status(id, Status::Sent).await;
    incoming(&mut there, delivered("60ab")).await;
    one.until_status(id, Status::Delivered).await;
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_answer_at_another_node_is_found_too() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    let (mut here, mut there) = (one.session(), two.session());
    let id = one.submit(ONE).await;
    let job = take(&mut here, 1).await.remove(0);
    incoming(&mut there, delivered("60ab")).await;
    sent(&mut here, &job, "60ab").await;
    one.until_status(id, Status::Delivered).await;
}

#[tokio::test]
async fn a_message_is_canceled_at_the_node_that_has_it() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    for _ in 0..20 {
        let id = one.submit(ONE).await;
        assert_eq!(two.engine.cancel(&two.caller, id).await.unwrap().progress.status, Status::Canceled);
        assert_eq!(one.status(id).await, Status::Canceled);
    }
    let mut session = one.session();
    let id = one.submit(ONE).await;
    let job = take(&mut session, 1).await.remove(0);
    assert_eq!(job.body.id, id, "what was canceled is not sent");
    let late = two.engine.cancel(&two.caller, id).await;
    assert!(matches!(late, Err(engine::CancelError::Refused(engine::CancelRefused::TooLate))), "{late:?}");
}

#[tokio::test]
async fn a_node_that_dies_is_followed_by_another_and_may_write_nothing_more() {
    let (store, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    let ids: Vec<MessageId> = {
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(one.submit(ONE).await);
        }
        ids
    };
    let mut stopped = one.session();
    let held = take(&mut stopped, 5).await;
    // As if its process stood still: its membership is not renewed, and runs out.
    let fleet = (store.clone() as Arc<dyn Store>).fleet().unwrap();
    let lease = fleet.keep("one", "one", 1, "{}").await.unwrap().unwrap();
    fleet.leave(&lease).await.unwrap();
    two.until_it_has("queue", 16).await;
    let mut session = two.session();
    let mut taken = take(&mut session, ids.len()).await;
    taken.sort_by_key(|job| job.body.id);
    assert_eq!(taken.iter().map(|job| job.body.id).collect::<Vec<_>>(), ids);
    for (n, job) in taken.iter().enumerate() {
        sent(&mut session, job, &format!("id{n}")).await;
    }
    for id in &ids {
        two.until_status(*id, Status::Sent).await;
    }
    // What the first one still wants to write is refused, and it says so.
    settle(&mut stopped, &held[0], Outcome::Sent { remote_id: "late".into() }).await;
    one.engine.lost().await;
    assert!(stopped.take(10, std::time::Instant::now()).is_empty());
    assert_eq!(two.status(held[0].body.id).await, Status::Sent);
    assert!(
        one.engine.submit(&one.caller, serde_json::from_str(ONE).unwrap(), None, |_| (202, "".into())).await.is_err()
    );
}

#[tokio::test]
async fn parts_of_a_message_that_come_in_at_two_nodes_are_put_together() {
    let (_, one, two) = two(TWO_BINDS).await;
    for node in [&one, &two] {
        node.until_it_has("queue", 8).await;
    }
    let (mut here, mut there) = (one.session(), two.session());
    let part = |sequence| Some(sms::Concat { reference: 7, total: 2, sequence, wide: false });
    incoming(&mut here, mo("Hello ", part(1))).await;
    incoming(&mut there, mo("world", part(2))).await;
    until("the message is whole", async || {
        let filter = store::MessageFilter { direction: Some(model::Direction::Mo), ..Default::default() };
        let (found, _) = one.engine.search(&one.caller, filter, None, 10).await.unwrap();
        found.first().filter(|message| message.body.content.text() == Some("Hello world")).map(|_| ())
    })
    .await;
}
