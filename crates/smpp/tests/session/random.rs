//! Any octets into either side, in any state, with commands and time in between.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use smpp::*;

use crate::pair::*;

#[derive(Debug, Clone)]
enum Move {
    Octets(Vec<u8>),
    Pdu { id: u32, status: u32, sequence: u32, body: Vec<u8> },
    Submit,
    Deliver,
    Respond(u32),
    Accept,
    Refuse,
    Unbind,
    Pass(u64),
    Write(usize),
    End,
}

fn moves() -> impl Strategy<Value = Move> {
    let ids = prop_oneof![
        prop::sample::select(vec![1u32, 2, 4, 5, 6, 9, 0xB, 0x15, 0x21, 0x102, 0x103, 0x111]),
        0u32..0x30,
        any::<u32>()
    ];
    let status = prop_oneof![4 => Just(0u32), 1 => any::<u32>()];
    let sequence = prop_oneof![4 => 0u32..12, 1 => any::<u32>()];
    let body = vec(prop_oneof![2 => Just(0u8), 1 => any::<u8>()], 0..60);
    let pdu = (ids, any::<bool>(), status, sequence, body).prop_map(|(id, response, status, sequence, body)| {
        let id = if response { id | 0x8000_0000 } else { id };
        Move::Pdu { id, status, sequence, body }
    });
    prop_oneof![
        1 => vec(any::<u8>(), 0..8).prop_map(Move::Octets),
        12 => pdu,
        4 => Just(Move::Submit),
        2 => Just(Move::Deliver),
        3 => (0u32..12).prop_map(Move::Respond),
        3 => Just(Move::Accept),
        1 => Just(Move::Refuse),
        1 => Just(Move::Unbind),
        4 => (0u64..40).prop_map(Move::Pass),
        4 => (0usize..400).prop_map(Move::Write),
        1 => Just(Move::End),
    ]
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
            Move::Pdu { id, status, sequence, body } => {
                let pdu = Pdu::Unknown { id: CommandId(id), body: &body };
                input = wire(&pdu, sequence, CommandStatus(status));
            }
            Move::Submit => sent.extend(session.submit(&message(), token, now).ok().map(|_| token)),
            Move::Deliver => sent.extend(session.request(&DeliverSm::default(), token, now).ok().map(|_| token)),
            Move::Respond(sequence) => {
                let _ = session.respond(sequence, CommandStatus::ROK, &SubmitSmResp::default(), now);
            }
            Move::Accept => {
                let _ = session.accept_bind(b"MC", now);
            }
            Move::Refuse => {
                let _ = session.refuse_bind(CommandStatus::RBINDFAIL, now);
            }
            Move::Unbind => session.unbind(now),
            Move::Pass(seconds) => now += Duration::from_secs(seconds),
            Move::Write(octets) => session.consume_output(octets),
            Move::End => session.transport_closed(),
        }
        let taken = session.receive(&input, now);
        prop_assert!(taken == input.len() || session.output_is_full());
        for event in drain(&mut session, now) {
            prop_assert!(!closed, "{event:?} after the end");
            match event {
                Seen::Response { token, .. } | Seen::Nacked { token, .. } | Seen::TimedOut(token) => {
                    settled.push(token)
                }
                Seen::Closed(_) => closed = true,
                _ => {}
            }
        }
        prop_assert!(session.outstanding() <= 4);
        prop_assert!(session.output().len() <= 2_000 + 400, "{} octets of output", session.output().len());
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
    SessionConfig { window: 4, output_limit: 2_000, max_unanswered: 5, max_pdu: 500, ..Default::default() }
}

proptest! {
    #[test]
    fn a_server_bears_anything(moves in vec(moves(), 0..80)) {
        play(Session::server(small(), Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn a_client_bears_anything(moves in vec(moves(), 0..80), outbind: bool) {
        let await_outbind = outbind.then(OutbindCredentials::default);
        let config = ClientConfig { session: small(), await_outbind, ..client_config() };
        play(Session::client(config, Duration::ZERO).unwrap(), moves)?;
    }

    #[test]
    fn bound_sessions_bear_anything(moves in vec(moves(), 0..80), server: bool) {
        let session = if server {
            lone_server(small(), BindMode::Transceiver, InterfaceVersion::V3_4)
        } else {
            lone_client(ClientConfig { session: small(), ..client_config() })
        };
        play(session, moves)?;
    }

    #[test]
    fn how_octets_are_split_makes_no_difference(
        pdus in vec((prop::sample::select(vec![5u32, 0x15, 0x77, 0x8000_0004]), vec(any::<u8>(), 0..40)), 1..20),
        chunk in 1usize..50,
    ) {
        let bytes: Vec<u8> = pdus
            .iter()
            .enumerate()
            .flat_map(|(at, (id, body))| wire(&Pdu::Unknown { id: CommandId(*id), body }, at as u32, CommandStatus::ROK))
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
