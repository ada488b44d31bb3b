//! Any octets into either side, in any state, with commands and time in between.

use std::time::Duration;

use cimd2::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::pair::*;

#[derive(Debug, Clone)]
enum Move {
    Octets(Vec<u8>),
    Packet { code: u8, sequence: u16, parameters: Vec<(u16, Vec<u8>)>, checksum: Option<bool> },
    Submit,
    Deliver,
    Respond(u16),
    Accept,
    Refuse,
    Logout,
    Pass(u64),
    Write(usize),
    End,
}

fn moves() -> impl Strategy<Value = Move> {
    let codes = prop_oneof![
        4 => prop::sample::select(vec![1u8, 2, 3, 20, 23, 40, 51, 52, 53, 70, 73, 90, 98, 99]),
        1 => 0u8..100
    ];
    let sequence = prop_oneof![4 => 0u16..12, 1 => 0u16..1000];
    let values = vec(prop_oneof![b'0'..=b'9', Just(b'_')], 0..6);
    let tags = prop_oneof![prop::sample::select(vec![21u16, 30, 33, 34, 60, 900, 901]), 0u16..1000];
    let checksum = prop_oneof![6 => Just(Some(true)), 1 => Just(Some(false)), 3 => Just(None)];
    let packet = (codes, sequence, vec((tags, values), 0..4), checksum)
        .prop_map(|(code, sequence, parameters, checksum)| Move::Packet { code, sequence, parameters, checksum });
    prop_oneof![
        1 => vec(prop_oneof![Just(2u8), Just(3), any::<u8>()], 0..8).prop_map(Move::Octets),
        12 => packet,
        4 => Just(Move::Submit),
        2 => Just(Move::Deliver),
        3 => (0u16..12).prop_map(Move::Respond),
        3 => Just(Move::Accept),
        1 => Just(Move::Refuse),
        1 => Just(Move::Logout),
        4 => (0u64..80).prop_map(Move::Pass),
        4 => (0usize..400).prop_map(Move::Write),
        1 => Just(Move::End),
    ]
}

fn octets(code: u8, sequence: u16, parameters: &[(u16, Vec<u8>)], checksum: Option<bool>) -> Vec<u8> {
    let mut raw = ParameterBuf::new();
    for (tag, value) in parameters {
        let _ = raw.push(Tag(*tag), value);
    }
    let packet = Packet::Unknown { code: OperationCode(code), parameters: raw.as_parameters() };
    let mut wire = Vec::new();
    encode(&packet, sequence, checksum.is_some(), &mut wire).unwrap();
    if checksum == Some(false) {
        let at = wire.len() - 2;
        wire[at] = if wire[at] == b'0' { b'1' } else { b'0' };
    }
    wire
}

fn play(mut session: Session, moves: Vec<Move>) -> Result<(), TestCaseError> {
    let mut now = Duration::ZERO;
    let mut sent = Vec::new();
    let mut settled = Vec::new();
    let mut closed = false;
    for (at, next) in moves.into_iter().enumerate() {
        let token = at as u64;
        let mut input = Vec::new();
        match next {
            Move::Octets(octets) => input = octets,
            Move::Packet { code, sequence, parameters, checksum } => {
                input = octets(code, sequence, &parameters, checksum);
            }
            Move::Submit => sent.extend(session.submit(&message(), token, now).ok().map(|_| token)),
            Move::Deliver => sent.extend(session.request(&delivery(b"x"), token, now).ok().map(|_| token)),
            Move::Respond(sequence) => {
                let _ = session.refuse(sequence, ErrorCode::OK, b"", now);
            }
            Move::Accept => {
                let _ = session.accept_login(now);
            }
            Move::Refuse => {
                let _ = session.refuse_login(ErrorCode::LOGIN_INVALID, b"", now);
            }
            Move::Logout => session.logout(now),
            Move::Pass(seconds) => now += Duration::from_secs(seconds),
            Move::Write(octets) => session.consume_output(octets),
            Move::End => session.transport_closed(),
        }
        let room = session.window_room();
        prop_assert!(room <= 4);
        let taken = session.receive(&input, now);
        prop_assert!(taken == input.len() || session.output_is_full());
        for event in drain(&mut session, now) {
            prop_assert!(!closed, "{event:?} after the end");
            match event {
                Seen::Response { token, .. } | Seen::Nacked(token) | Seen::TimedOut(token) => settled.push(token),
                Seen::Closed(_) => closed = true,
                _ => {}
            }
        }
        prop_assert!(session.outstanding() <= 4);
        prop_assert!(session.output().len() <= 2_000 + 800, "{} octets of output", session.output().len());
        prop_assert_eq!(closed, session.is_closed());
        prop_assert!(!closed || session.next_deadline().is_none());
        if let Some(deadline) = session.next_deadline() {
            prop_assert!(deadline > now || session.output_is_full(), "a timer is overdue");
        }
    }
    // Every request has come back exactly once.
    settled.extend(session.drain_outstanding());
    settled.sort_unstable();
    prop_assert_eq!(settled, sent);
    Ok(())
}

fn small() -> SessionConfig {
    let silence_timeout = Some(Duration::from_secs(200));
    SessionConfig {
        window: 4,
        output_limit: 2_000,
        max_unanswered: 5,
        max_packet: 500,
        repeats: 1,
        silence_timeout,
        ..Default::default()
    }
}

proptest! {
    #[test]
    fn a_server_bears_anything(moves in vec(moves(), 0..80)) {
        play(Session::server(small(), Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn a_client_bears_anything(moves in vec(moves(), 0..80)) {
        play(Session::client(ClientConfig { session: small(), ..client_config() }, Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn logged_in_sessions_bear_anything(moves in vec(moves(), 0..80), server: bool) {
        let session = if server {
            lone_server(small())
        } else {
            lone_client(ClientConfig { session: small(), ..client_config() })
        };
        play(session, moves)?;
    }

    #[test]
    fn how_octets_are_split_makes_no_difference(
        pieces in vec(
            prop_oneof![
                4 => (prop::sample::select(vec![20u8, 23, 40, 33, 53]), 0u16..12, vec(b'0'..=b'9', 0..9), 0u8..4).prop_map(
                    |(code, sequence, value, sum)| octets(code, sequence, &[(30, value)], [Some(true), Some(false), None, None][usize::from(sum)])
                ),
                1 => vec(prop_oneof![Just(2u8), Just(3), Just(b'\n'), any::<u8>()], 0..6),
            ],
            1..20,
        ),
        fresh: bool,
        chunk in 1usize..50,
    ) {
        let bytes = pieces.concat();
        let start = || if fresh {
            Session::client(client_config(), Duration::ZERO).unwrap()
        } else {
            lone_client(client_config())
        };
        let (mut whole, mut split) = (start(), start());
        prop_assert_eq!(
            feed(&mut whole, &bytes, Duration::ZERO, usize::MAX),
            feed(&mut split, &bytes, Duration::ZERO, chunk)
        );
        prop_assert_eq!(take_output(&mut whole), take_output(&mut split));
        prop_assert_eq!(whole.counters(), split.counters());
    }
}
