//! What a connector that speaks CIMD2 needs beside what all connectors have.

use std::collections::BTreeMap;

use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

/// Parameters that are set, or asked for, after a login.
const ASKED_MAX: usize = 32;
/// What is said in logins, and a password is not changed at each of them.
const OF_LOGINS: [&str; 4] = ["010", "011", "012", "019"];

/// `cimd2 = { … }` of a connector: the choices that real SMSCs ask for. All have defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cimd2Settings {
    /// Subaddress (012) of the first session; further sessions count on from it. None is sent by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subaddress: Option<u16>,
    /// Say in the login how large the window is (019), if it is more than 1. Default true. Where the SMSC refuses
    /// that, the next login says nothing, and the window is 1.
    pub announce_window: bool,
    /// Send checksums. Default true.
    pub checksum: bool,
    /// Ask for the account's messages and reports after the login (05). Default false: the SMSC sends them by itself.
    pub delivery_request: bool,
    /// What stands for the `+` of an international recipient. Default nothing.
    pub international_prefix: String,
    /// Send numbers as senders (023). Default true; names (027) are always sent.
    pub originator: bool,
    /// The account's own number, which the SMSC puts before each sender: it is taken off senders that begin with it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub own_number: String,
    /// Which reports are asked for where a receipt is wanted (056), as a sum: 1 temporary error, 2 expired, 4 failed,
    /// 8 delivered, 16 cancelled, 32 deleted. Default 62, every end.
    pub status_reports: u8,
    /// Say that messages may be canceled (058). Default false.
    pub cancel_enabled: bool,
    /// Which messages a cancel means (059). Default 2, the one with this recipient and time stamp.
    pub cancel_mode: u8,
    /// Pass priorities on (067). Default false: not every account may.
    pub priority: bool,
    /// Tariff class (064).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff_class: Option<u8>,
    /// Service description (065).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_description: Option<u8>,
    /// IANA name of the time zone that the SMSC's clock is in, for absolute validity. Default UTC.
    pub time_zone: String,
    /// Parameters that are set after each login (08), by their numbers of three digits: `{ 056 = "14" }`. At most 32.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Parameters that the SMSC is asked for after each login (09), by their numbers; 501 is its time. At most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub get: Vec<u16>,
}

impl Default for Cimd2Settings {
    fn default() -> Self {
        Self {
            subaddress: None,
            announce_window: true,
            checksum: true,
            delivery_request: false,
            international_prefix: String::new(),
            originator: true,
            own_number: String::new(),
            status_reports: 62,
            cancel_enabled: false,
            cancel_mode: 2,
            priority: false,
            tariff_class: None,
            service_description: None,
            time_zone: "UTC".into(),
            set: BTreeMap::new(),
            get: Vec::new(),
        }
    }
}

impl Cimd2Settings {
    /// Each field that can't be sent as it is, and what it must be.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let digits = |text: &str, longest| text.len() <= longest && text.bytes().all(|octet| octet.is_ascii_digit());
        let named = |number: &String| matches!(number.as_bytes(), [b'0'..=b'4', rest @ ..] if digits(number, 3) && rest.len() == 2);
        let settable = |number: &String| named(number) && !OF_LOGINS.contains(&number.as_str());
        let prefix = self.international_prefix.strip_prefix('+').unwrap_or(&self.international_prefix);
        [
            (digits(prefix, 4), "international_prefix", "must be up to 4 digits, or +"),
            (digits(&self.own_number, 19), "own_number", "must be up to 19 digits"),
            (self.status_reports <= 63, "status_reports", "must be 0 to 63"),
            (self.cancel_mode <= 2, "cancel_mode", "must be 0 to 2"),
            (self.tariff_class.is_none_or(|class| class <= 99), "tariff_class", "must be 0 to 99"),
            (self.service_description.is_none_or(|it| it <= 9), "service_description", "must be 0 to 9"),
            (self.subaddress.is_none_or(|first| first <= 900), "subaddress", "must be 0 to 900"),
            (
                self.set.len() <= ASKED_MAX && self.set.keys().all(settable),
                "set",
                "must name up to 32 parameters by three digits each, such as 056, and none of the login",
            ),
            (self.set.values().all(|value| is_plain(value, 480)), "set", "must have plain characters as values"),
            (
                self.get.len() <= ASKED_MAX && self.get.iter().all(|number| (20..900).contains(number)),
                "get",
                "must name up to 32 parameters by numbers from 20 to 899, such as 501",
            ),
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

/// Can it stand in a parameter?
pub(super) fn is_plain(text: &str, longest: usize) -> bool {
    text.len() <= longest && text.bytes().all(|octet| (0x20..0x7F).contains(&octet))
}
