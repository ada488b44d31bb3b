//! TPDUs of 3GPP 23.040 as JSON: fields by the names of the standard in lower case.

use serde_json::{Map, Value, json};
use sms::tpdu::{Address, Parameters, Timestamp, Tpdu, UserData, Validity, split_smsc};
use sms::{Body, Dcs};

use super::Smsc;
use crate::hex::to_hex;

/// What a TPDU says, with the SMSC's address if it stands in front.
pub fn decode(octets: &[u8], direction: sms::tpdu::Direction, smsc: Smsc) -> Result<Value, String> {
    let bare = || Tpdu::decode(octets, direction).map(|tpdu| (None, tpdu)).map_err(|e| e.to_string());
    let behind_smsc = || {
        let (smsc, rest) = split_smsc(octets).map_err(|e| e.to_string())?;
        Ok((Some(smsc), Tpdu::decode(rest, direction).map_err(|e| e.to_string())?))
    };
    let (smsc, tpdu) = match smsc {
        Smsc::Yes => behind_smsc(),
        Smsc::No => bare(),
        Smsc::Auto => likelier(octets, behind_smsc(), bare()),
    }?;
    let mut fields = Map::new();
    if let Some(smsc) = smsc {
        fields.insert("smsc".into(), smsc.map(|smsc| number(&smsc)).into());
    }
    Writer(&mut fields).tpdu(&tpdu);
    Ok(Value::Object(fields))
}

type Decoded = Result<(Option<Option<Address>>, Tpdu), String>;

/// Of two readings the one that uses every octet and has sound addresses; the one with an SMSC in
/// front if both do, for that is what modems print.
fn likelier(octets: &[u8], behind_smsc: Decoded, bare: Decoded) -> Decoded {
    let score = |decoded: &Decoded| match decoded {
        Err(_) => 0,
        Ok((smsc, tpdu)) => {
            let written = tpdu.encode();
            let prefix = if smsc.is_some() { 1 + octets.first().map_or(0, |&length| usize::from(length)) } else { 0 };
            let whole = octets.get(prefix..).is_some_and(|rest| rest == written);
            let sound = smsc.iter().flatten().chain(address_of(tpdu)).all(|a| a.type_of_address() & 0x80 != 0);
            1 + 2 * usize::from(sound) + usize::from(whole)
        }
    };
    if score(&bare) > score(&behind_smsc) { bare } else { behind_smsc }
}

fn address_of(tpdu: &Tpdu) -> Option<&Address> {
    match tpdu {
        Tpdu::Deliver(tpdu) => Some(&tpdu.originator),
        Tpdu::Submit(tpdu) => Some(&tpdu.destination),
        Tpdu::StatusReport(tpdu) => Some(&tpdu.recipient),
        Tpdu::DeliverReport(_) | Tpdu::SubmitReport(_) => None,
    }
}

struct Writer<'a>(&'a mut Map<String, Value>);

impl Writer<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn flag(&mut self, name: &str, set: bool) {
        self.put(name, u8::from(set));
    }

    fn tpdu(&mut self, tpdu: &Tpdu) {
        match tpdu {
            Tpdu::Deliver(tpdu) => {
                self.kind("SMS-DELIVER", 0);
                self.flag("tp-mms", !tpdu.more_messages);
                self.flag("tp-lp", tpdu.loop_prevention);
                self.flag("tp-rp", tpdu.reply_path);
                self.flag("tp-sri", tpdu.status_report);
                self.address("tp-oa", &tpdu.originator);
                self.put("tp-pid", tpdu.protocol);
                self.coding(tpdu.coding);
                self.time("tp-scts", tpdu.timestamp);
                self.user_data(&tpdu.user_data, tpdu.coding);
            }
            Tpdu::Submit(tpdu) => {
                self.kind("SMS-SUBMIT", 1);
                self.flag("tp-rd", tpdu.reject_duplicates);
                self.put("tp-vpf", format_of(&tpdu.validity));
                self.flag("tp-srr", tpdu.status_report);
                self.flag("tp-rp", tpdu.reply_path);
                self.put("tp-mr", tpdu.reference);
                self.address("tp-da", &tpdu.destination);
                self.put("tp-pid", tpdu.protocol);
                self.coding(tpdu.coding);
                self.validity(&tpdu.validity);
                self.user_data(&tpdu.user_data, tpdu.coding);
            }
            Tpdu::StatusReport(tpdu) => {
                self.kind("SMS-STATUS-REPORT", 2);
                self.flag("tp-mms", !tpdu.more_messages);
                self.flag("tp-lp", tpdu.loop_prevention);
                self.flag("tp-srq", tpdu.answers_command);
                self.put("tp-mr", tpdu.reference);
                self.address("tp-ra", &tpdu.recipient);
                self.time("tp-scts", tpdu.submitted);
                self.time("tp-dt", tpdu.discharged);
                self.put("tp-st", tpdu.status);
                self.flag("tp-udhi", false);
                self.put("state", sms::tpdu::receipt_state(tpdu.status).word());
                self.parameters(&tpdu.parameters);
            }
            Tpdu::DeliverReport(tpdu) => {
                self.kind("SMS-DELIVER-REPORT", 0);
                self.put("tp-fcs", tpdu.failure);
                self.parameters(&tpdu.parameters);
            }
            Tpdu::SubmitReport(tpdu) => {
                self.kind("SMS-SUBMIT-REPORT", 1);
                self.put("tp-fcs", tpdu.failure);
                self.time("tp-scts", tpdu.timestamp);
                self.parameters(&tpdu.parameters);
            }
        }
    }

    fn kind(&mut self, name: &str, message_type: u8) {
        self.put("type", name);
        self.put("tp-mti", message_type);
    }

    fn address(&mut self, name: &str, address: &Address) {
        self.put(name, address.text());
        self.put(&format!("{name}-ton"), address.type_of_address() >> 4 & 7);
        self.put(&format!("{name}-npi"), address.numbering_plan());
    }

    fn coding(&mut self, coding: u8) {
        self.put("tp-dcs", coding);
        if let Some(class) = Dcs::decode(coding).class {
            self.put("class", class.number());
        }
    }

    fn time(&mut self, name: &str, time: Option<Timestamp>) {
        self.put(name, time.map(|time| written(&time)));
    }

    fn validity(&mut self, validity: &Validity) {
        match validity {
            Validity::Unspecified => {}
            Validity::Relative(octet) => self.put("tp-vp", *octet),
            Validity::Absolute(until) => self.time("tp-vp", *until),
            Validity::Enhanced(enhanced) => self.put("tp-vp", to_hex(&enhanced.0)),
        }
        if let Some(duration) = validity.duration() {
            self.put("validity_seconds", duration.as_secs());
        }
    }

    fn parameters(&mut self, parameters: &Parameters) {
        if let Some(protocol) = parameters.protocol {
            self.put("tp-pid", protocol);
        }
        if let Some(coding) = parameters.coding {
            self.coding(coding);
        }
        if let Some(user_data) = &parameters.user_data {
            self.user_data(user_data, parameters.coding.unwrap_or(0));
        }
    }

    fn user_data(&mut self, user_data: &UserData, coding: u8) {
        self.flag("tp-udhi", user_data.udhi);
        self.put("tp-udl", user_data.length);
        self.put("tp-ud", to_hex(&user_data.octets));
        let received = user_data.decode(coding);
        if let Some(header) = received.udh {
            self.put("udh", to_hex(header.octets()));
            if let Some(concat) = header.concat() {
                self.put(
                    "concat",
                    json!({ "reference": concat.reference, "total": concat.total, "sequence": concat.sequence }),
                );
            }
            if let Some(ports) = header.ports() {
                self.put("ports", json!({ "destination": ports.destination, "originator": ports.originator }));
            }
        }
        match received.body {
            Body::Text(text) => self.put("text", text),
            Body::Octets(octets) => self.put("data", to_hex(&octets)),
        }
    }
}

