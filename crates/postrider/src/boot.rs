//! How the parts of a gateway are put together, and how they end.
//!
//! ```text
//! start: store and key ─► resources file ─► engine ─► connectors, webhook calls ─► HTTP, session listeners
//! stop:  nothing new is taken ─► HTTP, sessions ─► connectors' windows, unbind ─► webhook calls ─► MQTT ─► engine
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use engine::resources::Difference;
use engine::{Engine, Retention, Settings, World};
use ingress::http::{AccessLog, Certificates, HttpLimits, HttpMetrics, HttpSettings, Interfaces, NumberRedaction};
use ingress::mqtt::{self, MqttMetrics};
use ingress::sessions::{Binds, Server, SessionLimits, SessionSettings};
use ingress::webhook::{self, WebhookMetrics, WebhookSettings};
use model::SessionProtocol;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Config, Limits, Numbers, Span};
use crate::instance::{Instance, Running};
use crate::listeners::{self, Sessions};
use crate::node;
use crate::outcome::{Failure, Outcome};
use crate::resources_file::{self, SecretCheck};
use crate::storage::Storage;

/// How often to look whether another process changed the resources.
const WATCH_RESOURCES: Duration = Duration::from_millis(500);
/// How long brokers may take to be told goodbye.
const MQTT_GRACE: Duration = Duration::from_secs(5);
/// How long a part may take when nothing can be recorded any more.
const ABANDON_GRACE: Duration = Duration::from_millis(500);
/// How long connectors may take for what is unanswered when the gateway stops.
const CONNECTORS_GRACE: Duration = Duration::from_secs(30);

/// A running gateway.
pub struct Gateway {
    engine: Engine,
    storage: Storage,
    resources: Option<PathBuf>,
    http: Vec<SocketAddr>,
    interfaces: Vec<SocketAddr>,
    sessions: Vec<(SessionProtocol, Vec<SocketAddr>)>,
    certificates: Vec<Arc<Certificates>>,
    access_log: Option<AccessLog>,
    parts: Parts,
    /// Tells `postrider apply` which resources are in force.
    announcing: JoinHandle<()>,
    /// Given back last of all.
    instance: Arc<Instance>,
}

/// What runs beside the engine, in the order in which it ends.
struct Parts {
    stop: watch::Sender<Stage>,
    http: Vec<JoinHandle<()>>,
    sessions: Vec<(SessionProtocol, JoinHandle<()>, Duration)>,
    connectors: JoinHandle<()>,
    webhooks: JoinHandle<()>,
    mqtt: JoinHandle<()>,
    grace: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    EndIngress,
    EndConnectors,
    EndWebhooks,
    EndMqtt,
}

