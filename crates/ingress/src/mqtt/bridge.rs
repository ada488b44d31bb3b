//! One account's bridge: connects, takes messages, publishes events, and connects again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use engine::notify::CallResult;
use engine::{Engine, MQTT_LANE, Receiver};
use foldhash::{HashMap, HashMapExt};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use model::resources::MqttSettings;
use model::{Delivery, DeliveryId, Name};
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter, Packet, PubAckReason, Publish, PublishProperties, RetainForwardRule, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::metrics::MqttMetrics;
use super::options;
use super::request::is_sending;
use super::taking::{Outcome, Taken, Waits, take};

/// Before the broker is tried again; doubled each time.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest such wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A connection that lasted so long was of use.
const USEFUL: Duration = Duration::from_secs(10);
/// Things that have happened and are not looked at yet.
const EVENTS: usize = 16;
/// What the client has room for at a time: requests that are not written yet.
const REQUESTS: usize = 256;
/// Octets of messages that may wait for their turn, and how many they may be; a broker that sends more, beyond the
/// window that it was told, is left.
const WAITING_OCTETS: usize = 16 << 20;
const WAITING: usize = 20_000;
/// What a publication has beside its topic and its payload, at most.
const AROUND: usize = 512;
/// How long what is under way may take when the bridge ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// One account's bridge.
pub(super) struct Bridge {
    engine: Engine,
    account: Name,
    settings: Arc<MqttSettings>,
    metrics: MqttMetrics,
    /// The topic that all others are below.
    base: Arc<str>,
}

/// How a connection ended.
enum Ended {
    /// The bridge was asked to.
    Stopped,
    Failed(String),
}

impl Bridge {
    pub fn new(engine: Engine, account: Name, settings: Arc<MqttSettings>, metrics: MqttMetrics) -> Self {
        let base = settings.topic.clone().unwrap_or_else(|| format!("postrider/{account}")).into();
        Self { engine, account, settings, metrics, base }
    }

    /// Runs until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut wait = WAIT_MIN;
        while !*stop.borrow() {
            let began = Instant::now();
            let ended = match self.connect() {
                Ok(connection) => connection.run(&mut stop).await,
                Err(error) => Ended::Failed(error.to_string()),
            };
            self.metrics.connected(&self.account, false);
            let Ended::Failed(reason) = ended else { return };
            if began.elapsed() >= USEFUL {
                wait = WAIT_MIN;
            }
            let this_time = wait.mul_f64(0.5 + fastrand::f64() / 2.0);
            let account = &self.account;
            tracing::warn!(%account, reason, retry_in_ms = this_time.as_millis() as u64, "the MQTT broker is not connected");
            if tokio::time::timeout(this_time, stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    fn connect(&self) -> Result<Connection<'_>, options::OptionsError> {
        let mut options = options::of(&self.account, &self.settings)?;
        let window = usize::from(self.settings.window);
        options.set_outgoing_inflight_upper_limit(self.settings.window.saturating_mul(2));
        let (client, eventloop) = AsyncClient::new(options, REQUESTS + 1);
        let (sender, events) = mpsc::channel(EVENTS);
        let mut poller = JoinSet::new();
        poller.spawn(poll(eventloop, sender));
        Ok(Connection {
            bridge: self,
            client,
            events,
            poller,
            window,
            events_owed: None,
            waits: Waits::default(),
            longest: None,
            waiting: VecDeque::new(),
            waiting_octets: 0,
            taking: FuturesOrdered::new(),
            acks: VecDeque::new(),
            publications: VecDeque::new(),
            requests: 0,
            unacknowledged: 0,
            queued: VecDeque::new(),
            in_flight: HashMap::new(),
        })
    }
}

/// Drives the connection. It is a task of its own, for it must not be cancelled between two steps.
async fn poll(mut eventloop: EventLoop, events: mpsc::Sender<Result<Event, String>>) {
    loop {
        let event = eventloop.poll().await.map_err(|error| error.to_string());
        let failed = event.is_err();
        if events.send(event).await.is_err() || failed {
            return;
        }
    }
}

/// The event that a publication is; none if it is an answer.
type What = Option<DeliveryId>;

/// Something to publish.
struct Publication {
    topic: String,
    payload: String,
    properties: PublishProperties,
    what: What,
}

struct Connection<'a> {
    bridge: &'a Bridge,
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, String>>,
    poller: JoinSet<()>,
    window: usize,
    /// Takes the account's events, as soon as messages may come.
    events_owed: Option<Receiver>,
    /// How many messages wait to be tried again.
    waits: Waits,
    /// The longest packet that the broker takes.
    longest: Option<usize>,
    /// Messages beyond a window: some brokers send more than they were told.
    waiting: VecDeque<Publish>,
    waiting_octets: usize,
    /// Messages on their way to disk, in the order in which they came: so must their acknowledgements be
    /// (MQTT 5.0 §4.6).
    taking: FuturesOrdered<BoxFuture<'static, Taken>>,
    /// What is to be acknowledged and published, as soon as the client has room for it.
    acks: VecDeque<Publish>,
    publications: VecDeque<Publication>,
    /// How much the client has not written yet.
    requests: usize,
    /// Messages whose acknowledgements are not written yet: with those on their way to disk, what comes again
    /// after a crash.
    unacknowledged: usize,
    /// Publications that have no packet identifier yet.
    queued: VecDeque<What>,
    /// Those that have one.
    in_flight: HashMap<u16, What>,
}

