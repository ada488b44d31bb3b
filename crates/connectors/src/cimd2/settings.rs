//! A connector's settings as its CIMD2 sessions need them.

use std::time::Duration;

use cimd2::{AbsoluteTime, ClientConfig, SessionConfig};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::Timestamp;
use model::resources::{Cimd2Settings, Connector, SecretError};

/// How long each step of an orderly end may take.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Do two settings lead to the same logins? What else differs takes effect without a new one.
#[must_use]
pub(crate) fn same_login(one: &Connector, other: &Connector) -> bool {
    fn key(connector: &Connector) -> impl PartialEq + use<> {
        let c = connector.clone();
        let cimd2 = c.cimd2.unwrap_or_default();
        let who = (c.protocol, c.address, c.system_id, c.password, c.tls, cimd2.subaddress);
        let how = (c.sessions, c.window, cimd2.announce_window, cimd2.checksum, cimd2.delivery_request);
        let first = (cimd2.set, cimd2.get);
        let when = (c.enquire_link_seconds, c.response_timeout_seconds, c.bind_timeout_seconds);
        (who, how, first, when)
    }
    key(one) == key(other)
}

/// The protocol session's settings, for a connector's session of this number. Without `with_window` the
/// login says nothing of a window, and there is none.
pub(super) fn client_config(
    connector: &Connector,
    session: u16,
    with_window: bool,
) -> Result<ClientConfig, SecretError> {
    let cimd2 = of(connector);
    let password = connector.password.as_ref().map(|password| password.reveal()).transpose()?;
    let response_timeout = seconds(connector.response_timeout_seconds);
    let interval = seconds(connector.enquire_link_seconds);
    let window = if with_window { usize::from(connector.window.max(1)) } else { 1 };
    Ok(ClientConfig {
        user: connector.system_id.clone().into_bytes(),
        password: password.unwrap_or_default().into_bytes(),
        subaddress: cimd2.subaddress.map(|first| first.saturating_add(session)),
        announce_window: cimd2.announce_window && window > 1,
        session: SessionConfig {
            window,
            response_timeout,
            login_timeout: seconds(connector.bind_timeout_seconds),
            alive_interval: Some(interval),
            alive_timeout: Some(interval.min(response_timeout)),
            drain_timeout: response_timeout.min(DRAIN_MAX),
            send_checksum: cimd2.checksum,
            ..SessionConfig::default()
        },
    })
}

/// What only CIMD2 has, with its defaults.
pub(super) fn of(connector: &Connector) -> Cimd2Settings {
    connector.cimd2.as_deref().cloned().unwrap_or_default()
}

/// How long a connection may take.
pub(super) fn connect_timeout(connector: &Connector) -> Duration {
    seconds(connector.bind_timeout_seconds)
}

/// The zone that the SMSC's clock is in. UTC for a name that is none; it was reported when the settings
/// were checked.
pub(super) fn zone(settings: &Cimd2Settings) -> TimeZone {
    TimeZoneDatabase::bundled().get(&settings.time_zone).unwrap_or(TimeZone::UTC)
}

/// A moment as the SMSC's clock shows it; `None` for years that CIMD2 can't write.
pub(super) fn on_its_clock(at: Timestamp, zone: &TimeZone) -> Option<[u8; 12]> {
    let moment = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
    let civil = zone.to_datetime(moment);
    let unit = |value: i8| u8::try_from(value).unwrap_or(0);
    let time = AbsoluteTime {
        year: u16::try_from(civil.year()).ok()?,
        month: unit(civil.month()),
        day: unit(civil.day()),
        hour: unit(civil.hour()),
        minute: unit(civil.minute()),
        second: unit(civil.second()),
    };
    time.to_wire().ok()
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.max(1).into())
}
