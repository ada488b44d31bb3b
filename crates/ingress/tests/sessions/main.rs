//! The UCP and CIMD2 servers over real sockets: logins, submissions, deliveries, questions, the end.

mod cimd2_client;
mod cimd2_server;
#[expect(dead_code, reason = "shared with the tests of the SMPP server")]
#[path = "../smpp/gateway.rs"]
mod gateway;
mod link;
mod preparing;
mod ucp_client;
mod ucp_server;

use std::sync::Arc;

use gateway::Gateway;
use ingress::sessions::SessionSettings;
use model::SessionProtocol;
use serde_json::{Value, json};
use store::MemoryStore;

/// The account `shop`, which logs in as `60777` with the password `secret`; `more` of its login.
fn shop(protocol: SessionProtocol, more: Value) -> Value {
    let mut login = json!({ "user": "60777", "password": "secret" });
    login.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "id": "shop", "default_country": "GB", protocol.as_str(): login })
}

/// A gateway with a server of this protocol, on a store.
async fn start(protocol: SessionProtocol, store: &Arc<MemoryStore>, more: Value) -> Gateway {
    Gateway::start_by(protocol, store.clone(), shop(protocol, more), SessionSettings::new(protocol)).await
}

fn new_store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(gateway::now))
}
