//! Any octets, commands and times into a CIMD2 session of either side: it stays within its limits, every
//! request comes back exactly once, and nothing happens after the end.

#![no_main]

use std::time::Duration;

use cimd2::{
    ClientConfig, Deliver, ErrorCode, Event, OperationCode, Packet, ParameterBuf, Session, SessionConfig, Submit,
    SubmitResp, Tag, encode,
};
use libfuzzer_sys::fuzz_target;

const WINDOW: usize = 4;
const OUTPUT_LIMIT: usize = 2_000;
const MAX_UNANSWERED: usize = 5;
/// Of the answers and requests that are given here: a header, an error and a checksum.
const LONGEST_PACKET: usize = 20;
/// What may join an output that is one octet short of full: a request of ours, all of them again after a nack, the
/// caller's answers to what was taken before, and the two packets of an orderly end.
const OVERHANG: usize = (1 + WINDOW + MAX_UNANSWERED + 2) * LONGEST_PACKET + LONGEST_GREETING;
/// A server may greet as long as nobody has begun to log in.
const LONGEST_GREETING: usize = 64;
/// Of a packet that draws an answer: STX, header, ETX.
const SHORTEST_PACKET: usize = 6;

fuzz_target!(|octets: &[u8]| {
    let Some((&[side, settings], moves)) = octets.split_first_chunk::<2>() else { return };
    let limits = SessionConfig {
        window: 1 + usize::from(settings) % WINDOW,
        output_limit: OUTPUT_LIMIT,
        max_unanswered: MAX_UNANSWERED,
        max_packet: 500,
        repeats: u32::from(settings >> 2 & 1),
        send_checksum: settings & 8 == 0,
        verify_checksum: settings & 16 == 0,
        silence_timeout: (settings & 0x80 != 0).then_some(Duration::from_secs(90)),
        ..SessionConfig::default()
    };
    let session = if side & 1 == 0 {
        Session::server(limits, Duration::ZERO)
    } else {
        let config = ClientConfig { announce_window: side & 2 != 0, session: limits, ..ClientConfig::default() };
        Session::client(config, Duration::ZERO)
    };
    let session = session.expect("the settings are good");
    let (sent, settled) = (Vec::new(), Vec::new());
    Play { session, now: Duration::ZERO, sent, settled, received: 0, ended: false, closed: false, greeted: false }
        .run(moves);
});

struct Play {
    session: Session,
    now: Duration,
    sent: Vec<u64>,
    settled: Vec<u64>,
    /// Octets that were handed over.
    received: usize,
    /// The connection has ended; what has come before is still dealt with.
    ended: bool,
    closed: bool,
    greeted: bool,
}

impl Play {
    fn run(mut self, mut moves: &[u8]) {
        let mut token = 0;
        while let Some((&[kind, argument], rest)) = moves.split_first_chunk::<2>() {
            moves = rest;
            token += 1;
            let input = self.play(kind, argument, token, &mut moves);
            self.feed(&input);
            self.check();
        }
        self.settled.extend(self.session.drain_outstanding());
        self.settled.sort_unstable();
        assert_eq!(self.settled, self.sent, "every request comes back exactly once");
    }

    /// Does one thing, and gives the octets that the peer sends.
    fn play(&mut self, kind: u8, argument: u8, token: u64, moves: &mut &[u8]) -> Vec<u8> {
        let (session, now) = (&mut self.session, self.now);
        match kind % 12 {
            0 => return take(moves, usize::from(argument % 32)).to_vec(),
            1..=3 => return packet_of(argument, moves),
            4 => self.sent.extend(session.submit(&Submit::default(), token, now).ok().map(|_| token)),
            5 => self.sent.extend(session.request(&Deliver::default(), token, now).ok().map(|_| token)),
            6 if argument & 1 == 0 => {
                let _ = session.respond(u16::from(argument >> 1), &SubmitResp::default(), now);
            }
            6 => {
                let _ = session.refuse(u16::from(argument >> 1), ErrorCode::SYSTEM_ERROR, b"", now);
            }
            7 => {
                let _ = session.accept_login(now);
            }
            8 if argument & 1 == 0 => {
                let _ = session.refuse_login(ErrorCode::LOGIN_INVALID, b"", now);
            }
            8 if argument & 2 == 0 && !self.greeted => self.greeted = session.greet(&[argument; 60]).is_ok(),
            8 => session.logout(now),
            9 => self.now += Duration::from_secs(u64::from(argument)),
            10 => session.consume_output(usize::from(argument) * 4),
            _ if argument == 0 => {
                session.transport_closed();
                self.ended = true;
            }
            _ => {}
        }
        Vec::new()
    }

