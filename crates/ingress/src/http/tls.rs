//! TLS: a certificate and its key from PEM files, read again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::hash::sha256;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

/// How often to look whether the files changed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A certificate that is served, with the files that it comes from.
#[derive(Debug)]
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    acceptor: Acceptor,
    served: Arc<Served>,
    /// What the files held when they were looked at last.
    stamp: Mutex<Stamp>,
}

/// Files that can't be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not PEM, or holds nothing of what is wanted.
    #[error("{} holds no {wanted} in PEM: {detail}", .path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
        /// What was found.
        detail: String,
    },
    /// The certificate and the key are not a pair, or of a kind that is not supported.
    #[error("the certificate can't be used with the key: {0}")]
    Pair(#[from] rustls::Error),
}

/// SHA-256 of each file; `None` for one that can't be read.
type Stamp = [Option<[u8; 32]>; 2];

#[derive(Debug)]
struct Served(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl Certificates {
    /// Reads a certificate chain and its private key. TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::with(cert, key, None, &[b"h2", b"http/1.1"])
    }

    /// The same for SMPP. With `client_ca`, clients must show a certificate that one of its
    /// authorities has signed; that file is read at the start only.
    pub fn load_for_smpp(cert: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        Self::with(cert, key, client_ca, &[])
    }

    fn with(cert: &Path, key: &Path, client_ca: Option<&Path>, protocols: &[&[u8]]) -> Result<Self, TlsError> {
        let stamp = stamp_of(cert, key);
        let served = Arc::new(Served(ArcSwap::from_pointee(read(cert, key)?)));
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(authorities(file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                let bad = |error: VerifierBuilderError| TlsError::Pem {
                    path: file.to_owned(),
                    wanted: "certificate authority",
                    detail: error.to_string(),
                };
                builder.with_client_cert_verifier(verifier.map_err(bad)?)
            }
        };
        let mut config = builder.with_cert_resolver(served.clone());
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = Acceptor(TlsAcceptor::from(Arc::new(config)));
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), acceptor, served, stamp: Mutex::new(stamp) })
    }

    /// Reads the files again if they changed; new connections get what they hold. `true` if it
    /// did. On an error what was served before stays, and the files are not tried again until
    /// they change.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let now = stamp_of(&self.cert, &self.key);
        if std::mem::replace(&mut *self.stamp.lock().unwrap_or_else(PoisonError::into_inner), now) == now {
            return Ok(false);
        }
        self.served.0.store(Arc::new(read(&self.cert, &self.key)?));
        Ok(true)
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor.0
    }

    /// Looks after the files for ever.
    pub(crate) async fn watch(&self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.reload() {
                Ok(false) => {}
                Ok(true) => tracing::info!(cert = %self.cert.display(), "the certificate was read again"),
                Err(error) => tracing::error!(%error, "the changed certificate can't be used; the old one stays"),
            }
        }
    }
}

fn stamp_of(cert: &Path, key: &Path) -> Stamp {
    [cert, key].map(|path| fs::read(path).ok().map(|octets| sha256(&octets)))
}

/// The certificates of those who sign clients'.
fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let bad = |detail: String| TlsError::Pem { path: file.to_owned(), wanted: "certificate authority", detail };
    let text = fs::read(file).map_err(|error| TlsError::File { path: file.to_owned(), error })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    Ok(roots)
}

fn read(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let text = |path: &Path| fs::read(path).map_err(|error| TlsError::File { path: path.to_owned(), error });
    let bad = |path: &Path, wanted, detail: String| TlsError::Pem { path: path.to_owned(), wanted, detail };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text(cert)?)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(cert, "certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(bad(cert, "certificate", "there is none".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(&text(key)?).map_err(|error| bad(key, "private key", error.to_string()))?;
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}