impl Gateway {
    /// Starts a gateway. With a resources file, that is the only authority over the resources.
    pub async fn start(config: &Config, resources: Option<&Path>) -> Outcome<Self> {
        let instance = Instance::claim(&config.data_directory())?;
        let storage = Storage::open(config).await?;
        if let Some(file) = resources {
            apply_file(&storage, file).await?;
        }
        let http_settings = Arc::new(http_settings(config)?);
        let listeners = listeners::bind_all(config, &http_settings).await?;
        let mut certificates = listeners::certificates_of(&listeners);
        let mut session_servers = Vec::new();
        for protocol in SessionProtocol::ALL {
            let settings = Arc::new(session_settings(config, protocol, &http_settings)?);
            certificates.extend(settings.tls.clone());
            let listeners = Sessions::of(config, protocol).bind().await?;
            // SMPP's is there in any case: what it counts is known to be 0 then.
            if protocol == SessionProtocol::Smpp || !listeners.is_empty() {
                session_servers.push((protocol, settings, listeners));
            }
        }
        let engine = Engine::start(storage.store.clone(), engine_settings(config, &storage, resources)?).await?;
        http_settings.metrics.register(engine.metrics());
        let webhook_metrics = WebhookMetrics::default();
        webhook_metrics.register(engine.metrics());
        let mqtt_metrics = MqttMetrics::default();
        mqtt_metrics.register(engine.metrics());
        let client = webhook::Client::new(&webhook_settings(config)).map_err(Failure::configuration)?;

        let asking = webhook::Client::new(&webhook_settings(config)).map_err(Failure::configuration)?;
        engine.set_policy_caller(Arc::new(webhook::PolicyClient::new(asking)));

        let stop = watch::Sender::new(Stage::Running);
        let reached = |stage: Stage| {
            let mut stop = stop.subscribe();
            async move {
                // A gateway that is gone has reached every stage.
                let _ = stop.wait_for(|now| *now >= stage).await;
            }
        };
        let connectors = tokio::spawn(connectors::run(engine.clone(), reached(Stage::EndConnectors)));
        let webhooks =
            tokio::spawn(webhook::run(engine.outbox(), client, webhook_metrics, reached(Stage::EndWebhooks)));
        let mqtt = tokio::spawn(mqtt::run(engine.clone(), mqtt_metrics, reached(Stage::EndMqtt)));
        let (mut http, mut addresses, mut interfaces) = (Vec::new(), Vec::new(), Vec::new());
        for (listener, settings) in listeners {
            let of_kind = if settings.interfaces.api { &mut addresses } else { &mut interfaces };
            of_kind.push(listener.local_addr()?);
            let serve = ingress::http::serve(listener, engine.clone(), settings, reached(Stage::EndIngress));
            http.push(tokio::spawn(async move {
                if let Err(error) = serve.await {
                    tracing::error!(%error, "an HTTP listener has ended");
                }
            }));
        }
        let (mut sessions, mut session_addresses) = (Vec::new(), Vec::new());
        for (protocol, settings, listeners) in session_servers {
            settings.metrics.register(engine.metrics());
            let local: Result<_, _> = listeners.iter().map(|listener| listener.socket.local_addr()).collect();
            session_addresses.push((protocol, local?));
            let grace = settings.limits.shutdown_grace;
            let server = session_server(protocol, engine.clone(), settings);
            sessions.push((protocol, tokio::spawn(server.serve(listeners, reached(Stage::EndIngress))), grace));
        }
        let (instance, mut world) = (Arc::new(instance), engine.watch_world());
        let itself = Running {
            pid: std::process::id(),
            http: addresses.first().map(|address| reachable(*address).to_string()).unwrap_or_default(),
            tls: http_settings.tls.is_some(),
            resources: resources.map(|file| file.display().to_string()),
            version: world.borrow_and_update().version,
        };
        instance.announce(&itself)?;
        let announcing = tokio::spawn(announce_versions(instance.clone(), itself, world));
        Ok(Self {
            engine,
            storage,
            resources: resources.map(Path::to_owned),
            http: addresses,
            interfaces,
            sessions: session_addresses,
            certificates,
            access_log: http_settings.access_log.clone(),
            parts: Parts {
                stop,
                http,
                sessions,
                connectors,
                webhooks,
                mqtt,
                grace: http_settings.limits.shutdown_grace,
            },
            announcing,
            instance,
        })
    }

    /// Addresses of the HTTP API.
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Addresses that other gateways' interfaces have to themselves: Kannel's, Jasmin's, its REST, Ozeki's.
    pub fn interfaces(&self) -> &[SocketAddr] {
        &self.interfaces
    }

