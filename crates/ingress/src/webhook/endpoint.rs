//! URLs, taken apart once: what a request needs of them.

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use super::sign::basic;

/// URLs kept at a time; when there are more, they are taken apart anew.
const URLS_MAX: usize = 4096;

/// Where connections go: those to one origin can be used for each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// With TLS?
    pub tls: bool,
    /// A name or an address, an IPv6 address without brackets.
    pub host: Box<str>,
    pub port: u16,
}

/// A URL that can be called.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub origin: Origin,
    /// Path and query, as the request line has them (RFC 9112 §3.2.1).
    pub path: Uri,
    /// The value of `host` (RFC 9110 §7.2).
    pub host: HeaderValue,
    /// The value of `authorization`, where the URL names a user.
    pub authorization: Option<HeaderValue>,
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadUrl {
    #[error("the webhook's URL is none: {0}")]
    NoUrl(String),
    #[error("the webhook's URL is neither http:// nor https://")]
    Scheme,
    #[error("the URL names no host")]
    NoHost,
}

impl Endpoint {
    pub fn new(url: &str) -> Result<Self, BadUrl> {
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| BadUrl::NoUrl(e.to_string()))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(BadUrl::Scheme),
        };
        let authority = uri.authority().ok_or(BadUrl::NoHost)?;
        let host = authority.host();
        let plain = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if plain.is_empty() {
            return Err(BadUrl::NoHost);
        }
        let usual = if tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(usual);
        let named = if port == usual { host.to_owned() } else { format!("{host}:{port}") };
        let authorization = authority.as_str().rsplit_once('@').and_then(|(user, _)| basic(user));
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self {
            origin: Origin { tls, host: plain.into(), port },
            path: Uri::from(path),
            host: HeaderValue::try_from(named).map_err(|e| BadUrl::NoUrl(e.to_string()))?,
            authorization,
        })
    }
}

/// Keeps the URLs that were taken apart.
#[derive(Default)]
pub(super) struct Endpoints {
    known: Mutex<HashMap<Box<str>, Arc<Endpoint>>>,
}

impl Endpoints {
    pub fn get(&self, url: &str) -> Result<Arc<Endpoint>, BadUrl> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = known.get(url) {
            return Ok(endpoint.clone());
        }
        let endpoint = Arc::new(Endpoint::new(url)?);
        if known.len() >= URLS_MAX {
            known.clear();
        }
        known.insert(url.into(), endpoint.clone());
        Ok(endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_origin_path_and_host() {
        let parts = |url: &str| {
            let e = Endpoint::new(url).unwrap();
            (
                e.origin.tls,
                e.origin.host.to_string(),
                e.origin.port,
                e.path.to_string(),
                e.host.to_str().unwrap().into(),
            )
        };
        let whole = |tls, host: &str, port, path: &str, named: &str| {
            (tls, host.to_owned(), port, path.to_owned(), named.to_owned())
        };
        assert_eq!(parts("http://a.example"), whole(false, "a.example", 80, "/", "a.example"));
        assert_eq!(parts("https://a.example:443/x?y=z"), whole(true, "a.example", 443, "/x?y=z", "a.example"));
        assert_eq!(parts("http://u:p@[::1]:8080/x"), whole(false, "::1", 8080, "/x", "[::1]:8080"));
    }

    #[test]
    fn what_can_not_be_called_is_said() {
        assert!(matches!(Endpoint::new("no url"), Err(BadUrl::NoUrl(_))));
        assert_eq!(Endpoint::new("ftp://a.example/").unwrap_err(), BadUrl::Scheme);
        assert_eq!(Endpoint::new("/path").unwrap_err(), BadUrl::Scheme);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let endpoints = Endpoints::default();
        for n in 0..URLS_MAX * 2 + 1 {
            endpoints.get(&format!("http://a.example/{n}")).unwrap();
        }
        assert!(endpoints.known.lock().unwrap().len() <= URLS_MAX);
    }
}
