use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use engine::notify::{AnswerWish, CallResult, Target};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::id::Uuid;
use model::{CallbackStyle, DeliveryId, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

use super::attempt::Client;
use super::connect::Resolver;
use super::sign::Signer;
use super::{WebhookSettings, WebhookSettingsError};

pub(super) const ID: DeliveryId = DeliveryId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What an application was given.
#[derive(Debug)]
pub(super) struct Seen {
    /// Which of its connections it came over.
    connection: usize,
    pub method: http::Method,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An application: answers by a list, then with 204, and tells what it was given.
pub(super) struct App {
    pub address: SocketAddr,
    pub seen: mpsc::UnboundedReceiver<Seen>,
    answers: Answers,
    /// An answer is given for each permit.
    pub gate: Arc<Semaphore>,
}

type Answers = Arc<Mutex<VecDeque<Response<Full<Bytes>>>>>;

impl App {
    pub async fn start(tls: Option<rustls::ServerConfig>) -> Self {
        Self::with_gate(tls, Semaphore::MAX_PERMITS).await
    }

    /// One that answers nothing until its gate is opened.
    pub async fn closed() -> Self {
        Self::with_gate(None, 0).await
    }

    async fn with_gate(tls: Option<rustls::ServerConfig>, permits: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(permits));
        let answers = Answers::default();
        let given = (answers.clone(), gate.clone());
        let tls = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((tcp, _)) = listener.accept().await {
                connection += 1;
                let (sender, given, tls) = (sender.clone(), given.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, connection, sender, given).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(tcp).await {
                                serve(stream, connection, sender, given).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, answers, gate }
    }

    pub(super) fn answer(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        self.answers.lock().unwrap().push_back(response.body(Full::from(body.to_owned())).unwrap());
    }

    fn target(&self, path: &str) -> Target {
        Target {
            url: format!("http://{}{path}", self.address).into(),
            style: CallbackStyle::Webhook,
            secret: Some(SECRET.into()),
            answer: AnswerWish::No,
        }
    }
}

async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: usize,
    sender: mpsc::UnboundedSender<Seen>,
    (answers, gate): (Answers, Arc<Semaphore>),
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (sender, answers, gate) = (sender.clone(), answers.clone(), gate.clone());
        async move {
            let (method, uri) = (request.method().clone(), request.uri().to_string());
            let headers = request.headers().clone();
            let body = request.into_body().collect().await?.to_bytes();
            let _ = sender.send(Seen { connection, method, uri, headers, body });
            gate.acquire().await.unwrap().forget();
            let answer = answers.lock().unwrap().pop_front();
            Ok::<_, hyper::Error>(
                answer.unwrap_or_else(|| Response::builder().status(204).body(Full::default()).unwrap()),
            )
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
}

pub(super) fn settings() -> WebhookSettings {
    WebhookSettings { allow_private: vec!["127.0.0.0/8".parse().unwrap()], ..WebhookSettings::default() }
}

pub(super) fn client() -> Client {
    Client::new(&settings()).unwrap()
}

async fn attempt(client: &Client, target: &Target) -> CallResult {
    client.attempt(target, ID, r#"{"type":"x"}"#, Timestamp::from_millis(1_614_265_330_999)).await
}

pub(super) fn failed(detail: &str) -> CallResult {
    CallResult::Failed { detail: detail.into(), retry_after: None }
}

/// A resolver that says the same of every name.
fn says(addresses: &[&str], port: u16) -> Resolver {
    let addresses: Vec<SocketAddr> = addresses.iter().map(|a| SocketAddr::new(a.parse().unwrap(), port)).collect();
    Arc::new(move |_, _| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

#[tokio::test]
async fn a_call_is_what_standard_webhooks_says() {
    let mut app = App::start(None).await;
    assert_eq!(attempt(&client(), &app.target("/hook?a=b")).await, CallResult::Taken);
    let seen = app.seen.recv().await.unwrap();
    assert_eq!(seen.uri, "/hook?a=b");
    assert_eq!(seen.body, r#"{"type":"x"}"#);
    let id = "01900000-0000-7000-8000-000000000001";
    assert_eq!(seen.headers["webhook-id"], id);
    assert_eq!(seen.headers["webhook-timestamp"], "1614265330");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["user-agent"], concat!("postrider/", env!("CARGO_PKG_VERSION")));
    assert_eq!(seen.headers["host"], app.address.to_string());
    let signature = Signer::default().sign(&SECRET.into(), id, "1614265330", br#"{"type":"x"}"#).unwrap();
    assert_eq!(seen.headers["webhook-signature"], signature);
    assert!(!seen.headers.contains_key("authorization"));
}

#[tokio::test]
async fn without_a_secret_a_call_is_unsigned_and_with_a_bad_one_it_is_not_made() {
    let mut app = App::start(None).await;
    let unsigned = Target { secret: None, ..app.target("/unsigned") };
    assert_eq!(attempt(&client(), &unsigned).await, CallResult::Taken);
    assert!(!app.seen.recv().await.unwrap().headers.contains_key("webhook-signature"));
    let bad = Target { secret: Some("whsec_???".into()), ..app.target("/bad") };
    let result = attempt(&client(), &bad).await;
    assert_eq!(result, failed("the signing secret is not whsec_ and base64; give the webhook another"));
    assert_eq!(attempt(&client(), &app.target("/last")).await, CallResult::Taken);
    assert_eq!(app.seen.recv().await.unwrap().uri, "/last");
}

#[tokio::test]
async fn a_user_in_the_url_becomes_basic_authorization() {
    let mut app = App::start(None).await;
    let url = format!("http://Aladdin:open%20sesame@{}/", app.address);
    assert_eq!(
        attempt(
            &client(),
            &Target { url: url.into(), style: CallbackStyle::Webhook, secret: None, answer: AnswerWish::No }
        )
        .await,
        CallResult::Taken
    );
    let seen = app.seen.recv().await.unwrap();
    assert_eq!(seen.headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(seen.headers["host"], app.address.to_string());
}

#[tokio::test]
async fn connections_are_used_again_unless_the_answer_is_endless() {
    let mut app = App::start(None).await;
    let client = client();
    app.answer(200, &[], "thank you");
    app.answer(500, &[], &"x".repeat(60_000));
    app.answer(200, &[], &"x".repeat(4_000_000));
    let mut connections = Vec::new();
    for _ in 0..4 {
        attempt(&client, &app.target("/")).await;
        connections.push(app.seen.recv().await.unwrap().connection);
    }
    assert_eq!(connections, [1, 1, 1, 2]);
}

#[tokio::test]
async fn a_server_that_wants_the_connection_closed_has_its_way() {
    let mut app = App::start(None).await;
    let client = client();
    app.answer(200, &[("connection", "close")], "thank you");
    assert_eq!(attempt(&client, &app.target("/")).await, CallResult::Taken);
    assert_eq!(client.kept(), 0);
    assert_eq!(attempt(&client, &app.target("/")).await, CallResult::Taken);
    assert_eq!((app.seen.recv().await.unwrap().connection, app.seen.recv().await.unwrap().connection), (1, 2));
}

#[tokio::test]
async fn answers_are_judged() {
    let app = App::start(None).await;
    let client = client();
    let target = app.target("/");
    app.answer(503, &[("retry-after", "17")], "");
    let busy = CallResult::Failed { detail: "HTTP 503".into(), retry_after: Some(Duration::from_secs(17)) };
    assert_eq!(attempt(&client, &target).await, busy);
    app.answer(410, &[], "");
    assert_eq!(attempt(&client, &target).await, CallResult::Gone);
    app.answer(400, &[], "no");
    assert_eq!(attempt(&client, &target).await, failed("HTTP 400"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let mut app = App::start(None).await;
    let elsewhere = app.target("/elsewhere");
    app.answer(307, &[("location", &elsewhere.url)], "");
    assert_eq!(attempt(&client(), &app.target("/here")).await, failed("HTTP 307; redirects are not followed"));
    assert_eq!(app.seen.recv().await.unwrap().uri, "/here");
    assert!(app.seen.try_recv().is_err());
}

#[tokio::test]
async fn private_addresses_are_not_called() {
    let mut app = App::start(None).await;
    let strict = Client::new(&WebhookSettings::default()).unwrap();
    let port = app.address.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"] {
        let target = Target {
            url: format!("http://{host}:{port}/").into(),
            style: CallbackStyle::Webhook,
            secret: None,
            answer: AnswerWish::No,
        };
        let CallResult::Failed { detail, .. } = attempt(&strict, &target).await else { panic!("{host} was called") };
        assert!(detail.contains("called only where webhooks.allow_private has them"), "{host}: {detail}");
    }
    assert!(app.seen.try_recv().is_err());
}

#[tokio::test]
async fn of_a_name_only_the_addresses_that_may_be_called_are() {
    let mut app = App::start(None).await;
    let port = app.address.port();
    let target = Target {
        url: "http://hooks.example/".into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    let strict = Client::with_resolver(&WebhookSettings::default(), says(&["127.0.0.1", "::1"], port)).unwrap();
    assert!(matches!(attempt(&strict, &target).await, CallResult::Failed { .. }));
    assert!(app.seen.try_recv().is_err());
    let allowed = Client::with_resolver(&settings(), says(&["10.0.0.1", "::1", "127.0.0.1"], port)).unwrap();
    assert_eq!(attempt(&allowed, &target).await, CallResult::Taken);
    assert_eq!(app.seen.recv().await.unwrap().headers["host"], "hooks.example");
}

#[tokio::test]
async fn what_can_not_be_reached_is_said_plainly() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let target = Target {
        url: format!("http://{closed}/").into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    let CallResult::Failed { detail, .. } = attempt(&client(), &target).await else { panic!("reached") };
    assert!(detail.starts_with(&format!("{closed} can't be reached: ")), "{detail}");
    let nameless = Client::with_resolver(&settings(), says(&[], 1)).unwrap();
    let target = Target {
        url: "https://nobody.example/".into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    assert_eq!(attempt(&nameless, &target).await, failed("nobody.example has no address"));
    let target = Target { url: "no url".into(), style: CallbackStyle::Webhook, secret: None, answer: AnswerWish::No };
    let CallResult::Failed { detail, .. } = attempt(&client(), &target).await else { panic!("called") };
    assert!(detail.starts_with("the webhook's URL is none"), "{detail}");
}

#[tokio::test]
async fn an_application_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let impatient = Client::new(&WebhookSettings { timeout: Duration::from_millis(250), ..settings() }).unwrap();
    let target = Target {
        url: format!("http://{address}/").into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    assert_eq!(attempt(&impatient, &target).await, failed("no answer within 0.25 s"));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut buffer = [0; 4096];
        let (mut first, _) = listener.accept().await.unwrap();
        assert!(first.read(&mut buffer).await.unwrap() > 0);
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        assert!(second.read(&mut buffer).await.unwrap() > 0);
        second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let target = Target {
        url: format!("http://{address}/").into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    assert_eq!(attempt(&client(), &target).await, CallResult::Taken);
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_closed_when_nobody_has_used_it_for_long() {
    let mut app = App::start(None).await;
    let client = client();
    attempt(&client, &app.target("/")).await;
    client.sweep();
    assert_eq!(client.kept(), 1);
    tokio::time::pause();
    tokio::time::advance(super::pool::IDLE).await;
    client.sweep();
    assert_eq!(client.kept(), 0);
    tokio::time::resume();
    attempt(&client, &app.target("/")).await;
    assert_eq!((app.seen.recv().await.unwrap().connection, app.seen.recv().await.unwrap().connection), (1, 2));
}

#[tokio::test]
async fn a_server_that_wants_to_speak_something_else_is_no_success() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((mut socket, _)) = listener.accept().await {
            assert!(socket.read(&mut buffer).await.unwrap() > 0);
            let _ = socket
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
                .await;
        }
    });
    let target = Target {
        url: format!("http://{address}/").into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    assert!(matches!(attempt(&client(), &target).await, CallResult::Failed { .. }));
    server.abort();
}

/// A file that is gone with the test.
fn temp_file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

/// A certification authority in PEM, and a server with a certificate of its for `hooks.example`.
fn test_ca() -> (String, rustls::ServerConfig) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["hooks.example".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (ca_pem, config)
}

#[tokio::test]
async fn tls_is_checked_against_the_name_and_the_authorities() {
    let (ca, server) = test_ca();
    let mut app = App::start(Some(server)).await;
    let file = temp_file(&ca);
    let trusting = WebhookSettings { extra_ca: Some(file.path().into()), ..settings() };
    let resolver = says(&["127.0.0.1"], app.address.port());
    let target = |host: &str| Target {
        url: format!("https://{host}/x").into(),
        style: CallbackStyle::Webhook,
        secret: None,
        answer: AnswerWish::No,
    };
    let client = Client::with_resolver(&trusting, resolver.clone()).unwrap();
    assert_eq!(attempt(&client, &target("hooks.example")).await, CallResult::Taken);
    assert_eq!(app.seen.recv().await.unwrap().uri, "/x");
    let stranger = Client::with_resolver(&settings(), resolver).unwrap();
    for (client, host) in [(&client, "other.example"), (&stranger, "hooks.example")] {
        let CallResult::Failed { detail, .. } = attempt(client, &target(host)).await else {
            panic!("{host} was trusted")
        };
        assert!(detail.starts_with(&format!("TLS with {host} failed: ")), "{detail}");
    }
    assert!(app.seen.try_recv().is_err());
}

#[test]
fn a_file_that_holds_no_authority_is_refused() {
    for content in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let file = temp_file(content);
        let bad = WebhookSettings { extra_ca: Some(file.path().into()), ..settings() };
        assert!(matches!(Client::new(&bad), Err(WebhookSettingsError::ExtraCa { .. })), "{content:?}");
    }
    let missing = WebhookSettings { extra_ca: Some("/nonexistent/ca.pem".into()), ..settings() };
    assert!(matches!(Client::new(&missing), Err(WebhookSettingsError::ExtraCa { .. })));
}
