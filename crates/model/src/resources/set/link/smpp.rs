//! What must be true of connectors that speak SMPP.

use super::has_port;
use crate::resources::{BindKind, Connector, OutbindSettings};

pub(super) fn check(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
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

#[cfg(test)]
mod tests {
    use super::super::tests::connector;

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
}
