use std::path::Path;
use std::sync::Arc;

use ingress::http::{Certificates, HttpSettings, TlsError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::gateway::{Answer, Gateway, read_answer};

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

async fn http2_get(client: TlsStream<TcpStream>, path: &str) -> u16 {
    http2_answer(client, path, Vec::new()).await.status
}

async fn http2_answer(client: TlsStream<TcpStream>, path: &str, headers: Vec<(String, String)>) -> Answer {
    use http_body_util::BodyExt;
    use hyper_util::rt::{TokioExecutor, TokioIo};
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
