//! Several nodes on one database: they give nothing out twice, lose nothing of each other's, and agree on
//! the time.

mod server;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::resources::Amount;
use model::{LedgerEntry, LedgerId, LedgerKind, Message, Status, Sum};
use store::conformance::samples::{end, insert, insert_queued, place, update};
use store::conformance::{Samples, TestClock};
use store::{Changes, ChargeClaim, Claim, CommitError, MessageFilter, QueueClaim, Store, StoreError, Tally};
use store_postgres::{News, OpenError, Options, PostgresStore};

/// Two stores on an empty database, by the server's clock, with ids that nobody else makes.
struct Nodes {
    url: String,
    a: Arc<PostgresStore>,
    b: Arc<PostgresStore>,
    samples: Samples,
}

async fn open(url: &str) -> Result<Arc<PostgresStore>, OpenError> {
    Ok(Arc::new(PostgresStore::open(url.parse()?, Options::default()).await?))
}

impl Nodes {
    /// `None` without PostgreSQL, which is reported as a skipped test.
    async fn new() -> Option<Self> {
        let url = server::shared()?.database();
        let (a, b) = tokio::join!(open(&url), open(&url));
        let (a, b) = (a.unwrap(), b.unwrap());
        Some(Self { url, a, b, samples: Samples::new(TestClock::default()) })
    }

    /// Commits at the same time, by turns over one node and the other; how each ended.
    async fn all(&self, commits: impl IntoIterator<Item = Changes>) -> Vec<Result<(), CommitError>> {
        let nodes = [&self.a, &self.b];
        let commit = |(n, changes): (usize, Changes)| {
            let store = nodes[n % 2].clone();
            tokio::spawn(async move { store.commit(changes).await })
        };
        let running: Vec<_> = commits.into_iter().enumerate().map(commit).collect();
        let mut ended = Vec::new();
        for commit in running {
            ended.push(commit.await.unwrap());
        }
        ended
    }

    fn claim(&self, message: &Message) -> Claim {
        Claim {
            message: message.body.id,
            more: None,
            at: message.body.created_at,
            quotas: vec![],
            queues: vec![],
            charge: None,
        }
    }
}

