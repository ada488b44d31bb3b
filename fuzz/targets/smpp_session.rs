//! Any octets, commands and times into a session of either side: it stays within its limits, every
//! request comes back exactly once, and nothing happens after the end.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use smpp::{
    BindMode, ClientConfig, CommandId, CommandStatus, DeliverSm, Event, InterfaceVersion, OutbindCredentials, Pdu,
    Session, SessionConfig, SubmitSm, SubmitSmResp, encode,
};

const WINDOW: usize = 4;
const OUTPUT_LIMIT: usize = 2_000;
const MAX_UNANSWERED: usize = 5;
/// What may join an output that is one octet short of full: a request of ours ([`SubmitSm`] by default), the
/// caller's answers to what was taken before, and the two PDUs of an orderly end.
const OVERHANG: usize = 33 + MAX_UNANSWERED * LONGEST_ANSWER + 2 * 16;
/// Of the answers that are given here: a header and an empty string.
const LONGEST_ANSWER: usize = 17;

fuzz_target!(|octets: &[u8]| {
    let Some((&[sides, version], moves)) = octets.split_first_chunk::<2>() else { return };
    let limits = SessionConfig {
        version: [InterfaceVersion::V3_3, InterfaceVersion::V3_4, InterfaceVersion::V5_0][usize::from(version % 3)],
        window: WINDOW,
        output_limit: OUTPUT_LIMIT,
        max_unanswered: MAX_UNANSWERED,
        max_pdu: 500,
        inactivity_timeout: (version & 0x80 != 0).then_some(Duration::from_secs(90)),
        ..SessionConfig::default()
    };
    let session = if sides & 1 == 0 {
        Session::server(limits, Duration::ZERO)
    } else {
        let mode = [BindMode::Receiver, BindMode::Transmitter, BindMode::Transceiver][usize::from(sides >> 1) % 3];
        let await_outbind = (sides & 0x80 != 0).then(OutbindCredentials::default);
        Session::client(
            ClientConfig { mode, await_outbind, session: limits, ..ClientConfig::default() },
            Duration::ZERO,
        )
    };
    if let Ok(session) = session {
        let (sent, settled) = (Vec::new(), Vec::new());
        Play { session, now: Duration::ZERO, sent, settled, received: 0, ended: false, closed: false }.run(moves);
    }
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
            1..=3 => return pdu_of(argument, moves),
            4 => self.sent.extend(session.submit(&SubmitSm::default(), token, now).ok().map(|_| token)),
            5 => self.sent.extend(session.request(&DeliverSm::default(), token, now).ok().map(|_| token)),
            // A caller that answered what nobody has asked would fill the output by itself.
            6 if session.unanswered() > 0 => {
                let _ = session.respond(u32::from(argument), CommandStatus::ROK, &SubmitSmResp::default(), now);
            }
            7 => {
                let _ = session.accept_bind(b"MC", now);
            }
            8 if argument & 1 == 0 => {
                let _ = session.refuse_bind(CommandStatus::RBINDFAIL, now);
            }
            8 => session.unbind(now),
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
                Event::Response { token, .. } | Event::Nacked { token, .. } | Event::TimedOut { token } => {
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
        assert!(session.outstanding() <= WINDOW);
        let octets = session.output().len();
        // After the end of the connection all that has come is answered, whether or not the output is full.
        let answers = if self.ended { self.received / 16 * LONGEST_ANSWER } else { 0 };
        assert!(octets < OUTPUT_LIMIT + OVERHANG + answers, "{octets} octets of output");
        assert_eq!(self.closed, session.is_closed());
        assert!(!self.closed || session.next_deadline().is_none());
        if let Some(deadline) = session.next_deadline() {
            assert!(deadline > self.now, "a timer is overdue");
        }
    }
}

/// A PDU with a good length: which, with what number and status, and its body.
fn pdu_of(argument: u8, moves: &mut &[u8]) -> Vec<u8> {
    const IDS: [u32; 14] = [1, 2, 4, 5, 6, 9, 0xB, 0x15, 0x21, 0x102, 0x103, 0x111, 0, 0x77];
    let &[sequence, status, length] = take(moves, 3).first_chunk::<3>().unwrap_or(&[1, 0, 0]);
    let id = IDS[usize::from(argument & 0x7F) % IDS.len()] | u32::from(argument & 0x80) << 24;
    let body = take(moves, usize::from(length));
    let mut wire = Vec::new();
    let pdu = Pdu::Unknown { id: CommandId(id), body };
    encode(&pdu, u32::from(sequence), CommandStatus(u32::from(status)), &mut wire).expect("a body without fields");
    wire
}

fn take<'a>(moves: &mut &'a [u8], wanted: usize) -> &'a [u8] {
    let (taken, rest) = moves.split_at(wanted.min(moves.len()));
    *moves = rest;
    taken
}