    /// Addresses of a server of sessions.
    pub fn sessions(&self, protocol: SessionProtocol) -> &[SocketAddr] {
        let of = self.sessions.iter().find(|(is, _)| *is == protocol);
        of.map_or(&[], |(_, addresses)| addresses)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes up what may change while it runs: certificates, the access log's file, the resources
    /// file. What can't be used leaves everything as it was.
    pub async fn reload(&self) {
        if let Some(log) = self.access_log.clone() {
            // The order to the log's writer may wait for the disk.
            let _ = tokio::task::spawn_blocking(move || log.reopen()).await;
        }
        for certificates in &self.certificates {
            if let Err(error) = certificates.reload() {
                tracing::error!(%error, "the certificate can't be used; the old one stays");
            }
        }
        let Some(file) = &self.resources else { return };
        match apply_file(&self.storage, file).await {
            Ok(changed) => {
                if let Err(error) = self.engine.reload().await {
                    tracing::error!(%error, "the resources were stored but can't be read back");
                }
                tracing::info!(file = %file.display(), changes = changed.len(), "the resources file was applied");
            }
            Err(Failure::Configuration(faults)) => {
                for fault in faults {
                    tracing::error!(%fault, "the resources file can't be used; the old resources stay");
                }
            }
            Err(Failure::Failed(error)) => tracing::error!(%error, "the resources file could not be applied"),
            Err(Failure::Told | Failure::ToldConfiguration | Failure::NobodyReads) => {}
        }
    }

    /// Ends at once, when nothing can be recorded any more: this node's membership in its fleet has ended. What
    /// was accepted is durable, and others send it; what is under way nobody has been told of.
    pub async fn abandon(self) {
        let Parts { stop, http, sessions, connectors, webhooks, mqtt, .. } = self.parts;
        self.engine.drain();
        stop.send_replace(Stage::EndMqtt);
        let sessions = sessions.into_iter().map(|(_, server, _)| server);
        for part in http.into_iter().chain(sessions).chain([connectors, webhooks, mqtt]) {
            ended("a part of it", part, ABANDON_GRACE).await;
        }
        self.engine.stop().await;
        self.announcing.abort();
        let _ = self.announcing.await;
        drop(self.instance);
    }

    /// Stops in order: nothing that was accepted is lost, and nothing under way is cut off before
    /// its time.
    pub async fn stop(self) {
        let Parts { stop, http, sessions, connectors, webhooks, mqtt, grace } = self.parts;
        self.engine.drain();
        stop.send_replace(Stage::EndIngress);
        for listener in http {
            // A little longer than it gives its own connections.
            ended("HTTP", listener, grace + Duration::from_secs(1)).await;
        }
        for (protocol, server, grace) in sessions {
            ended(protocol.as_str(), server, grace + Duration::from_secs(1)).await;
        }
        stop.send_replace(Stage::EndConnectors);
        ended("connectors", connectors, CONNECTORS_GRACE).await;
        stop.send_replace(Stage::EndWebhooks);
        // Calls end by their own timeout.
        ended("webhooks", webhooks, Duration::MAX).await;
        stop.send_replace(Stage::EndMqtt);
        ended("MQTT", mqtt, MQTT_GRACE).await;
        self.engine.stop().await;
        if let Some(log) = self.access_log {
            let _ = tokio::task::spawn_blocking(move || log.flush()).await;
        }
        self.announcing.abort();
        let _ = self.announcing.await;
        drop(self.instance);
    }
}

/// Writes down, whenever other resources have come into force, which they are.
async fn announce_versions(instance: Arc<Instance>, mut itself: Running, mut world: watch::Receiver<Arc<World>>) {
    while world.changed().await.is_ok() {
        itself.version = world.borrow_and_update().version;
        if let Err(error) = instance.announce(&itself) {
            tracing::warn!(?error, "the version of the resources can't be written down for other commands");
        }
    }
}

/// Waits for a part's end; one that takes too long is cut off.
async fn ended(what: &str, mut part: JoinHandle<()>, limit: Duration) {
    if tokio::time::timeout(limit, &mut part).await.is_err() {
        tracing::warn!(part = what, "was not ready to stop in time and is cut off");
        part.abort();
        let _ = part.await;
    }
}

/// Reads a resources file and makes the stored resources those of it.
async fn apply_file(storage: &Storage, file: &Path) -> Outcome<Vec<Difference>> {
    let vault = storage.vault();
    let set = read_resources(file, SecretCheck { vault: Some(&vault), references: false })?;
    Ok(engine::resources::apply(&*storage.store, &vault, &set).await?.1)
}

/// Reads a resources file, or tells every fault of it.
pub fn read_resources(file: &Path, secrets: SecretCheck<'_>) -> Outcome<model::resources::ResourceSet> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|error| Failure::file(file, format_args!("can't be read: {error}")))?;
    resources_file::read(&name, &text, secrets).map_err(Failure::Configuration)
}

fn engine_settings(config: &Config, storage: &Storage, resources: Option<&Path>) -> Outcome<Settings> {
    let seconds = |span: crate::config::Span| i64::try_from(span.0.as_secs()).unwrap_or(i64::MAX);
    let retention = &config.storage.retention;
    Ok(Settings {
        vault: storage.vault(),
        retention: Retention {
            messages: seconds(retention.messages),
            texts: seconds(retention.text),
            ledger: seconds(retention.ledger),
        },
        webhook_concurrency: config.webhooks.concurrency,
        watch_resources: WATCH_RESOURCES,
        authority: resources.map(|file| file.display().to_string()),
        node: node::settings(config)?,
    })
}

fn webhook_settings(config: &Config) -> WebhookSettings {
    WebhookSettings {
        timeout: config.webhooks.timeout.0,
        allow_private: config.webhooks.allow_private.clone(),
        ..WebhookSettings::default()
    }
}

fn http_settings(config: &Config) -> Outcome<HttpSettings> {
    let access_log = match config.access_log() {
        None => None,
        Some(path) => {
            let opened = AccessLog::open(&path);
            Some(opened.with_context(|| format!("the access log {} can't be opened", path.display()))?)
        }
    };
    Ok(HttpSettings {
        limits: http_limits(&config.http.limits),
        tls: listeners::certificates(config)?.map(Arc::new),
        access_log,
        redact_numbers: match config.log.redact.numbers {
            Numbers::Full => NumberRedaction::Full,
            Numbers::Last4 => NumberRedaction::Last4,
            Numbers::None => NumberRedaction::None,
        },
        open_metrics: config.http.open_metrics,
        metrics: HttpMetrics::default(),
        interfaces: Interfaces {
            kannel: config.kannel.on_http,
            kannel_immediate_reply: config.kannel.immediate_reply,
            jasmin: config.jasmin.on_http,
            jasmin_rest: config.jasmin.on_http,
            ozeki: config.ozeki.on_http,
            ..Interfaces::default()
        },
        binds: Binds::default(),
    })
}

fn session_server(protocol: SessionProtocol, engine: Engine, settings: Arc<SessionSettings>) -> Server {
    match protocol {
        SessionProtocol::Smpp => ingress::smpp::server(engine, settings),
        SessionProtocol::Ucp => ingress::ucp::server(engine, settings),
        SessionProtocol::Cimd2 => ingress::cimd2::server(engine, settings),
    }
}

fn session_settings(config: &Config, protocol: SessionProtocol, http: &HttpSettings) -> Outcome<SessionSettings> {
    let (name, limits) = match protocol {
        SessionProtocol::Smpp => (config.smpp.system_id.clone(), smpp_limits(config)),
        SessionProtocol::Ucp => (String::new(), ucp_limits(config)),
        SessionProtocol::Cimd2 => (config.cimd2.greeting.clone(), cimd2_limits(config)),
    };
    Ok(SessionSettings {
        name,
        limits,
        tls: Sessions::of(config, protocol).certificates()?.map(Arc::new),
        access_log: http.access_log.clone(),
        binds: http.binds.clone(),
        ..SessionSettings::new(protocol)
    })
}

fn smpp_limits(config: &Config) -> SessionLimits {
    let limits = &config.smpp.limits;
    SessionLimits {
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        frame_octets: limits.pdu_octets,
        login_timeout: limits.bind_timeout.0,
        enquire_interval: limits.enquire_interval.0,
        inactivity_timeout: unless_never(limits.inactivity_timeout),
        response_timeout: limits.response_timeout.0,
        shutdown_grace: limits.shutdown_grace.0,
    }
}

fn ucp_limits(config: &Config) -> SessionLimits {
    let limits = &config.ucp.limits;
    SessionLimits {
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        frame_octets: limits.frame_octets,
        login_timeout: limits.login_timeout.0,
        enquire_interval: limits.alert_interval.0,
        inactivity_timeout: unless_never(limits.inactivity_timeout),
        response_timeout: limits.response_timeout.0,
        shutdown_grace: limits.shutdown_grace.0,
    }
}

fn cimd2_limits(config: &Config) -> SessionLimits {
    let limits = &config.cimd2.limits;
    SessionLimits {
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        frame_octets: limits.packet_octets,
        login_timeout: limits.login_timeout.0,
        inactivity_timeout: unless_never(limits.silence_timeout),
        response_timeout: limits.response_timeout.0,
        shutdown_grace: limits.shutdown_grace.0,
        ..SessionLimits::new(SessionProtocol::Cimd2)
    }
}

fn unless_never(span: Span) -> Option<Duration> {
    (!span.0.is_zero()).then_some(span.0)
}

fn http_limits(limits: &Limits) -> HttpLimits {
    HttpLimits {
        connections: limits.connections,
        header_timeout: limits.header_timeout.0,
        request_timeout: limits.request_timeout.0,
        handshake_timeout: limits.handshake_timeout.0,
        shutdown_grace: limits.shutdown_grace.0,
        headers: limits.headers,
        header_octets: limits.header_octets,
        body_octets: limits.body_octets,
        batch_octets: limits.batch_octets,
        ..HttpLimits::default()
    }
}

/// Where a listener is reached from its own machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
