//! Who runs: a supervisor for each connector of the resources, and a slot for each of its sessions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use engine::dispatch::{Link, SessionState};
use engine::{Engine, World};
use model::Name;
use model::resources::{Connector, Protocol};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::cimd2::{self, Cimd2Dialogue};
use crate::follow_up::FollowUps;
use crate::http::{HttpCalls, HttpLife, same_api};
use crate::lasting::Lasting;
use crate::modem::{self, ModemDialogue, Ports, same_modem};
use crate::session::{self, Slot, Talks};
use crate::smpp::{OpenDoor, SmppDialogue, same_bind};
use crate::ucp::{self, UcpDialogue};

/// How long connectors may take to unbind when the gateway stops.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Before a session whose task has panicked is started again.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// A connector that runs.
struct Running {
    settings: watch::Sender<Arc<Connector>>,
    stop: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

/// Runs every connector of the engine's resources until `shutdown`; then unbinds all of them.
pub async fn run(engine: Engine, shutdown: impl Future<Output = ()>) {
    engine.set_carrier_calls(Arc::new(HttpCalls::default()));
    let mut worlds = engine.watch_world();
    let mut running: HashMap<Name, Running> = HashMap::new();
    let mut leaving: JoinSet<()> = JoinSet::new();
    let ports = Ports::default();
    tokio::pin!(shutdown);
    loop {
        let world = worlds.borrow_and_update().clone();
        follow(&engine, &world, &ports, &mut running, &mut leaving);
        tokio::select! {
            () = &mut shutdown => break,
            changed = worlds.changed() => if changed.is_err() { break },
            Some(_) = leaving.join_next() => {}
        }
    }
    for (_, gone) in running.drain() {
        retire(gone, &mut leaving);
    }
    let left = async { while leaving.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_MAX, left).await.is_err() {
        tracing::warn!("some connectors did not unbind in time");
    }
}

fn follow(
    engine: &Engine,
    world: &World,
    ports: &Ports,
    running: &mut HashMap<Name, Running>,
    leaving: &mut JoinSet<()>,
) {
    let gone: Vec<Name> = running.keys().filter(|id| world.connector(id).is_none()).cloned().collect();
    for gone in gone.iter().filter_map(|id| running.remove(id)) {
        retire(gone, leaving);
    }
    for connector in world.connectors() {
        if let Some(known) = running.get(connector.id.as_str()) {
            known.settings.send_if_modified(|settings| {
                let changed = **settings != **connector;
                *settings = connector.clone();
                changed
            });
        } else if let Some(link) = engine.link(&connector.id) {
            running.insert(connector.id.as_str().into(), start(engine.clone(), link, connector.clone(), ports.clone()));
        }
    }
}

fn start(engine: Engine, link: Link, connector: Arc<Connector>, ports: Ports) -> Running {
    let (settings, settings_seen) = watch::channel(connector);
    let (stop, stop_seen) = watch::channel(false);
    let supervisor = tokio::spawn(supervise(engine, link, settings_seen, stop_seen, ports));
    Running { settings, stop, supervisor }
}

fn retire(gone: Running, leaving: &mut JoinSet<()>) {
    gone.stop.send_replace(true);
    leaving.spawn(async move {
        // A supervisor that panicked has nothing left that runs.
        let _ = gone.supervisor.await;
    });
}

/// Keeps the sessions of one connector going, and starts them anew when their binds change.
async fn supervise(
    engine: Engine,
    link: Link,
    mut settings: watch::Receiver<Arc<Connector>>,
    mut stop: watch::Receiver<bool>,
    ports: Ports,
) {
    let mut beside = JoinSet::new();
    let lasting = Arc::<Lasting>::default();
    let modem = modem::Shared { ports, ..modem::Shared::default() };
    let follow_ups = FollowUps::start(engine.clone(), settings.clone(), &mut beside);
    while !*stop.borrow_and_update() {
        let bound_by = settings.borrow_and_update().clone();
        lasting.begin();
        let settings_seen = settings.clone();
        let open = OpenDoor::open(&bound_by, link.desired());
        let door = open.as_ref().map(|open| open.door.clone());
        let slot = |number, halted: watch::Receiver<bool>| Slot {
            engine: engine.clone(),
            link: link.clone(),
            number,
            settings: settings_seen.clone(),
            desired: link.desired(),
            door: door.clone(),
            lasting: lasting.clone(),
            modem: modem.clone(),
            follow_ups: follow_ups.clone(),
            stop: halted,
        };
        let mut slots = Slots::default();
        let mut binds = link.binds();
        loop {
            let wanted = binds.borrow_and_update().clone();
            slots.halt_all_but(&wanted);
            for number in wanted.iter().copied() {
                // One that is about to end, and wanted again, starts when it has.
                if !slots.has(number) {
                    slots.start(number, &slot, Duration::ZERO);
                }
            }
            tokio::select! {
                ended = slots.ended() => {
                    let Ended { number, by_panic: true } = ended else { continue };
                    let reason = "an internal error ended the session".into();
                    link.set_state(number, SessionState::Down { reason, retry_at: None });
                    if binds.borrow().contains(&number) {
                        slots.start(number, &slot, AFTER_PANIC);
                    }
                }
                changed = binds.changed() => if changed.is_err() { break },
                changed = settings.changed() => {
                    let same = same_link(&bound_by, &settings.borrow_and_update());
                    if changed.is_err() || !same {
                        break;
                    }
                }
                _ = stop.changed() => break,
            }
        }
        slots.halt_all_but(&[]);
        if let Some(open) = open {
            open.close().await;
        }
        slots.finish().await;
    }
}

/// May sessions go on with these settings in place of those?
fn same_link(one: &Connector, other: &Connector) -> bool {
    match (one.protocol, other.protocol) {
        (Protocol::Smpp, Protocol::Smpp) => same_bind(one, other),
        (Protocol::Ucp, Protocol::Ucp) => ucp::same_login(one, other),
        (Protocol::Cimd2, Protocol::Cimd2) => cimd2::same_login(one, other),
        (Protocol::Http, Protocol::Http) => same_api(one, other),
        (Protocol::Modem, Protocol::Modem) => same_modem(one, other),
        _ => false,
    }
}

/// The sessions' tasks, by session number.
#[derive(Default)]
struct Slots {
    tasks: JoinSet<()>,
    numbers: HashMap<tokio::task::Id, u16>,
    /// Those that run, or are about to end.
    sessions: HashMap<u16, watch::Sender<bool>>,
}

/// A session that has ended.
struct Ended {
    number: u16,
    /// Its task has failed.
    by_panic: bool,
}

impl Slots {
    fn has(&self, number: u16) -> bool {
        self.sessions.contains_key(&number)
    }

