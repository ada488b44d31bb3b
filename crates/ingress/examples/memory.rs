//! The HTTP API on a store in memory, to try it and to measure it: everything that is not kept is
//! left out. Prints its address; the tokens are `shop` (sends) and `admin`.
//!
//! `cargo run --release -p ingress --example memory [ADDRESS]`

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::hash::{hex, sha256};
use engine::{Edit, Engine, Retention, Settings, Vault};
use ingress::http::{HttpSettings, serve};
use model::Timestamp;
use model::resources::{Account, Connector, Route, Scope, Secret, Token};
use store::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let store = Arc::new(MemoryStore::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }));
    let vault = Vault::new(&[0; 32]);
    engine::resources::edit(&*store, &vault, resources()?).await?;
    let settings = Settings {
        vault,
        retention: Retention::default(),
        webhook_concurrency: 1,
        watch_resources: Duration::from_secs(60),
        authority: None,
        node: None,
    };
    let engine = Engine::start(store, settings).await?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(listener, engine, Arc::new(HttpSettings::default()), std::future::pending()).await?)
}

fn resources() -> Result<Vec<Edit>, serde_json::Error> {
    let mut account: Account = serde_json::from_str(r#"{"id":"shop","default_sender":"SHOP"}"#)?;
    account.api_token = Some(Secret::Plain("shop".into()));
    let connector: Connector =
        serde_json::from_str(r#"{"id":"carrier","protocol":"smpp","address":"127.0.0.1:1","system_id":"x"}"#)?;
    let route: Route = serde_json::from_str(r#"{"id":"all","to":"carrier"}"#)?;
    let admin = Token {
        id: "admin".into(),
        account: "operator".into(),
        sha256: hex(&sha256(b"admin")),
        scopes: vec![Scope::Admin],
        expires_at: None,
        networks: Vec::new(),
        created_at: Timestamp::default(),
    };
    let operator: Account = serde_json::from_str(r#"{"id":"operator","default_sender":"OPS"}"#)?;
    Ok(vec![
        Edit::Account(account),
        Edit::Account(operator),
        Edit::Connector(connector),
        Edit::Route(Box::new(route)),
        Edit::Token(admin),
    ])
}