fn made(ended: &[Result<(), CommitError>]) -> usize {
    ended.iter().filter(|ended| ended.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_money_is_not_given_twice() {
    let Some(nodes) = Nodes::new().await else { return };
    let credit = LedgerEntry {
        id: LedgerId(nodes.samples.id().0),
        account: "shop".into(),
        at: nodes.a.now(),
        kind: LedgerKind::Credit,
        amount: Sum::from_micros(25),
        message: None,
        note: None,
    };
    nodes.a.commit(Changes { entries: vec![credit], ..Changes::default() }).await.unwrap();
    let paid = |_| {
        let message = nodes.samples.message();
        let each = vec![(message.body.id, Amount::from_micros(1))];
        let charge = ChargeClaim { account: "shop".into(), floor: Sum::ZERO, each };
        Changes { claims: vec![Claim { charge: Some(charge), ..nodes.claim(&message) }], ..insert(&message) }
    };
    let ended = nodes.all((0..60).map(paid)).await;
    assert_eq!(made(&ended), 25);
    assert!(ended.iter().all(|ended| matches!(ended, Ok(()) | Err(CommitError::Short(_)))), "{ended:?}");
    let tallies = nodes.b.tallies(&["shop".into()]).await.unwrap();
    assert_eq!(tallies.iter().find(|row| row.tally == Tally::Balance).unwrap().value, 0);
    assert_eq!(nodes.b.ledger("shop", None, 100).await.unwrap().len(), 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_queues_holds_for_all_nodes() {
    let Some(nodes) = Nodes::new().await else { return };
    let limited = |_| {
        let message = nodes.samples.message();
        let queue = QueueClaim { account: "shop".into(), of: ["shop".into()].into(), messages: 1, limit: 20 };
        let claims = vec![Claim { queues: vec![queue], ..nodes.claim(&message) }];
        Changes { claims, ..insert_queued(&[message]) }
    };
    assert_eq!(made(&nodes.all((0..50).map(limited)).await), 20);
    assert_eq!(nodes.b.queued(&["shop".into()]).await.unwrap(), [20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_once() {
    let Some(nodes) = Nodes::new().await else { return };
    for n in 0..10 {
        let keyed = |_| {
            let mut answer = nodes.samples.answer(&format!("key {n}"));
            answer.1.expires_at = nodes.a.now().plus_seconds(60);
            Changes { answers: vec![answer], ..insert(&nodes.samples.message()) }
        };
        let ended = nodes.all((0..4).map(keyed)).await;
        assert_eq!(made(&ended), 1, "{ended:?}");
        assert!(ended.iter().all(|ended| matches!(ended, Ok(()) | Err(CommitError::KeysTaken(_)))), "{ended:?}");
    }
}

/// As after a connection that was lost before the answer came: it was made, and its keys are its own.
#[tokio::test]
async fn a_commit_that_is_repeated_takes_its_own_keys() {
    let Some(nodes) = Nodes::new().await else { return };
    let message = nodes.samples.message();
    let mut answer = nodes.samples.answer("key");
    answer.1.expires_at = nodes.a.now().plus_seconds(60);
    let changes = Changes { answers: vec![answer.clone()], ..insert_queued(std::slice::from_ref(&message)) };
    nodes.a.commit(changes.clone()).await.unwrap();
    nodes.b.commit(changes).await.unwrap();
    assert_eq!(nodes.b.queue_depths().await.unwrap(), [("carrier-a".into(), 1)]);
    // Another message under the same key is another commit, whatever its answer says.
    let other = Changes { answers: vec![answer], ..insert(&nodes.samples.message()) };
    assert_eq!(nodes.b.commit(other).await, Err(CommitError::KeysTaken(vec![0])));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_another_order_stop_nobody() {
    let Some(nodes) = Nodes::new().await else { return };
    let messages: Vec<_> = (0..40).map(|_| nodes.samples.message()).collect();
    nodes.a.commit(insert_queued(&messages)).await.unwrap();
    let written = |n: usize| {
        let mut changes = Changes::default();
        let mut order: Vec<&Message> = messages.iter().collect();
        if n.is_multiple_of(2) {
            order.reverse();
        }
        for message in order {
            let mut message = message.clone();
            message.progress.attempts = n as u16;
            changes.remote_ids.push(nodes.samples.remote_id(&message.body.id.to_string(), message.body.id, 0));
            changes.update.push(message);
        }
        changes
    };
    for _ in 0..5 {
        assert_eq!(made(&nodes.all((0..8).map(written)).await), 8);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_under_a_lease_that_another_has() {
    let Some(nodes) = Nodes::new().await else { return };
    for round in 0..5 {
        let name = format!("queue:carrier:{round}");
        let old = nodes.a.take_lease(&name, "a", 1).await.unwrap().unwrap();
        let fenced = |_| {
            let message = nodes.samples.message();
            Changes { fences: vec![old.fence()], ..insert(&message) }
        };
        let writing = nodes.all((0..20).map(fenced).collect::<Vec<_>>());
        let taking = async {
            loop {
                if let Some(new) = nodes.b.take_lease(&name, "b", 60_000).await.unwrap() {
                    // What was under way has landed or never will.
                    return (new, count(&nodes).await);
                }
            }
        };
        let (ended, (new, before)) = tokio::join!(writing, taking);
        assert!(new.epoch > old.epoch);
        assert_eq!(count(&nodes).await, before);
        assert!(ended.iter().all(|ended| matches!(ended, Ok(()) | Err(CommitError::Fenced(_)))), "{ended:?}");
        let late = nodes.a.commit(fenced(0)).await;
        assert_eq!(late, Err(CommitError::Fenced(name.as_str().into())));
        assert_eq!(nodes.a.take_lease(&name, "a", 1).await.unwrap(), None);
    }
}

async fn count(nodes: &Nodes) -> usize {
    nodes.b.search(&MessageFilter::default(), None, 10_000).await.unwrap().0.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_lease_keeps_it_while_commits_rely_on_it() {
    let Some(nodes) = Nodes::new().await else { return };
    let lease = nodes.a.take_lease("queue:carrier:0", "a", 60_000).await.unwrap().unwrap();
    let fenced = |_| Changes { fences: vec![lease.fence()], ..insert(&nodes.samples.message()) };
    let renewing = async {
        for _ in 0..20 {
            let kept = nodes.a.take_lease("queue:carrier:0", "a", 60_000).await.unwrap().unwrap();
            assert_eq!(kept.epoch, lease.epoch);
        }
    };
    let (ended, ()) = tokio::join!(nodes.all((0..60).map(fenced).collect::<Vec<_>>()), renewing);
    assert_eq!(made(&ended), 60, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_goes_takes_nobodys_message_with_it() {
    let Some(nodes) = Nodes::new().await else { return };
    let now = nodes.a.now();
    for _ in 0..5 {
        let old = |_: usize| {
            let mut message = nodes.samples.message_at(now.plus_seconds(-5 * 86_400));
            end(&mut message, Status::Delivered, now);
            message
        };
        nodes.a.commit(insert(&old(0))).await.unwrap();
        let open: Vec<_> = (0..20).map(|_| nodes.samples.message_at(now.plus_seconds(-5 * 86_400))).collect();
        let commits: Vec<_> = open.iter().map(|message| insert_queued(std::slice::from_ref(message))).collect();
        let forgetting = async {
            for _ in 0..10 {
                nodes.b.forget_messages(now).await.unwrap();
            }
        };
        let (ended, ()) = tokio::join!(nodes.all(commits), forgetting);
        assert_eq!(made(&ended), 20, "{ended:?}");
        let ids: BTreeSet<_> = open.iter().map(|message| message.body.id).collect();
        let there = nodes.b.messages(&ids.iter().copied().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(there.len(), 20);
        for mut message in open {
            end(&mut message, Status::Failed, now);
            nodes.a.commit(Changes { dequeue: vec![place(&message)], ..update(&message) }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nodes_agree_on_the_time_of_the_server() {
    let Some(nodes) = Nodes::new().await else { return };
    let server = server::shared().unwrap();
    let database = nodes.url.rsplit('/').next().unwrap();
    let clock = || -> i64 {
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        server.sql(database, sql).parse().unwrap()
    };
    let before = clock();
    let (a, b) = (nodes.a.now().as_millis(), nodes.b.now().as_millis());
    let after = clock();
    // How long an answer took is how wrong a clock may be; that is far less than to ask `psql`.
    let slack = after - before;
    for now in [a, b] {
        assert!((before - slack..=after + slack).contains(&now), "{now} is not in {before}..{after}");
    }
}

#[tokio::test]
async fn news_reach_every_node_that_listens() {
    let Some(nodes) = Nodes::new().await else { return };
    let (mut a, mut b) = (nodes.a.listen("queue"), nodes.b.listen("queue"));
    assert_eq!((a.next().await, b.next().await), (Some(News::Missed), Some(News::Missed)));
    nodes.a.notify("other", "nothing").await.unwrap();
    nodes.a.notify("queue", "carrier 0 'é'").await.unwrap();
    let said = Some(News::Said("carrier 0 'é'".into()));
    assert_eq!((a.next().await, b.next().await), (said.clone(), said));
    // A connection that is lost comes back, and says that something may have been missed.
    let server = server::shared().unwrap();
    let database = nodes.url.rsplit('/').next().unwrap();
    server.sql(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
    assert_eq!(a.next().await, Some(News::Missed));
    nodes.b.notify("queue", "again").await.unwrap();
    assert_eq!(a.next().await, Some(News::Said("again".into())));
}

#[tokio::test]
async fn tables_of_another_version_are_used_only_if_they_allow_it() {
    let Some(nodes) = Nodes::new().await else { return };
    let server = server::shared().unwrap();
    let database = nodes.url.rsplit('/').next().unwrap();
    server.sql(database, "INSERT INTO schema_version VALUES (2, 1, now())");
    assert!(open(&nodes.url).await.is_ok());
    server.sql(database, "INSERT INTO schema_version VALUES (3, 2, now())");
    let refused = open(&nodes.url).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 3, needed: 2, known: 1 }), "{refused}");
    // A node that runs already notices with its next connection.
    server.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"),
    );
    let refused = loop {
        match nodes.a.queue_depths().await {
            Err(StoreError::Unavailable(why)) if why.contains("version") => break why,
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused.contains("use the newer program"), "{refused}");
}

#[tokio::test]
async fn tables_of_another_program_are_left_alone() {
    let Some(server) = server::shared() else { return };
    let url = server.database();
    server.sql(url.rsplit('/').next().unwrap(), "CREATE TABLE message(theirs integer)");
    let refused = open(&url).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Foreign(names) if names == "message"), "{refused}");
    let latin = server.database();
    server.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    let latin = latin.rsplit_once('/').unwrap().0.to_owned() + "/latin";
    assert!(matches!(open(&latin).await, Err(OpenError::Encoding(encoding)) if encoding == "LATIN1"));
}
