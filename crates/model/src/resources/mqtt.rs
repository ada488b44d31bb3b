//! An account's bridge to an MQTT broker.

use serde::{Deserialize, Serialize};

use super::{EventFilter, Secret, TlsSettings};
use crate::form;

/// Longest topic that others are below, in characters.
pub const MQTT_TOPIC_MAX: usize = 200;

/// `mqtt = { … }` of an account: the gateway connects to the broker, takes messages from it and publishes
/// events to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSettings {
    /// `mqtt://host:port`, or `mqtts://host:port` for TLS; the ports are 1883 and 8883 if they are left out.
    pub url: String,
    /// The user, if the broker wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Its password. One that is left out stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Client identifier; default `postrider-` and the account's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The topic that all others are below; default `postrider/` and the account's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Events that are published; none named is all of messages, `message.*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventFilter>,
    /// Messages that may be on their way to disk, and events that may be unanswered, at a time. Default 64.
    #[serde(default = "window", skip_serializing_if = "is_window")]
    pub window: u16,
    /// Seconds without a word before the broker is asked whether it is there. Default 30.
    #[serde(default = "keep_alive", skip_serializing_if = "is_keep_alive")]
    pub keep_alive_seconds: u16,
    /// TLS details for `mqtts://`.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
}

/// Where a broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broker<'a> {
    /// A name or an address, without brackets.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Is it spoken to by TLS?
    pub tls: bool,
}

impl MqttSettings {
    /// Where the broker is; `None` if the URL is none.
    #[must_use]
    pub fn broker(&self) -> Option<Broker<'_>> {
        let (tls, rest) = match self.url.split_once("://")? {
            ("mqtt", rest) => (false, rest),
            ("mqtts", rest) => (true, rest),
            _ => return None,
        };
        let usual = if tls { 8883 } else { 1883 };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (rest, usual),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let sound = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.chars().all(fits),
        };
        (sound && !host.is_empty() && port > 0).then_some(Broker { host: bare.unwrap_or(host), port, tls })
    }

    /// Each field that can't be used, and what it must be.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let topic = self.topic.as_deref().unwrap_or("t");
        let sound_topic = (1..=MQTT_TOPIC_MAX).contains(&topic.chars().count())
            && !topic.starts_with(['$', '/'])
            && !topic.ends_with('/')
            && !topic.contains(|c: char| matches!(c, '#' | '+') || c.is_control());
        let client_id = self.client_id.as_deref().unwrap_or("c");
        let plain =
            |text: &str, longest| (1..=longest).contains(&text.chars().count()) && !text.contains(char::is_control);
        [
            (self.broker().is_some(), "url", "must be mqtt://host:port, or mqtts://host:port for TLS"),
            (sound_topic, "topic", "must be up to 200 characters without wildcards, and begin with neither $ nor /"),
            (plain(client_id, 64), "client_id", "must be 1 to 64 printable characters"),
            (self.username.as_deref().is_none_or(|name| plain(name, 256)), "username", "must be up to 256 characters"),
            ((1..=1000).contains(&self.window), "window", "must be 1 to 1000"),
            ((5..=3600).contains(&self.keep_alive_seconds), "keep_alive_seconds", "must be 5 to 3600"),
            (
                self.tls.is_none() || self.broker().is_none_or(|broker| broker.tls),
                "tls",
                "has no meaning without mqtts://",
            ),
            (
                self.tls.as_ref().is_none_or(|tls| tls.server_name.is_none()),
                "tls",
                "server_name has no meaning here: the certificate must be for the host of the URL",
            ),
        ]
        .into_iter()
        .filter_map(|(good, field, detail)| (!good).then_some((field, detail)))
        .collect()
    }
}

fn window() -> u16 {
    64
}

fn is_window(given: &u16) -> bool {
    *given == window()
}

fn keep_alive() -> u16 {
    30
}

fn is_keep_alive(given: &u16) -> bool {
    *given == keep_alive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> MqttSettings {
        toml::from_str(&format!("url = '{url}'")).unwrap()
    }

    #[test]
    fn a_broker_has_a_host_and_mostly_a_port() {
        let found = |url: &str| at(url).broker().map(|broker| (broker.host.to_owned(), broker.port, broker.tls));
        assert_eq!(found("mqtt://broker.example"), Some(("broker.example".into(), 1883, false)));
        assert_eq!(found("mqtts://broker.example:1"), Some(("broker.example".into(), 1, true)));
        assert_eq!(found("mqtts://[::1]"), Some(("::1".into(), 8883, true)));
        assert_eq!(found("mqtt://[::1]:7/"), Some(("::1".into(), 7, false)));
        for bad in
            ["broker", "http://broker", "mqtt://", "mqtt://:1", "mqtt://h:0", "mqtt://h:x", "mqtt://u@h", "mqtt://[x]"]
        {
            assert_eq!(found(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_told() {
        let good = MqttSettings { topic: Some("fleet/a b".into()), ..at("mqtts://h") };
        assert_eq!(good.faults(), []);
        for topic in ["", "$SYS/x", "/a", "a/", "a/#", "a/+/b", &"x".repeat(201)] {
            assert_eq!(MqttSettings { topic: Some(topic.into()), ..good.clone() }.faults().len(), 1, "{topic}");
        }
        let tls = TlsSettings { server_name: Some("x".into()), ..TlsSettings::default() };
        let bad = MqttSettings {
            window: 0,
            keep_alive_seconds: 0,
            client_id: Some(String::new()),
            tls: Some(tls),
            ..at("mqtt://h")
        };
        assert_eq!(bad.faults().len(), 5);
    }
}
