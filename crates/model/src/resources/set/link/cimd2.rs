//! What must be true of connectors that speak CIMD2.

use super::{has_port, of_smpp_alone};
use crate::resources::Connector;

/// The longest user and password of a login (010, 011).
const USER_MAX: usize = 32;
/// One less than there are packet numbers.
const WINDOW_MAX: u16 = 127;

pub(super) fn check(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
    if !has_port(&connector.address, ["cimd2", "cimd2s"]) {
        fault("address", "must be host:port, or cimd2s://host:port for TLS");
    }
    if connector.system_id.is_empty() || !crate::resources::cimd2::is_plain(&connector.system_id, USER_MAX) {
        fault("system_id", "must be 1 to 32 printable characters: the user of the login");
    }
    if !(1..=WINDOW_MAX).contains(&connector.window) {
        fault("window", "must be 1 to 127: CIMD2 has no more packet numbers");
    }
    for (field, detail) in connector.cimd2.iter().flat_map(|settings| settings.faults()) {
        fault(&format!("cimd2.{field}"), detail);
    }
    for field in of_smpp_alone(connector) {
        fault(field, "has no meaning with protocol = \"cimd2\"");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connector;

    #[test]
    fn a_cimd2_connector_has_what_cimd2_has() {
        let cimd2 = |more: &str| connector(&format!("protocol = \"cimd2\"\naddress = \"h:1\"\n{more}"));
        let good = "system_id = \"shop\"\nwindow = 127\nlong_messages = \"udh16\"\nvalidity = \"absolute\"\n\
                    cimd2 = { subaddress = 1, international_prefix = \"+\", time_zone = \"Europe/Helsinki\" }";
        assert_eq!(cimd2(good), Vec::<String>::new());
        assert_eq!(cimd2("window = 128").len(), 2, "there is no user either");
        assert_eq!(cimd2("system_id = \"1\"\nplus_sign = true\nbind = \"receiver\"\nlong_messages = \"sar\"").len(), 3);
        let bad = "system_id = \"1\"\ncimd2 = { time_zone = \"Helsinki\", status_reports = 64, cancel_mode = 3, \
                   own_number = \"+1\", service_description = 10, tariff_class = 100, subaddress = 901, \
                   international_prefix = \"00000\" }";
        assert_eq!(cimd2(bad).len(), 8);
        assert_eq!(connector("protocol = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"x\"\ncimd2 = {}").len(), 1);
    }
}
