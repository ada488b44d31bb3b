//! Logins that have to wait until it is known which names their account has taken, and what happens meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::SessionProtocol;
use serde_json::{Value, json};
use store::MemoryStore;
use tokio::task::JoinHandle;

use crate::gateway::Gateway;
use crate::{cimd2_client, new_store, shop, start, ucp_client};

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(30);
const PROTOCOLS: [SessionProtocol; 2] = [SessionProtocol::Ucp, SessionProtocol::Cimd2];

/// A gateway whose store does not say what names are taken.
async fn held(protocol: SessionProtocol, store: &Arc<MemoryStore>) -> Gateway {
    let gateway = start(protocol, store, json!({ "max_sessions": 3 })).await;
    store.hold_searches(true);
    gateway
}

/// A client that logs in, and the code of its refusal in the end, if it is refused.
fn client(protocol: SessionProtocol, gateway: &Gateway) -> JoinHandle<Option<u16>> {
    let address = gateway.address;
    tokio::spawn(async move {
        match protocol {
            SessionProtocol::Ucp => match ucp_client::Client::connect(address, "60777", "secret").await.next().await {
                ucp_client::Seen::Opened => None,
                ucp_client::Seen::Refused(code) => Some(code.0.into()),
                other => panic!("{other:?}"),
            },
            _ => match cimd2_client::Client::connect(address, "60777", "secret", 1).await.next().await {
                cimd2_client::Seen::LoggedIn => None,
                cimd2_client::Seen::Refused(code) => Some(code.0),
                other => panic!("{other:?}"),
            },
        }
    })
}

async fn until(what: impl Fn() -> bool) {
    let looking = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it comes to that");
}

async fn answer<T>(waiting: impl Future<Output = Result<T, tokio::task::JoinError>>) -> T {
    tokio::time::timeout(PATIENCE, waiting).await.expect("an answer").unwrap()
}

/// What a login is answered with when its account becomes `account` while it is prepared.
async fn answered_after(protocol: SessionProtocol, account: Value) -> Option<u16> {
    let store = new_store();
    let gateway = held(protocol, &store).await;
    let client = client(protocol, &gateway);
    until(|| store.searches() == 1).await;
    gateway.change(account).await;
    assert!(!client.is_finished(), "it waits still");
    store.hold_searches(false);
    let refusal = answer(client).await;
    // A place among the account's sessions is held by those that are logged in only.
    until(|| refusal.is_none() || gateway.binds.of("shop").is_empty()).await;
    refusal
}

#[tokio::test]
async fn a_login_that_is_changed_while_it_is_prepared_is_judged_as_it_is_then() {
    for (protocol, refused) in PROTOCOLS.into_iter().zip([4, 103]) {
        let changed = |more: Value| answered_after(protocol, shop(protocol, more));
        assert_eq!(changed(json!({ "password": "other" })).await, Some(refused), "{protocol:?}: another password");
        assert_eq!(changed(json!({ "user": "60778" })).await, Some(refused), "{protocol:?}: another user");
        let off = answered_after(protocol, json!({ "id": "shop", "default_country": "GB" })).await;
        assert_eq!(off, Some(refused), "{protocol:?}: turned off");
        assert_eq!(changed(json!({ "window": 3 })).await, None, "{protocol:?}: nothing of the login");
    }
}

#[tokio::test]
async fn what_names_are_taken_is_found_out_once_for_all_sessions() {
    for protocol in PROTOCOLS {
        let store = new_store();
        let gateway = held(protocol, &store).await;
        let clients = [(); 3].map(|()| client(protocol, &gateway));
        until(|| gateway.binds.of("shop").len() == 3 && store.searches() > 0).await;
        store.hold_searches(false);
        for client in clients {
            assert_eq!(answer(client).await, None, "{protocol:?}");
        }
        assert_eq!(store.searches(), 1, "{protocol:?}");
    }
}
