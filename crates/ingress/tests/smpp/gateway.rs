//! A gateway to bind to, with a carrier in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::dispatch::{Incoming, Job, LinkEvent, LinkSession, MobileOriginated, Outcome};
use engine::{Engine, Retention, Settings, Vault};
use ingress::sessions::{Binds, Listener, SessionSettings};
use model::resources::ResourceSet;
use model::{Address, Content, Encoding, Message, Receipt, ReceiptState, SessionProtocol, Timestamp};
use serde_json::{Value, json};
use store::{MemoryStore, MessageFilter, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Gateway {
    pub address: SocketAddr,
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub binds: Binds,
    shutdown: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// The account `shop`, which binds as `shop` with the password `secret`; `more` of its login.
pub fn shop(more: Value) -> Value {
    let mut login = json!({ "system_id": "shop", "password": "secret" });
    login.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "id": "shop", "default_country": "GB", "smpp": login })
}

impl Gateway {
    pub async fn start(account: Value) -> Self {
        Self::start_with(account, SessionSettings::new(SessionProtocol::Smpp)).await
    }

    pub async fn start_with(account: Value, settings: SessionSettings) -> Self {
        let store = Arc::new(MemoryStore::new(now));
        Self::start_on(store, account, settings).await
    }

    pub async fn start_on(store: Arc<MemoryStore>, account: Value, settings: SessionSettings) -> Self {
        Self::start_by(SessionProtocol::Smpp, store, account, settings).await
    }

    pub async fn start_by(
        protocol: SessionProtocol,
        store: Arc<MemoryStore>,
        account: Value,
        settings: SessionSettings,
    ) -> Self {
        let vault = || Vault::new(&[7; 32]);
        engine::resources::apply(&*store, &vault(), &resources(account)).await.unwrap();
        let engine_settings = Settings {
            vault: vault(),
            retention: Retention::default(),
            webhook_concurrency: 4,
            watch_resources: Duration::from_secs(3600),
            authority: None,
            node: None,
        };
        let engine = Engine::start(store.clone(), engine_settings).await.unwrap();
        settings.metrics.register(engine.metrics());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let tls = settings.tls.is_some();
        let server = match protocol {
            SessionProtocol::Smpp => ingress::smpp::server,
            SessionProtocol::Ucp => ingress::ucp::server,
            SessionProtocol::Cimd2 => ingress::cimd2::server,
        };
        let server = server(engine.clone(), Arc::new(settings));
        let binds = server.binds();
        let (shutdown, asked) = oneshot::channel();
        let serving = server.serve(vec![Listener { socket, tls }], async {
            let _ = asked.await;
        });
        Self { address, engine, store, binds, shutdown: Some(shutdown), served: tokio::spawn(serving) }
    }

    /// Makes the account another, or these the accounts.
    pub async fn change(&self, account: Value) {
        engine::resources::apply(&*self.store, &Vault::new(&[7; 32]), &resources(account)).await.unwrap();
        self.engine.reload().await.unwrap();
    }

    /// Tells it to stop, without waiting.
    pub fn ask_to_stop(&mut self) {
        self.engine.drain();
        let _ = self.shutdown.take().map(|shutdown| shutdown.send(()));
    }

    /// Waits until every connection has ended.
    pub async fn stopped(&mut self) {
        (&mut self.served).await.unwrap();
    }

    /// Every message, newest first.
    pub async fn messages(&self) -> Vec<Message> {
        self.store.search(&MessageFilter::default(), None, 1000).await.unwrap().0
    }

    pub fn carrier(&self) -> Carrier {
        Carrier { link: self.engine.link("carrier").unwrap().session(), next: 0 }
    }
}

/// A carrier that takes what it is told to.
pub struct Carrier {
    link: LinkSession,
    next: u64,
}

impl Carrier {
    /// Takes `count` parts, accepts them as "c1", "c2" …, and gives them back.
    pub async fn accept(&mut self, count: usize) -> Vec<Job> {
        let mut all = Vec::new();
        while all.len() < count {
            for job in self.link.take(count - all.len(), Instant::now()) {
                self.next += 1;
                self.link.settle(job.ticket, Outcome::Sent { remote_id: format!("c{}", self.next).into() });
                all.push(job);
            }
            if all.len() < count {
                self.link.event(true).await;
            }
        }
        self.report().await;
        all
    }

    /// Sends a receipt for what it accepted under this id, and waits until it is durable.
    pub async fn receipt(&mut self, remote_id: &str, state: ReceiptState, stat: &str, err: &str) {
        let receipt = Receipt { state, stat: stat.into(), err: Some(err.into()) };
        let addresses = ["447700900123".into(), "SHOP".into()];
        self.link.receive(Incoming::Receipt { remote_ids: vec![remote_id.into()], receipt, addresses }, 1);
        self.acknowledged().await;
    }

    /// Sends a message from a phone, and waits until it is durable.
    pub async fn mo(&mut self, text: &str) {
        let mo = MobileOriginated {
            from: Address::from_carrier("447700900123", true),
            to: Address::from_carrier("60777", false),
            content: Content::Text(text.into()),
            encoding: Encoding::Gsm7,
            class: None,
            concat: None,
        };
        self.link.receive(Incoming::Mo(Box::new(mo)), 1);
        self.acknowledged().await;
    }

    async fn acknowledged(&mut self) {
        while !matches!(self.link.event(false).await, LinkEvent::Acknowledged(_)) {}
    }

    async fn report(&mut self) {
        while self.link.unreported() > 0 {
            self.link.event(false).await;
        }
    }
}

fn resources(account: Value) -> ResourceSet {
    let read = |value: Value| serde_json::from_value(value).unwrap();
    ResourceSet {
        accounts: match account {
            Value::Array(accounts) => {
                accounts.into_iter().map(|account| serde_json::from_value(account).unwrap()).collect()
            }
            account => vec![serde_json::from_value(account).unwrap()],
        },
        connectors: vec![
            serde_json::from_value(json!({
                "id": "carrier", "protocol": "smpp", "address": "127.0.0.1:1", "system_id": "x",
            }))
            .unwrap(),
        ],
        routes: vec![serde_json::from_value(json!({ "id": "all", "to": "carrier" })).unwrap()],
        inbound: vec![read(json!({ "id": "all", "account": "shop" }))],
        ..ResourceSet::default()
    }
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis() as i64)
}
