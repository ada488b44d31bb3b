//! One call: made, timed, and its outcome named.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use engine::notify::{CallResult, Target};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use model::{DeliveryId, Timestamp};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::Instant;

use super::connect::{ConnectError, Connector, Resolver, system_resolver};
use super::guard::Guard;
use super::sign::{Signer, basic};
use super::{WebhookSettings, WebhookSettingsError};

/// How long an unused connection is kept: less than the 5 seconds after which common servers
/// close it, so that a call seldom meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);
/// Octets of an answer that are read, so that its connection can be used again. Nobody looks at
/// them; a longer answer costs its connection.
const ANSWER_MAX: usize = 64 << 10;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("postrider/", env!("CARGO_PKG_VERSION")));

/// Calls webhooks, over connections that are kept.
pub struct Client {
    http: legacy::Client<Connector, Full<Bytes>>,
    signer: Signer,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that works by `settings`. Reads the machine's certification authorities.
    pub fn new(settings: &WebhookSettings) -> Result<Self, WebhookSettingsError> {
        Self::with_resolver(settings, system_resolver())
    }

    pub(super) fn with_resolver(settings: &WebhookSettings, resolve: Resolver) -> Result<Self, WebhookSettingsError> {
        let connector = Connector::new(Guard::new(&settings.allow_private), Arc::new(tls(settings)?), resolve);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { http, signer: Signer::default(), timeout: settings.timeout })
    }

    /// Hands `payload` over once. `now` is what `webhook-timestamp` says.
    pub async fn attempt(&self, target: &Target, id: DeliveryId, payload: &str, now: Timestamp) -> CallResult {
        let request = match self.request(target, id, payload, now) {
            Ok(request) => request,
            Err(detail) => return failed(detail),
        };
        let deadline = Instant::now() + self.timeout;
        match tokio::time::timeout_at(deadline, self.send(request)).await {
            Err(_) => failed(format!("no answer within {} s", self.timeout.as_secs_f32())),
            Ok(Err(error)) => failed(describe(&error)),
            Ok(Ok(response)) => {
                let result = judge(response.status(), response.headers());
                // What the answer was is known; its rest is of no interest but for the connection.
                let _ = tokio::time::timeout_at(deadline, drain(response)).await;
                result
            }
        }
    }

    fn request(
        &self,
        target: &Target,
        id: DeliveryId,
        payload: &str,
        now: Timestamp,
    ) -> Result<Request<Full<Bytes>>, String> {
        let uri: Uri = target.url.parse().map_err(|e| format!("the webhook's URL is none: {e}"))?;
        let authorization = uri.authority().and_then(|a| a.as_str().rsplit_once('@')).map(|(user, _)| basic(user));
        let (id, timestamp) = (id.to_string(), now.as_seconds().to_string());
        let signature = match &target.secret {
            Some(secret) => {
                Some(self.signer.sign(secret, &id, &timestamp, payload.as_bytes()).map_err(|e| e.to_string())?)
            }
            None => None,
        };
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(payload.as_bytes())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.reserve(6);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(USER_AGENT, AGENT);
        headers.insert(ID, ascii(id)?);
        headers.insert(TIMESTAMP, ascii(timestamp)?);
        if let Some(signature) = signature {
            headers.insert(SIGNATURE, signature);
        }
        if let Some(Some(authorization)) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }

    /// Sends a request, and once more if a connection that was kept turned out to be closed.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, legacy::Error> {
        match self.http.request(request.clone()).await {
            Err(error) if was_closed(&error) => self.http.request(request).await,
            other => other,
        }
    }
}

/// Whom to trust: the machine's certification authorities, or where it has none those of the
/// Mozilla programme, and the operator's own.
fn tls(settings: &WebhookSettings) -> Result<rustls::ClientConfig, WebhookSettingsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = &settings.extra_ca {
        let bad = |detail: String| WebhookSettingsError::ExtraCa { path: path.clone(), detail };
        let mut any = false;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))? {
            roots.add(certificate.map_err(|e| bad(e.to_string()))?).map_err(|e| bad(e.to_string()))?;
            any = true;
        }
        if !any {
            return Err(bad("there is no certificate in it".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn ascii(text: String) -> Result<HeaderValue, String> {
    HeaderValue::try_from(text).map_err(|e| e.to_string())
}

fn failed(detail: impl Into<String>) -> CallResult {
    CallResult::Failed { detail: detail.into(), retry_after: None }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> CallResult {
    match status {
        status if status.is_success() => CallResult::Taken,
        StatusCode::GONE => CallResult::Gone,
        status => {
            let detail = match status.is_redirection() {
                true => format!("HTTP {}; redirects are not followed", status.as_u16()),
                false => format!("HTTP {}", status.as_u16()),
            };
            let retry_after =
                headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
            CallResult::Failed { detail, retry_after }
        }
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Reads an answer to its end, if that is not far.
async fn drain(response: Response<Incoming>) {
    let mut body = response.into_body();
    let mut left = ANSWER_MAX;
    while !body.is_end_stream() {
        let Some(Ok(frame)) = body.frame().await else { return };
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

/// Did the server close the connection before it answered anything?
fn was_closed(error: &legacy::Error) -> bool {
    let hyper = error.source().and_then(|e| e.downcast_ref::<hyper::Error>());
    hyper.is_some_and(|e| e.is_incomplete_message() || e.is_closed() || e.is_canceled())
}

/// What went wrong, for a person: our own words where we have them, the innermost otherwise.
fn describe(error: &legacy::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        if let Some(connect) = source.downcast_ref::<ConnectError>() {
            return connect.to_string();
        }
        innermost = source;
    }
    if was_closed(error) { "the server closed the connection without an answer".into() } else { innermost.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_is_success_and_410_is_for_good() {
        let judged = |status: u16| judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status), CallResult::Taken);
        }
        assert_eq!(judged(410), CallResult::Gone);
        assert_eq!(judged(404), failed("HTTP 404"));
        assert_eq!(judged(302), failed("HTTP 302; redirects are not followed"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |value| retry_after(value, now).map(|d| d.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(" 0 "), Some(0));
        assert_eq!(read("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:00 GMT"), Some(23));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read(""), None);
    }
}
