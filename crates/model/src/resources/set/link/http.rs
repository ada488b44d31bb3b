//! What must be true of connectors that speak HTTP.

use super::of_smpp_alone;
use crate::resources::{Connector, LongForm, ValidityForm, http};
use crate::url;

/// Longest name that an HTTP API knows us by.
const SYSTEM_ID_MAX: usize = 64;
/// Requests that a session may have under way.
const WINDOW_MAX: u16 = 1000;

pub(super) fn check(connector: &Connector, fault: &mut impl FnMut(&str, &str)) {
    if !url::is_web(&connector.address) || connector.address.contains(['?', '#', '@']) {
        fault("address", "must be https:// or http:// and a host, perhaps with a path");
    }
    if connector.address.ends_with('/') {
        fault("address", "must not end with a slash: the paths that follow it begin with one");
    }
    if connector.system_id.len() > SYSTEM_ID_MAX || !connector.system_id.bytes().all(|b| b.is_ascii_graphic()) {
        fault("system_id", "must be up to 64 printable characters without spaces");
    }
    if !(1..=WINDOW_MAX).contains(&connector.window) {
        fault("window", "must be 1 to 1000 requests");
    }
    for (field, detail) in http::faults(connector) {
        let field = if field.is_empty() { "http".to_owned() } else { format!("http.{field}") };
        fault(&field, &detail);
    }
    let parts = connector.http.as_ref().is_some_and(|http| http.parts);
    let others = [
        (!parts && connector.long_messages == LongForm::Udh16, "long_messages"),
        (!connector.status_overrides.is_empty(), "status_overrides"),
        (connector.validity == ValidityForm::Absolute, "validity"),
        (connector.protocol_id != 0, "protocol_id"),
    ];
    let others = others.into_iter().filter_map(|(is_set, field)| is_set.then_some(field));
    // What ids look like is the same question as over SMPP.
    for field in of_smpp_alone(connector).filter(|field| *field != "receipt_id").chain(others) {
        fault(field, "has no meaning with protocol = \"http\"");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::connector;

    #[test]
    fn an_http_connector_has_what_http_has() {
        let http = |address: &str, more: &str| {
            connector(&format!(
                "protocol = \"http\"\naddress = \"{address}\"\nsystem_id = \"AC1\"\npassword = \"p\"\n{more}"
            ))
        };
        let twilio = "http = { preset = \"twilio\" }";
        for good in ["https://api.twilio.com", "http://[::1]:8090", "https://x.example/sms/v1"] {
            assert_eq!(http(good, twilio), Vec::<String>::new(), "{good}");
        }
        for bad in ["", "api.twilio.com", "h:1", "https://x/", "https://x?a=b", "https://me@x"] {
            assert_eq!(http(bad, twilio).len(), 1, "{bad}");
        }
        let parts = "http = { preset = \"twilio\", parts = true }\nlong_messages = \"udh16\"\nreceipt_id = \"loose\"";
        assert_eq!(http("https://x", parts), Vec::<String>::new());
        let others =
            "plus_sign = true\nlong_messages = \"udh16\"\nwindow = 1001\nprotocol_id = 1\nvalidity = \"absolute\"";
        assert_eq!(http("https://x", &format!("{others}\n{twilio}")).len(), 5);
        assert_eq!(connector(&format!("protocol = \"smpp\"\naddress = \"h:1\"\nsystem_id = \"x\"\n{twilio}")).len(), 1);
    }
}
