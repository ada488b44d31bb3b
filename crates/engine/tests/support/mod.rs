//! An engine on a store in memory, with one account, one connector, and a hand for a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use engine::dispatch::{Incoming, Job, LinkSession, MobileOriginated, Outcome, SessionState};
use engine::{Accepted, Answer, Caller, Engine, Idempotency, Refusal, Retention, Settings, Vault};
use model::resources::ResourceSet;
use model::{Address, Content, Encoding, Message, MessageId, Receipt, ReceiptState, Status, Submission, Timestamp};
use sms::Concat;
use store::MemoryStore;

pub const CONNECTOR: &str = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x"}"#;

pub struct Bench {
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub caller: Caller,
}

/// The wall clock: the engine's timers run on it too.
pub fn clock() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as i64)
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn at(text: &str) -> Self {
        let clock = Self(Arc::default());
        clock.set(text);
        clock
    }

    pub fn set(&self, text: &str) {
        self.0.store(text.parse::<Timestamp>().unwrap().as_millis(), SeqCst);
    }

    pub fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let millis = self.0.clone();
        move || Timestamp::from_millis(millis.load(SeqCst))
    }
}

/// With one account of these settings, and one connector.
pub async fn restart_as(account: &str, store: Arc<MemoryStore>, connector: &str) -> Bench {
    let mut wanted = resources(&[connector], &[], &[]);
    wanted.accounts = vec![serde_json::from_str(account).unwrap()];
    restart_on(store, wanted).await
}

pub async fn start(connector: &str) -> Bench {
    let store = Arc::new(MemoryStore::new(clock));
    restart(store, connector).await
}

pub async fn restart(store: Arc<MemoryStore>, connector: &str) -> Bench {
    restart_with(store, &[connector], &[], &[]).await
}

/// With these connectors, pools and routes.
pub async fn start_with(connectors: &[&str], pools: &[&str], routes: &[&str]) -> Bench {
    restart_with(Arc::new(MemoryStore::new(clock)), connectors, pools, routes).await
}

pub async fn restart_with(store: Arc<MemoryStore>, connectors: &[&str], pools: &[&str], routes: &[&str]) -> Bench {
    restart_on(store, resources(connectors, pools, routes)).await
}

/// With these resources.
pub async fn restart_on(store: Arc<MemoryStore>, wanted: ResourceSet) -> Bench {
    let vault = Vault::new(&[1; 32]);
    engine::resources::apply(&*store, &vault, &wanted).await.unwrap();
    let settings = Settings {
        vault,
        retention: Retention::default(),
        webhook_concurrency: 64,
        watch_resources: Duration::from_secs(3600),
        authority: None,
        node: None,
    };
    let engine = Engine::start(store.clone(), settings).await.unwrap();
    let caller = engine.authenticate("secret").unwrap();
    Bench { engine, store, caller }
}

