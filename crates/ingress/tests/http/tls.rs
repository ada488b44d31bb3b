use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use engine::Edit;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ingress::http::{Certificates, HttpSettings, TlsError};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::gateway::{Answer, Gateway, OTHER, SHOP, hello, read_answer};

/// Writes a new certificate for `localhost`, and returns it.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

async fn connect(
    gateway: &Gateway,
    trusted: &CertificateDer<'static>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let socket = TcpStream::connect(gateway.address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), socket).await
}

#[tokio::test]
async fn tls_speaks_both_versions_of_http_and_takes_a_new_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_certificate(folder.path());
    let certificates =
        Arc::new(Certificates::load(&folder.path().join("cert.pem"), &folder.path().join("key.pem")).unwrap());
    let settings = HttpSettings { tls: Some(certificates.clone()), ..HttpSettings::default() };
    let gateway = Gateway::start_with(settings).await;

    let mut client = connect(&gateway, &first, b"http/1.1").await.unwrap();
    client.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut client, &mut Vec::new()).await.unwrap().status, 200);
    assert_eq!(http2_get(connect(&gateway, &first, b"h2").await.unwrap(), "/livez").await, 200);

    assert!(!certificates.reload().unwrap(), "nothing has changed");
    let second = write_certificate(folder.path());
    certificates.reload().unwrap();
    assert!(connect(&gateway, &second, b"http/1.1").await.is_ok());
    assert!(connect(&gateway, &first, b"http/1.1").await.is_err(), "the old one is not served any more");
    client.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut client, &mut Vec::new()).await.unwrap().status, 200, "who is connected stays");

    std::fs::write(folder.path().join("key.pem"), "nothing").unwrap();
    assert!(matches!(certificates.reload(), Err(TlsError::Pem { .. })));
    assert!(connect(&gateway, &second, b"http/1.1").await.is_ok(), "what was served before stays");
}

#[test]
fn files_that_cannot_be_served_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let error = Certificates::load(&cert, &key).unwrap_err();
    assert!(error.to_string().contains("cert.pem"), "{error}");
    write_certificate(folder.path());
    let old = std::fs::read(&key).unwrap();
    write_certificate(folder.path());
    std::fs::write(&key, old).unwrap();
    assert!(matches!(Certificates::load(&cert, &key), Err(TlsError::Pair(_))));
    std::fs::write(&cert, "").unwrap();
    assert!(matches!(Certificates::load(&cert, &key), Err(TlsError::Pem { .. })));
}

#[tokio::test]
async fn what_is_too_large_or_unreadable_is_a_problem_over_tls_too() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = write_certificate(folder.path());
    let certificates = Certificates::load(&folder.path().join("cert.pem"), &folder.path().join("key.pem")).unwrap();
    let settings = HttpSettings { tls: Some(Arc::new(certificates)), ..HttpSettings::default() };
    let gateway = Gateway::start_with(settings).await;
    let mut client = connect(&gateway, &trusted, b"http/1.1").await.unwrap();
    client.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET\r\n\r\n").await.unwrap();
    let mut left = Vec::new();
    assert_eq!(read_answer(&mut client, &mut left).await.unwrap().status, 200);
    assert_eq!(read_answer(&mut client, &mut left).await.unwrap().code(), "malformed_request");

    let large = vec![("x-large".to_owned(), "x".repeat(40_000))];
    let many = (0..65).map(|n| (format!("x-{n}"), "1".to_owned())).collect();
    for headers in [large, many] {
        let client = connect(&gateway, &trusted, b"h2").await.unwrap();
        let answer = http2_answer(client, "/livez", headers).await;
        assert_eq!((answer.status, answer.code().as_str()), (431, "headers_too_large"));
    }
}

/// A body that is sent on for as long as it is read.
struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// What is sent ahead of a reader that is in no hurry must leave room for others.
#[tokio::test]
async fn a_stream_that_is_read_slowly_holds_up_nobody_on_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = write_certificate(folder.path());
    let certificates =
        Arc::new(Certificates::load(&folder.path().join("cert.pem"), &folder.path().join("key.pem")).unwrap());
    let gateway = Gateway::start_with(HttpSettings { tls: Some(certificates), ..HttpSettings::default() }).await;
    let account = json!({ "id": "shop", "api_token": SHOP, "default_sender": "SHOP", "throughput": 1 });
    gateway.engine.edit_resources(vec![Edit::Account(serde_json::from_value(account).unwrap())]).await.unwrap();
    let client = TokioIo::new(connect(&gateway, &trusted, b"h2").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), client).await.unwrap();
    tokio::spawn(connection);
    let request = |path: &str, token: &str, media: &str, pieces| {
        let request = hyper::Request::post(format!("https://localhost{path}"));
        let request = request.header("authorization", format!("Bearer {token}")).header("content-type", media);
        request.body(Pieces(pieces)).unwrap()
    };
    let (stream, pieces) = mpsc::channel(1);
    let streaming = tokio::spawn(sender.send_request(request("/v1/batches", SHOP, "application/x-ndjson", pieces)));
    let lines = Bytes::from(format!("{}\n", hello()).repeat(500));
    let (mut sent, stalled) = (0, Duration::from_millis(500));
    while let Ok(open) = tokio::time::timeout(stalled, stream.send(lines.clone())).await {
        open.unwrap();
        sent += lines.len();
        assert!(sent < 32 * 1024 * 1024, "somebody must be in no hurry");
    }
    let (message, pieces) = mpsc::channel(1);
    message.send(hello().to_string().into()).await.unwrap();
    drop(message);
    let beside = sender.send_request(request("/v1/messages", OTHER, "application/json", pieces));
    let beside = tokio::time::timeout(Duration::from_secs(20), beside).await.expect("it has room").unwrap();
    assert_eq!(beside.status(), 202);
    streaming.abort();
}

async fn http2_get(client: TlsStream<TcpStream>, path: &str) -> u16 {
    http2_answer(client, path, Vec::new()).await.status
}

async fn http2_answer(client: TlsStream<TcpStream>, path: &str, headers: Vec<(String, String)>) -> Answer {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    tokio::spawn(connection);
    let mut request = hyper::Request::get(format!("https://localhost{path}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (parts, body) = sender.send_request(request.body(String::new()).unwrap()).await.unwrap().into_parts();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status.as_u16(), headers: headers.collect(), body }
}
