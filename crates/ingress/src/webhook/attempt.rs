//! One call: made, timed, and its outcome named.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use engine::notify::{AnswerWish, CallResult, Target};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use model::{CallbackStyle, DeliveryId, Timestamp};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::Instant;

use super::answer;
use super::connect::{ConnectError, Connector, Resolver, system_resolver};
use super::endpoint::{BadUrl, Endpoint, Endpoints};
use super::guard::Guard;
use super::pool::{Broken, Connection, Pool};
use super::sign::{BadSecret, Signer};
use super::{WebhookSettings, WebhookSettingsError};

/// Octets of an answer that are read, so that its connection can be used again. Nobody looks at
/// them; a longer answer costs its connection.
const ANSWER_MAX: usize = 64 << 10;

/// Octets of an answer in which `ACK/Jasmin` is looked for.
const JASMIN_ANSWER_MAX: usize = 256;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("postrider/", env!("CARGO_PKG_VERSION")));

/// Calls webhooks, over connections that are kept.
pub struct Client {
    connector: Connector,
    pool: Pool,
    endpoints: Endpoints,
    signer: Signer,
    timeout: Duration,
}

/// Why a call came to no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Url(#[from] BadUrl),
    #[error(transparent)]
    Secret(#[from] BadSecret),
    #[error("{0}")]
    Header(#[from] http::header::InvalidHeaderValue),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What is asked of whom.
pub(super) struct Question<'a> {
    pub target: &'a Target,
    pub id: DeliveryId,
    pub payload: &'a str,
    /// What `webhook-timestamp` says.
    pub now: Timestamp,
}

/// What is called with what: once, or once more over a new connection.
struct Call<'a> {
    endpoint: Arc<Endpoint>,
    target: &'a Target,
    id: DeliveryId,
    payload: &'a str,
    /// What `webhook-timestamp` says.
    now: Timestamp,
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
        Ok(Self {
            connector,
            pool: Pool::default(),
            endpoints: Endpoints::default(),
            signer: Signer::default(),
            timeout: settings.timeout,
        })
    }

    /// Hands `payload` over once. `now` is what `webhook-timestamp` says.
    pub async fn attempt(&self, target: &Target, id: DeliveryId, payload: &str, now: Timestamp) -> CallResult {
        let deadline = Instant::now() + self.timeout;
        let endpoint = match self.endpoint(target) {
            Ok(endpoint) => endpoint,
            Err(error) => return failed(error.to_string()),
        };
        let call = Call { endpoint, target, id, payload, now };
        match tokio::time::timeout_at(deadline, self.call(&call)).await {
            Err(_) => failed(format!("no answer within {} s", self.timeout.as_secs_f32())),
            Ok(Err(error)) => failed(error.to_string()),
            Ok(Ok((response, mut connection))) => {
                let status = response.status();
                let result = judge(status, response.headers());
                let headers = response.headers().clone();
                let wanted = answer_wanted(target);
                // Of most answers the status says all; their rest is of no interest but for the connection.
                let mut answer = Vec::new();
                let keep = |piece: &[u8]| {
                    let room = wanted.saturating_sub(answer.len());
                    answer.extend_from_slice(&piece[..piece.len().min(room)]);
                };
                let read = tokio::time::timeout_at(deadline, connection.read(response, ANSWER_MAX, keep)).await;
                if read == Ok(true) {
                    self.pool.put(&call.endpoint.origin, connection);
                }
                match target.answer {
                    _ if wanted == 0 => result,
                    AnswerWish::No => judge_answer(status, result, &answer),
                    // Half an answer is none: the service is asked again.
                    AnswerWish::Text { .. }
                        if result == CallResult::Taken && answer.len() < wanted && read != Ok(true) =>
                    {
                        failed("the answer ended before its end")
                    }
                    AnswerWish::Text { kannel_headers } => said(result, &headers, &answer, kannel_headers),
                }
            }
        }
    }

    /// Makes one call for its answer, of at most `most` octets, whatever time that takes; an error is for a
    /// person.
    pub(super) async fn ask(&self, question: &Question<'_>, most: usize) -> Result<(StatusCode, Vec<u8>), String> {
        let Question { target, id, payload, now } = *question;
        let endpoint = self.endpoint(target).map_err(|error| error.to_string())?;
        let call = Call { endpoint, target, id, payload, now };
        let (response, mut connection) = self.call(&call).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let mut answer = Vec::new();
        if !connection.read(response, most, |piece| answer.extend_from_slice(piece)).await {
            return Err(format!("the answer broke off, or has more than {most} octets"));
        }
        self.pool.put(&call.endpoint.origin, connection);
        Ok((status, answer))
    }

    async fn call(&self, call: &Call<'_>) -> Result<(Response<Incoming>, Connection), CallError> {
        let request = self.request(call)?;
        let mut connection = match self.pool.take(&call.endpoint.origin).await {
            Some(connection) => connection,
            None => self.open(&call.endpoint).await?,
        };
        match connection.exchange(request).await {
            // Servers close connections that they think are not used any more, also just when a
            // call comes: once more, over a new one.
            Err(Broken::Closed) => {
                connection = self.open(&call.endpoint).await?;
                Ok((connection.exchange(self.request(call)?).await?, connection))
            }
            answer => Ok((answer?, connection)),
        }
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Connection, CallError> {
        let stream = self.connector.connect(&endpoint.origin).await?;
        Ok(Connection::open(stream).await?)
    }

    fn endpoint(&self, target: &Target) -> Result<Arc<Endpoint>, BadUrl> {
        match target.style {
            // A URL that was filled in is not called again with the same words: it is not worth keeping.
            CallbackStyle::Kannel | CallbackStyle::JasminGet => Endpoint::new(&target.url).map(Arc::new),
            CallbackStyle::Webhook | CallbackStyle::Jasmin => self.endpoints.get(&target.url),
        }
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, CallError> {
        let (endpoint, style) = (&call.endpoint, call.target.style);
        let payload = Bytes::copy_from_slice(call.payload.as_bytes());
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(HOST, endpoint.host.clone());
        let get = matches!(style, CallbackStyle::Kannel | CallbackStyle::JasminGet);
        if !get {
            headers.insert(CONTENT_TYPE, if style == CallbackStyle::Jasmin { FORM } else { JSON });
        }
        headers.insert(USER_AGENT, AGENT);
        if style.is_webhook() {
            let (id, timestamp) = (call.id.to_string(), call.now.as_seconds().to_string());
            if let Some(secret) = &call.target.secret {
                headers.insert(SIGNATURE, self.signer.sign(secret, &id, &timestamp, &payload)?);
            }
            headers.insert(ID, HeaderValue::try_from(id)?);
            headers.insert(TIMESTAMP, HeaderValue::try_from(timestamp)?);
        }
        if let Some(authorization) = &endpoint.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let mut request = Request::new(Full::new(payload));
        *request.method_mut() = if get { Method::GET } else { Method::POST };
        *request.uri_mut() = endpoint.path.clone();
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Closes connections that have not been used for long.
    pub(super) fn sweep(&self) {
        self.pool.sweep();
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.pool.len()
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

/// Octets of the answer's body that somebody looks at.
fn answer_wanted(target: &Target) -> usize {
    match (target.style, target.answer) {
        (CallbackStyle::Jasmin | CallbackStyle::JasminGet, _) => JASMIN_ANSWER_MAX,
        (CallbackStyle::Webhook | CallbackStyle::Kannel, AnswerWish::Text { .. }) => answer::TEXT_OCTETS_MAX,
        (CallbackStyle::Webhook | CallbackStyle::Kannel, AnswerWish::No) => 0,
    }
}

/// What a service that took a call says to the phone.
fn said(result: CallResult, headers: &HeaderMap, body: &[u8], kannel_headers: bool) -> CallResult {
    match result {
        CallResult::Taken => {
            let answer = answer::read(headers, body, kannel_headers);
            answer.map_or(CallResult::Taken, |answer| CallResult::Answered(Box::new(answer)))
        }
        other => other,
    }
}

/// Jasmin's applications say in the body that they have taken a call; any status below 400 will do.
fn judge_answer(status: StatusCode, by_status: CallResult, answer: &[u8]) -> CallResult {
    match by_status {
        _ if status.as_u16() < 400 && answer.trim_ascii() == b"ACK/Jasmin" => CallResult::Taken,
        CallResult::Taken => failed("the answer is not ACK/Jasmin"),
        other => other,
    }
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
