//! A gateway of one account and one connector, and the SMSC that it is connected to.

use std::sync::Arc;
use std::time::Duration;

use engine::dispatch::SessionState;
use engine::{Accepted, Answer, Caller, CancelError, Engine, QueryError, ReplaceError, Retention, Settings, Vault};
use model::resources::{Connector, ResourceSet};
use model::{Message, MessageId, Status, Submission, Timestamp};
use simulator::{
    Cimd2Smsc, Cimd2SmscSettings, Counters, HttpProvider, HttpProviderSettings, Smsc, SmscSettings, UcpSmsc,
    UcpSmscSettings,
};
use store::MemoryStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any test takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated SMSC of any protocol.
pub trait Peer {
    fn counters(&self) -> Counters;
    fn until(&self, condition: impl Fn(&Counters) -> bool) -> impl Future<Output = ()>;
}

macro_rules! peers {
    ($($smsc:ty),*) => {$(
        impl Peer for $smsc {
            fn counters(&self) -> Counters {
                self.counters()
            }

            async fn until(&self, condition: impl Fn(&Counters) -> bool) {
                self.wait_until(condition).await;
            }
        }
    )*};
}

peers!(Smsc, UcpSmsc, Cimd2Smsc);

impl Peer for HttpProvider {
    fn counters(&self) -> Counters {
        self.counters()
    }

    async fn until(&self, condition: impl Fn(&Counters) -> bool) {
        while !condition(&self.counters()) {
            tokio::task::yield_now().await;
        }
    }
}

pub struct Bench<S = Smsc> {
    pub engine: Engine,
    pub smsc: S,
    caller: Caller,
    connectors: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

fn clock() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as i64)
}

fn vault() -> Vault {
    Vault::new(&[1; 32])
}

