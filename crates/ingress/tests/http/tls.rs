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

use crate::gateway::{Gateway, read_answer};

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

async fn http2_get(client: TlsStream<TcpStream>, path: &str) -> u16 {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://localhost{path}")).body(String::new()).unwrap();
    sender.send_request(request).await.unwrap().status().as_u16()
}
