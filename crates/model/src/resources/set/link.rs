//! What must be true of connectors.

use super::Faults;
use crate::resources::{
    BindKind, Connector, DefaultAlphabet, FlashForm, InterfaceVersion, Kind, LongForm, OutbindSettings, Protocol,
    ReceiptIdForm, UcpSubmit, ValidityForm,
};

/// Longest name and password of a UCP account here; SMSCs allow fewer.
const UCP_ACCOUNT_MAX: usize = 64;
/// UCP's transaction numbers are 00 to 99.
const UCP_WINDOW_MAX: u16 = 100;

impl Faults {
    pub(super) fn connector(&mut self, connector: &Connector) {
        let mut fault = |field: &str, detail: &str| self.add(Kind::Connector, &connector.id, field, detail.to_owned());
        match connector.protocol {
            Protocol::Smpp => smpp(connector, &mut fault),
            Protocol::Ucp => ucp(connector, &mut fault),
        }
        for (field, detail) in connector.pace.iter().flat_map(|pace| pace.faults()) {
            fault(&format!("pace.{field}"), &detail);
        }
        if connector.query_after_seconds == Some(0) {
            fault("query_after_seconds", "must be at least 1; leave it out to ask nothing");
        }
        if !(1..=64).contains(&connector.sessions) {
            fault("sessions", "must be 1 to 64");
        }
        if connector.throughput == Some(0) {
            fault("throughput", "must be at least 1 part a second; set enabled = false to stop a connector");
        }
        if connector.reconnect.min_ms == 0 || connector.reconnect.min_ms > connector.reconnect.max_ms {
            fault("reconnect", "min_ms must be at least 1 and at most max_ms");
        }
        if let Some(cost) = &connector.cost {
            self.prices(Kind::Connector, &connector.id, "cost", cost);
        }
        for status in connector.status_overrides.keys().filter(|s| parse_status(s).is_none()) {
            let detail = format!("\"{status}\" is no number such as \"0x45\"");
            self.add(Kind::Connector, &connector.id, "status_overrides", detail);
        }
    }
}

fn smpp(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
    let addressed = has_port(&connector.address, ["smpp", "smpps"]);
    match &connector.outbind {
        None if connector.address.is_empty() => {
            fault("address", "is missing: host:port, or smpps://host:port for TLS");
        }
        None if !addressed => fault("address", "must be host:port, or smpps://host:port for TLS"),
        None => {}
        Some(outbind) => outbound(connector, outbind, fault),
    }
    if connector.system_id.is_empty() || connector.system_id.len() > 15 || !connector.system_id.is_ascii() {
        fault("system_id", "must be 1 to 15 ASCII characters (SMPP 3.4 §5.2.1)");
    }
    if !(1..=10_000).contains(&connector.window) {
        fault("window", "must be 1 to 10000");
    }
    if connector.ucp.is_some() {
        fault("ucp", "has no meaning with protocol = \"smpp\"");
    }
}

fn outbound(connector: &Connector, outbind: &OutbindSettings, fault: &mut impl FnMut(&str, &str)) {
    if !connector.address.is_empty() {
        fault("address", "has no meaning with outbind: the carrier connects; leave it out");
    }
    if !matches!(connector.bind, BindKind::Receiver | BindKind::Transceiver) {
        fault("bind", "must be receiver or transceiver with outbind (SMPP 3.4 §4.1.7)");
    }
    if outbind.allow.is_empty() {
        fault("outbind.allow", "must name at least one network that the carrier comes from");
    }
    if outbind.system_id.is_empty() && outbind.password.is_none() {
        fault("outbind", "needs a system_id or a password to know the carrier by");
    }
}

fn ucp(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
    if !has_port(&connector.address, ["ucp", "ucps"]) {
        fault("address", "must be host:port, or ucps://host:port for TLS");
    }
    let settings = connector.ucp.clone().unwrap_or_default();
    if settings.login && connector.system_id.is_empty() {
        fault("system_id", "is missing: the name or short code to log in with; or set ucp.login = false");
    }
    if !crate::resources::ucp::is_plain(&connector.system_id, UCP_ACCOUNT_MAX) {
        fault("system_id", "must be up to 64 printable characters without a slash");
    }
    if !(1..=UCP_WINDOW_MAX).contains(&connector.window) {
        fault("window", "must be 1 to 100: UCP has no more transaction numbers");
    }
    for (field, detail) in settings.faults() {
        fault(&format!("ucp.{field}"), detail);
    }
    if settings.alert && settings.alert_address.is_none() && !is_digits(&connector.system_id) {
        fault("ucp.alert_address", "is missing: the system_id is no number; or set ucp.alert = false");
    }
    if settings.submit != UcpSubmit::Submit && connector.long_messages != LongForm::Udh {
        fault("long_messages", "has no meaning with this ucp.submit, which carries no header");
    }
    if matches!(connector.long_messages, LongForm::Sar | LongForm::Payload) {
        fault("long_messages", "must be udh or udh16");
    }
    for field in of_smpp_alone(connector) {
        fault(field, "has no meaning with protocol = \"ucp\"");
    }
}

