//! What must be true of connectors that speak UCP/EMI.

use super::{has_port, is_digits, of_smpp_alone};
use crate::resources::{Connector, LongForm, UcpSubmit, ValidityForm};

/// Longest name and password of a UCP account here; SMSCs allow fewer.
const UCP_ACCOUNT_MAX: usize = 64;
/// UCP's transaction numbers are 00 to 99.
const UCP_WINDOW_MAX: u16 = 100;

pub(super) fn check(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
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
    if settings.submit != UcpSubmit::Submit && connector.long_messages == LongForm::Udh16 {
        fault("long_messages", "has no meaning with this ucp.submit, which carries no header");
    }
    if connector.validity == ValidityForm::Absolute {
        fault("validity", "has no meaning with protocol = \"ucp\"");
    }
    for field in of_smpp_alone(connector) {
        fault(field, "has no meaning with protocol = \"ucp\"");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connector;

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
