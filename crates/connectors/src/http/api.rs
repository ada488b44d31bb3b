//! A connector's description, read once and ready for use.

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use model::resources::http::template::Template;
use model::resources::http::{HttpAuth, HttpAuthKind, HttpSettings};
use model::resources::{Connector, SecretError, TlsSettings};

use super::escape::{Place as EscapePlace, digest};
use super::reader::ProviderReader;
use super::request::{Auth, Origin, Written, header};
use super::sign::Signer;
use super::values::{Known, Values};
use model::Timestamp;
use model::resources::http::{HttpDigest, HttpRequest};

/// How often something is fetched whose description does not say.
const POLL_EVERY: Duration = Duration::from_secs(30);

/// A connector's description.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) known: Arc<Known>,
    /// What the provider says.
    pub(super) reader: ProviderReader,
    pub(super) send: Written,
    pub(super) binary: Option<Written>,
    pub(super) batch: usize,
    pub(super) token: Option<TokenSource>,
    /// How one message is asked about.
    pub(super) query: Option<Written>,
    pub(super) polls: Vec<(Written, Duration)>,
    pub(super) subscribes: Vec<(Written, Vec<String>)>,
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) settings: Option<TlsSettings>,
}

/// Where tokens are fetched (RFC 6749 §4.4).
#[derive(Debug)]
pub(super) struct TokenSource {
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) request: Written,
}

/// A description that can't be used: the configuration's fault. Most faults are told when it is set, but a secret is only
/// read when it is needed.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionFault {
    /// A secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its preset, or what differs from it.
    #[error(transparent)]
    Preset(#[from] model::resources::http::preset::PresetError),
    /// A text is no template.
    #[error(transparent)]
    Template(#[from] model::resources::http::template::TemplateError),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Other(String),
}

impl From<String> for DescriptionFault {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

impl Api {
    /// Reads a connector's description, and its secrets.
    pub(super) fn compile(connector: &Connector) -> Result<Self, DescriptionFault> {
        let settings = connector.http.as_deref().cloned().unwrap_or_default().resolved()?;
        let known = Arc::new(known(connector, &settings)?);
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
        let query = settings.query.as_ref().map(|query| written(query.request.as_ref()));
        let polls = settings.poll.iter().flatten().map(|poll| {
            let every = poll.every_seconds.map_or(POLL_EVERY, |seconds| Duration::from_secs(seconds.max(1).into()));
            Ok::<_, DescriptionFault>((written(poll.request.as_ref())?, every))
        });
        let subscribes = settings.subscribe.iter().flatten().filter(|_| settings.callback.is_some());
        let subscribes =
            subscribes.map(|one| Ok::<_, DescriptionFault>((written(one.request.as_ref())?, one.done.clone())));
        Ok(Self {
            send: Written::compile(send, batch.map(|batch| batch.at.as_str()))?,
            binary: settings.binary.as_ref().map(|binary| Written::compile(binary, None)).transpose()?,
            batch: usize::from(most),
            reader: ProviderReader::compile(&settings, known.clone())?,
            query: query.transpose()?,
            polls: polls.collect::<Result<_, _>>()?,
            subscribes: subscribes.collect::<Result<_, _>>()?,
            target,
            origin,
            known,
            token,
        })
    }
}

impl TokenSource {
    fn compile(auth: &HttpAuth, connector: &Connector, known: &Known) -> Result<Self, DescriptionFault> {
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

fn written(request: Option<&HttpRequest>) -> Result<Written, DescriptionFault> {
    let nothing = HttpRequest::default();
    Written::compile(request.unwrap_or(&nothing), None)
}

pub(super) fn known(connector: &Connector, settings: &HttpSettings) -> Result<Known, DescriptionFault> {
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

fn auth_of(auth: &HttpAuth, known: &Known) -> Result<Auth, DescriptionFault> {
    // What says who we are does not change with time.
    let values = Values::plain(known, Timestamp::default());
    let text = |text: &Option<String>, usual: &str| -> Result<Vec<u8>, DescriptionFault> {
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
fn basic(user: &[u8], password: &[u8]) -> Result<HeaderValue, DescriptionFault> {
    let value = format!("Basic {}", digest(HttpDigest::Base64, &[user, b":", password].concat()));
    header(value.as_bytes()).map_err(|reason| DescriptionFault::Other(reason.detail.into()))
}

/// RFC 6750.
pub(super) fn bearer(token: &[u8]) -> Result<HeaderValue, DescriptionFault> {
    header(&[b"Bearer ", token].concat()).map_err(|_| DescriptionFault::Other("a header can't hold the token".into()))
}

/// An address as whom to connect to, what `host` says, and what stands before paths.
fn split<'a>(address: &'a str, tls: Option<&TlsSettings>) -> Result<(Target, HeaderValue, &'a str), DescriptionFault> {
    let wrong = || DescriptionFault::Other(format!("the address \"{address}\" is not https:// or http:// and a host"));
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
    pub(super) fn get(&self, connector: &Arc<Connector>) -> Result<Arc<Api>, DescriptionFault> {
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