/// The connector's settings in JSON, without its braces and what every one needs.
fn connector(protocol: &str, address: &str, more: &str) -> Connector {
    let comma = if more.is_empty() { "" } else { "," };
    let json = format!(
        r#"{{"id":"a","protocol":"{protocol}","address":"{address}","system_id":"shop","password":"secret",
            "reconnect":{{"min_ms":20,"max_ms":50}}{comma}{more}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

impl Bench {
    pub async fn start(settings: SmscSettings, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self::start_at(Smsc::start(listener, settings), &address, more).await
    }

    /// A gateway whose connector goes to `address`, where the SMSC can be reached somehow.
    pub async fn start_at(smsc: Smsc, address: &str, more: &str) -> Self {
        Self::start_with(smsc, connector("smpp", address, more)).await
    }
}

impl Bench<UcpSmsc> {
    pub async fn start_ucp(settings: UcpSmscSettings, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self::start_with(UcpSmsc::start(listener, settings), connector("ucp", &address, more)).await
    }
}

impl Bench<Cimd2Smsc> {
    pub async fn start_cimd2(settings: Cimd2SmscSettings, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self::start_with(Cimd2Smsc::start(listener, settings), connector("cimd2", &address, more)).await
    }
}

impl Bench<HttpProvider> {
    /// The provider calls back to a listener of the gateway's; `preset` and `more` are `http` of the
    /// connector, in JSON without braces, and `beside` what stands beside it.
    pub async fn start_http(settings: HttpProviderSettings, more: &str, beside: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback =
            format!(r#""callback":{{"url":"http://{}","secret":"sixteen-letters-long"}}"#, door.local_addr().unwrap());
        let comma = if beside.is_empty() { "" } else { "," };
        let more = format!(r#""http":{{{callback},{more}}}{comma}{beside}"#);
        let mut settings = settings;
        settings.user = "shop".into();
        let url = format!("http://{}/carriers/a/sixteen-letters-long", door.local_addr().unwrap());
        settings.callback = Some(url);
        let bench = Self::start_with(HttpProvider::start(listener, settings), connector("http", &address, &more)).await;
        tokio::spawn(crate::door::serve(door, bench.engine.clone()));
        bench
    }
}

impl<S: Peer> Bench<S> {
    async fn start_with(smsc: S, connector: Connector) -> Self {
        let store = Arc::new(MemoryStore::new(clock));
        let account = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP",
            "webhooks":[{"url":"http://127.0.0.1:9/","events":["message.*"]}]}"#;
        let wanted = ResourceSet {
            accounts: vec![serde_json::from_str(account).unwrap()],
            connectors: vec![connector],
            inbound: vec![serde_json::from_str(r#"{"id":"in","account":"shop"}"#).unwrap()],
            ..ResourceSet::default()
        };
        engine::resources::apply(&*store, &vault(), &wanted).await.unwrap();
        let settings = Settings {
            vault: vault(),
            retention: Retention::default(),
            webhook_concurrency: 1,
            watch_resources: Duration::from_secs(3600),
            authority: None,
            node: None,
        };
        let engine = Engine::start(store, settings).await.unwrap();
        let caller = engine.authenticate("secret").unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let connectors = tokio::spawn(connectors::run(engine.clone(), async move {
            let _ = stopped.await;
        }));
        Self { engine, smsc, caller, connectors, stop }
    }

    pub async fn submit(&self, json: &str) -> MessageId {
        let submission: Submission = serde_json::from_str(json).unwrap();
        let render = |message: &Message| -> Answer { (202, message.body.id.to_string().into()) };
        match self.engine.submit(&self.caller, submission, None, render).await.unwrap() {
            Accepted::New(message, _) => message.body.id,
            Accepted::Replayed(answer) => panic!("replayed {answer:?}"),
        }
    }

    /// Submits a text to a phone.
    pub async fn text(&self, text: &str) -> MessageId {
        self.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await
    }

    /// Submits many different texts.
    pub async fn texts(&self, count: usize) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for number in 0..count {
            ids.push(self.text(&format!("message {number}")).await);
        }
        ids
    }

    /// The message, once it has this state.
    pub async fn until(&self, id: MessageId, status: Status) -> Message {
        let looking = async {
            loop {
                match self.engine.message(&self.caller, id).await.unwrap() {
                    Some(message) if message.progress.status == status => return message,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(message) => message,
            Err(_) => {
                let message = self.engine.message(&self.caller, id).await;
                panic!("it never came to that: {message:?} {:?} {:?}", self.smsc.counters(), self.states().await)
            }
        }
    }

    pub async fn until_all(&self, ids: &[MessageId], status: Status) {
        for &id in ids {
            self.until(id, status).await;
        }
    }

    pub async fn cancel(&self, id: MessageId) -> Result<Message, CancelError> {
        self.engine.cancel(&self.caller, id).await
    }

    pub async fn replace(&self, id: MessageId, with: &str) -> Result<Message, ReplaceError> {
        self.engine.replace(&self.caller, id, serde_json::from_str(with).unwrap()).await
    }

    pub async fn query(&self, id: MessageId) -> Result<Message, QueryError> {
        self.engine.query(&self.caller, id).await
    }

    /// Every message from a phone, the newest first.
    pub async fn received(&self) -> Vec<Message> {
        let filter = store::MessageFilter { direction: Some(model::Direction::Mo), ..Default::default() };
        self.engine.search(&self.caller, filter, None, 100).await.unwrap().0
    }

    /// The same, once there is one.
    pub async fn until_received(&self) -> Vec<Message> {
        let looking = async {
            loop {
                match self.received().await {
                    none if none.is_empty() => tokio::task::yield_now().await,
                    some => return some,
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("a message from a phone")
    }

    pub async fn states(&self) -> Vec<SessionState> {
        let connectors = self.engine.connectors().await.unwrap();
        connectors.into_iter().flat_map(|connector| connector.sessions).map(|session| session.state).collect()
    }

    /// Waits until the sessions' states fulfil a condition.
    pub async fn until_states(&self, condition: impl Fn(&[SessionState]) -> bool) {
        let looking = async {
            while !condition(&self.states().await) {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, looking).await.is_err() {
            panic!("sessions never came to that: {:?}", self.states().await);
        }
    }

    pub async fn until_counted(&self, condition: impl Fn(&simulator::Counters) -> bool) {
        if tokio::time::timeout(PATIENCE, self.smsc.until(condition)).await.is_err() {
            panic!("the SMSC never counted that: {:?}", self.smsc.counters());
        }
    }

    pub async fn change(&self, address: &str, more: &str) {
        let edit = engine::Edit::Connector(connector("smpp", address, more));
        self.engine.edit_resources(vec![edit]).await.unwrap();
    }

    /// Stops everything in order.
    pub async fn stop(self) -> S {
        self.engine.drain();
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.connectors).await.expect("connectors to stop").unwrap();
        self.engine.stop().await;
        self.smsc
    }
}

pub fn is_bound(state: &SessionState) -> bool {
    matches!(state, SessionState::Bound { .. })
}
