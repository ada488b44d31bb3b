//! The answers DELIVER-REPORT and SUBMIT-REPORT (3GPP 23.040 §9.2.2.1a, §9.2.2.2a), and the
//! optional parameters that they share with STATUS-REPORT.

use super::reader::Reader;
use super::{Timestamp, TpduError, UserData};

const HAS_PROTOCOL: u8 = 0x01;
const HAS_CODING: u8 = 0x02;
const HAS_USER_DATA: u8 = 0x04;

/// What TP-PI says is there (§9.2.3.27).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// TP-PID.
    pub protocol: Option<u8>,
    /// TP-DCS.
    pub coding: Option<u8>,
    /// TP-UD.
    pub user_data: Option<UserData>,
}

/// The phone's answer to a DELIVER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliverReport {
    /// TP-FCS: why the message was not taken (0x80 and on); `None` if it was.
    pub failure: Option<u8>,
    /// What else it says.
    pub parameters: Parameters,
}

/// The SMSC's answer to a SUBMIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitReport {
    /// TP-FCS: why the message was not taken (0x80 and on); `None` if it was.
    pub failure: Option<u8>,
    /// TP-SCTS: when the SMSC took the message; `None` if that was no date.
    pub timestamp: Option<Timestamp>,
    /// What else it says.
    pub parameters: Parameters,
}

impl DeliverReport {
    /// Decodes a TPDU that is known to be a DELIVER-REPORT.
    pub fn decode(octets: &[u8]) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets);
        let first = reader.octet("the first octet")?;
        let failure = read_failure(&mut reader);
        Ok(Self { failure, parameters: Parameters::read(&mut reader, first & 0x40 != 0) })
    }

    /// Encodes it. The plain acknowledgement is `00 00`, the body that `AT+CNMA` takes.
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = vec![self.parameters.header_bit()];
        octets.extend(self.failure);
        self.parameters.write_indicator(&mut octets);
        self.parameters.write_fields(&mut octets);
        octets
    }
}

impl SubmitReport {
    /// Decodes a TPDU that is known to be a SUBMIT-REPORT.
    pub fn decode(octets: &[u8]) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets);
        let first = reader.octet("the first octet")?;
        let failure = read_failure(&mut reader);
        let indicator = reader.octet("TP-PI")?;
        let timestamp = Timestamp::decode(&reader.array("TP-SCTS")?);
        let parameters = Parameters::read_fields(&mut reader, first & 0x40 != 0, indicator);
        Ok(Self { failure, timestamp, parameters })
    }

    /// Encodes it; an unknown time stamp is all zeros.
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = vec![0x01 | self.parameters.header_bit()];
        octets.extend(self.failure);
        self.parameters.write_indicator(&mut octets);
        octets.extend_from_slice(&Timestamp::encode_optional(self.timestamp.as_ref()));
        self.parameters.write_fields(&mut octets);
        octets
    }
}

/// A failure cause is 0x80 or more; a parameter indicator would be so only with an extension,
/// which nobody sends.
fn read_failure(reader: &mut Reader<'_>) -> Option<u8> {
    match reader.rest().first() {
        Some(0x80..) => reader.octet("TP-FCS").ok(),
        _ => None,
    }
}

impl Parameters {
    /// Reads the indicator and what it announces. These come last and are optional, so what is cut
    /// off counts as not there.
    pub(super) fn read(reader: &mut Reader<'_>, udhi: bool) -> Self {
        match reader.octet("TP-PI") {
            Ok(indicator) => Self::read_fields(reader, udhi, indicator),
            Err(_) => Self::default(),
        }
    }

    fn read_fields(reader: &mut Reader<'_>, udhi: bool, indicator: u8) -> Self {
        // Each extension octet says in its highest bit whether another follows.
        let mut extended = indicator & 0x80 != 0;
        while extended {
            extended = reader.octet("TP-PI").is_ok_and(|octet| octet & 0x80 != 0);
        }
        let mut octet = |bit: u8, field| (indicator & bit != 0).then(|| reader.octet(field).ok()).flatten();
        let protocol = octet(HAS_PROTOCOL, "TP-PID");
        let coding = octet(HAS_CODING, "TP-DCS");
        let user_data = match indicator & HAS_USER_DATA {
            0 => None,
            _ => UserData::read(reader, udhi, coding.unwrap_or(0)).ok(),
        };
        Self { protocol, coding, user_data }
    }

    pub(super) fn write_indicator(&self, octets: &mut Vec<u8>) {
        let bit = |present: bool, bit: u8| if present { bit } else { 0 };
        octets.push(
            bit(self.protocol.is_some(), HAS_PROTOCOL)
                | bit(self.coding.is_some(), HAS_CODING)
                | bit(self.user_data.is_some(), HAS_USER_DATA),
        );
    }

    pub(super) fn write_fields(&self, octets: &mut Vec<u8>) {
        octets.extend(self.protocol);
        octets.extend(self.coding);
        if let Some(user_data) = &self.user_data {
            user_data.write(octets);
        }
    }

    pub(super) fn header_bit(&self) -> u8 {
        self.user_data.as_ref().map_or(0, UserData::header_bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpdu::{Direction, Tpdu};

    #[test]
    fn the_plain_acknowledgement_is_two_zeros() {
        assert_eq!(DeliverReport::default().encode(), [0, 0]);
        let refused = DeliverReport { failure: Some(0xD3), ..Default::default() };
        assert_eq!(refused.encode(), [0, 0xD3, 0]);
        for report in [DeliverReport::default(), refused] {
            let decoded = Tpdu::decode(&report.encode(), Direction::FromPhone);
            assert_eq!(decoded, Ok(Tpdu::DeliverReport(report)));
        }
    }

    #[test]
    fn submit_reports_come_back() {
        let timestamp = Timestamp::decode(&[0x51, 0x11, 0x72, 0x20, 0, 0, 0x80]);
        let user_data = UserData::gsm7(&[], b"busy").ok();
        let parameters = Parameters { protocol: Some(0), coding: Some(0), user_data };
        for failure in [None, Some(0xC0)] {
            let report = SubmitReport { failure, timestamp, parameters: parameters.clone() };
            let decoded = Tpdu::decode(&report.encode(), Direction::ToPhone);
            assert_eq!(decoded, Ok(Tpdu::SubmitReport(report)));
        }
    }
}
