//! Connections to carriers: TCP, and TLS with rustls.

use std::io;
use std::sync::Arc;

use model::resources::TlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection, with TLS or without.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The configuration: the address is not `host:port`.
    #[error("the address \"{0}\" is not host:port")]
    Address(String),
    /// Nobody answers there.
    #[error("can't connect to {0}: {1}")]
    Unreachable(String, io::Error),
    /// It took too long.
    #[error("can't connect to {0}: no answer in time")]
    Timeout(String),
    /// The configuration: a PEM file can't be used.
    #[error("the file {0} can't be used: {1}")]
    File(String, String),
    /// The configuration: no authorities to trust.
    #[error("no trusted certificates: {0}")]
    NoRoots(String),
    /// The configuration: the name that is to be in the certificate.
    #[error("the server name can't be used: {0}")]
    ServerName(#[from] InvalidDnsNameError),
    /// The settings of TLS do not fit together.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The other side speaks no TLS, or is not who it should be.
    #[error("no TLS with {0}: {1}")]
    Handshake(String, io::Error),
}

/// Connects to `host:port`, or with TLS to `smpps://host:port`, `ucps://…` or `cimd2s://…`.
pub(crate) async fn connect(address: &str, tls: Option<&TlsSettings>) -> Result<Box<dyn Transport>, ConnectError> {
    let (secure, target) = match address.split_once("://") {
        Some(("smpps" | "ucps" | "cimd2s", target)) => (true, target),
        Some(("smpp" | "ucp" | "cimd2", target)) => (false, target),
        Some(_) => return Err(ConnectError::Address(address.into())),
        None => (false, address),
    };
    let Some((host, _)) = target.rsplit_once(':') else {
        return Err(ConnectError::Address(address.into()));
    };
    let unreachable = |error| ConnectError::Unreachable(target.into(), error);
    let stream = TcpStream::connect(target).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    if !secure {
        return Ok(Box::new(stream));
    }
    let none = TlsSettings::default();
    let tls = tls.unwrap_or(&none);
    let name = tls.server_name.as_deref().unwrap_or(host).trim_matches(['[', ']']);
    let name = ServerName::try_from(name.to_owned())?;
    let connector = TlsConnector::from(Arc::new(client_config(tls)?));
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|error| ConnectError::Handshake(target.into(), error))?;
    Ok(Box::new(stream))
}

pub(crate) fn client_config(tls: &TlsSettings) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(roots(tls)?);
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| ConnectError::File(key.clone(), e.to_string()))?;
    Ok(builder.with_client_auth_cert(certificates(cert)?, key_der)?)
}

fn roots(tls: &TlsSettings) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &tls.ca {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| ConnectError::File(file.clone(), error.to_string()))?;
        }
        return Ok(roots);
    }
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        let errors: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
        return Err(ConnectError::NoRoots(errors.join("; ")));
    }
    Ok(roots)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let unusable = |detail: String| ConnectError::File(file.into(), detail);
    let found = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| unusable(error.to_string()))?;
    if found.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(found) }
}
