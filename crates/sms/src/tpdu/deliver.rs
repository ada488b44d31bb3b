//! SMS-DELIVER, from the SMSC to the phone (3GPP 23.040 §9.2.2.1).

use super::reader::Reader;
use super::{Address, Timestamp, TpduError, UserData};

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// TP-MMS, turned round: more messages wait at the SMSC.
    pub more_messages: bool,
    /// TP-LP: the message has been forwarded.
    pub loop_prevention: bool,
    /// TP-SRI: a status report goes to its sender.
    pub status_report: bool,
    /// TP-RP: the reply may take the same way.
    pub reply_path: bool,
    /// TP-OA.
    pub originator: Address,
    /// TP-PID; 0 for plain messages.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: u8,
    /// TP-SCTS: when the SMSC took the message; `None` if that was no date.
    pub timestamp: Option<Timestamp>,
    /// TP-UD.
    pub user_data: UserData,
}

impl Deliver {
    /// Decodes a TPDU that is known to be a DELIVER.
    pub fn decode(octets: &[u8]) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets);
        let first = reader.octet("the first octet")?;
        let originator = Address::read(&mut reader, "TP-OA")?;
        let protocol = reader.octet("TP-PID")?;
        let coding = reader.octet("TP-DCS")?;
        Ok(Self {
            more_messages: first & 0x04 == 0,
            loop_prevention: first & 0x08 != 0,
            status_report: first & 0x20 != 0,
            reply_path: first & 0x80 != 0,
            originator,
            protocol,
            coding,
            timestamp: Timestamp::decode(&reader.array("TP-SCTS")?),
            user_data: UserData::read(&mut reader, first & 0x40 != 0, coding)?,
        })
    }

    /// Encodes it; an unknown time stamp is all zeros.
    pub fn encode(&self) -> Vec<u8> {
        let mut first = self.user_data.header_bit();
        first |= u8::from(!self.more_messages) << 2;
        first |= u8::from(self.loop_prevention) << 3;
        first |= u8::from(self.status_report) << 5;
        first |= u8::from(self.reply_path) << 7;
        let mut octets = Vec::with_capacity(32 + self.user_data.octets.len());
        octets.push(first);
        self.originator.write(&mut octets);
        octets.extend_from_slice(&[self.protocol, self.coding]);
        octets.extend_from_slice(&Timestamp::encode_optional(self.timestamp.as_ref()));
        self.user_data.write(&mut octets);
        octets
    }
}
