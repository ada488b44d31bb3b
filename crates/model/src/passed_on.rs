//! What few messages say to carriers beside their text, passed on as the application said it.

use serde::{Deserialize, Serialize};

use crate::message::{Body, Ingress};

/// What a message says to carriers beside its text. Most messages have none: it is only kept where
/// something of it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PassedOn {
    /// TP-PID (3GPP 23.040 §9.2.3.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_id: Option<u8>,
    /// SMPP `service_type`: 1 to 5 characters (SMPP 3.4 §5.2.11).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type: Option<Box<str>>,
    /// TP-RP (3GPP 23.040 §9.2.3.17): an answer may take the way that the message took.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reply_path: bool,
    /// The carrier is to put it in the place of one that it has still from the same sender to the same
    /// recipient (SMPP 3.4 §5.2.18).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replace_if_present: bool,
    /// SMPP `priority_flag`, where the priority does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_flag: Option<u8>,
}

impl PassedOn {
    /// As it is kept: nothing where it says nothing.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl Body {
    /// The protocol identifier that was asked for (3GPP 23.040 §9.2.3.9).
    #[must_use]
    pub fn protocol_id(&self) -> Option<u8> {
        let said = self.passed_on.as_ref().and_then(|said| said.protocol_id);
        said.or_else(|| self.dialect.as_ref()?.protocol_id())
    }

    /// The SMPP `service_type` that was asked for.
    #[must_use]
    pub fn service_type(&self) -> Option<&str> {
        self.passed_on.as_ref()?.service_type.as_deref()
    }

    /// A reply is to take the way that the message took (3GPP 23.040 §9.2.3.17).
    #[must_use]
    pub fn reply_path(&self) -> bool {
        self.passed_on.as_ref().is_some_and(|said| said.reply_path)
            || self.dialect.as_ref().is_some_and(|dialect| dialect.reply_path())
    }

    /// Is the carrier to put it in the place of another?
    #[must_use]
    pub fn replace_if_present(&self) -> bool {
        self.passed_on.as_ref().is_some_and(|said| said.replace_if_present)
    }

    /// The SMPP `priority_flag` that it goes on with: what an SMPP client said, otherwise the priority.
    #[must_use]
    pub fn priority_flag(&self) -> u8 {
        let said = self.passed_on.as_ref().and_then(|said| said.priority_flag);
        said.unwrap_or(match self.ingress {
            // Their usual 0 is the usual priority here, which is 1.
            Ingress::Smpp => self.priority.saturating_sub(1),
            _ => self.priority.min(3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, samples};

    #[test]
    fn a_priority_goes_on_as_it_came() {
        let flag = |ingress, priority, priority_flag| {
            let passed_on = PassedOn { priority_flag, ..PassedOn::default() }.boxed();
            Body { ingress, priority, passed_on, ..samples::body(Timestamp::default()) }.priority_flag()
        };
        assert_eq!([1, 2, 3].map(|priority| flag(Ingress::Smpp, priority, None)), [0, 1, 2]);
        assert_eq!((flag(Ingress::Smpp, 3, Some(4)), flag(Ingress::Http, 1, None)), (4, 1));
    }

    #[test]
    fn what_says_nothing_is_not_kept() {
        assert_eq!(PassedOn::default().boxed(), None);
        let said = PassedOn { protocol_id: Some(0x41), reply_path: true, ..PassedOn::default() };
        assert_eq!(serde_json::to_string(&said).unwrap(), r#"{"protocol_id":65,"reply_path":true}"#);
    }
}
