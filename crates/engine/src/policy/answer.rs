//! What a policy service answers.

use std::collections::BTreeMap;

use model::Submission;
use model::resources::is_network;
use serde::Deserialize;

use super::decided;
use crate::accept::Refusal;

/// Most characters of a reason that an application is told.
const REASON_MAX: usize = 200;
/// Most tags that an answer adds.
const TAGS_MAX: usize = 16;

/// What a service says of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyAnswer {
    /// May it go on?
    #[serde(rename = "decision")]
    pub verdict: PolicyVerdict,
    /// With `reject`: what the application is told.
    pub reason: Option<String>,
    /// Another recipient.
    pub to: Option<String>,
    /// Another sender.
    pub from: Option<String>,
    /// The network that the recipient belongs to: MCC and MNC (ITU-T E.212).
    pub network: Option<String>,
    /// The route that it takes.
    pub route: Option<String>,
    /// The connector that it takes.
    pub connector: Option<String>,
    /// Tags to be added.
    pub tags: BTreeMap<String, String>,
}

/// May a message go on?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyVerdict {
    /// Yes.
    #[default]
    Allow,
    /// No.
    Reject,
}

impl PolicyAnswer {
    /// Reads the body of an answer; an empty one lets the message go on as it is.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // An array would be taken for the fields.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err("the answer is no JSON object".into());
        }
        let mut answer: Self =
            serde_json::from_slice(body).map_err(|error| format!("the answer can't be read: {error}"))?;
        if let Some(network) = answer.network.as_deref().filter(|network| !is_network(network)) {
            let shown: String = network.chars().take(20).collect();
            return Err(format!("the answer's network {shown:?} is not five or six digits (MCC and MNC)"));
        }
        if answer.tags.len() > TAGS_MAX {
            return Err(format!("the answer adds more than {TAGS_MAX} tags"));
        }
        if answer.route.is_some() && answer.connector.is_some() {
            return Err("the answer names both a route and a connector".into());
        }
        answer.reason =
            answer.reason.map(|reason| reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect());
        Ok(answer)
    }

    /// What it decided, for a person: `network 26201, tag ported=yes`.
    #[must_use]
    pub fn told(&self) -> String {
        if self.verdict == PolicyVerdict::Reject {
            return self.reason.as_ref().map_or_else(|| "reject".to_owned(), |reason| format!("reject: {reason}"));
        }
        let fields = [
            ("to", &self.to),
            ("from", &self.from),
            ("network", &self.network),
            ("route", &self.route),
            ("connector", &self.connector),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        let tags = self.tags.iter().map(|(key, value)| format!("tag {key}={value}"));
        fields.chain(tags).collect::<Vec<_>>().join(", ")
    }

    /// The submission as it goes on, or the refusal.
    pub(super) fn applied(self, submission: Submission) -> Result<Submission, Refusal> {
        decided(self, submission)
    }
}

#[cfg(test)]
mod tests {
    use model::Address;

    use super::*;

    #[test]
    fn answers_are_read_and_bad_ones_are_told() {
        let read = |text: &str| PolicyAnswer::read(text.as_bytes());
        for allow in ["", " \n", "{}", r#"{"decision":"allow"}"#] {
            assert_eq!(read(allow), Ok(PolicyAnswer::default()), "{allow}");
        }
        let reject = read(&format!(r#"{{"decision":"reject","reason":"no\u0007{}"}}"#, "x".repeat(300))).unwrap();
        assert_eq!((reject.verdict, reject.reason.unwrap().len()), (PolicyVerdict::Reject, REASON_MAX));
        assert_eq!(read(r#"{"network":"26201"}"#).unwrap().network.as_deref(), Some("26201"));
        for (bad, why) in [
            ("[]", "no JSON object"),
            ("OK", "no JSON object"),
            (r#"{"netwok":"26201"}"#, "unknown field"),
            (r#"{"network":"262"}"#, "five or six digits"),
            (r#"{"decision":"maybe"}"#, "unknown variant"),
            (r#"{"route":"a","connector":"b"}"#, "both"),
            ("{", "can't be read"),
        ] {
            let told = read(bad).unwrap_err();
            assert!(told.contains(why), "{bad}: {told}");
        }
    }

    #[test]
    fn what_is_decided_is_what_goes_on() {
        let submission = Submission { to: "+447700900123".into(), text: Some("x".into()), ..Submission::default() };
        let answer = PolicyAnswer {
            to: Some("+447700900999".into()),
            network: Some("23415".into()),
            tags: [("ported".to_owned(), "yes".to_owned())].into(),
            ..PolicyAnswer::default()
        };
        let after = answer.applied(submission.clone()).unwrap();
        assert_eq!((after.to.as_str(), after.tags["ported"].as_str()), ("+447700900123", "yes"));
        let decided = after.decided.unwrap();
        assert_eq!(decided.to, Some(Address::from_carrier("447700900999", true)));
        assert_eq!(decided.network.as_deref(), Some("23415"));
        assert_eq!(&*decided.told, "to +447700900999, network 23415, tag ported=yes");
        let no = PolicyAnswer { verdict: PolicyVerdict::Reject, ..PolicyAnswer::default() };
        assert_eq!(no.applied(submission), Err(Refusal::PolicyRejects(None)));
    }
}
