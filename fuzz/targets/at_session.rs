//! Any octets, commands and times into a session with a modem: it stays within its limits, every message comes to
//! exactly one end, no deadline passes unseen, and nothing happens after the end.

#![no_main]

use std::collections::HashSet;
use std::time::Duration;

use at::{Client, ClientConfig, Event, Mode, ModemLine, Pin};
use libfuzzer_sys::fuzz_target;
use sms::tpdu::{Address, Submit, UserData};

/// Answers that a modem gives to what it is told, by a letter.
const WORDS: [&str; 24] = [
    "\r\nOK\r\n",
    "\r\nERROR\r\n",
    "\r\n> ",
    "\r\n+CREG: 0,1\r\n\r\nOK\r\n",
    "\r\n+CPIN: READY\r\n\r\nOK\r\n",
    "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n",
    "\r\n+CMGS: 7\r\n\r\nOK\r\n",
    "\r\n+CMS ERROR: 38\r\n",
    "\r\n+CMS ERROR: 310\r\n",
    "\r\n+CMTI: \"SM\",3\r\n",
    "\r\n+CDSI: \"SR\",1\r\n",
    "\r\n+CMT: ,28\r\n07914477790700F0040C914477000910320000621122313030400AE8329BFD4697D9EC37\r\n",
    "\r\n+CDS: 26\r\n",
    "\r\n+CMGR: 0,,28\r\n07914477790700F0040C914477000910320000621122313030400AE8329BFD4697D9EC37\r\n\r\nOK\r\n",
    "\r\n+CMGL: 1,0,,28\r\n07914477790700F0040C914477000910320000621122313030400AE8329BFD4697D9EC37\r\n",
    "\r\n+CUSD: 0,\"Hello\",15\r\n",
    "\r\n+CUSD: 1,\"A menu\r\n",
    "\r\nRING\r\n",
    "\r\n+CLIP: \"+447700900123\",145\r\n",
    "\r\nRDY\r\n",
    "\r\n+CREG: 2\r\n",
    "\r\n+CREG: 1\r\n",
    "\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n\r\nOK\r\n",
    "\r\n+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\")\r\n\r\nOK\r\n",
];

fuzz_target!(|octets: &[u8]| {
    let mut line = ModemLine::new();
    line.receive(octets);
    while line.next_request().is_some() {}
    let Some((&flags, mut moves)) = octets.split_first() else { return };
    let config = ClientConfig {
        pin: if flags & 1 == 0 { None } else { Pin::new("1234") },
        mode: if flags & 2 == 0 { Mode::Auto } else { Mode::Text },
        gap: Duration::from_millis(if flags & 4 == 0 { 0 } else { 20 }),
        ..ClientConfig::default()
    };
    let client = Client::new(config, Duration::ZERO);
    let mut play = Play { client, now: Duration::ZERO, open: HashSet::new(), acks: Vec::new(), closed: false };
    let mut token = 0;
    play.drain();
    while let Some((&[kind, argument], rest)) = moves.split_first_chunk::<2>() {
        moves = rest;
        token += 1;
        play.act(kind, argument, token, &mut moves);
        play.drain();
        play.check();
    }
    play.client.transport_closed();
    play.drain();
    assert!(play.client.is_closed() && play.open.is_empty(), "{:?} never ended", play.open);
});

struct Play {
    client: Client,
    now: Duration,
    open: HashSet<u64>,
    acks: Vec<u64>,
    closed: bool,
}

impl Play {
    fn act(&mut self, kind: u8, argument: u8, token: u64, moves: &mut &[u8]) {
        let (client, now) = (&mut self.client, self.now);
        match kind % 10 {
            0 => {
                let (octets, rest) = moves.split_at(usize::from(argument).min(moves.len()));
                *moves = rest;
                assert_eq!(client.receive(octets), octets.len());
            }
            1..=3 => {
                let word = WORDS[usize::from(argument) % WORDS.len()].as_bytes();
                assert_eq!(client.receive(word), word.len());
            }
            4 => {
                let to = Address::number("+447700900123").expect("a number");
                let submit = Submit::new(to, 0, UserData::gsm7(&[], b"hello").expect("it fits"));
                if client.send(&submit, argument & 1 == 0, token, now).is_ok() {
                    self.open.insert(token);
                }
            }
            5 => {
                if let Some(ack) = self.acks.pop() {
                    client.acknowledge(ack, now);
                }
            }
            6 => self.now += Duration::from_millis(u64::from(argument) * 100),
            7 => client.consume_output(if argument & 1 == 0 { usize::MAX } else { usize::from(argument) }),
            8 => drop(client.ussd("*100#", now)),
            _ if argument == 0 => client.finish(now),
            _ => {}
        }
    }

    fn drain(&mut self) {
        let mut events = 0;
        while let Some(event) = self.client.next_event(self.now) {
            assert!(!self.closed, "{event:?} after the end");
            events += 1;
            assert!(events < 100_000, "it never ends");
            match event {
                Event::Sent { token, .. }
                | Event::Refused { token, .. }
                | Event::Unsent { token }
                | Event::InDoubt { token } => assert!(self.open.remove(&token), "{token} ended twice"),
                Event::Received { ack, .. } => self.acks.push(ack),
                Event::Closed(_) => self.closed = true,
                _ => {}
            }
        }
    }

    fn check(&self) {
        assert!(self.client.room() <= 1);
        if let Some(deadline) = self.client.next_deadline() {
            assert!(self.closed || deadline > self.now, "a timer is overdue");
        }
    }
}
