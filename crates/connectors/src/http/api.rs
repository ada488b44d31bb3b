//! A connector's description, read once and ready for use.

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use model::resources::http::template::Template;
use model::resources::http::{HttpAuth, HttpAuthKind, HttpCallback, HttpReply, HttpSettings};
use model::resources::{Connector, SecretError, TlsSettings};

use super::answer::Answers;
use super::document::place;
use super::escape::{Place as EscapePlace, digest};
use super::incoming::Readings;
use super::request::{Auth, DescriptionError, Origin, Written, header};
use super::sign::{Signer, Verifier};
use super::values::{Known, Values};
use model::Timestamp;
use model::resources::http::place::Place;
use model::resources::http::{HttpDigest, HttpRequest};

/// How often something is fetched whose description does not say.
const POLL_EVERY: Duration = Duration::from_secs(30);

/// A connector's description.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) known: Known,
    pub(super) send: Written,
    pub(super) binary: Option<Written>,
    pub(super) batch: usize,
    pub(super) answers: Answers,
    pub(super) readings: Readings,
    pub(super) token: Option<TokenSource>,
    pub(super) query: Option<Query>,
    pub(super) polls: Vec<(Written, Duration)>,
    pub(super) subscribes: Vec<(Written, Vec<String>)>,
    pub(super) calls: Calls,
}

/// What calls of the provider are held against.
pub(super) struct Calls {
    /// The secret of the path; without one nobody calls.
    pub(super) secret: Option<String>,
    /// What stands before the parameters of the address that the provider calls.
    pub(super) url: String,
    pub(super) verifier: Option<Verifier>,
    pub(super) reply: HttpReply,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address has the secret in it.
        f.debug_struct("Calls").field("verifier", &self.verifier).field("reply", &self.reply).finish_non_exhaustive()
    }
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) settings: Option<TlsSettings>,
}

/// How one message is asked about.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) request: Written,
    pub(super) state: Option<Place>,
    pub(super) error: Option<Place>,
}

/// Where tokens are fetched (RFC 6749 §4.4).
#[derive(Debug)]
pub(super) struct TokenSource {
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) request: Written,
}

