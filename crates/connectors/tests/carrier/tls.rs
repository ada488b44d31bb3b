//! `smpps://`: the certificate is checked.

use std::sync::Arc;

use model::Status;
use rustls::pki_types::PrivateKeyDer;
use simulator::{Smsc, SmscSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::bench::Bench;
use engine::dispatch::SessionState;

/// Ends TLS in front of an SMSC; gives its port and the certificate's PEM.
async fn tls_before(smsc: &Smsc) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["smsc.example".into()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = smsc.address();
    tokio::spawn(async move {
        while let Ok((outer, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut inner = TcpStream::connect(behind).await.unwrap();
                if let Ok(mut outer) = acceptor.accept(outer).await {
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    });
    (port, made.cert.pem())
}

#[tokio::test]
async fn messages_go_over_tls_to_whom_the_certificate_names() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smsc = Smsc::start(listener, SmscSettings::default());
    let (port, pem) = tls_before(&smsc).await;
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let tls = |name: &str| format!(r#""tls":{{"ca":"{}","server_name":"{name}"}}"#, ca.display());
    let address = format!("smpps://127.0.0.1:{port}");
    let bench = Bench::start_at(smsc, &address, &tls("smsc.example")).await;
    let id = bench.text("secret").await;
    bench.until(id, Status::Delivered).await;
    bench.change(&address, &tls("somebody.else")).await;
    let refused =
        |state: &SessionState| matches!(state, SessionState::Down { reason, .. } if reason.contains("no TLS with"));
    bench.until_states(|states| states.iter().any(refused)).await;
}
