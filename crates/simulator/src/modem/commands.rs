//! What commands mean to the modem.

use std::time::Duration;

use super::device::Device;
use super::settings::ModemFaultKind;
use super::sim::Lock;
use super::text::Announced;

/// How a command ends.
pub(super) enum End {
    Ok,
    /// There is no answer yet, or none at all.
    Later,
    Cme(u16),
    Cms(u16),
    Error,
}

impl Device {
    /// Does the commands of a line until one fails.
    pub(super) fn command_line(&mut self, line: &str, now: Duration) {
        for command in at::commands(line) {
            let error = match self.command(command, now) {
                End::Ok => continue,
                End::Later => return,
                End::Cme(number) if self.told.numeric_errors => format!("+CME ERROR: {number}"),
                End::Cms(number) => format!("+CMS ERROR: {number}"),
                End::Cme(_) | End::Error => "ERROR".into(),
            };
            return self.line.line(&error);
        }
        self.line.line("OK");
    }

    fn command(&mut self, command: &str, now: Duration) -> End {
        let upper = command.to_ascii_uppercase();
        let (name, rest) = match upper.find(['=', '?']) {
            Some(at) if upper.starts_with(['+', '^', '$']) => {
                (upper.get(..at).unwrap_or(&upper), command.get(at..).unwrap_or_default())
            }
            _ => (upper.as_str(), ""),
        };
        let locked = self.sim.lock != Lock::Open;
        if locked && matches!(name, "+CIMI" | "+CSCA" | "+CPMS" | "+CNMI" | "+CSMS" | "+CUSD") {
            return End::Cme(if self.sim.lock == Lock::Puk { 12 } else { 11 });
        }
        if locked && name.starts_with("+CMG") && name != "+CMGF" {
            return End::Cms(if self.sim.lock == Lock::Puk { 316 } else { 311 });
        }
        self.general(name, rest, now).or_else(|| self.messages(name, rest)).unwrap_or(End::Cme(100))
    }

    fn general(&mut self, name: &str, rest: &str, now: Duration) -> Option<End> {
        let settings = self.settings.clone();
        match name {
            "E0" | "E" => self.line.set_echo(false),
            "E1" => self.line.set_echo(true),
            "" | "Q0V1" | "V1" | "Q0" | "&F" | "&D0" | "S0=0" | "+IFC" | "+CMMS" | "+IPR" | "+ICF" | "&K0" => {}
            "Z" => self.told = super::device::Told { text: !settings.pdu_mode, ..Default::default() },
            "H" | "+CHUP" => {
                if rest == "=?" {
                    return Some(End::Ok);
                }
                self.hung_up += u64::from(self.call.take().is_some());
            }
            "I" => return Some(self.say(&[&settings.maker, &settings.model, "1.0"])),
            "+CGMI" | "+GMI" => return Some(self.say(&[&settings.maker])),
            "+CGMM" | "+GMM" => return Some(self.say(&[&settings.model])),
            "+CGMR" | "+GMR" => return Some(self.say(&["1.0"])),
            "+CGSN" | "+GSN" => return Some(self.say(&[&settings.imei])),
            "+CIMI" => return Some(self.say(&[&settings.imsi])),
            "+CNUM" => return Some(self.say(&[&format!("+CNUM: \"\",\"{}\",145", settings.number)])),
            "+CMEE" => self.told.numeric_errors = rest != "=0",
            "+CFUN" => return Some(self.function(rest, now)),
            "+CPIN" => return Some(self.pin(rest)),
            "+CPINR" if settings.tells_tries => {
                return Some(self.say(&[&format!("+CPINR: SIM PIN,{},{}", self.sim.tries, settings.pin_tries)]));
            }
            "+CREG" | "+CGREG" => return Some(self.registration(name, rest)),
            "+CSQ" => return Some(self.say(&[&format!("+CSQ: {},99", settings.signal)])),
            "+COPS" if rest == "?" => return Some(self.say(&[&format!("+COPS: 0,0,\"{}\"", settings.operator)])),
            "+COPS" => {}
            "+CLIP" => self.told.caller = rest == "=1",
            "+CSCS" => return Some(self.charset(rest)),
            "+CBC" => return Some(self.say(&["+CBC: 0,100"])),
            "+CUSD" => return Some(self.ussd(rest)),
            _ => return None,
        }
        Some(End::Ok)
    }

    fn say(&mut self, lines: &[&str]) -> End {
        for line in lines {
            self.line.line(line);
        }
        End::Ok
    }