    fn feed(&mut self, mut input: &[u8]) {
        loop {
            let taken = self.session.receive(input, self.now);
            input = &input[taken..];
            self.received += taken;
            let events = self.drain();
            // What is not taken now was stopped by the full output.
            if input.is_empty() || (taken == 0 && events == 0) {
                assert!(input.is_empty() || self.session.output_is_full());
                return;
            }
        }
    }

    fn drain(&mut self) -> usize {
        let mut events = 0;
        while let Some(event) = self.session.next_event(self.now) {
            assert!(!self.closed, "{event:?} after the end");
            events += 1;
            match event {
                Event::Response { token, .. } | Event::Nacked { token } | Event::TimedOut { token } => {
                    self.settled.push(token);
                }
                Event::Closed(_) => self.closed = true,
                _ => {}
            }
        }
        events
    }

    fn check(&self) {
        let session = &self.session;
        assert!(session.outstanding() <= WINDOW && session.unanswered() <= MAX_UNANSWERED);
        assert!(session.window_room() <= WINDOW);
        let octets = session.output().len();
        // After the end of the connection all that has come is answered, whether or not the output is full; and each
        // nack among it asks for what is open.
        let answers = if self.ended { self.received / SHORTEST_PACKET * WINDOW * LONGEST_PACKET } else { 0 };
        assert!(octets < OUTPUT_LIMIT + OVERHANG + answers, "{octets} octets of output");
        assert_eq!(self.closed, session.is_closed());
        assert!(!self.closed || session.next_deadline().is_none());
        if let Some(deadline) = session.next_deadline() {
            assert!(deadline > self.now, "a timer is overdue");
        }
    }
}

/// A packet with a good form: which, with what number, and its parameters.
fn packet_of(argument: u8, moves: &mut &[u8]) -> Vec<u8> {
    const CODES: [u8; 16] = [1, 2, 3, 5, 20, 23, 40, 51, 52, 53, 70, 73, 90, 98, 99, 33];
    const TAGS: [Tag; 8] =
        [Tag::ERROR, Tag::DESTINATION, Tag::TEXT, Tag::DCS, Tag::TIMESTAMP, Tag::WINDOW, Tag::STATUS, Tag(777)];
    let &[sequence, kinds, length] = take(moves, 3).first_chunk::<3>().unwrap_or(&[1, 0, 0]);
    let mut parameters = ParameterBuf::new();
    for value in take(moves, usize::from(length % 64)).chunks(5) {
        let tag = TAGS[usize::from(kinds.wrapping_add(value[0])) % TAGS.len()];
        let _ = parameters.push(tag, &value[1..]);
    }
    let code = OperationCode(CODES[usize::from(argument & 0x7F) % CODES.len()]);
    let packet = Packet::Unknown { code, parameters: parameters.as_parameters() };
    let mut wire = Vec::new();
    encode(&packet, u16::from(sequence), argument & 0x80 == 0, &mut wire).expect("its parameters were taken");
    wire
}

fn take<'a>(moves: &mut &'a [u8], wanted: usize) -> &'a [u8] {
    let (taken, rest) = moves.split_at(wanted.min(moves.len()));
    *moves = rest;
    taken
}
