//! SMS-STATUS-REPORT, from the SMSC to the phone (3GPP 23.040 §9.2.2.3).

use super::reader::Reader;
use super::reports::Parameters;
use super::{Address, Timestamp, TpduError};
use crate::receipt::ReceiptState;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// TP-MMS, turned round: more messages wait at the SMSC.
    pub more_messages: bool,
    /// TP-LP: the message has been forwarded.
    pub loop_prevention: bool,
    /// TP-SRQ: it answers an SMS-COMMAND, not an SMS-SUBMIT.
    pub answers_command: bool,
    /// TP-MR of the message.
    pub reference: u8,
    /// TP-RA: where the message went, perhaps in another form than it was sent to.
    pub recipient: Address,
    /// TP-SCTS: when the SMSC took the message; `None` if that was no date.
    pub submitted: Option<Timestamp>,
    /// TP-DT: when it was delivered, or tried last; `None` if that was no date.
    pub discharged: Option<Timestamp>,
    /// TP-ST; see [`receipt_state`].
    pub status: u8,
    /// What may follow the status.
    pub parameters: Parameters,
}

/// The state that a TP-ST means (§9.2.3.15).
///
/// "Forwarded, unconfirmed" (01) counts as delivered, and "replaced" (02) as deleted. Reserved
/// values (0x80 on) are unknown.
pub const fn receipt_state(status: u8) -> ReceiptState {
    match status {
        0x02 => ReceiptState::Deleted,
        0x00..=0x1F => ReceiptState::Delivered,
        0x20..=0x3F => ReceiptState::Enroute,
        0x46 => ReceiptState::Expired,
        0x47 | 0x48 => ReceiptState::Deleted,
        0x40..=0x7F => ReceiptState::Undeliverable,
        0x80..=0xFF => ReceiptState::Unknown,
    }
}

impl StatusReport {
    /// Decodes a TPDU that is known to be a STATUS-REPORT.
    pub fn decode(octets: &[u8]) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets);
        let first = reader.octet("the first octet")?;
        Ok(Self {
            more_messages: first & 0x04 == 0,
            loop_prevention: first & 0x08 != 0,
            answers_command: first & 0x20 != 0,
            reference: reader.octet("TP-MR")?,
            recipient: Address::read(&mut reader, "TP-RA")?,
            submitted: Timestamp::decode(&reader.array("TP-SCTS")?),
            discharged: Timestamp::decode(&reader.array("TP-DT")?),
            status: reader.octet("TP-ST")?,
            parameters: Parameters::read(&mut reader, first & 0x40 != 0),
        })
    }

    /// Encodes it; unknown time stamps are all zeros.
    pub fn encode(&self) -> Vec<u8> {
        let mut first = 0x02 | self.parameters.header_bit();
        first |= u8::from(!self.more_messages) << 2;
        first |= u8::from(self.loop_prevention) << 3;
        first |= u8::from(self.answers_command) << 5;
        let mut octets = vec![first, self.reference];
        self.recipient.write(&mut octets);
        octets.extend_from_slice(&Timestamp::encode_optional(self.submitted.as_ref()));
        octets.extend_from_slice(&Timestamp::encode_optional(self.discharged.as_ref()));
        octets.push(self.status);
        if self.parameters != Parameters::default() {
            self.parameters.write_indicator(&mut octets);
            self.parameters.write_fields(&mut octets);
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_follow_the_ranges() {
        let cases = [
            (0x00, ReceiptState::Delivered),
            (0x01, ReceiptState::Delivered),
            (0x30, ReceiptState::Enroute),
            (0x41, ReceiptState::Undeliverable),
            (0x46, ReceiptState::Expired),
            (0x48, ReceiptState::Deleted),
            (0x62, ReceiptState::Undeliverable),
            (0xFF, ReceiptState::Unknown),
        ];
        for (status, state) in cases {
            assert_eq!(receipt_state(status), state, "{status:#04X}");
        }
    }
}
