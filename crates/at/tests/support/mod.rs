//! A client and a modem that answers by a script, in memory and on a clock of their own.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::VecDeque;
use std::time::Duration;

use at::{Client, ClientConfig, Event, ModemLine, Request};

/// What the script is asked: a command line, or `> ` and the text of a message, or `ESC`.
pub type Script = Box<dyn FnMut(&str) -> Option<String>>;

/// What a plain modem answers, in text mode and without UCS-2 where it is one that has no PDU mode.
pub fn usual(command: &str, text_mode: bool) -> String {
    let said = match command {
        "AT+CGMI" => "Maker",
        "AT+CGMM" => "Model",
        "AT+CGSN" => "490154203237518",
        "AT+CREG?" => "+CREG: 0,1",
        "AT+CPIN?" => "+CPIN: READY",
        "AT+CPMS=?" => "+CPMS: (\"SM\"),(\"SM\"),(\"SM\")",
        "AT+CMGF=0" | "AT+CSCS=\"UCS2\"" if text_mode => return "\r\nERROR\r\n".into(),
        _ => return "\r\nOK\r\n".into(),
    };
    format!("\r\n{said}\r\n\r\nOK\r\n")
}

/// The two, with a line between them.
pub struct Talk {
    pub client: Client,
    pub now: Duration,
    pub events: Vec<Event>,
    /// What the modem was asked.
    pub asked: Vec<String>,
    /// Every octet that was written to it.
    pub written: Vec<u8>,
    /// What it has still to say: one answer is heard at a time.
    answers: VecDeque<String>,
    line: ModemLine,
    script: Script,
}

impl Talk {
    /// A modem that says what `script` does, and what is usual where that says nothing.
    pub fn new(config: ClientConfig, script: impl FnMut(&str) -> Option<String> + 'static) -> Self {
        let mut line = ModemLine::new();
        line.set_echo(false);
        Self {
            client: Client::new(config, Duration::ZERO),
            now: Duration::ZERO,
            events: Vec::new(),
            asked: Vec::new(),
            written: Vec::new(),
            answers: VecDeque::new(),
            line,
            script: Box::new(script),
        }
    }

    /// The modem says something by itself.
    pub fn say(&mut self, text: &str) {
        assert_eq!(self.client.receive(text.as_bytes()), text.len());
    }

    /// Goes on until the client tells what is looked for.
    pub fn until<T>(&mut self, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
        for _ in 0..10_000 {
            while let Some(event) = self.client.next_event(self.now) {
                let found = find(&event);
                self.events.push(event);
                if let Some(found) = found {
                    return found;
                }
            }
            assert!(!self.client.is_closed(), "no {what}: {:?} after {:?}", self.events, self.last());
            self.step();
        }
        panic!("no {what}: {:?} after {:?}", self.events, self.last());
    }

    pub fn ready(&mut self) {
        self.until("ready", |event| (*event == Event::Ready).then_some(()));
    }

    /// Goes on until the modem is asked this.
    pub fn until_asked(&mut self, command: &str) {
        let before = self.asked.len();
        for _ in 0..10_000 {
            while let Some(event) = self.client.next_event(self.now) {
                self.events.push(event);
            }
            self.step();
            if self.asked.get(before..).is_some_and(|asked| asked.iter().any(|asked| asked == command)) {
                return;
            }
        }
        panic!("{command} was not asked: {:?}", self.last());
    }

    /// What was asked last.
    fn last(&self) -> &[String] {
        self.asked.get(self.asked.len().saturating_sub(20)..).unwrap_or_default()
    }

    /// Carries what there is to carry; if there is nothing, time passes.
    pub fn step(&mut self) {
        let written = self.client.output().to_vec();
        self.client.consume_output(written.len());
        self.line.receive(&written);
        self.written.extend_from_slice(&written);
        while let Some(request) = self.line.next_request() {
            let asked = match request {
                Request::Command(command) => command,
                Request::Text(text) => format!("> {}", String::from_utf8_lossy(&text)),
                Request::Canceled => "ESC".into(),
            };
            let answer = (self.script)(&asked).unwrap_or_else(|| usual(&asked, false));
            // What it waits for then is the text of a message.
            if answer.ends_with("> ") {
                self.line.prompt();
            }
            self.answers.push_back(answer);
            self.asked.push(asked);
        }
        match self.answers.pop_front() {
            Some(answer) => self.say(&answer),
            None if written.is_empty() => {
                self.now = self.client.next_deadline().expect("it waits for something").max(self.now);
            }
            None => {}
        }
    }
}