/// TP-VPF as a number.
fn format_of(validity: &Validity) -> u8 {
    match validity {
        Validity::Unspecified => 0,
        Validity::Enhanced(_) => 1,
        Validity::Relative(_) => 2,
        Validity::Absolute(_) => 3,
    }
}

fn number(address: &Address) -> String {
    let plus = if address.type_of_address() >> 4 & 7 == 1 { "+" } else { "" };
    format!("{plus}{}", address.text())
}

/// RFC 3339, with the zone of the stamp.
fn written(time: &Timestamp) -> String {
    let (local, minutes) = (time.local, i32::from(time.offset_quarters) * 15);
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{hours:02}:{minutes:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::from_hex;

    fn vectors() -> Vec<Value> {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/tpdu.json")).unwrap();
        vectors["vectors"].as_array().unwrap().clone()
    }

    #[test]
    fn the_vectors_say_the_same_with_and_without_an_smsc() {
        const COMPARED: [&str; 13] = [
            "tp-mti", "tp-rp", "tp-udhi", "tp-srr", "tp-vpf", "tp-rd", "tp-mr", "tp-da", "tp-oa", "tp-pid", "tp-dcs",
            "tp-sri", "text",
        ];
        let (mut compared, mut texts) = (0, 0);
        for vector in vectors() {
            let expected = vector["expected"].as_object().unwrap();
            // Those that are no TPDUs, one filled up with FF, and three with a digit in place of the filler.
            const ODD: [&str; 8] =
                ["tpdu-077", "tpdu-086", "tpdu-087", "tpdu-088", "tpdu-091", "tpdu-300", "tpdu-301", "tpdu-302"];
            if vector["type"] == "reserved"
                || ODD.contains(&vector["id"].as_str().unwrap())
                || vector["malformed_or_truncated_per_wireshark"] == true
            {
                continue;
            }
            for form in ["input_hex", "tpdu_hex"] {
                let octets = from_hex(vector[form].as_str().unwrap()).unwrap();
                let answer = decode(&octets, sms::tpdu::Direction::Either, Smsc::Auto).unwrap();
                for (name, value) in expected.iter().filter(|(name, _)| COMPARED.contains(&name.as_str())) {
                    let same = &answer[name] == value;
                    // Other decoders show some texts otherwise: those are compared in `sms`.
                    if name == "text" {
                        texts += usize::from(same);
                        continue;
                    }
                    assert!(same, "{} {form} {name}: {} is not {value}", vector["id"], answer[name]);
                    compared += 1;
                }
            }
        }
        assert!(compared > 2000 && texts > 250, "{compared} fields, {texts} texts");
    }

    #[test]
    fn what_is_cut_off_is_a_fault_and_not_a_panic() {
        assert!(decode(&[], sms::tpdu::Direction::Either, Smsc::Auto).is_err());
        for vector in vectors() {
            let octets = from_hex(vector["input_hex"].as_str().unwrap()).unwrap();
            for cut in 0..octets.len() {
                let _ = decode(&octets[..cut], sms::tpdu::Direction::Either, Smsc::Auto);
            }
        }
    }

    #[test]
    fn times_have_their_zone() {
        let octets = from_hex("07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07").unwrap();
        let answer = decode(&octets, sms::tpdu::Direction::ToPhone, Smsc::Yes).unwrap();
        assert_eq!(answer["tp-scts"], "2002-08-26T19:37:41+00:00");
        assert_eq!((answer["smsc"].as_str(), answer["text"].as_str()), (Some("+31624000000"), Some("How are you?")));
    }
}