    fn function(&mut self, rest: &str, now: Duration) -> End {
        match rest {
            "?" => return self.say(&[&format!("+CFUN: {}", u8::from(self.told.on))]),
            "=1,1" => {
                self.restart(now);
                return End::Later;
            }
            "=0" | "=4" => self.told.on = false,
            "=1" | "=1,0" => self.told.on = true,
            "=?" => return self.say(&["+CFUN: (0,1,4),(0,1)"]),
            _ => return End::Cme(3),
        }
        End::Ok
    }

    fn pin(&mut self, rest: &str) -> End {
        if rest == "?" {
            return self.say(&[match self.sim.lock {
                Lock::Open => "+CPIN: READY",
                Lock::Pin => "+CPIN: SIM PIN",
                Lock::Puk => "+CPIN: SIM PUK",
            }]);
        }
        let given = rest.trim_start_matches('=').trim_matches('"');
        match (self.sim.lock, self.settings.pin.as_deref()) {
            (Lock::Pin, Some(pin)) if pin == given => {
                (self.sim.lock, self.sim.tries) = (Lock::Open, self.settings.pin_tries);
                End::Ok
            }
            (Lock::Pin, _) => {
                self.sim.tries = self.sim.tries.saturating_sub(1);
                if self.sim.tries == 0 {
                    self.sim.lock = Lock::Puk;
                    return End::Cme(12);
                }
                End::Cme(16)
            }
            _ => End::Cme(3),
        }
    }

    fn registration(&mut self, name: &str, rest: &str) -> End {
        match rest {
            "?" => self.say(&[&format!("{name}: {},{}", self.told.registration, self.settings.registration)]),
            "=?" => self.say(&[&format!("{name}: (0-2)")]),
            _ => {
                self.told.registration = rest.trim_start_matches('=').parse().unwrap_or(0);
                End::Ok
            }
        }
    }

    fn charset(&mut self, rest: &str) -> End {
        match rest {
            "?" => self.say(&[&format!("+CSCS: \"{}\"", self.told.charset.clone())]),
            "=?" if self.settings.ucs2 => self.say(&["+CSCS: (\"GSM\",\"IRA\",\"UCS2\")"]),
            "=?" => self.say(&["+CSCS: (\"GSM\",\"IRA\")"]),
            _ => match rest.trim_start_matches('=').trim_matches('"') {
                "UCS2" if !self.settings.ucs2 => End::Cme(3),
                charset @ ("GSM" | "IRA" | "UCS2") => {
                    self.told.charset = charset.into();
                    End::Ok
                }
                _ => End::Cme(3),
            },
        }
    }

    fn ussd(&mut self, rest: &str) -> End {
        let mut fields = rest.trim_start_matches('=').splitn(3, ',');
        let (kind, code) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default().trim_matches('"'));
        if kind != "1" || code.is_empty() {
            return End::Ok;
        }
        let answer = self.settings.ussd.iter().find(|(known, _)| known == code).map(|(_, answer)| answer.clone());
        self.line.line("OK");
        self.line.line(&match answer {
            Some(answer) => format!("+CUSD: 0,\"{answer}\",15"),
            None => "+CUSD: 4".into(),
        });
        End::Later
    }

    /// `AT+CMGS`: asks for the message, unless something is wrong.
    pub(super) fn announce(&mut self, rest: &str) -> End {
        let argument = rest.trim_start_matches('=');
        let announced = if self.told.text {
            Announced::Text(argument.split(',').next().unwrap_or_default().trim_matches('"').to_owned())
        } else {
            match argument.parse() {
                Ok(length @ 1..=176) => Announced::Pdu(length),
                _ => return End::Cms(304),
            }
        };
        self.sends += 1;
        self.counters.submits += 1;
        let early = self.settings.faults.iter().find(|fault| {
            matches!(fault.kind, ModemFaultKind::Hang | ModemFaultKind::Error)
                && (fault.at_send..fault.at_send.saturating_add(fault.times)).contains(&self.sends)
        });
        match early.map(|fault| fault.kind) {
            Some(ModemFaultKind::Error) => {
                self.counters.faults += 1;
                self.counters.refused += 1;
                return End::Error;
            }
            Some(_) => {
                self.counters.faults += 1;
                self.condition = super::device::Condition::Hung;
                return End::Later;
            }
            None => {}
        }
        self.announced = Some(announced);
        self.line.prompt();
        End::Later
    }
}
