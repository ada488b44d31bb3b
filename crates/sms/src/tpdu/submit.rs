//! SMS-SUBMIT, from the phone to the SMSC (3GPP 23.040 §9.2.2.2).

use super::reader::Reader;
use super::{Address, TpduError, UserData, Validity};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    /// TP-RD: refuse a message with the same reference and destination.
    pub reject_duplicates: bool,
    /// TP-SRR: a status report is wanted.
    pub status_report: bool,
    /// TP-RP: the reply is to take the same way.
    pub reply_path: bool,
    /// TP-MR: message reference; modems put in their own.
    pub reference: u8,
    /// TP-DA.
    pub destination: Address,
    /// TP-PID; 0 for plain messages.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: u8,
    /// TP-VP.
    pub validity: Validity,
    /// TP-UD.
    pub user_data: UserData,
}

impl Submit {
    /// A plain message without options.
    pub const fn new(destination: Address, coding: u8, user_data: UserData) -> Self {
        Self {
            reject_duplicates: false,
            status_report: false,
            reply_path: false,
            reference: 0,
            destination,
            protocol: 0,
            coding,
            validity: Validity::Unspecified,
            user_data,
        }
    }

    /// Decodes a TPDU that is known to be a SUBMIT.
    pub fn decode(octets: &[u8]) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets);
        let first = reader.octet("the first octet")?;
        let reference = reader.octet("TP-MR")?;
        let destination = Address::read(&mut reader, "TP-DA")?;
        let protocol = reader.octet("TP-PID")?;
        let coding = reader.octet("TP-DCS")?;
        Ok(Self {
            reject_duplicates: first & 0x04 != 0,
            status_report: first & 0x20 != 0,
            reply_path: first & 0x80 != 0,
            reference,
            destination,
            protocol,
            coding,
            validity: Validity::read(&mut reader, first)?,
            user_data: UserData::read(&mut reader, first & 0x40 != 0, coding)?,
        })
    }

    /// Encodes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut first = 0x01 | self.validity.format_bits() | self.user_data.header_bit();
        first |= u8::from(self.reject_duplicates) << 2;
        first |= u8::from(self.status_report) << 5;
        first |= u8::from(self.reply_path) << 7;
        let mut octets = Vec::with_capacity(24 + self.user_data.octets.len());
        octets.extend_from_slice(&[first, self.reference]);
        self.destination.write(&mut octets);
        octets.extend_from_slice(&[self.protocol, self.coding]);
        self.validity.write(&mut octets);
        self.user_data.write(&mut octets);
        octets
    }
}
