//! MQTT: bridges between accounts and their brokers (MQTT 5.0).
//!
//! An account with `mqtt` settings has a bridge: a client of its broker that takes messages from one topic
//! and publishes events at others. What is published at `TOPIC/send` is a message as `POST /v1/messages`
//! takes it, and at `TOPIC/send/NUMBER` a plain text to that number. Each is acknowledged (PUBACK) when it
//! is on disk or refused for good, in the order in which they came; what can't be taken now is not
//! acknowledged, and comes again. What became of it is published as the publisher asked (response topic,
//! correlation data), or at `TOPIC/accepted` and `TOPIC/refused`.
//!
//! Events wait in the engine's durable queue like those of webhooks, in a lane of the account, which is open
//! while its broker is connected. They are taken when the broker has acknowledged them.
//!
//! # Map
//! [`run`] the manager · `bridge` one account's connection · `taking` one message on its way to disk ·
//! `request` what is published to what is asked ·
//! `options` how to connect

mod bridge;
mod metrics;
mod options;
mod request;
mod taking;

use std::collections::HashMap;
use std::sync::Arc;

use engine::{Engine, World};
use model::Name;
use model::resources::MqttSettings;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use bridge::Bridge;
pub use metrics::MqttMetrics;

/// A bridge that runs.
struct Running {
    settings: Arc<MqttSettings>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Runs the bridge of every account that has one until `shutdown` resolves; then ends them in order.
pub async fn run(engine: Engine, metrics: MqttMetrics, shutdown: impl Future<Output = ()>) {
    let mut worlds = engine.watch_world();
    // A broker takes an account's bridge for one client, so one node of a fleet has all of them.
    let mut duty = engine.watch_duty();
    let mut running: HashMap<Name, Running> = HashMap::new();
    let mut leaving = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let world = worlds.borrow_and_update().clone();
        let mine = *duty.borrow_and_update();
        // A bridge that has panicked is started anew.
        running.retain(|_, bridge| !bridge.task.is_finished());
        let gone: Vec<Name> = running
            .iter()
            .filter(|(account, bridge)| !mine || settings_of(&world, account).is_none_or(|now| now != *bridge.settings))
            .map(|(account, _)| account.clone())
            .collect();
        for account in gone {
            if let Some(bridge) = running.remove(&account) {
                // A broker lets one client in at a time: the old one leaves before the new one comes.
                leave(bridge).await;
            }
        }
        for view in world.set.accounts.iter().filter_map(|account| world.account(&account.id)) {
            let account = &view.id;
            if !mine || running.contains_key(account) || !view.is_enabled() {
                continue;
            }
            let Some(settings) = settings_of(&world, account) else { continue };
            let settings = Arc::new(settings);
            let (stop, stopped) = watch::channel(false);
            let bridge = Bridge::new(engine.clone(), account.clone(), settings.clone(), metrics.clone());
            let task = tokio::spawn(bridge.run(stopped));
            running.insert(account.clone(), Running { settings, stop, task });
        }
        tokio::select! {
            () = &mut shutdown => break,
            changed = worlds.changed() => if changed.is_err() { break },
            changed = duty.changed() => if changed.is_err() { break },
        }
    }
    for (_, bridge) in running {
        leaving.spawn(leave(bridge));
    }
    while leaving.join_next().await.is_some() {}
}

/// The settings of an account's bridge, if it is to run.
fn settings_of(world: &World, account: &str) -> Option<MqttSettings> {
    let view = world.account(account).filter(|view| view.is_enabled())?;
    view.account.mqtt.as_deref().cloned()
}

async fn leave(bridge: Running) {
    bridge.stop.send_replace(true);
    // A bridge that panicked has left.
    let _ = bridge.task.await;
}
