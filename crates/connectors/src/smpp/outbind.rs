//! A door for a carrier that connects by itself and asks for the bind (outbind, SMPP 3.4 §4.1.7).
//!
//! While the connector is to run, one task listens. Each connection from an allowed network gets a
//! task and a protocol session of its own until its outbind has come and is the right one; then it is
//! handed to a session number that waits for one, which sends the bind and goes on as if it had
//! connected itself. Whoever brings wrong credentials is turned away at once for a while.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::dispatch::Desired;
use model::resources::{Connector, OutbindSettings};
use smpp::{CloseReason, Event, Session};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::settings::{awaiting_outbind, bind_timeout, modes};
use crate::session::{Leg, step};

/// Connections whose outbind has not come yet; further ones are closed at once.
const STRANGERS_MAX: usize = 32;
/// The same from one address.
const STRANGERS_OF_ONE_MAX: usize = 4;
/// The longest that an outbind is awaited, and then a session number that takes the connection.
const PATIENCE_MAX: Duration = Duration::from_secs(30);
/// Before it is tried again to listen.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// How long an address is turned away after its first wrong outbind; doubled with each further one.
const SHUT_MIN: Duration = Duration::from_secs(1);
const SHUT_MAX: Duration = Duration::from_secs(300);
/// Addresses that are remembered for it.
const SHUT_OUT_MAX: usize = 1024;
/// How often the log has connections from networks that are not allowed.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A carrier that has come, with the bind in its session's output.
pub(crate) struct Guest {
    pub(crate) leg: Leg<Session>,
    /// The zero of its session's clock.
    pub(crate) began: Instant,
}

/// Where session numbers wait for a carrier. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door {
    places: Arc<Places>,
    /// For people: where it listens, or why it does not.
    sign: watch::Receiver<Box<str>>,
}

/// A door with the task that minds it; dropping it closes the port.
pub(crate) struct OpenDoor {
    pub(crate) door: Door,
    task: JoinSet<()>,
}

#[derive(Default)]
struct Places {
    waiting: Mutex<VecDeque<oneshot::Sender<Guest>>>,
    news: Notify,
}

impl OpenDoor {
    /// Listens as the connector's `outbind` says, while it is to run; `None` if it connects itself.
    pub(crate) fn open(connector: &Arc<Connector>, desired: watch::Receiver<Desired>) -> Option<Self> {
        let outbind = *connector.outbind.clone()?;
        let (sign_sender, sign) = watch::channel("does not listen yet".into());
        let places = Arc::<Places>::default();
        let mut task = JoinSet::new();
        task.spawn(mind(connector.clone(), outbind, places.clone(), desired, sign_sender));
        Some(Self { door: Door { places, sign }, task })
    }

    /// Closes the port; carriers that have been let in stay.
    pub(crate) async fn close(mut self) {
        self.task.shutdown().await;
    }
}

impl Door {
    /// Waits for a carrier.
    pub(crate) async fn guest(&self) -> Guest {
        loop {
            let (place, guest) = oneshot::channel();
            self.places.add(place);
            if let Ok(guest) = guest.await {
                return guest;
            }
        }
    }

    /// What it says on the door, with changes.
    pub(crate) fn sign(&self) -> watch::Receiver<Box<str>> {
        self.sign.clone()
    }
}

impl Places {
    fn add(&self, place: oneshot::Sender<Guest>) {
        let mut waiting = self.lock();
        waiting.retain(|place| !place.is_closed());
        waiting.push_back(place);
        drop(waiting);
        self.news.notify_one();
    }

    /// Gives a guest to whoever has waited longest, and waits for somebody if there is nobody.
    async fn seat(&self, mut guest: Guest) {
        loop {
            while let Some(place) = self.next() {
                match place.send(guest) {
                    Ok(()) => return,
                    Err(back) => guest = back,
                }
            }
            self.news.notified().await;
        }
    }

