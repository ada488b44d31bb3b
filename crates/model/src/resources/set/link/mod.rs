//! What must be true of connectors.

mod cimd2;
mod http;
mod modem;
mod smpp;
mod ucp;

use super::Faults;
use crate::resources::{
    BindKind, Connector, DefaultAlphabet, FlashForm, InterfaceVersion, Kind, LongForm, Protocol, ReceiptIdForm,
};

impl Faults {
    pub(super) fn connector(&mut self, connector: &Connector) {
        let mut fault = |field: &str, detail: &str| self.add(Kind::Connector, &connector.id, field, detail.to_owned());
        match connector.protocol {
            Protocol::Smpp => smpp::check(connector, &mut fault),
            Protocol::Ucp => ucp::check(connector, &mut fault),
            Protocol::Cimd2 => cimd2::check(connector, &mut fault),
            Protocol::Http => http::check(connector, &mut fault),
            Protocol::Modem => modem::check(connector, &mut fault),
        }
        let own = [
            (Protocol::Ucp, connector.ucp.is_some()),
            (Protocol::Cimd2, connector.cimd2.is_some()),
            (Protocol::Http, connector.http.is_some()),
            (Protocol::Modem, connector.modem.is_some()),
        ];
        for (protocol, is_set) in own {
            if is_set && protocol != connector.protocol {
                fault(
                    protocol.as_str(),
                    &format!("has no meaning with protocol = \"{}\"", connector.protocol.as_str()),
                );
            }
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
        (!c.service_type.is_empty(), "service_type"),
        (c.source.is_some(), "source"),
        (c.destination.is_some(), "destination"),
        (c.plus_sign, "plus_sign"),
        (c.receipt_id != ReceiptIdForm::default(), "receipt_id"),
        (c.receipt_text_first, "receipt_text_first"),
        (!c.receipt_by_look, "receipt_by_look"),
        (!c.receipt_states.is_empty(), "receipt_states"),
        (matches!(c.long_messages, LongForm::Sar | LongForm::Payload), "long_messages"),
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

    pub(super) fn connector(more: &str) -> Vec<String> {
        faults(&format!("[[connector]]\nid = \"a\"\n{more}"))
    }

    #[test]
    fn status_keys_are_hexadecimal_or_decimal() {
        assert_eq!(parse_status("0x45"), Some(0x45));
        assert_eq!(parse_status("69"), Some(0x45));
        assert_eq!(parse_status("ESME"), None);
    }

    #[test]
    fn addresses_have_the_scheme_of_their_protocol_or_none() {
        for (protocol, scheme) in [("smpp", "smpps"), ("ucp", "ucps"), ("cimd2", "cimd2s")] {
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
}
