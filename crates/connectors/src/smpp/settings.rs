//! A connector's settings as its sessions need them.

use std::time::Duration;

use model::resources::{BindKind, Connector, InterfaceVersion as Version, OutbindSettings, SecretError};
use smpp::{BindMode, ClientConfig, InterfaceVersion, OutbindCredentials, SessionConfig};

/// How long an orderly end may wait for open answers, and then for the unbind's.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Receipts and messages that may wait to become durable; further ones are asked to come later.
const UNACKNOWLEDGED_MAX: usize = 10_000;

/// Do two settings lead to the same binds? What else differs takes effect without a new one.
#[must_use]
pub fn same_bind(one: &Connector, other: &Connector) -> bool {
    fn key(connector: &Connector) -> impl PartialEq + use<> {
        let c = connector.clone();
        let who = (c.protocol, c.address, c.system_id, c.password, c.system_type, c.address_range);
        let how = (c.bind, c.interface_version, c.sessions, c.window, c.tls, c.outbind);
        let when = (c.enquire_link_seconds, c.response_timeout_seconds, c.bind_timeout_seconds, c.inactivity_seconds);
        (who, how, when)
    }
    key(one) == key(other)
}

/// The binds that make one session.
pub(crate) fn modes(kind: BindKind) -> &'static [BindMode] {
    match kind {
        BindKind::Transceiver => &[BindMode::Transceiver],
        BindKind::Pair => &[BindMode::Transmitter, BindMode::Receiver],
        BindKind::Transmitter => &[BindMode::Transmitter],
        BindKind::Receiver => &[BindMode::Receiver],
    }
}

/// How long a connection and its bind may take.
pub(crate) fn bind_timeout(connector: &Connector) -> Duration {
    seconds(connector.bind_timeout_seconds)
}

/// The protocol session's settings for one of the binds.
pub(crate) fn client_config(connector: &Connector, mode: BindMode) -> Result<ClientConfig, SecretError> {
    let password = connector.password.as_ref().map(|password| password.reveal()).transpose()?;
    let response_timeout = seconds(connector.response_timeout_seconds);
    let interval = seconds(connector.enquire_link_seconds);
    Ok(ClientConfig {
        mode,
        system_id: connector.system_id.clone().into_bytes(),
        password: password.unwrap_or_default().into_bytes(),
        system_type: connector.system_type.clone().into_bytes(),
        address_range: connector.address_range.clone().into_bytes(),
        session: SessionConfig {
            version: match connector.interface_version {
                Version::V33 => InterfaceVersion::V3_3,
                Version::V34 => InterfaceVersion::V3_4,
                Version::V50 => InterfaceVersion::V5_0,
            },
            window: usize::from(connector.window.max(1)),
            response_timeout,
            bind_timeout: bind_timeout(connector),
            enquire_interval: Some(interval),
            enquire_timeout: Some(interval.min(response_timeout)),
            inactivity_timeout: connector.inactivity_seconds.map(seconds),
            drain_timeout: response_timeout.min(DRAIN_MAX),
            max_unanswered: UNACKNOWLEDGED_MAX,
            ..SessionConfig::default()
        },
        ..ClientConfig::default()
    })
}

/// The same for one that waits for the carrier's outbind first.
pub(crate) fn awaiting_outbind(
    connector: &Connector,
    mode: BindMode,
    outbind: &OutbindSettings,
) -> Result<ClientConfig, SecretError> {
    let password = outbind.password.as_ref().map(|password| password.reveal()).transpose()?;
    let credentials = OutbindCredentials {
        system_id: outbind.system_id.clone().into_bytes(),
        password: password.unwrap_or_default().into_bytes(),
    };
    Ok(ClientConfig { await_outbind: Some(credentials), ..client_config(connector, mode)? })
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.max(1).into())
}