/// Options that are set and that only SMPP has.
fn of_smpp_alone(connector: &Connector) -> impl Iterator<Item = &'static str> + use<> {
    let c = connector;
    let set = [
        (c.outbind.is_some(), "outbind"),
        (!c.system_type.is_empty(), "system_type"),
        (c.bind != BindKind::default(), "bind"),
        (c.interface_version != InterfaceVersion::default(), "interface_version"),
        (!c.address_range.is_empty(), "address_range"),
        (c.inactivity_seconds.is_some(), "inactivity_seconds"),
        (c.default_alphabet != DefaultAlphabet::default(), "default_alphabet"),
        (c.flash != FlashForm::default(), "flash"),
        (c.validity == ValidityForm::Absolute, "validity"),
        (!c.service_type.is_empty(), "service_type"),
        (c.source.is_some(), "source"),
        (c.destination.is_some(), "destination"),
        (c.plus_sign, "plus_sign"),
        (c.receipt_id != ReceiptIdForm::default(), "receipt_id"),
        (c.receipt_text_first, "receipt_text_first"),
        (!c.receipt_by_look, "receipt_by_look"),
        (!c.receipt_states.is_empty(), "receipt_states"),
    ];
    set.into_iter().filter_map(|(is_set, field)| is_set.then_some(field))
}

/// Is it `host:port`, perhaps behind one of these schemes?
fn has_port(address: &str, schemes: [&str; 2]) -> bool {
    let target = match address.split_once("://") {
        Some((scheme, target)) if schemes.contains(&scheme) => target,
        Some(_) => return false,
        None => address,
    };
    let port = target.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    port.is_some_and(|(host, port)| !host.is_empty() && port > 0)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// A `command_status` as a key of `status_overrides` writes it: `0x45`, or decimal.
#[must_use]
pub fn parse_status(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;
    use super::*;

    fn connector(more: &str) -> Vec<String> {
        faults(&format!("[[connector]]\nid = \"a\"\n{more}"))
    }

    #[test]
    fn a_connector_connects_or_is_connected_to() {
        let outbind = |with: &str, more: &str| {
            let listens = format!("outbind = {{ listen = \"127.0.0.1:2776\", {with} }}");
            connector(&format!("protocol = \"smpp\"\nsystem_id = \"x\"\n{listens}\n{more}"))
        };
        let good = "system_id = \"mc\", password = \"s\", allow = [\"192.0.2.0/24\", \"2001:db8::1/128\"]";
        assert_eq!(outbind(good, ""), Vec::<String>::new());
        assert_eq!(outbind("allow = []", "").len(), 2);
        assert_eq!(outbind(good, "address = \"h:1\"\nbind = \"transmitter\"").len(), 2);
    }

    #[test]
    fn status_keys_are_hexadecimal_or_decimal() {
        assert_eq!(parse_status("0x45"), Some(0x45));
        assert_eq!(parse_status("69"), Some(0x45));
        assert_eq!(parse_status("ESME"), None);
    }

    #[test]
    fn addresses_have_the_scheme_of_their_protocol_or_none() {
        for (protocol, scheme) in [("smpp", "smpps"), ("ucp", "ucps")] {
            let with = |address: &str| {
                connector(&format!("protocol = \"{protocol}\"\nsystem_id = \"1\"\naddress = \"{address}\""))
            };
            for good in ["h:1", "[::1]:5000", &format!("{scheme}://h:1")] {
                assert_eq!(with(good), Vec::<String>::new(), "{good}");
            }
            for bad in ["", "h", "h:0", ":1", "h:70000", "http://h:1", "ftp://h:1"] {
                assert_eq!(with(bad).len(), 1, "{protocol} {bad}");
            }
        }
    }

    #[test]
    fn a_ucp_connector_has_what_ucp_has() {
        let ucp = |more: &str| connector(&format!("protocol = \"ucp\"\naddress = \"h:1\"\n{more}"));
        let good = "system_id = \"shop\"\nwindow = 100\nlong_messages = \"udh16\"\nucp = { account = { ton = 1, npi = 1 }, \
                    time_zone = \"Europe/Berlin\", alert_address = \"12345\", international_prefix = \"\" }";
        assert_eq!(ucp(good), Vec::<String>::new());
        assert_eq!(ucp("ucp = { login = false, alert = false }"), Vec::<String>::new());
        assert_eq!(ucp("system_id = \"a/b\"\nwindow = 101").len(), 3, "the name is no number for alerts, too");
        assert_eq!(ucp("system_id = \"1\"\nplus_sign = true\nbind = \"receiver\"\nlong_messages = \"sar\"").len(), 3);
        let bad = "system_id = \"1\"\nucp = { time_zone = \"Berlin\", notification_pid = \"x\", alert_address = \"\", \
                   account = { ton = 10, npi = 0 }, authentication_code = \"a/b\", international_prefix = \"+\" }";
        assert_eq!(ucp(bad).len(), 6);
        let old = "system_id = \"1\"\nlong_messages = \"udh16\"\nucp = { submit = \"30\" }";
        assert_eq!(ucp(old).len(), 1);
        assert_eq!(connector("protocol = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"x\"\nucp = {}").len(), 1);
    }
}
