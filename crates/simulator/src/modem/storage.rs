//! Commands about messages, most of them in the store (3GPP 27.005).

use at::to_hex;
use sms::tpdu::split_smsc;

use super::commands::End;
use super::device::Device;
use super::sim::Stored;

const WORDS: [&str; 4] = ["REC UNREAD", "REC READ", "STO UNSENT", "STO SENT"];

impl Device {
    pub(super) fn messages(&mut self, name: &str, rest: &str) -> Option<End> {
        let value = rest.trim_start_matches('=');
        Some(match name {
            "+CSMS" if rest == "=?" => self.say_line("+CSMS: (0,1)"),
            "+CSMS" if rest == "?" => self.say_line(&format!("+CSMS: {},1,1,1", u8::from(self.told.acknowledged))),
            "+CSMS" => {
                if value == "1" && !self.settings.phase2plus {
                    return Some(End::Cms(303));
                }
                self.told.acknowledged = value == "1";
                self.say_line("+CSMS: 1,1,1")
            }
            "+CMGF" if rest == "?" => self.say_line(&format!("+CMGF: {}", u8::from(self.told.text))),
            "+CMGF" if rest == "=?" => {
                self.say_line(if self.settings.pdu_mode { "+CMGF: (0,1)" } else { "+CMGF: (1)" })
            }
            "+CMGF" if value == "0" && !self.settings.pdu_mode => End::Cms(303),
            "+CMGF" => {
                self.told.text = value == "1";
                End::Ok
            }
            "+CSCA" if rest == "?" => self.say_line(&format!("+CSCA: \"{}\",145", self.sim.smsc.clone())),
            "+CSCA" => {
                self.sim.smsc = value.split(',').next().unwrap_or_default().trim_matches('"').to_owned();
                End::Ok
            }
            "+CPMS" => self.stores(rest),
            "+CNMI" => self.indications(rest),
            "+CNMA" if rest == "=?" => self.say_line("+CNMA: (0-2)"),
            "+CNMA" => {
                if self.acknowledged() {
                    End::Ok
                } else {
                    End::Cms(340)
                }
            }
            "+CSMP" => {
                for (at, number) in value.split(',').enumerate() {
                    if let (Some(place), Ok(number)) =
                        (self.told.parameters.get_mut(at), number.trim_matches('"').parse())
                    {
                        *place = number;
                    }
                }
                End::Ok
            }
            "+CSDH" if !self.settings.details => End::Error,
            "+CSDH" => {
                self.told.details = value == "1";
                End::Ok
            }
            "+CMGS" if rest == "=?" => End::Ok,
            "+CMGS" => self.announce(rest),
            "+CMGR" => self.read(value),
            "+CMGL" => self.list(rest),
            "+CMGD" => self.delete(rest),
            _ => return None,
        })
    }

    fn say_line(&mut self, line: &str) -> End {
        self.line.line(line);
        End::Ok
    }

    fn stores(&mut self, rest: &str) -> End {
        let (used, total) = (self.sim.used(), self.sim.total());
        match rest {
            "=?" => self.say_line("+CPMS: (\"SM\"),(\"SM\"),(\"SM\")"),
            "?" => self.say_line(&format!("+CPMS: \"SM\",{used},{total},\"SM\",{used},{total},\"SM\",{used},{total}")),
            _ if rest.contains("ME") || rest.contains("SR") || rest.contains("MT") => End::Cms(302),
            _ => self.say_line(&format!("+CPMS: {used},{total},{used},{total},{used},{total}")),
        }
    }

    fn indications(&mut self, rest: &str) -> End {
        match rest {
            "=?" => return self.say_line("+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"),
            "?" => {
                let (messages, reports) = (self.told.messages, self.told.reports);
                return self.say_line(&format!("+CNMI: 2,{messages},0,{reports},0"));
            }
            _ => {}
        }
        let numbers: Vec<u8> = rest.trim_start_matches('=').split(',').filter_map(|n| n.trim().parse().ok()).collect();
        match (numbers.get(1).copied().unwrap_or(0), numbers.get(3).copied().unwrap_or(0)) {
            (messages @ 0..=3, reports @ 0..=2) => {
                (self.told.messages, self.told.reports) = (messages, reports);
                // Whoever says so has not heard what came before.
                if let Some((unheard, _)) = self.direct.take() {
                    self.inbound.push_front(unheard);
                }
            }
            _ => return End::Cms(302),
        }
        End::Ok
    }

    fn read(&mut self, value: &str) -> End {
        let Some(stored) = value.split(',').next().and_then(|index| index.parse().ok()).and_then(|i| self.sim.get(i))
        else {
            return End::Cms(321);
        };
        let before = stored.clone();
        stored.state = if before.state == 0 { 1 } else { before.state };
        let text = self.listed(&before, "+CMGR: ", None);
        self.say_line(&text)
    }

    fn list(&mut self, rest: &str) -> End {
        if rest == "=?" {
            return self.say_line("+CMGL: (0-4)");
        }
        let wanted = rest.trim_start_matches('=').trim_matches('"').to_ascii_uppercase();
        let wanted = match WORDS.iter().position(|word| *word == wanted) {
            Some(state) => u8::try_from(state).ok(),
            None if wanted == "ALL" || wanted == "4" => None,
            None => Some(wanted.parse().unwrap_or(0)),
        };
        let mut found = Vec::new();
        for (index, stored) in self.sim.all() {
            if wanted.is_none_or(|wanted| wanted == stored.state) {
                found.push((index, stored.clone()));
                stored.state = if stored.state == 0 { 1 } else { stored.state };
            }
        }
        for (index, stored) in found {
            let text = self.listed(&stored, "+CMGL: ", Some(index));
            self.line.line(&text);
        }
        End::Ok
    }

    fn listed(&self, stored: &Stored, word: &str, index: Option<u16>) -> String {
        let index = index.map(|index| format!("{index},")).unwrap_or_default();
        let state = WORDS.get(usize::from(stored.state)).copied().unwrap_or_default();
        if self.told.text {
            let head = format!("{word}{index}\"{state}\",");
            return self.as_text(&stored.pdu, index.is_empty(), &head, &head).unwrap_or(head);
        }
        let length = split_smsc(&stored.pdu).map_or(0, |(_, tpdu)| tpdu.len());
        format!("{word}{index}{},,{length}\r\n{}", stored.state, to_hex(&stored.pdu))
    }

    fn delete(&mut self, rest: &str) -> End {
        if rest == "=?" {
            return self.say_line("+CMGD: (1-20),(0-4)");
        }
        let mut numbers = rest.trim_start_matches('=').split(',').map(|n| n.trim().parse::<u16>());
        let (Some(Ok(index)), flag) = (numbers.next(), numbers.next()) else { return End::Cms(321) };
        let indices: Vec<u16> = match flag {
            Some(Ok(4)) => self.sim.all().map(|(index, _)| index).collect(),
            Some(Ok(1..=3)) => self.sim.all().filter(|(_, stored)| stored.state == 1).map(|(index, _)| index).collect(),
            _ => vec![index],
        };
        for index in indices {
            if let Some(stored) = self.sim.delete(index) {
                self.count_acknowledged(stored.report);
            }
        }
        End::Ok
    }
}
