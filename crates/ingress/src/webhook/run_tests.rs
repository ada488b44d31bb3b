//! The caller with a whole engine behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, Retention, Settings, Vault};
use model::delivery::DeliveryState;
use model::id::Uuid;
use model::resources::ResourceSet;
use model::{Delivery, DeliveryId, MessageId, Timestamp};
use store::{Changes, DeliveryFilter, MemoryStore, Store as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::attempt::Client;
use super::sign::Signer;
use super::tests::{App, SECRET, Seen, settings};

struct Gateway {
    engine: Engine,
    store: Arc<MemoryStore>,
    shutdown: oneshot::Sender<()>,
    caller: JoinHandle<()>,
}

fn clock() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(now.as_millis() as i64)
}

fn delivery(n: u128, message: u128, endpoint: &str) -> Delivery {
    Delivery {
        id: DeliveryId(Uuid::from_u128(n)),
        account: "shop".into(),
        message: Some(MessageId(Uuid::from_u128(message))),
        endpoint: endpoint.into(),
        url: None,
        style: model::CallbackStyle::Webhook,
        event: "message.delivered".into(),
        payload: message.to_string().into(),
        created_at: clock(),
        due: clock(),
        attempts: 0,
        state: DeliveryState::Pending,
        last_error: None,
        restorable: false,
    }
}

/// A gateway with a webhook for each of `apps`, which owes `deliveries` from before.
async fn gateway(apps: &[(&str, &App)], deliveries: Vec<Delivery>) -> Gateway {
    let store = Arc::new(MemoryStore::new(clock));
    let vault = Vault::new(&[1; 32]);
    let hooks: Vec<_> = apps
        .iter()
        .map(|(id, app)| serde_json::json!({"id": id, "url": format!("http://{}/{id}", app.address), "secret": SECRET}))
        .collect();
    let account = serde_json::from_value(serde_json::json!({"id": "shop", "webhooks": hooks})).unwrap();
    let wanted = ResourceSet { accounts: vec![account], ..ResourceSet::default() };
    engine::resources::apply(&*store, &vault, &wanted).await.unwrap();
    store.commit(Changes { deliveries, ..Changes::default() }).await.unwrap();
    let engine_settings = Settings {
        vault,
        retention: Retention::default(),
        webhook_concurrency: 16,
        watch_resources: Duration::from_secs(3600),
        authority: None,
        node: None,
    };
    let engine = Engine::start(store.clone(), engine_settings).await.unwrap();
    let (shutdown, asked) = oneshot::channel();
    let client = Client::new(&settings()).unwrap();
    let caller = tokio::spawn(super::run(engine.outbox(), client, super::WebhookMetrics::default(), async {
        let _ = asked.await;
    }));
    Gateway { engine, store, shutdown, caller }
}

impl Gateway {
    /// Ends in order; what is still owed.
    async fn stop(self) -> Vec<Delivery> {
        self.shutdown.send(()).unwrap();
        self.caller.await.unwrap();
        self.engine.stop().await;
        self.store.deliveries(&DeliveryFilter::default(), None, usize::MAX).await.unwrap()
    }
}

fn check_signature(seen: &Seen) {
    let header = |name: &str| seen.headers[name].to_str().unwrap();
    let signature =
        Signer::default().sign(&SECRET.into(), header("webhook-id"), header("webhook-timestamp"), &seen.body);
    assert_eq!(seen.headers["webhook-signature"], signature.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_message_arrive_in_order_and_signed() {
    let mut app = App::start(None).await;
    let total = 600;
    let owed = (1..=total).map(|n| delivery(n, n % 40, "app")).collect();
    let gateway = gateway(&[("app", &app)], owed).await;
    let mut last: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for _ in 0..total {
        let seen = app.seen.recv().await.unwrap();
        check_signature(&seen);
        assert_eq!(seen.uri, "/app");
        let id = seen.headers["webhook-id"].to_str().unwrap().to_owned();
        if let Some(before) = last.insert(seen.body.to_vec(), id.clone()) {
            assert!(before < id, "{id} came after {before}");
        }
    }
    assert_eq!(last.len(), 40);
    assert_eq!(gateway.stop().await, []);
    assert!(app.seen.try_recv().is_err(), "nothing came twice");
}

#[tokio::test]
async fn an_application_that_does_not_answer_holds_up_nobody_else() {
    let (mut slow, mut quick) = (App::closed().await, App::start(None).await);
    let mut owed: Vec<_> = (1..=200).map(|n| delivery(n, n, "slow")).collect();
    owed.extend((201..=300).map(|n| delivery(n, n, "quick")));
    let gateway = gateway(&[("slow", &slow), ("quick", &quick)], owed).await;
    slow.seen.recv().await.unwrap();
    for _ in 0..100 {
        quick.seen.recv().await.unwrap();
    }
    slow.gate.add_permits(1000);
    for _ in 1..200 {
        slow.seen.recv().await.unwrap();
    }
    assert_eq!(gateway.stop().await, []);
}

#[tokio::test]
async fn a_call_under_way_is_waited_for_at_the_end() {
    let mut app = App::closed().await;
    let gateway = gateway(&[("app", &app)], vec![delivery(1, 1, "app")]).await;
    app.seen.recv().await.unwrap();
    let gate = app.gate.clone();
    let (left, ()) = tokio::join!(gateway.stop(), async { gate.add_permits(1) });
    assert_eq!(left, []);
}
