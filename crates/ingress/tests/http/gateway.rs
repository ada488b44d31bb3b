//! A gateway to test, and a client that sees octets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::hash::{hex, sha256};
use engine::{Edit, Engine, Retention, Settings, Vault};
use ingress::http::{HttpSettings, serve};
use model::Timestamp;
use model::resources::{Account, Connector, Inbound, Route, Scope, Token};
use serde_json::{Value, json};
use store::MemoryStore;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use crate::contract;

/// Sends for the account `shop`.
pub const SHOP: &str = "shop-secret";
/// Reads for the account `shop`.
pub const READER: &str = "reader-token";
/// Sends for the account `other`.
pub const OTHER: &str = "other-token";
/// May do everything; belongs to the account `shop`.
pub const ADMIN: &str = "admin-token";

/// A running gateway, with connectors that nobody connects.
pub struct Gateway {
    pub address: SocketAddr,
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub document: Value,
    shutdown: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
    client: Mutex<Option<TcpStream>>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], *self.header("x-request-id").unwrap());
        problem["code"].as_str().unwrap().to_owned()
    }

    /// The pointer of the first fault of a problem.
    pub fn pointer(&self) -> String {
        self.json()["errors"][0]["pointer"].as_str().unwrap_or("none").to_owned()
    }
}

impl Gateway {
    pub async fn start() -> Self {
        Self::start_with(HttpSettings::default()).await
    }

    pub async fn start_with(settings: HttpSettings) -> Self {
        Self::start_under(settings, None).await
    }

    /// With a resources file as the authority.
    pub async fn start_under(settings: HttpSettings, authority: Option<String>) -> Self {
        let store = Arc::new(MemoryStore::new(now));
        let vault = || Vault::new(&[7; 32]);
        engine::resources::edit(&*store, &vault(), first_resources()).await.unwrap();
        let engine_settings = Settings {
            vault: vault(),
            retention: Retention::default(),
            webhook_concurrency: 4,
            watch_resources: Duration::from_secs(3600),
            authority,
            node: None,
        };
        let engine = Engine::start(store.clone(), engine_settings).await.unwrap();
        settings.metrics.register(engine.metrics());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, asked) = oneshot::channel();
        let (plain, api) = (settings.tls.is_none(), settings.interfaces.api);
        let serving = serve(listener, engine.clone(), Arc::new(settings), async {
            let _ = asked.await;
        });
        let mut gateway = Self {
            address,
            engine,
            store,
            document: Value::Null,
            shutdown: Some(shutdown),
            served: tokio::spawn(serving),
            client: Mutex::new(None),
        };
        if plain && api {
            gateway.document = gateway.once("GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await.json();
        }
        gateway
    }

    /// Stops serving; the answer comes when every connection has ended.
    pub async fn stop(&mut self) {
        self.client.lock().await.take();
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(());
        }
        (&mut self.served).await.unwrap().unwrap();
    }

    /// Tells it to stop, without waiting.
    pub fn ask_to_stop(&mut self) {
        let _ = self.shutdown.take().map(|shutdown| shutdown.send(()));
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these octets over a connection of its own and reads one answer.
    pub async fn once(&self, octets: &str) -> Answer {
        let mut socket = self.connect().await;
        socket.write_all(octets.as_bytes()).await.unwrap();
        read_answer(&mut socket, &mut Vec::new()).await.expect("an answer")
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, token, &[], b"").await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("POST", path, token, &[], body.to_string().as_bytes()).await
    }

    pub async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("PUT", path, token, &[], body.to_string().as_bytes()).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("PATCH", path, token, &[], body.to_string().as_bytes()).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.call("DELETE", path, token, &[], b"").await
    }

    /// One request over a connection that is kept, and its answer, held against the document.
    pub async fn call(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: gateway\r\ncontent-length: {}\r\n", body.len());
        if !token.is_empty() {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            head.push_str("content-type: application/json\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let octets = [head.as_bytes(), b"\r\n", body].concat();
        let mut client = self.client.lock().await;
        let mut socket = match client.take() {
            Some(socket) => socket,
            None => self.connect().await,
        };
        // The gateway may answer and close before it has read a body that it does not want.
        let _ = socket.write_all(&octets).await;
        let answer = read_answer(&mut socket, &mut Vec::new()).await.expect("an answer");
        contract::check(&self.document, method, path, &answer);
        if answer.header("connection") != Some("close") {
            *client = Some(socket);
        }
        answer
    }
}

/// Reads one answer; what comes behind it stays in `left`. `None` is the end of the connection.
pub async fn read_answer(socket: &mut (impl AsyncRead + AsyncWrite + Unpin), left: &mut Vec<u8>) -> Option<Answer> {
    let mut seen = std::mem::take(left);
    let head_end = loop {
        if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut seen).await.ok().is_none_or(|count| count == 0) {
            return None;
        }
    };
    let head = String::from_utf8(seen[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    while seen.len() < head_end + length {
        if socket.read_buf(&mut seen).await.ok().is_none_or(|count| count == 0) {
            return None;
        }
    }
    *left = seen.split_off(head_end + length);
    Some(Answer { status, headers, body: seen.split_off(head_end) })
}

/// A message that is accepted.
pub fn hello() -> Value {
    json!({ "to": "+447700900123", "from": "SHOP", "text": "hello" })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis() as i64)
}

fn first_resources() -> Vec<Edit> {
    let account = |value: Value| Edit::Account(serde_json::from_value::<Account>(value).unwrap());
    let token = |id: &str, account: &str, secret: &str, scopes: &[Scope], expires_at: Option<Timestamp>| {
        Edit::Token(Token {
            id: id.into(),
            account: account.into(),
            sha256: hex(&sha256(secret.as_bytes())),
            scopes: scopes.to_vec(),
            expires_at,
            networks: Vec::new(),
            created_at: now(),
        })
    };
    let connector = json!({ "id": "carrier", "protocol": "smpp", "address": "127.0.0.1:1", "system_id": "x", "password": "hunter2" });
    let route: Route = serde_json::from_value(json!({ "id": "all", "order": 10, "to": "carrier" })).unwrap();
    let reject = json!({ "id": "no-france", "order": 1, "match": { "to_prefix": ["33"] }, "action": "reject" });
    let inbound = json!({ "id": "in", "account": "shop" });
    vec![
        account(json!({ "id": "shop", "api_token": SHOP, "default_sender": "SHOP",
            "compat": { "username": "shop-user", "password": "shop-pass" }, "webhooks": [
            { "url": "https://example.com/hook", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }] })),
        account(json!({ "id": "other", "api_token": OTHER, "may_choose_connector": true })),
        account(json!({ "id": "closed", "api_token": "closed-token", "enabled": false,
            "compat": { "username": "closed-user", "password": "closed-pass" } })),
        Edit::Connector(serde_json::from_value::<Connector>(connector).unwrap()),
        Edit::Route(Box::new(route)),
        Edit::Route(serde_json::from_value(reject).unwrap()),
        Edit::Inbound(serde_json::from_value::<Inbound>(inbound).unwrap()),
        token("admin", "shop", ADMIN, &[Scope::Admin], None),
        token("reader", "shop", READER, &[Scope::Read], None),
        token("old", "shop", "old-token", &[Scope::Admin], Some(Timestamp::from_millis(1))),
    ]
}