    fn next(&self) -> Option<oneshot::Sender<Guest>> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<Guest>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens whenever the connector is to run.
async fn mind(
    connector: Arc<Connector>,
    outbind: OutbindSettings,
    places: Arc<Places>,
    mut desired: watch::Receiver<Desired>,
    sign: watch::Sender<Box<str>>,
) {
    loop {
        if desired.wait_for(|desired| *desired == Desired::Running).await.is_err() {
            return;
        }
        let receiving = async {
            match TcpListener::bind(outbind.listen).await {
                Ok(listener) => receive(&listener, &connector, &outbind, &places, &sign).await,
                Err(error) => {
                    tracing::error!(connector = %connector.id, listen = %outbind.listen, %error, "can't listen");
                    sign.send_replace(format!("can't listen on {}: {error}", outbind.listen).into());
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            }
        };
        let mut stopped = desired.clone();
        tokio::select! {
            () = receiving => {}
            _ = stopped.wait_for(|desired| *desired != Desired::Running) => {}
        }
    }
}

async fn receive(
    listener: &TcpListener,
    connector: &Arc<Connector>,
    outbind: &OutbindSettings,
    places: &Arc<Places>,
    sign: &watch::Sender<Box<str>>,
) {
    let at = listener.local_addr().unwrap_or(outbind.listen);
    tracing::info!(connector = %connector.id, listen = %at, "waiting for the carrier's outbind");
    sign.send_replace(format!("waits on {at} for the carrier's outbind").into());
    let mut strangers = Strangers::default();
    let mut greetings: JoinSet<(IpAddr, bool)> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    let allowed = outbind.allow.iter().any(|network| network.contains(&address));
                    if !allowed && strangers.is_worth_telling(Instant::now()) {
                        tracing::warn!(connector = %connector.id, %peer, "turned away: not from a network in outbind.allow");
                    } else if allowed && strangers.let_in(address, Instant::now()) {
                        greetings.spawn(greet(stream, peer, connector.clone(), outbind.clone(), places.clone()));
                    }
                }
                // Out of file descriptors, mostly: others must close first.
                Err(error) => {
                    tracing::warn!(connector = %connector.id, %error, "a connection could not be accepted");
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            },
            Some(greeted) = greetings.join_next_with_id() => {
                // A greeting that panicked would keep its place for ever; there is nothing in it that can.
                if let Ok((_, (address, welcome))) = greeted {
                    strangers.gone(address, welcome, Instant::now());
                }
            }
        }
    }
}

/// Waits for a stranger's outbind, and seats it. Says whether its credentials were not wrong.
async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    connector: Arc<Connector>,
    outbind: OutbindSettings,
    places: Arc<Places>,
) -> (IpAddr, bool) {
    let address = peer.ip().to_canonical();
    let patience = bind_timeout(&connector).min(PATIENCE_MAX);
    let deadline = Instant::now() + patience;
    let guest = match timeout_at(deadline, identify(stream, &connector, &outbind)).await {
        Ok(Ok(guest)) => guest,
        // So do those that only look whether somebody listens.
        Ok(Err(Turned::Closed(CloseReason::PeerClosed))) => return (address, true),
        Ok(Err(reason)) => {
            tracing::warn!(connector = %connector.id, %peer, %reason, "turned away");
            return (address, reason != OUTBIND_REFUSED);
        }
        Err(_) => {
            tracing::warn!(connector = %connector.id, %peer, "turned away: no outbind in time");
            return (address, true);
        }
    };
    tracing::info!(connector = %connector.id, %peer, "the carrier has sent its outbind");
    if timeout_at(deadline, places.seat(guest)).await.is_err() {
        tracing::warn!(connector = %connector.id, %peer, "turned away: every session is in use; see sessions");
    }
    (address, true)
}

const OUTBIND_REFUSED: Turned = Turned::Closed(CloseReason::OutbindRefused);

/// Why a stranger is turned away.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Turned {
    #[error("{0}")]
    Closed(CloseReason),
    #[error("the connector's settings can't be used: {0}")]
    Settings(String),
}

