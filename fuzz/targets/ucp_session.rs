//! Any octets, commands and times into a session of either side: it stays within its limits, every operation comes
//! back exactly once, and nothing happens after the end.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ucp::{
    Answer, ClientConfig, ErrorCode, Event, FrameRules, KeepAlive, Login, Operation, OperationType, ServerConfig,
    Session, SessionConfig, ShortMessage, Trn, encode,
};

const WINDOW: usize = 4;
const OUTPUT_LIMIT: usize = 2_000;
const MAX_UNANSWERED: usize = 5;
/// What may join an output that is one octet short of full: an operation of ours, an alert, and the caller's answers to
/// what was taken before and to a login.
const OVERHANG: usize = 60 + 30 + (MAX_UNANSWERED + 1) * LONGEST_ANSWER;
/// Of the answers that are given here: `A//` in its frame.
const LONGEST_ANSWER: usize = 25;

fuzz_target!(|octets: &[u8]| {
    let Some((&[sides, flags], moves)) = octets.split_first_chunk::<2>() else { return };
    let strict = flags & 1 == 0;
    let limits = SessionConfig {
        window: WINDOW,
        output_limit: OUTPUT_LIMIT,
        max_unanswered: MAX_UNANSWERED,
        max_junk: 1_000,
        frames: FrameRules { max_len: 400, check_length: strict, check_checksum: strict },
        keep_alive: (flags & 2 != 0).then(|| KeepAlive::every_minute(b"1")),
        inactivity_timeout: (flags & 4 != 0).then_some(Duration::from_secs(90)),
        ..SessionConfig::default()
    };
    let session = if sides & 1 == 0 {
        Session::server(ServerConfig { login_required: sides & 2 == 0, session: limits }, Duration::ZERO)
    } else {
        let login = (sides & 2 != 0).then(Login::default);
        let announce = limits.keep_alive.is_some() && sides & 4 != 0;
        Session::client(ClientConfig { login, announce, session: limits }, Duration::ZERO)
    };
    let session = session.expect("the settings are good");
    let (sent, settled) = (Vec::new(), Vec::new());
    Play { session, now: Duration::ZERO, sent, settled, received: 0, ended: false, closed: false }.run(moves);
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
}

impl Play {
    fn run(mut self, mut moves: &[u8]) {
        let mut token = 0;
        self.drain();
        while let Some((&[kind, argument], rest)) = moves.split_first_chunk::<2>() {
            moves = rest;
            token += 1;
            let input = self.play(kind, argument, token, &mut moves);
            self.feed(&input);
            self.check();
        }
        self.settled.extend(self.session.drain_outstanding());
        self.settled.sort_unstable();
        assert_eq!(self.settled, self.sent, "every operation comes back exactly once");
    }

    /// Does one thing, and gives the octets that the peer sends.
    fn play(&mut self, kind: u8, argument: u8, token: u64, moves: &mut &[u8]) -> Vec<u8> {
        let (session, now) = (&mut self.session, self.now);
        match kind % 12 {
            0 => return take(moves, usize::from(argument % 32)).to_vec(),
            1 => return operation(argument, moves),
            2 => return result(argument, moves),
            4 => self.sent.extend(session.submit(&ShortMessage::default(), token, now).ok().map(|_| token)),
            5 => self.sent.extend(session.deliver(&ShortMessage::default(), token, now).ok().map(|_| token)),
            3 | 6 => {
                let trn = Trn::new(argument % 100).unwrap_or_default();
                let _ = session.respond(trn, &Answer::ACK, now);
            }
            7 => {
                let _ = session.accept_login(b"", now);
            }
            8 if argument & 1 == 0 => {
                let _ = session.refuse_login(ErrorCode::AUTHENTICATION, now);
            }
            8 => session.finish(now),
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
                Event::Response { token, .. } | Event::TimedOut { token } => self.settled.push(token),
                Event::Closed(_) => self.closed = true,
                _ => {}
            }
        }
        events
    }

    fn check(&self) {
        let session = &self.session;
        assert!(session.outstanding() <= WINDOW && session.unanswered() <= MAX_UNANSWERED);
        let octets = session.output().len();
        // After the end of the connection all that has come is answered, whether or not the output is full.
        let answers = if self.ended { self.received * 2 } else { 0 };
        assert!(octets < OUTPUT_LIMIT + OVERHANG + answers, "{octets} octets of output");
        assert_eq!(self.closed, session.is_closed());
        assert!(!self.closed || session.next_deadline().is_none());
        if let Some(deadline) = session.next_deadline() {
            assert!(deadline > self.now, "a timer is overdue");
        }
    }
}

/// An operation in a good frame: which, its TRN, and its fields.
fn operation(ot: u8, moves: &mut &[u8]) -> Vec<u8> {
    let &[trn, length] = take(moves, 2).first_chunk::<2>().unwrap_or(&[1, 0]);
    let data = take(moves, usize::from(length));
    let mut wire = Vec::new();
    let operation = Operation::Unknown { ot: OperationType(ot % 100), data };
    // Fields that no frame can carry go as they are.
    match encode(&operation, Trn::new(trn % 100).unwrap_or_default(), &mut wire) {
        Ok(()) => wire,
        Err(_) => data.to_vec(),
    }
}

/// The same as a result.
fn result(ot: u8, moves: &mut &[u8]) -> Vec<u8> {
    let mut wire = operation(ot, moves);
    // O stands behind STX, TRN and LEN.
    if wire.get(10) == Some(&b'O') && wire.len() > 17 {
        wire[10] = b'R';
        let end = wire.len() - 3;
        let sum = wire[1..end].iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
        wire.truncate(end);
        wire.extend_from_slice(format!("{sum:02X}\x03").as_bytes());
    }
    wire
}

fn take<'a>(moves: &mut &'a [u8], wanted: usize) -> &'a [u8] {
    let (taken, rest) = moves.split_at(wanted.min(moves.len()));
    *moves = rest;
    taken
}
