//! From a part to a TPDU, by the choices of its connector. Pure.

use std::sync::Arc;

use model::resources::{Connector, ValidityForm};
use model::{Address, AddressKind, Body, Content, Reason, ReceiptWish, Timestamp};
use sms::tpdu::{self, Submit, UserData, Validity};
use sms::{Alphabet, Coding, Dcs, MessageClass, Shift, TextPlan};

use crate::plans::LastPlan;

/// Turns parts into TPDUs. It keeps the plan of the message that it saw last.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    last: LastPlan,
}

impl Outgoing {
    /// The TPDU that sends a part.
    ///
    /// # Errors
    /// Why the part can't be sent by a modem, ever.
    pub(super) fn submission(
        &mut self,
        connector: &Connector,
        body: &Arc<Body>,
        index: u8,
        clock: Timestamp,
    ) -> Result<Submit, Reason> {
        let plan = self.last.of(body).map_err(|error| unsendable(error.to_string()))?;
        let (user_data, coding) = user_data(body, plan, index)?;
        let mut submit = Submit::new(recipient(body.sent_to())?, coding, user_data);
        submit.status_report = body.receipt != ReceiptWish::None;
        submit.reply_path = body.reply_path();
        submit.protocol = body.protocol_id().unwrap_or(connector.protocol_id);
        if body.validity_given && connector.validity != ValidityForm::None {
            let left = body.expires_at.as_millis().saturating_sub(clock.as_millis());
            let left = std::time::Duration::from_millis(u64::try_from(left).unwrap_or(0));
            submit.validity = Validity::relative(left);
        }
        Ok(submit)
    }
}

fn recipient(to: &Address) -> Result<tpdu::Address, Reason> {
    match to.kind() {
        AddressKind::Alphanumeric => Err(unsendable("a modem sends to numbers only")),
        AddressKind::International | AddressKind::Short => {
            tpdu::Address::number(to.as_str()).map_err(|error| unsendable(error.to_string()))
        }
    }
}

/// The user data of a part, packed, and its data coding scheme.
fn user_data(body: &Body, plan: &TextPlan, index: u8) -> Result<(UserData, u8), Reason> {
    let Some(part) = plan.part(usize::from(index)) else {
        let count = plan.part_count();
        return Err(unsendable(format!("the message has {count} parts, and part {index} was asked for")));
    };
    let class = body.class.and_then(MessageClass::from_number);
    let too_long = |error: tpdu::UserDataTooLong| unsendable(error.to_string());
    let coding = match (plan.alphabet(), &body.content) {
        (_, Content::Binary { dcs, .. }) if *dcs != 0x04 => *dcs,
        (Alphabet::Octets, _) => Dcs::general_octet(Coding::Octets, class),
        (Alphabet::Ucs2, _) => Dcs::general_octet(Coding::Ucs2, class),
        (Alphabet::Gsm7 { .. }, _) => class.map_or(0, |class| Dcs::general_octet(Coding::Gsm7, Some(class))),
        (Alphabet::Latin1, _) => {
            // The air knows no Latin-1: GSM 7-bit where that has all the characters, UCS-2 where that fits.
            let header = part.udh(body.reference).unwrap_or_default();
            let readable: String = part.octets().iter().map(|octet| char::from(*octet)).collect();
            if let Ok(septets) = sms::encode_gsm7(&readable, Shift::default())
                && let Ok(data) = UserData::gsm7(&header, &septets)
            {
                return Ok((data, class.map_or(0, |class| Dcs::general_octet(Coding::Gsm7, Some(class)))));
            }
            let data = UserData::octets(&header, &sms::encode_ucs2(&readable)).map_err(too_long)?;
            return Ok((data, Dcs::general_octet(Coding::Ucs2, class)));
        }
    };
    Ok((UserData::from_part(&part, body.reference).map_err(too_long)?, coding))
}

/// A part that no retry will make sendable.
pub(super) fn unsendable(detail: impl Into<Box<str>>) -> Reason {
    Reason::new("unsendable", detail, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MessageId;

    #[test]
    fn a_message_that_was_replaced_says_the_new_text() {
        let connector: Connector =
            serde_json::from_str(r#"{"id":"m","protocol":"modem","address":"127.0.0.1:1"}"#).unwrap();
        let at = Timestamp::from_millis(0);
        let body = |text: &str| {
            let ends = (Address::from_carrier("SHOP", false), Address::from_carrier("447700900123", true));
            Arc::new(Body::plain(MessageId::first_at(at), ends, Content::Text(text.into()), at))
        };
        let mut outgoing = Outgoing::default();
        let mut data = |text: &str| outgoing.submission(&connector, &body(text), 0, at).unwrap().user_data;
        assert_ne!(data("old"), data("new"));
    }
}
