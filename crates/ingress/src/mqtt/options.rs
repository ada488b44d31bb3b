//! How a bridge connects to its broker.

use std::sync::Arc;
use std::time::Duration;

use model::resources::{MqttSettings, SecretError, TlsSettings};
use rumqttc::v5::MqttOptions;
use rumqttc::{TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The longest packet that is taken: brokers keep longer ones to themselves.
pub(super) const PACKET_MAX: u32 = 256 * 1024;
/// How long the broker keeps what comes while no bridge is there: a day.
const SESSION_EXPIRY: u32 = 86_400;
/// How long a connection may take, in seconds.
const CONNECT_TIMEOUT: u64 = 15;

/// A bridge that can't connect.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptionsError {
    /// The configuration: the broker's URL.
    #[error("the broker's URL can't be used")]
    Url,
    /// The password can't be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The configuration: a PEM file.
    #[error("the file {0} can't be used: {1}")]
    File(String, String),
    /// The settings of TLS do not fit together.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The options of one connection.
pub(super) fn of(account: &str, settings: &MqttSettings) -> Result<MqttOptions, OptionsError> {
    let broker = settings.broker().ok_or(OptionsError::Url)?;
    let client_id = settings.client_id.clone().unwrap_or_else(|| format!("postrider-{account}"));
    let mut options = MqttOptions::new(client_id, broker.host, broker.port);
    options
        .set_keep_alive(Duration::from_secs(settings.keep_alive_seconds.into()))
        .set_connection_timeout(CONNECT_TIMEOUT)
        .set_clean_start(false)
        .set_session_expiry_interval(Some(SESSION_EXPIRY))
        .set_receive_maximum(Some(settings.window))
        .set_max_packet_size(Some(PACKET_MAX))
        .set_manual_acks(true);
    let password = settings.password.as_ref().map(|password| password.reveal()).transpose()?;
    if let Some(username) = &settings.username {
        options.set_credentials(username, password.unwrap_or_default());
    }
    if broker.tls {
        let none = TlsSettings::default();
        let config = client_config(settings.tls.as_ref().unwrap_or(&none))?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))));
    }
    Ok(options)
}

fn client_config(tls: &TlsSettings) -> Result<ClientConfig, OptionsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(roots(tls)?);
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| OptionsError::File(key.clone(), e.to_string()))?;
    Ok(builder.with_client_auth_cert(certificates(cert)?, key_der)?)
}

fn roots(tls: &TlsSettings) -> Result<RootCertStore, OptionsError> {
    let mut roots = RootCertStore::empty();
    match &tls.ca {
        Some(file) => {
            for certificate in certificates(file)? {
                let added = roots.add(certificate);
                added.map_err(|error| OptionsError::File(file.clone(), error.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let unusable = |detail: String| OptionsError::File(file.into(), detail);
    let found = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| unusable(error.to_string()))?;
    if found.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(found) }
}
