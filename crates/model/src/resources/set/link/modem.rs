//! What must be true of connectors that are modems.

use super::{has_port, of_smpp_alone};
use crate::resources::Connector;

pub(super) fn check(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
    if !is_modem(&connector.address) {
        fault("address", "must be a device such as /dev/ttyUSB0, or tcp://host:port");
    }
    let settings = connector.modem.clone().unwrap_or_default();
    for (field, detail) in settings.faults() {
        fault(&format!("modem.{field}"), detail);
    }
    if connector.address.contains('*') && settings.imei.is_empty() {
        fault("modem.imei", "is missing: an address with * may be any of several modems");
    }
    if connector.sessions != 1 {
        fault("sessions", "must be 1: a modem has one line; make a connector of each modem, and a pool of them");
    }
    let c = connector;
    let others = [
        (!c.system_id.is_empty(), "system_id"),
        (c.password.is_some(), "password"),
        (c.tls.is_some(), "tls"),
        (c.query_after_seconds.is_some(), "query_after_seconds"),
    ];
    let others = others.into_iter().filter_map(|(is_set, field)| is_set.then_some(field));
    for field in others.chain(of_smpp_alone(connector)) {
        fault(field, "has no meaning with protocol = \"modem\"");
    }
}

/// Is it a device, a pattern of such, or `tcp://host:port`?
fn is_modem(address: &str) -> bool {
    match address.strip_prefix("tcp://") {
        Some(target) => !target.contains("://") && has_port(target, ["", ""]),
        None => address.starts_with('/') && !address.ends_with('/') && !address.contains('\0'),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connector;

    #[test]
    fn a_modem_is_a_device_or_something_like_ser2net() {
        let modem = |more: &str| connector(&format!("protocol = \"modem\"\n{more}"));
        let good =
            "modem = { pin = \"1234\", smsc = \"+447785016005\", limits = { per_hour = 20 }, init = [\"AT^CURC=0\"] }";
        assert_eq!(modem(&format!("address = \"tcp://h:1\"\n{good}")), Vec::<String>::new());
        assert_eq!(modem("address = \"/dev/serial/by-id/usb-x\""), Vec::<String>::new());
        assert_eq!(modem("address = \"/dev/ttyUSB*\"\nmodem = { imei = \"490154203237518\" }"), Vec::<String>::new());
        for bad in ["h:1", "smpp://h:1", "tcp://h", "tcp://tcp://h:1", "/dev/", "", "/dev/ttyUSB*"] {
            assert_eq!(modem(&format!("address = \"{bad}\"")).len(), 1, "{bad}");
        }
        let bad = "address = \"/dev/x\"\nsessions = 2\nsystem_id = \"x\"\nplus_sign = true\nlong_messages = \"sar\"\n\
                   modem = { baud = 1, init = [\"rm -rf\"], limits = { per_day = 0 }, storage = \"SM;AT\" }";
        assert_eq!(modem(bad).len(), 8);
        assert_eq!(connector("protocol = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"x\"\nmodem = {}").len(), 1);
    }
}