/// One account, and these connectors, pools and routes.
pub fn resources(connectors: &[&str], pools: &[&str], routes: &[&str]) -> ResourceSet {
    ResourceSet {
        accounts: vec![
            serde_json::from_str(
                r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
                    "webhooks":[{"url":"http://127.0.0.1:9/","events":["message.*"]}]}"#,
            )
            .unwrap(),
        ],
        connectors: connectors.iter().map(|json| serde_json::from_str(json).unwrap()).collect(),
        pools: pools.iter().map(|json| serde_json::from_str(json).unwrap()).collect(),
        routes: routes.iter().map(|json| serde_json::from_str(json).unwrap()).collect(),
        inbound: vec![serde_json::from_str(r#"{"id":"in","account":"shop"}"#).unwrap()],
        ..ResourceSet::default()
    }
}

impl Bench {
    pub async fn submit(&self, json: &str) -> Result<Message, Refusal> {
        match self.submit_keyed(json, None).await? {
            Accepted::New(message, _) => Ok(message),
            Accepted::Replayed(answer) => panic!("replayed {answer:?}"),
        }
    }

    pub async fn submit_keyed(&self, json: &str, key: Option<&str>) -> Result<Accepted<Message>, Refusal> {
        let submission: Submission = serde_json::from_str(json).unwrap();
        let fingerprint = engine::hash::sha256(json.as_bytes());
        let idempotency = key.map(|key| Idempotency { key, fingerprint });
        let render = |message: &Message| -> Answer { (202, message.body.id.to_string().into()) };
        self.engine.submit(&self.caller, submission, idempotency, render).await
    }

    /// A session of the connector, bound.
    pub fn session(&self) -> LinkSession {
        self.session_of("a")
    }

    /// A session of this connector, bound.
    pub fn session_of(&self, connector: &str) -> LinkSession {
        let link = self.engine.link(connector).unwrap();
        link.set_state(0, SessionState::Bound { since: clock() });
        link.session()
    }

    /// The message, once its state is `status`.
    pub async fn until(&self, id: MessageId, status: Status) -> Message {
        self.until_that(id, |message| message.progress.status == status).await
    }

    pub async fn until_that(&self, id: MessageId, wanted: impl Fn(&Message) -> bool) -> Message {
        let looking = async {
            loop {
                let found = self.engine.message(&self.caller, id).await.unwrap();
                match found {
                    Some(message) if wanted(&message) => return message,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), looking).await {
            Ok(message) => message,
            Err(_) => panic!("it never came to that: {:?}", self.engine.message(&self.caller, id).await),
        }
    }

    pub async fn stop(self) -> Arc<MemoryStore> {
        self.engine.drain();
        self.engine.stop().await;
        self.store
    }
}

/// Takes exactly `count` parts, waiting for them.
pub async fn take(session: &mut LinkSession, count: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    let taking = async {
        while jobs.len() < count {
            session.ready().await;
            jobs.extend(session.take(count - jobs.len(), Instant::now()));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taking).await.expect("parts to take");
    jobs
}

/// Settles and reports.
pub async fn settle(session: &mut LinkSession, job: &Job, outcome: Outcome) {
    session.settle(job.ticket, outcome);
    if session.unreported() > 0 {
        session.report().await;
    }
}

pub async fn sent(session: &mut LinkSession, job: &Job, remote_id: &str) {
    settle(session, job, Outcome::Sent { remote_id: remote_id.into() }).await;
}

/// A connector of this id.
pub fn connector(id: &str) -> String {
    CONNECTOR.replace("\"a\"", &format!("\"{id}\""))
}

/// A receipt that says "delivered".
pub fn delivered(remote_id: &str) -> Incoming {
    receipt_of(remote_id, ReceiptState::Delivered)
}

/// A receipt from the carrier; returns when it is durable.
pub async fn receipt(session: &mut LinkSession, remote_id: &str, state: ReceiptState) {
    incoming(session, receipt_of(remote_id, state)).await;
}

fn receipt_of(remote_id: &str, state: ReceiptState) -> Incoming {
    let stat = if state == ReceiptState::Delivered { "DELIVRD" } else { "UNDELIV" };
    let receipt = Receipt { state, stat: stat.into(), err: Some("000".into()) };
    let addresses = ["447700900123".into(), "SHOP".into()];
    Incoming::Receipt { remote_ids: vec![remote_id.into()], receipt, addresses }
}

pub async fn incoming(session: &mut LinkSession, incoming: Incoming) {
    session.receive(incoming, 42);
    session.report().await;
    // What was settled before is recorded first.
    while session.acknowledged().await != [42] {}
}

/// A message from the phone, or a part of one.
pub fn mo(text: &str, concat: Option<Concat>) -> Incoming {
    Incoming::Mo(Box::new(MobileOriginated {
        from: Address::from_carrier("447700900123", true),
        to: Address::from_carrier("60777", false),
        content: Content::Text(text.into()),
        encoding: Encoding::Gsm7,
        class: None,
        concat,
    }))
}
