//! From what is published to what is asked, and from what became of it to what is published about it. Pure.

use engine::Idempotency;
use model::{Ingress, Submission};
use ring::digest::{self, SHA256};
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};

use crate::http::json;
use crate::http::problem::{Problem, catalogue};

/// The user property that names a message, so that it is taken once however often it is published.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest such key, as over HTTP.
const KEY_MAX: usize = 255;

/// A message that somebody wants sent.
#[derive(Debug)]
pub(super) struct Asked {
    pub submission: Submission,
    /// Its key, and the fingerprint of what was asked under it.
    pub key: Option<(String, [u8; 32])>,
}

/// Where an answer goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReplyTo {
    /// As the publisher asked.
    pub topic: Option<String>,
    pub properties: PublishProperties,
}

impl Asked {
    /// Reads what was published at `topic`, which is the bridge's own and what is below it.
    pub fn read(base: &str, publish: &Publish) -> Result<Self, Problem> {
        let topic = std::str::from_utf8(&publish.topic).unwrap_or_default();
        let below = topic.strip_prefix(base).and_then(|rest| rest.strip_prefix("/send")).unwrap_or_default();
        let submission = match below.strip_prefix('/') {
            None => json::parse::<Submission>(&publish.payload)?,
            Some(number) => plain(number, &publish.payload)?,
        };
        let submission = Submission { ingress: Ingress::Mqtt, ..submission };
        Ok(Self { submission, key: key_of(publish)? })
    }

    /// The key, as the engine takes it.
    pub fn idempotency(&self) -> Option<Idempotency<'_>> {
        self.key.as_ref().map(|(key, fingerprint)| Idempotency { key, fingerprint: *fingerprint })
    }
}

/// Is this a topic at which messages are handed in, below `base`?
pub(super) fn is_sending(base: &str, topic: &str) -> bool {
    let below = topic.strip_prefix(base).and_then(|rest| rest.strip_prefix("/send"));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A text to a number, from the account's usual sender.
fn plain(number: &str, payload: &[u8]) -> Result<Submission, Problem> {
    let text = std::str::from_utf8(payload).map_err(|_| {
        Problem::new(&catalogue::INVALID).detail("1 field is wrong").fault("/text", "must be text in UTF-8")
    })?;
    Ok(Submission { to: number.to_owned(), text: Some(text.to_owned()), ..Submission::default() })
}

fn key_of(publish: &Publish) -> Result<Option<(String, [u8; 32])>, Problem> {
    let properties = publish.properties.iter().flat_map(|properties| &properties.user_properties);
    let mut keys = properties.filter(|(name, _)| name.eq_ignore_ascii_case(IDEMPOTENCY_KEY));
    let Some((_, key)) = keys.next() else { return Ok(None) };
    if !(1..=KEY_MAX).contains(&key.len()) || key.contains(|c: char| !c.is_ascii_graphic() && c != ' ') {
        let detail = "an idempotency-key has 1 to 255 printable ASCII characters";
        return Err(Problem::new(&catalogue::INVALID).detail(detail));
    }
    let mut asked = digest::Context::new(&SHA256);
    asked.update(b"MQTT ");
    asked.update(&publish.topic);
    asked.update(b"\n");
    asked.update(&publish.payload);
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(asked.finish().as_ref());
    Ok(Some((key.clone(), fingerprint)))
}

impl ReplyTo {
    /// Where the publisher wants its answer, and what it is to be recognised by (MQTT 5.0 §4.10).
    pub fn of(base: &str, publish: &Publish) -> Self {
        let asked = publish.properties.as_ref();
        let topic = asked.and_then(|asked| asked.response_topic.clone());
        // An answer that would be a request again, or can't be published.
        let topic = topic.filter(|topic| {
            let sends = topic.ends_with("/send") || topic.contains("/send/") || is_sending(base, topic);
            !topic.is_empty() && !topic.contains(['+', '#']) && !topic.starts_with('$') && !sends
        });
        let properties = PublishProperties {
            content_type: Some("application/json".into()),
            correlation_data: asked.and_then(|asked| asked.correlation_data.clone()),
            ..PublishProperties::default()
        };
        Self { topic, properties }
    }
}

/// The client's own reference in what can't be taken, so that its application knows it again.
pub(super) fn client_ref(payload: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
    Some(value.get("client_ref")?.as_str()?.chars().take(128).collect())
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::mqttbytes::QoS;

    use super::*;

    fn published(topic: &str, payload: &str) -> Publish {
        Publish::new(topic, QoS::AtLeastOnce, payload.to_owned(), None)
    }

    #[test]
    fn a_message_is_json_or_a_text_to_a_number() {
        let json = published("fleet/a/send", r#"{"to":"+447700900123","text":"hello","client_ref":"7"}"#);
        let asked = Asked::read("fleet/a", &json).unwrap();
        assert_eq!((&*asked.submission.to, asked.submission.text.as_deref()), ("+447700900123", Some("hello")));
        assert_eq!((asked.submission.ingress, asked.key), (Ingress::Mqtt, None));
        assert_eq!(client_ref(&json.payload).as_deref(), Some("7"));
        let plain = Asked::read("fleet/a", &published("fleet/a/send/+4912", "{}")).unwrap();
        assert_eq!((&*plain.submission.to, plain.submission.text.as_deref()), ("+4912", Some("{}")));
    }

    #[test]
    fn what_is_no_message_is_a_problem() {
        let problem = |payload: &str| Asked::read("b", &published("b/send", payload)).unwrap_err().entry.code;
        assert_eq!((problem(""), problem("{"), problem("[]")), ("malformed_json", "malformed_json", "invalid"));
        assert_eq!(problem(r#"{"to":"1","text":"x","colour":"red"}"#), "invalid");
        // An ingress is not to be claimed.
        assert_eq!(problem(r#"{"to":"1","text":"x","ingress":"smpp"}"#), "invalid");
        let octets = Publish { payload: vec![0xFF].into(), ..published("b/send/1", "") };
        assert_eq!(Asked::read("b", &octets).unwrap_err().errors[0].pointer, "/text");
        assert_eq!(client_ref(b"[]"), None);
    }

    #[test]
    fn keys_and_answers_are_as_the_publisher_asks() {
        let mut publish = published("b/send/1", "x");
        let properties = PublishProperties {
            response_topic: Some("app/answers".into()),
            correlation_data: Some(b"7"[..].into()),
            user_properties: vec![("Idempotency-Key".into(), "k".into())],
            ..PublishProperties::default()
        };
        publish.properties = Some(properties.clone());
        let asked = Asked::read("b", &publish).unwrap();
        assert_eq!(asked.idempotency().unwrap().key, "k");
        let reply = ReplyTo::of("b", &publish);
        assert_eq!(
            (reply.topic.as_deref(), reply.properties.correlation_data),
            (Some("app/answers"), Some(b"7"[..].into()))
        );
        let other = Publish { payload: b"y"[..].into(), ..publish.clone() };
        assert_ne!(Asked::read("b", &other).unwrap().key.unwrap().1, asked.key.unwrap().1);
        for (topic, key) in
            [("a/+", ""), ("#", "\n"), ("$SYS/x", "é"), ("", "ä"), ("b/send/+4912", ""), ("other/send", "")]
        {
            let properties = PublishProperties {
                response_topic: Some(topic.into()),
                user_properties: vec![("idempotency-key".into(), key.into())],
                ..properties.clone()
            };
            publish.properties = Some(properties);
            assert_eq!(ReplyTo::of("b", &publish).topic, None);
            assert!(Asked::read("b", &publish).is_err(), "{key:?}");
        }
    }
}