impl Connection<'_> {
    async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Ended {
        loop {
            self.start_taking(stop);
            if let Err(reason) = self.hand_over() {
                return Ended::Failed(reason);
            }
            let has_room = self.room() > 0;
            let happened = tokio::select! {
                event = self.events.recv() => match event {
                    Some(Ok(event)) => self.hear(event),
                    Some(Err(reason)) => Err(reason),
                    None => Err("the connection has ended".into()),
                },
                Some(taken) = self.taking.next() => {
                    self.taken(taken);
                    Ok(())
                }
                () = news(self.events_owed.as_mut(), has_room) => {
                    self.publish_events();
                    Ok(())
                }
                _ = stop.changed() => return self.end().await,
            };
            if let Err(reason) = happened {
                return Ended::Failed(reason);
            }
        }
    }

    fn hear(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Incoming(Packet::ConnAck(answer)) => {
                let longest = answer.properties.and_then(|properties| properties.max_packet_size);
                self.longest = longest.map(|longest| usize::try_from(longest).unwrap_or(usize::MAX));
                self.subscribe()
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                let refused = answer.return_codes.iter().find(|code| !matches!(code, SubscribeReasonCode::Success(_)));
                if let Some(code) = refused {
                    return Err(format!("the broker refuses the subscription: {code:?}"));
                }
                let lane = format!("{MQTT_LANE}{}", self.bridge.account).into();
                self.events_owed = Some(self.bridge.engine.outbox().receiver(&lane));
                let Bridge { account, base, metrics, settings, .. } = self.bridge;
                tracing::info!(%account, broker = settings.url, topic = &**base, "connected to the MQTT broker");
                metrics.connected(account, true);
                Ok(())
            }
            Event::Incoming(Packet::Publish(publish)) => self.receive(publish),
            Event::Incoming(Packet::PubAck(answer)) => {
                let event = self.in_flight.remove(&answer.pkid).flatten();
                self.acknowledged(event, answer.reason);
                self.publish_events();
                Ok(())
            }
            Event::Outgoing(Outgoing::PubAck(_)) => {
                self.requests = self.requests.saturating_sub(1);
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                Ok(())
            }
            Event::Outgoing(Outgoing::Publish(pkid)) => {
                self.requests = self.requests.saturating_sub(1);
                if let Some(what) = self.queued.pop_front() {
                    self.in_flight.insert(pkid, what);
                }
                Ok(())
            }
            Event::Incoming(Packet::Disconnect(packet)) => {
                Err(format!("the broker has ended it: {:?}", packet.reason_code))
            }
            _ => Ok(()),
        }
    }

    fn subscribe(&mut self) -> Result<(), String> {
        let filter = |path: String| Filter {
            // What was kept for whoever comes is old, and would be sent at each connection.
            retain_forward_rule: RetainForwardRule::Never,
            ..Filter::new(path, QoS::AtLeastOnce)
        };
        let base = &self.bridge.base;
        let filters = [filter(format!("{base}/send")), filter(format!("{base}/send/+"))];
        self.client.try_subscribe_many(filters).map_err(|error| error.to_string())
    }

    /// A message that somebody wants sent.
    fn receive(&mut self, publish: Publish) -> Result<(), String> {
        // What was kept for whoever comes, and what a subscription of earlier settings brings.
        let ours = std::str::from_utf8(&publish.topic).is_ok_and(|topic| is_sending(&self.bridge.base, topic));
        if publish.retain || !ours {
            self.acknowledge(publish);
            return Ok(());
        }
        // A window says nothing of those that are not acknowledged, and they are promised nothing.
        if publish.qos == QoS::AtMostOnce && self.waiting.len() >= self.window {
            self.bridge.metrics.message(&self.bridge.account, "dropped");
            return Ok(());
        }
        self.waiting_octets += octets(&publish);
        self.waiting.push_back(publish);
        if self.waiting_octets > WAITING_OCTETS || self.waiting.len() > WAITING {
            return Err("the broker sends far more than the window that it was told".into());
        }
        Ok(())
    }

    /// Takes on as many messages as may be under way.
    fn start_taking(&mut self, stop: &watch::Receiver<bool>) {
        while self.taking.len() + self.unacknowledged < self.window
            && self.waits.load(Relaxed) == 0
            && self.publications.len() < REQUESTS
            && let Some(publish) = self.waiting.pop_front()
        {
            self.waiting_octets -= octets(&publish);
            let Bridge { engine, account, base, .. } = self.bridge;
            let taking =
                take(engine.clone(), account.clone(), base.clone(), publish, (self.waits.clone(), stop.clone()));
            self.taking.push_back(Box::pin(taking));
        }
    }

    /// It is on disk, or will never be.
    fn taken(&mut self, taken: Taken) {
        let Taken { publish, outcome, reply_to } = taken;
        let (word, status, payload) = match outcome {
            Outcome::Accepted { status, body } => ("accepted", status, body),
            Outcome::Refused { status, body } => ("refused", status, body),
            // It comes again, when the bridge does.
            Outcome::Left => return,
        };
        self.bridge.metrics.message(&self.bridge.account, word);
        self.acknowledge(publish);
        let mut properties = reply_to.properties;
        properties.user_properties.push(("status".into(), status.to_string()));
        let topic = reply_to.topic.unwrap_or_else(|| format!("{}/{word}", self.bridge.base));
        let answer = Publication { topic, payload, properties, what: None };
        if fits(&answer, self.longest) {
            self.publications.push_back(answer);
        }
    }

    fn acknowledge(&mut self, publish: Publish) {
        if publish.qos != QoS::AtMostOnce {
            self.unacknowledged += 1;
            self.acks.push_back(publish);
        }
    }

    /// Gives the client what it has room for, acknowledgements first: what is not acknowledged comes again.
    fn hand_over(&mut self) -> Result<(), String> {
        while self.requests < REQUESTS {
            if let Some(publish) = self.acks.pop_front() {
                self.client.try_ack(&publish).map_err(|error| error.to_string())?;
            } else if let Some(Publication { topic, payload, properties, what }) = self.publications.pop_front() {
                let sent = self.client.try_publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties);
                sent.map_err(|error| error.to_string())?;
                self.queued.push_back(what);
            } else {
                break;
            }
            self.requests += 1;
        }
        Ok(())
    }

    /// The broker has an event, or wants none of it.
    fn acknowledged(&mut self, event: What, reason: PubAckReason) {
        let (Some(id), Some(owed)) = (event, &mut self.events_owed) else { return };
        let result = match reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => {
                self.bridge.metrics.event(&self.bridge.account);
                CallResult::Taken
            }
            reason => {
                let detail = format!("the broker refuses it: {reason:?}");
                CallResult::Failed { detail, retry_after: None }
            }
        };
        owed.finish(id, result);
    }

    /// How many more events may be published now.
    fn room(&self) -> usize {
        self.window.saturating_sub(self.publications.len() + self.queued.len() + self.in_flight.len())
    }

    /// Publishes events as far as there is room.
    fn publish_events(&mut self) {
        let room = self.room();
        let owed = self.events_owed.as_mut().map(|owed| owed.take(room)).unwrap_or_default();
        for delivery in owed {
            let publication = event(&self.bridge.base, &delivery);
            match &mut self.events_owed {
                Some(owed) if !fits(&publication, self.longest) => {
                    let detail = "it is longer than the packets that the broker takes".into();
                    owed.finish(delivery.id, CallResult::Refused { detail });
                }
                _ => self.publications.push_back(publication),
            }
        }
    }

    /// Acknowledges what reaches the disk in time, and says goodbye. Events that the broker has not acknowledged
    /// are published again over the next connection.
    async fn end(mut self) -> Ended {
        let last_words = async {
            while let Some(taken) = self.taking.next().await {
                if matches!(taken.outcome, Outcome::Left) {
                    break;
                }
                self.taken(taken);
            }
            if self.hand_over().is_err() {
                return;
            }
            if self.client.try_disconnect().is_ok() {
                // The poller ends with the connection; until then its events are of no interest.
                while self.events.recv().await.is_some_and(|event| event.is_ok()) {}
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        self.poller.shutdown().await;
        Ended::Stopped
    }
}

/// Waits until there is something to do about events: ends to record, which it does, or something to
/// publish, if there is room for it. Cancel-safe.
async fn news(owed: Option<&mut Receiver>, has_room: bool) {
    match owed {
        Some(owed) if owed.unrecorded() > 0 => owed.record().await,
        Some(owed) if has_room => owed.ready().await,
        _ => std::future::pending().await,
    }
}

fn event(base: &str, delivery: &Delivery) -> Publication {
    Publication {
        topic: format!("{base}/events/{}", delivery.event),
        payload: delivery.payload.to_string(),
        properties: PublishProperties {
            content_type: Some("application/json".into()),
            user_properties: vec![("webhook-id".into(), delivery.id.to_string())],
            ..PublishProperties::default()
        },
        what: Some(delivery.id),
    }
}

/// Does the broker take a packet of this?
fn fits(publication: &Publication, longest: Option<usize>) -> bool {
    let correlation = publication.properties.correlation_data.as_ref().map_or(0, |data| data.len());
    let octets = publication.topic.len() + publication.payload.len() + correlation + AROUND;
    longest.is_none_or(|longest| octets <= longest)
}

/// What a message takes up while it waits.
fn octets(publish: &Publish) -> usize {
    let properties = publish.properties.as_ref().map_or(0, |given| {
        let texts = given.user_properties.iter().map(|(name, value)| name.len() + value.len() + AROUND);
        let correlation = given.correlation_data.as_ref().map_or(0, |data| data.len());
        texts.sum::<usize>() + correlation
    });
    publish.payload.len() + publish.topic.len() + properties + AROUND
}
