//! A connector's settings as its UCP sessions need them.

use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::Timestamp;
use model::resources::{Connector, SecretError, UcpSettings};
use ucp::{ClientConfig, KeepAlive, Login, Npi, Pid, SessionConfig, Ton, UcpTime};

/// How long an orderly end may wait for open results.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// The alert's PID: a computer over TCP/IP.
const ALERT_PID: Pid = Pid::PC_TCP;

/// Do two settings lead to the same logins? What else differs takes effect without a new one.
#[must_use]
pub(crate) fn same_login(one: &Connector, other: &Connector) -> bool {
    fn key(connector: &Connector) -> impl PartialEq + use<> {
        let c = connector.clone();
        let ucp = c.ucp.unwrap_or_default();
        let who = (c.protocol, c.address, c.system_id, c.password, c.tls, ucp.login, ucp.account);
        let how = (c.sessions, c.window, ucp.alert, ucp.alert_address);
        let when = (c.enquire_link_seconds, c.response_timeout_seconds, c.bind_timeout_seconds);
        (who, how, when)
    }
    key(one) == key(other)
}

/// The protocol session's settings.
pub(super) fn client_config(connector: &Connector) -> Result<ClientConfig, SecretError> {
    let ucp = of(connector);
    let password = connector.password.as_ref().map(|password| password.reveal()).transpose()?;
    let response_timeout = seconds(connector.response_timeout_seconds);
    let interval = seconds(connector.enquire_link_seconds);
    let alert_address = ucp.alert_address.as_deref().unwrap_or(&connector.system_id);
    let keep_alive = ucp.alert.then(|| KeepAlive {
        adc: alert_address.as_bytes().to_vec(),
        pid: ALERT_PID,
        interval,
        timeout: Some(interval.min(response_timeout)),
    });
    let login = ucp.login.then(|| Login {
        oadc: connector.system_id.clone().into_bytes(),
        oton: Ton(ucp.account.ton),
        onpi: Npi(ucp.account.npi),
        password: password.unwrap_or_default().into_bytes(),
        ..Login::default()
    });
    Ok(ClientConfig {
        announce: login.is_none() && keep_alive.is_some(),
        login,
        session: SessionConfig {
            window: usize::from(connector.window.max(1)),
            response_timeout,
            login_timeout: seconds(connector.bind_timeout_seconds),
            keep_alive,
            drain_timeout: response_timeout.min(DRAIN_MAX),
            ..SessionConfig::default()
        },
    })
}

/// What only UCP has, with its defaults.
pub(super) fn of(connector: &Connector) -> UcpSettings {
    connector.ucp.as_deref().cloned().unwrap_or_default()
}

/// How long a connection may take.
pub(super) fn connect_timeout(connector: &Connector) -> Duration {
    seconds(connector.bind_timeout_seconds)
}

/// The zone that the SMSC's clock is in. UTC for a name that is none; it was reported when the settings
/// were checked.
pub(super) fn zone(settings: &UcpSettings) -> TimeZone {
    TimeZoneDatabase::bundled().get(&settings.time_zone).unwrap_or(TimeZone::UTC)
}

/// A moment as the SMSC's clock shows it, to the minute; `None` for years that UCP can't write.
pub(super) fn on_its_clock(at: Timestamp, zone: &TimeZone) -> Option<UcpTime> {
    let moment = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    let civil = zone.to_datetime(moment);
    let unit = |value: i8| u8::try_from(value).unwrap_or(0);
    Some(UcpTime {
        year: u16::try_from(civil.year()).ok()?,
        month: unit(civil.month()),
        day: unit(civil.day()),
        hour: unit(civil.hour()),
        minute: unit(civil.minute()),
        second: None,
    })
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.max(1).into())
}
