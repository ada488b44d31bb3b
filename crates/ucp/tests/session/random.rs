//! Any octets into either side, in any state, with commands and time in between.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use ucp::*;

use crate::pair::*;

#[derive(Debug, Clone)]
enum Move {
    Octets(Vec<u8>),
    Operation { ot: u8, trn: u8, data: Vec<u8> },
    Answer { ot: u8, trn: u8, code: Option<u8> },
    Submit,
    Deliver,
    Respond(u8),
    Accept,
    Refuse,
    Finish,
    Pass(u64),
    Write(usize),
    End,
}

fn moves() -> impl Strategy<Value = Move> {
    let ot = || prop::sample::select(vec![1u8, 2, 31, 31, 51, 51, 52, 52, 53, 60, 60, 61, 59]);
    let trn = || prop_oneof![9 => 0u8..8, 1 => 0u8..100];
    let data = vec(prop_oneof![4 => Just(b'/'), 2 => b'0'..=b'4', 1 => b'A'..=b'F'], 0..60);
    let data = prop_oneof![data, Just(b"12345/6/5/1/626172//0100//////".to_vec())];
    let octets = vec(prop_oneof![Just(2u8), Just(3), Just(b'/'), b'0'..=b'9', any::<u8>()], 0..30);
    prop_oneof![
        2 => octets.prop_map(Move::Octets),
        8 => (ot(), trn(), data).prop_map(|(ot, trn, data)| Move::Operation { ot, trn, data }),
        6 => (ot(), trn(), prop::option::of(0u8..100)).prop_map(|(ot, trn, code)| Move::Answer { ot, trn, code }),
        4 => Just(Move::Submit),
        2 => Just(Move::Deliver),
        3 => (0u8..8).prop_map(Move::Respond),
        3 => Just(Move::Accept),
        1 => Just(Move::Refuse),
        1 => Just(Move::Finish),
        4 => (0u64..40).prop_map(Move::Pass),
        4 => (0usize..400).prop_map(Move::Write),
        1 => Just(Move::End),
    ]
}

fn play(mut session: Session, moves: Vec<Move>) -> Result<(), TestCaseError> {
    let mut now = Duration::ZERO;
    let (mut sent, mut settled) = (Vec::new(), Vec::new());
    let mut closed = false;
    for (at, next) in moves.into_iter().enumerate() {
        let token = at as u64;
        let mut input = Vec::new();
        match next {
            Move::Octets(octets) => input = octets,
            Move::Operation { ot, trn: number, data } => {
                input = wire(&Operation::Unknown { ot: OperationType(ot), data: &data }, number);
            }
            Move::Answer { ot, trn: number, code } => {
                let answer = code.map_or(Answer::ack(b"1:010125000000"), |code| Answer::nack(ErrorCode(code)));
                input = answer_wire(OperationType(ot), &answer, number);
            }
            Move::Submit => sent.extend(session.submit(&message(), token, now).ok().map(|_| token)),
            Move::Deliver => sent.extend(session.deliver(&message(), token, now).ok().map(|_| token)),
            Move::Respond(number) => {
                let _ = session.respond(trn(number), &Answer::ACK, now);
            }
            Move::Accept => {
                let _ = session.accept_login(b"", now);
            }
            Move::Refuse => {
                let _ = session.refuse_login(ErrorCode::AUTHENTICATION, now);
            }
            Move::Finish => session.finish(now),
            Move::Pass(seconds) => now += Duration::from_secs(seconds),
            Move::Write(octets) => session.consume_output(octets),
            Move::End => session.transport_closed(),
        }
        let taken = session.receive(&input, now);
        prop_assert!(taken == input.len() || session.output_is_full());
        for event in drain(&mut session, now) {
            prop_assert!(!closed, "{event:?} after the end");
            match event {
                Seen::Response { token, .. } | Seen::TimedOut(token) => settled.push(token),
                Seen::Closed(_) => closed = true,
                _ => {}
            }
        }
        prop_assert!(session.outstanding() <= 4 && session.unanswered() <= 5);
        prop_assert!(session.output().len() <= 2_000 + 1_000, "{} octets of output", session.output().len());
        prop_assert_eq!(closed, session.is_closed());
        prop_assert!(!closed || session.next_deadline().is_none());
        if let Some(deadline) = session.next_deadline() {
            prop_assert!(deadline > now || session.output_is_full(), "a timer is overdue");
        }
    }
    // Every operation has come back exactly once.
    settled.extend(session.drain_outstanding());
    settled.sort_unstable();
    prop_assert_eq!(settled, sent);
    Ok(())
}

fn small(asks: bool) -> SessionConfig {
    let frames = FrameRules { max_len: 300, ..FrameRules::default() };
    let keep_alive = asks.then(|| KeepAlive::every_minute(b"1"));
    let limits = SessionConfig { window: 4, output_limit: 2_000, max_unanswered: 5, ..SessionConfig::default() };
    SessionConfig { frames, keep_alive, max_junk: 2_000, ..limits }
}

proptest! {
    #[test]
    fn a_server_bears_anything(moves in vec(moves(), 0..80), login_required: bool, asks: bool) {
        let config = ServerConfig { login_required, session: small(asks) };
        play(Session::server(config, Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn a_client_bears_anything(moves in vec(moves(), 0..80), logs_in: bool, asks: bool) {
        let login = client_config().login.filter(|_| logs_in);
        let config = ClientConfig { login, announce: asks, session: small(asks) };
        play(Session::client(config, Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn open_sessions_bear_anything(moves in vec(moves(), 0..80), server: bool) {
        let session = if server {
            lone_server(small(false))
        } else {
            lone_client(ClientConfig { session: small(true), ..client_config() })
        };
        play(session, moves)?;
    }

    #[test]
    fn how_octets_are_split_makes_no_difference(moves in vec(moves(), 1..40), chunk in 1usize..50) {
        let bytes: Vec<u8> = moves
            .iter()
            .flat_map(|one| match one {
                Move::Octets(octets) => octets.clone(),
                Move::Operation { ot, trn, data } => {
                    wire(&Operation::Unknown { ot: OperationType(*ot), data }, *trn)
                }
                Move::Answer { ot, trn, .. } => answer_wire(OperationType(*ot), &Answer::ACK, *trn),
                _ => Vec::new(),
            })
            .collect();
        let mut whole = lone_client(client_config());
        let mut split = lone_client(client_config());
        prop_assert_eq!(
            feed(&mut whole, &bytes, Duration::ZERO, usize::MAX),
            feed(&mut split, &bytes, Duration::ZERO, chunk)
        );
        prop_assert_eq!(take_output(&mut whole), take_output(&mut split));
        prop_assert_eq!(whole.counters(), split.counters());
    }
}
