//! Where the gateway listens, and with which certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use ingress::http::{Certificates, HttpSettings, Interfaces};
use ingress::sessions::Listener;
use model::SessionProtocol;
use tokio::net::TcpListener;

use crate::config::{Config, SmppTls, Tls};
use crate::outcome::{Failure, Outcome};

/// The listeners of the API, and those of other gateways' interfaces.
pub async fn bind_all(config: &Config, http: &Arc<HttpSettings>) -> Outcome<Vec<(TcpListener, Arc<HttpSettings>)>> {
    let immediate = config.kannel.immediate_reply;
    let kannel = Interfaces { kannel: true, kannel_immediate_reply: immediate, ..Interfaces::none() };
    let jasmin = Interfaces { jasmin: true, ..Interfaces::none() };
    let jasmin_rest = Interfaces { jasmin_rest: true, ..Interfaces::none() };
    let ozeki = Interfaces { ozeki: true, ..Interfaces::none() };
    let InterfaceCertificates { kannel: for_kannel, jasmin: for_jasmin, ozeki: for_ozeki } =
        interface_certificates(config)?;
    let others = [
        (&config.kannel.listen, kannel, for_kannel),
        (&config.jasmin.listen, jasmin, for_jasmin.clone()),
        (&config.jasmin.rest_listen, jasmin_rest, for_jasmin),
        (&config.ozeki.listen, ozeki, for_ozeki),
    ];
    let mut listeners: Vec<_> =
        bind("HTTP", &config.http.listen).await?.into_iter().map(|one| (one, http.clone())).collect();
    for (addresses, interfaces, tls) in others {
        let settings = Arc::new(HttpSettings { interfaces, tls, ..HttpSettings::clone(http) });
        listeners.extend(bind("HTTP", addresses).await?.into_iter().map(|one| (one, settings.clone())));
    }
    Ok(listeners)
}

async fn bind(what: &str, addresses: &[SocketAddr]) -> Outcome<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.with_context(|| format!("{what} can't listen on {address}"))?);
    }
    Ok(listeners)
}

/// A server of sessions, as it is configured.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a> {
    /// Its name for people.
    pub title: &'static str,
    /// Its table.
    pub section: &'static str,
    /// Where it listens.
    pub listen: &'a [SocketAddr],
    /// Its TLS.
    pub tls: Option<&'a SmppTls>,
}

impl<'a> Sessions<'a> {
    /// What is configured for a protocol.
    pub fn of(config: &'a Config, protocol: SessionProtocol) -> Self {
        let (title, listen, tls) = match protocol {
            SessionProtocol::Smpp => ("SMPP", &config.smpp.listen, &config.smpp.tls),
            SessionProtocol::Ucp => ("UCP", &config.ucp.listen, &config.ucp.tls),
            SessionProtocol::Cimd2 => ("CIMD2", &config.cimd2.listen, &config.cimd2.tls),
        };
        Self { title, section: protocol.as_str(), listen, tls: tls.as_ref() }
    }

    /// Its sockets: all TLS, unless TLS has addresses of its own.
    pub async fn bind(self) -> Outcome<Vec<Listener>> {
        let own = self.tls.map_or(&[][..], |tls| &tls.listen);
        let all_tls = self.tls.is_some() && own.is_empty();
        let mut listeners = Vec::new();
        for (addresses, tls) in [(self.listen, all_tls), (own, true)] {
            let sockets = bind(self.title, addresses).await?;
            listeners.extend(sockets.into_iter().map(|socket| Listener { socket, tls }));
        }
        Ok(listeners)
    }

    /// Its certificates.
    pub fn certificates(self) -> Outcome<Option<Certificates>> {
        let load = |tls: &SmppTls| Certificates::load_for_smpp(&tls.cert, &tls.key, tls.client_ca.as_deref());
        let loaded = self.tls.map(load).transpose();
        loaded.map_err(|error| Failure::configuration(format_args!("[{}] tls: {error}", self.section)))
    }
}

/// Every certificate that these listeners show, once.
pub fn certificates_of(listeners: &[(TcpListener, Arc<HttpSettings>)]) -> Vec<Arc<Certificates>> {
    let mut all: Vec<Arc<Certificates>> = Vec::new();
    for one in listeners.iter().filter_map(|(_, settings)| settings.tls.as_ref()) {
        if !all.iter().any(|known| Arc::ptr_eq(known, one)) {
            all.push(one.clone());
        }
    }
    all
}

/// The certificates of other gateways' interfaces, for addresses of their own.
#[derive(Debug)]
pub struct InterfaceCertificates {
    kannel: Option<Arc<Certificates>>,
    jasmin: Option<Arc<Certificates>>,
    ozeki: Option<Arc<Certificates>>,
}

/// The certificates that are configured for other gateways' interfaces.
pub fn interface_certificates(config: &Config) -> Outcome<InterfaceCertificates> {
    let load = |section: &str, tls: &Option<Tls>, listens: bool| {
        let Some(tls) = tls else { return Ok(None) };
        if !listens {
            let why = "is for addresses of its own, and `listen` has none";
            return Err(Failure::configuration(format_args!("[{section}] tls: {why}")));
        }
        let loaded = Certificates::load(&tls.cert, &tls.key);
        let fault = |error| Failure::configuration(format_args!("[{section}] tls: {error}"));
        loaded.map(|certificates| Some(Arc::new(certificates))).map_err(fault)
    };
    let Config { kannel, jasmin, ozeki, .. } = config;
    Ok(InterfaceCertificates {
        kannel: load("kannel", &kannel.tls, !kannel.listen.is_empty())?,
        jasmin: load("jasmin", &jasmin.tls, !(jasmin.listen.is_empty() && jasmin.rest_listen.is_empty()))?,
        ozeki: load("ozeki", &ozeki.tls, !ozeki.listen.is_empty())?,
    })
}

/// The certificates that are configured.
pub fn certificates(config: &Config) -> Outcome<Option<Certificates>> {
    let load = |tls: &crate::config::Tls| Certificates::load(&tls.cert, &tls.key);
    let loaded = config.http.tls.as_ref().map(load).transpose();
    loaded.map_err(|error| Failure::configuration(format_args!("[http] tls: {error}")))
}