/// A description that can't be used. Most faults were told when it was set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Preset(#[from] model::resources::http::preset::PresetError),
    #[error(transparent)]
    Description(#[from] DescriptionError),
    #[error(transparent)]
    Template(#[from] model::resources::http::template::TemplateError),
    #[error("{0}")]
    Other(String),
}

/// Shortest secret of a path.
const PATH_SECRET_MIN: usize = 16;

/// The secret of the path that the provider calls, wherever it is kept: a file may be empty, and a variable too.
fn path_secret(callback: Option<&HttpCallback>) -> Result<Option<String>, ApiError> {
    let secret = callback.and_then(|callback| callback.secret.as_ref()).map(|secret| secret.reveal()).transpose()?;
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if secret.as_ref().is_some_and(|secret| secret.len() < PATH_SECRET_MIN || !secret.bytes().all(fits)) {
        let detail = "callback.secret must be at least 16 letters, digits, hyphens or underscores";
        return Err(ApiError::Other(detail.to_owned()));
    }
    Ok(secret)
}

impl From<String> for ApiError {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

impl Api {
    /// Reads a connector's description, and its secrets.
    pub(super) fn compile(connector: &Connector) -> Result<Self, ApiError> {
        let settings = connector.http.as_deref().cloned().unwrap_or_default().resolved()?;
        let known = known(connector, &settings)?;
        let (target, host, prefix) = split(&connector.address, connector.tls.as_ref())?;
        let auth = settings.auth.clone().unwrap_or_default();
        let origin = Origin { host, prefix: prefix.into(), auth: auth_of(&auth, &known)? };
        let token = match auth.kind {
            Some(HttpAuthKind::Oauth2) => Some(TokenSource::compile(&auth, connector, &known)?),
            _ => None,
        };
        let batch = settings.batch.as_ref();
        let send = settings.send.as_ref().ok_or_else(|| "http.send is missing".to_owned())?;
        let most = batch.and_then(|batch| batch.most).unwrap_or(1).max(1);
        let query = settings.query.as_ref().map(|query| {
            let request = written(query.request.as_ref())?;
            let (state, error) = (place(Some(&query.state))?, place(query.error.as_deref())?);
            Ok::<_, ApiError>(Query { request, state, error })
        });
        let polls = settings.poll.iter().flatten().map(|poll| {
            let every = poll.every_seconds.map_or(POLL_EVERY, |seconds| Duration::from_secs(seconds.max(1).into()));
            Ok::<_, ApiError>((written(poll.request.as_ref())?, every))
        });
        let subscribes = settings.subscribe.iter().flatten().filter(|_| settings.callback.is_some());
        let subscribes = subscribes.map(|one| Ok::<_, ApiError>((written(one.request.as_ref())?, one.done.clone())));
        Ok(Self {
            send: Written::compile(send, batch.map(|batch| batch.at.as_str()))?,
            binary: settings.binary.as_ref().map(|binary| Written::compile(binary, None)).transpose()?,
            batch: usize::from(most),
            answers: settings.answer.as_ref().map(Answers::compile).transpose()?.unwrap_or_default(),
            readings: Readings::compile(settings.receipt.as_ref(), settings.message.as_ref())?,
            query: query.transpose()?,
            polls: polls.collect::<Result<_, _>>()?,
            subscribes: subscribes.collect::<Result<_, _>>()?,
            calls: Calls {
                secret: path_secret(settings.callback.as_ref())?,
                url: known.callback_url.clone().unwrap_or_default(),
                verifier: settings.signature.as_ref().map(Verifier::compile).transpose()?.flatten(),
                reply: settings.reply.clone().unwrap_or_default(),
            },
            target,
            origin,
            known,
            token,
        })
    }
}

impl TokenSource {
    fn compile(auth: &HttpAuth, connector: &Connector, known: &Known) -> Result<Self, ApiError> {
        let url = auth.token_url.clone().unwrap_or_default();
        let whole = if url.starts_with('/') { format!("{}{url}", connector.address) } else { url };
        let (address, rest) = split_at_path(&whole);
        let (target, host, _) = split(address, connector.tls.as_ref())?;
        let mut form = auth.token_form.clone();
        if form.is_empty() {
            let fields = [("client_id", "{user}"), ("client_secret", "{password}")];
            let fields = fields.into_iter().filter(|_| !auth.token_basic);
            form.extend(fields.map(|(name, text)| (name.to_owned(), text.to_owned())));
            form.insert("grant_type".to_owned(), "client_credentials".to_owned());
        }
        // What is a template there was written as a path; braces in a URL are none.
        let request = HttpRequest {
            path: rest.replace('{', "{{").replace('}', "}}"),
            form: Some(form),
            headers: [("accept".to_owned(), "application/json".to_owned())].into(),
            ..HttpRequest::default()
        };
        let auth = match auth.token_basic {
            true => Auth::Fixed(basic(known.user.as_bytes(), known.password.as_bytes())?),
            false => Auth::Nothing,
        };
        let request = Written::compile(&request, None)?;
        Ok(Self { target, origin: Origin { host, prefix: "".into(), auth }, request })
    }
}

fn written(request: Option<&HttpRequest>) -> Result<Written, ApiError> {
    let nothing = HttpRequest::default();
    Ok(Written::compile(request.unwrap_or(&nothing), None)?)
}

fn known(connector: &Connector, settings: &HttpSettings) -> Result<Known, ApiError> {
    let secrets = settings.secrets.iter().map(|(name, secret)| Ok((name.clone(), secret.reveal()?)));
    let callback_url = match &settings.callback {
        Some(callback) => {
            let secret = callback.secret.as_ref().map(|secret| secret.reveal()).transpose()?.unwrap_or_default();
            Some(format!("{}/carriers/{}/{secret}", callback.url, connector.id))
        }
        None => None,
    };
    Ok(Known {
        user: connector.system_id.clone(),
        password: connector.password.as_ref().map(|password| password.reveal()).transpose()?.unwrap_or_default(),
        secrets: secrets.collect::<Result<_, SecretError>>()?,
        values: settings.values.clone(),
        callback_url,
    })
}

fn auth_of(auth: &HttpAuth, known: &Known) -> Result<Auth, ApiError> {
    // What says who we are does not change with time.
    let values = Values::plain(known, Timestamp::default());
    let text = |text: &Option<String>, usual: &str| -> Result<Vec<u8>, ApiError> {
        let template = Template::parse(text.as_deref().unwrap_or(usual))?;
        let mut out = Vec::new();
        values.write(&template, EscapePlace::Plain, &mut out);
        Ok(out)
    };
    Ok(match auth.kind.unwrap_or_default() {
        HttpAuthKind::None => Auth::Nothing,
        HttpAuthKind::Basic => Auth::Fixed(basic(&text(&auth.user, "{user}")?, &text(&auth.password, "{password}")?)?),
        HttpAuthKind::Bearer => Auth::Fixed(bearer(&text(&auth.password, "{password}")?)?),
        HttpAuthKind::Oauth2 => Auth::Token,
        HttpAuthKind::Hmac => Auth::Signed(Signer::compile(auth)?),
    })
}

/// RFC 7617.
fn basic(user: &[u8], password: &[u8]) -> Result<HeaderValue, ApiError> {
    let value = format!("Basic {}", digest(HttpDigest::Base64, &[user, b":", password].concat()));
    header(value.as_bytes()).map_err(|reason| ApiError::Other(reason.detail.into()))
}

/// RFC 6750.
pub(super) fn bearer(token: &[u8]) -> Result<HeaderValue, ApiError> {
    header(&[b"Bearer ", token].concat()).map_err(|_| ApiError::Other("a header can't hold the token".into()))
}

/// An address as whom to connect to, what `host` says, and what stands before paths.
fn split<'a>(address: &'a str, tls: Option<&TlsSettings>) -> Result<(Target, HeaderValue, &'a str), ApiError> {
    let wrong = || ApiError::Other(format!("the address \"{address}\" is not https:// or http:// and a host"));
    let (whole, prefix) = split_at_path(address);
    let (scheme, authority) = whole.split_once("://").ok_or_else(wrong)?;
    let secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return Err(wrong()),
    };
    let parsed: http::uri::Authority = authority.parse().map_err(|_| wrong())?;
    let port = parsed.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let host = parsed.host().trim_matches(['[', ']']);
    let header = HeaderValue::from_str(authority).map_err(|_| wrong())?;
    Ok((Target { tls: secure, host: host.into(), port, settings: tls.cloned() }, header, prefix))
}

/// Scheme and host, and the rest.
fn split_at_path(url: &str) -> (&str, &str) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(begin..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| begin + at);
    url.split_at(end)
}

/// Each with the connector that it was read from.
type ByName = foldhash::HashMap<model::Name, (Arc<Connector>, Arc<Api>)>;

/// Descriptions of connectors, each read once while it stays the same.
#[derive(Debug, Default)]
pub(crate) struct Apis(std::sync::Mutex<ByName>);

impl Apis {
    /// The description of a connector.
    pub(super) fn get(&self, connector: &Arc<Connector>) -> Result<Arc<Api>, ApiError> {
        let lock = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((known, api)) = lock().get(connector.id.as_str())
            && Arc::ptr_eq(known, connector)
        {
            return Ok(api.clone());
        }
        let api = Arc::new(Api::compile(connector)?);
        lock().insert(connector.id.as_str().into(), (connector.clone(), api.clone()));
        Ok(api)
    }
}
