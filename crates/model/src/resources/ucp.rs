//! What a connector that speaks UCP/EMI needs beside what all connectors have.

use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

use super::AddressForm;

/// `ucp = { … }` of a connector: the choices that real SMSCs ask for. All have defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UcpSettings {
    /// Log in with operation 60. Default true; false where the SMSC knows us by our address.
    pub login: bool,
    /// Type and plan of the account's name in operation 60. Default 6 (abbreviated) and 5 (private).
    pub account: AddressForm,
    /// The operation that messages are sent with.
    pub submit: UcpSubmit,
    /// What stands for the `+` of an international recipient. Default `00`; may be nothing.
    pub international_prefix: String,
    /// Authentication code of the originator (AC), where the SMSC wants one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authentication_code: String,
    /// Where notifications are to go (NAdC); the originator otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notification_address: String,
    /// What kind of terminal that is (NPID), such as `0539`, a computer over TCP/IP.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notification_pid: String,
    /// Address in the alert (31) that keeps a quiet session alive each `enquire_link_seconds`. The
    /// `system_id` if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_address: Option<String>,
    /// Send alerts at all. Default true.
    pub alert: bool,
    /// Answer what the SMSC sends with `AdC:SCTS` instead of nothing: some insist on it. Default false.
    pub echo: bool,
    /// IANA name of the time zone that the SMSC's clock is in. Default UTC.
    pub time_zone: String,
}

impl Default for UcpSettings {
    fn default() -> Self {
        Self {
            login: true,
            account: AddressForm { ton: 6, npi: 5 },
            submit: UcpSubmit::default(),
            international_prefix: "00".into(),
            authentication_code: String::new(),
            notification_address: String::new(),
            notification_pid: String::new(),
            alert_address: None,
            alert: true,
            echo: false,
            time_zone: "UTC".into(),
        }
    }
}

/// The operation that messages are sent with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UcpSubmit {
    /// 51: everything that UCP can.
    #[default]
    #[serde(rename = "51")]
    Submit,
    /// 30: plain texts in one part, with notifications.
    #[serde(rename = "30")]
    Transfer,
    /// 01: plain texts in one part, without receipts.
    #[serde(rename = "01")]
    CallInput,
}

impl UcpSettings {
    /// Each field that can't be sent as it is, and what it must be.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let digits = |text: &str, longest| text.len() <= longest && text.bytes().all(|octet| octet.is_ascii_digit());
        let alert_address = self.alert_address.as_deref().unwrap_or("1");
        [
            (digits(&self.international_prefix, 4), "international_prefix", "must be up to 4 digits"),
            (digits(&self.notification_address, 16), "notification_address", "must be up to 16 digits"),
            (digits(&self.notification_pid, 4), "notification_pid", "must be up to 4 digits, such as 0539"),
            (
                digits(alert_address, 16) && !alert_address.is_empty(),
                "alert_address",
                "must be 1 to 16 digits; set alert = false to send no alerts",
            ),
            (is_plain(&self.authentication_code, 16), "authentication_code", "must be up to 16 printable characters"),
            (self.account.ton <= 9 && self.account.npi <= 9, "account", "ton and npi are one digit each"),
            (
                TimeZoneDatabase::bundled().get(&self.time_zone).is_ok(),
                "time_zone",
                "is no IANA time zone such as Europe/Berlin",
            ),
        ]
        .into_iter()
        .filter_map(|(good, field, detail)| (!good).then_some((field, detail)))
        .collect()
    }
}

/// Can it stand in a field of a frame?
pub(super) fn is_plain(text: &str, longest: usize) -> bool {
    text.len() <= longest && text.bytes().all(|octet| (0x20..0x7F).contains(&octet) && octet != b'/')
}
