//! The modem's side of the line: octets of a terminal to command lines and message texts, and answers to
//! octets. What commands mean is not known here.

/// Octets of a command line at the most.
const COMMAND_MAX: usize = 1024;
/// Octets of a message's text at the most: a PDU has some 350.
const TEXT_MAX: usize = 4096;
/// Octets that wait to be read as commands.
const WAITING_MAX: usize = 64 * 1024;

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;

/// What a terminal wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A command line, from its `AT` on, without its end.
    Command(String),
    /// The text of a message, as it was announced.
    Text(Vec<u8>),
    /// There is to be no message after all.
    Canceled,
}

/// The modem's end of a line.
#[derive(Debug, Default)]
pub struct ModemLine {
    input: Vec<u8>,
    /// So many octets of `input` were looked at.
    seen: usize,
    output: Vec<u8>,
    no_echo: bool,
    prompted: bool,
}

impl ModemLine {
    /// A line that echoes what it is told, as modems do at first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes octets in; gives how many. All are, unless nobody takes out what is there.
    pub fn receive(&mut self, octets: &[u8]) -> usize {
        let room = WAITING_MAX.saturating_sub(self.input.len());
        let fits = octets.get(..room).unwrap_or(octets);
        self.input.extend_from_slice(fits);
        fits.len()
    }

    /// What the terminal wants next.
    pub fn next_request(&mut self) -> Option<Request> {
        loop {
            let octet = *self.input.get(self.seen)?;
            let longest = if self.prompted { TEXT_MAX } else { COMMAND_MAX };
            match octet {
                CTRL_Z | ESC if self.prompted => {
                    let text = self.take(octet == CTRL_Z);
                    self.prompted = false;
                    return Some(if octet == CTRL_Z { Request::Text(text) } else { Request::Canceled });
                }
                ESC => drop(self.take(false)),
                b'\r' if !self.prompted => {
                    let line = self.take(true);
                    let line = String::from_utf8_lossy(&line);
                    let begin = line.to_ascii_uppercase().find("AT");
                    if let Some(command) = begin.and_then(|at| line.get(at..)) {
                        return Some(Request::Command(command.trim_end().to_owned()));
                    }
                }
                _ => {
                    self.seen += 1;
                    if self.seen > longest {
                        drop(self.take(false));
                    }
                }
            }
        }
    }

    /// Is a message's text awaited?
    #[must_use]
    pub const fn is_prompted(&self) -> bool {
        self.prompted
    }

    /// Whether what comes is sent back.
    pub fn set_echo(&mut self, on: bool) {
        self.no_echo = !on;
    }

    /// Asks for the text of a message.
    pub fn prompt(&mut self) {
        self.prompted = true;
        self.output.extend_from_slice(b"\r\n> ");
    }

    /// Writes a line.
    pub fn line(&mut self, text: &str) {
        self.raw(b"\r\n");
        self.raw(text.as_bytes());
        self.raw(b"\r\n");
    }

    /// Writes octets as they are.
    pub fn raw(&mut self, octets: &[u8]) {
        if self.output.len() < WAITING_MAX {
            self.output.extend_from_slice(octets);
        }
    }

    /// Octets to write.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Forgets octets that were written.
    pub fn consume_output(&mut self, written: usize) {
        self.output.drain(..written.min(self.output.len()));
    }

    /// Forgets what was begun, as a modem that starts anew.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// What was looked at, without its end; echoed if it was a line or text.
    fn take(&mut self, whole: bool) -> Vec<u8> {
        let end = (self.seen + 1).min(self.input.len());
        let taken: Vec<u8> = self.input.drain(..end).collect();
        let length = self.seen.min(taken.len());
        self.seen = 0;
        if whole && !self.no_echo {
            let echo = taken.iter().copied().filter(|octet| *octet != CTRL_Z).collect::<Vec<u8>>();
            self.raw(&echo);
        }
        taken
            .get(..length)
            .unwrap_or_default()
            .iter()
            .copied()
            .filter(|octet| *octet != b'\n' || self.prompted)
            .collect()
    }
}

/// The commands of a line such as `AT+CMEE=1;+CREG=2`, without `AT`. Semicolons within quotes divide nothing.
#[must_use]
pub fn commands(line: &str) -> Vec<&str> {
    let rest = line.get(2..).unwrap_or_default();
    let mut quoted = false;
    let parts = rest.split(move |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    parts.map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_texts_are_told_apart() {
        let mut line = ModemLine::new();
        line.receive(b"\x1B\rrubbish AT\rATE0\r");
        assert_eq!(line.next_request(), Some(Request::Command("AT".into())));
        assert_eq!(line.next_request(), Some(Request::Command("ATE0".into())));
        line.set_echo(false);
        assert_eq!(line.output(), b"\rrubbish AT\rATE0\r");
        line.consume_output(100);
        line.prompt();
        line.receive(b"0011\x1AAT\r\n");
        assert_eq!(line.next_request(), Some(Request::Text(b"0011".to_vec())));
        assert_eq!(line.next_request(), Some(Request::Command("AT".into())));
        line.prompt();
        line.receive(b"00\x1B");
        assert_eq!((line.next_request(), line.next_request()), (Some(Request::Canceled), None));
        assert_eq!(line.output(), b"\r\n> \r\n> ");
    }

    #[test]
    fn lines_are_divided_at_semicolons() {
        assert_eq!(commands("AT+CMEE=1;+CREG=2"), ["+CMEE=1", "+CREG=2"]);
        assert_eq!(commands("AT+CUSD=1,\"a;b\",15"), ["+CUSD=1,\"a;b\",15"]);
        assert_eq!(commands("AT"), [""]);
    }

    #[test]
    fn what_never_ends_is_forgotten() {
        let mut line = ModemLine::new();
        for _ in 0..100 {
            assert_eq!(line.receive(&[b'x'; 10_000]), 10_000);
            assert_eq!(line.next_request(), None);
        }
    }
}