    fn start(&mut self, number: u16, slot: &impl Fn(u16, watch::Receiver<bool>) -> Slot, delay: Duration) {
        let (halt, halted) = watch::channel(false);
        let slot = slot(number, halted);
        let runs = slot.link.run_session(number);
        let task = self.tasks.spawn(async move {
            let _runs = runs;
            tokio::time::sleep(delay).await;
            let protocol = slot.settings.borrow().protocol;
            match protocol {
                Protocol::Smpp => session::run::<Talks<SmppDialogue>>(slot).await,
                Protocol::Ucp => session::run::<Talks<UcpDialogue>>(slot).await,
                Protocol::Cimd2 => session::run::<Talks<Cimd2Dialogue>>(slot).await,
                Protocol::Http => session::run::<HttpLife>(slot).await,
                Protocol::Modem => session::run::<Talks<ModemDialogue>>(slot).await,
            }
        });
        self.numbers.insert(task.id(), number);
        self.sessions.insert(number, halt);
    }

    /// Sessions that are not to be here any more come to their end.
    fn halt_all_but(&self, wanted: &[u16]) {
        for halt in self.sessions.iter().filter(|(number, _)| !wanted.contains(number)).map(|(_, halt)| halt) {
            halt.send_replace(true);
        }
    }

    /// Waits until a session has ended.
    async fn ended(&mut self) -> Ended {
        loop {
            let (id, error) = match self.tasks.join_next_with_id().await {
                None => return std::future::pending().await,
                Some(Ok((id, ()))) => (id, None),
                Some(Err(error)) => (error.id(), Some(error)),
            };
            let Some(number) = self.numbers.remove(&id) else { continue };
            self.sessions.remove(&number);
            if let Some(error) = &error {
                tracing::error!(session = number, %error, "a session's task has failed; it is started again");
            }
            return Ended { number, by_panic: error.is_some() };
        }
    }

    async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