async fn identify(stream: TcpStream, connector: &Connector, outbind: &OutbindSettings) -> Result<Guest, Turned> {
    let unusable = |error: &dyn std::fmt::Display| Turned::Settings(error.to_string());
    // Only costs latency if it fails.
    let _ = stream.set_nodelay(true);
    let began = Instant::now();
    let Some(&mode) = modes(connector.bind).first() else { return Err(unusable(&"no bind")) };
    let config = awaiting_outbind(connector, mode, outbind).map_err(|error| unusable(&error))?;
    let session = Session::client(config, Duration::ZERO).map_err(|error| unusable(&error))?;
    let mut legs = [Leg::new(Box::new(stream), session)];
    loop {
        step(&mut legs, began, true).await;
        let [leg] = &mut legs;
        while let Some(event) = leg.wire.next_event(began.elapsed()) {
            if let Event::Closed(reason) = event {
                return Err(Turned::Closed(reason));
            }
        }
        if !leg.wire.awaits_outbind() {
            let [leg] = legs;
            return Ok(Guest { leg, began });
        }
    }
}

/// Who is at the door without having said who it is, and who is not let in.
#[derive(Debug, Default)]
struct Strangers {
    here: HashMap<IpAddr, usize>,
    count: usize,
    /// How often each has brought wrong credentials, and until when it is turned away.
    shut_out: HashMap<IpAddr, (u32, Instant)>,
    /// When somebody from elsewhere was last told of in the log.
    told: Option<Instant>,
}

impl Strangers {
    /// Anybody may knock, and fill no log by it.
    fn is_worth_telling(&mut self, now: Instant) -> bool {
        let quiet = self.told.is_some_and(|told| now < told + TELL_EVERY);
        if !quiet {
            self.told = Some(now);
        }
        !quiet
    }

    fn let_in(&mut self, address: IpAddr, now: Instant) -> bool {
        let shut = self.shut_out.get(&address).is_some_and(|(_, until)| *until > now);
        let here = self.here.get(&address).copied().unwrap_or(0);
        if shut || self.count >= STRANGERS_MAX || here >= STRANGERS_OF_ONE_MAX {
            return false;
        }
        self.here.insert(address, here + 1);
        self.count += 1;
        true
    }

    fn gone(&mut self, address: IpAddr, welcome: bool, now: Instant) {
        self.count = self.count.saturating_sub(1);
        match self.here.get_mut(&address) {
            Some(here) if *here > 1 => *here -= 1,
            _ => drop(self.here.remove(&address)),
        }
        if welcome {
            return;
        }
        if self.shut_out.len() >= SHUT_OUT_MAX {
            self.shut_out.retain(|_, (_, until)| *until > now);
        }
        if self.shut_out.len() >= SHUT_OUT_MAX {
            self.shut_out.clear();
        }
        let (times, until) = self.shut_out.entry(address).or_insert((0, now));
        *until = now + SHUT_MIN.saturating_mul(1 << (*times).min(16)).min(SHUT_MAX);
        *times = times.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_few_and_wrong_ones_wait() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let (mut strangers, now) = (Strangers::default(), Instant::now());
        assert_eq!((0..6).filter(|_| strangers.let_in(address(1), now)).count(), STRANGERS_OF_ONE_MAX);
        assert_eq!((2..200).filter(|last| strangers.let_in(address(*last), now)).count(), STRANGERS_MAX - 4);
        strangers.gone(address(1), true, now);
        assert!(strangers.let_in(address(1), now) && !strangers.let_in(address(1), now));
        for wait in [1, 2, 4] {
            strangers.gone(address(1), false, now);
            assert!(!strangers.let_in(address(1), now + Duration::from_secs(wait) - Duration::from_millis(1)));
            assert!(strangers.let_in(address(1), now + Duration::from_secs(wait)));
        }
        for times in 0..100_000u32 {
            strangers.gone(IpAddr::from(times.to_be_bytes()), false, now);
        }
        assert!(strangers.shut_out.len() <= SHUT_OUT_MAX && strangers.here.len() <= STRANGERS_MAX);
    }
}
