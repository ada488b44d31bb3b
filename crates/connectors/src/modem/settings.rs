//! A connector's settings as its modem's session needs them.

use std::time::Duration;

use at::{Calls, ClientConfig, Mode, Pin};
use model::resources::{Connector, ModemCalls, ModemMode, ModemSettings, SecretError};

/// How long an orderly end may wait for what is under way.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Do two settings lead to the same session? What else differs takes effect without a new one.
#[must_use]
pub(crate) fn same_modem(one: &Connector, other: &Connector) -> bool {
    fn key(connector: &Connector) -> impl PartialEq + use<> {
        let c = connector.clone();
        let mut modem = c.modem.unwrap_or_default();
        // Only where there were none is counted what was sent before.
        let limited = !modem.limits.is_none();
        modem.limits = model::resources::SimLimits::default();
        modem.number.clear();
        (c.protocol, c.address, modem, limited, c.response_timeout_seconds, c.bind_timeout_seconds)
    }
    key(one) == key(other)
}

/// What only modems have, with its defaults.
pub(super) fn of(connector: &Connector) -> ModemSettings {
    connector.modem.as_deref().cloned().unwrap_or_default()
}

/// The session's settings.
pub(super) fn client_config(connector: &Connector) -> Result<ClientConfig, SecretError> {
    let modem = of(connector);
    let pin = modem.pin.as_ref().map(|pin| pin.reveal()).transpose()?;
    let send_timeout = seconds(connector.response_timeout_seconds);
    Ok(ClientConfig {
        pin: pin.and_then(|pin| Pin::new(&pin)),
        smsc: Some(modem.smsc).filter(|smsc| !smsc.is_empty()),
        init: modem.init,
        init_last: modem.init_last,
        mode: match modem.mode {
            ModemMode::Auto => Mode::Auto,
            ModemMode::Pdu => Mode::Pdu,
            ModemMode::Text => Mode::Text,
        },
        storage: Some(modem.storage).filter(|storage| !storage.is_empty()),
        poll: seconds(modem.poll_seconds),
        calls: match modem.calls {
            ModemCalls::Reject => Calls::Reject,
            ModemCalls::Report => Calls::Report,
            ModemCalls::Ignore => Calls::Ignore,
        },
        reset: modem.reset,
        boot: seconds(modem.boot_seconds),
        send_timeout,
        registration_timeout: seconds(modem.registration_seconds),
        drain_timeout: send_timeout.min(DRAIN_MAX),
        gap: Duration::from_millis(modem.gap_ms.into()),
        ..ClientConfig::default()
    })
}

/// How long opening the line may take.
pub(super) fn connect_timeout(connector: &Connector) -> Duration {
    seconds(connector.bind_timeout_seconds)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.max(1).into())
}
