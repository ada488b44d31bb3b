//! How sessions begin.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;

#[test]
fn bind_and_answer_however_the_octets_are_split() {
    for chunk in 1..60 {
        let mut pair = Pair::new(client_config(), SessionConfig::default());
        pair.chunk = chunk;
        pair.exchange();
        let request = Seen::BindRequest { mode: BindMode::Transceiver, system_id: b"shop".to_vec() };
        assert_eq!(pair.server_seen, [request]);
        let bound = Seen::Bound { system_id: b"centre".to_vec(), version: Some(InterfaceVersion::V3_4) };
        assert_eq!(pair.client_seen, [bound]);
        assert_eq!(pair.server.peer_version(), Some(InterfaceVersion::V3_4));
    }
}

#[test]
fn a_refused_bind_ends_both_sides() {
    let mut pair = Pair::new(client_config(), SessionConfig::default());
    pair.manner = Manner::Passive;
    pair.exchange();
    pair.server.refuse_bind(CommandStatus::RINVPASWD, pair.now).unwrap();
    pair.exchange();
    let refused = CommandStatus::RINVPASWD;
    assert_eq!(pair.client_seen, [Seen::BindRefused(refused), Seen::Closed(CloseReason::BindRefused(refused))]);
    // The server waits a little for the peer to close.
    assert!(!pair.server.is_closed());
    pair.advance(Duration::from_secs(5));
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::BindRefused(refused))));
}

#[test]
fn a_bare_or_nacked_answer_refuses_too() {
    let bare = [0, 0, 0, 16, 0x80, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 1];
    let nack = [0, 0, 0, 16, 0x80, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
    for (answer, status) in [(bare, CommandStatus::RALYBND), (nack, CommandStatus::RINVCMDID)] {
        let mut client = Session::client(client_config(), NOW).unwrap();
        let seen = feed(&mut client, &answer, NOW, usize::MAX);
        assert_eq!(seen, [Seen::BindRefused(status), Seen::Closed(CloseReason::BindRefused(status))]);
    }
}

#[test]
fn nobody_waits_for_a_bind_for_ever() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    for session in [&mut client, &mut server] {
        let deadline = session.next_deadline().unwrap();
        assert_eq!(deadline, Duration::from_secs(15));
        assert_eq!(drain(session, deadline - Duration::from_nanos(1)), []);
        assert_eq!(drain(session, deadline), [Seen::Closed(CloseReason::BindTimeout)]);
        assert_eq!(session.next_deadline(), None);
    }
}

#[test]
fn before_the_bind_only_enquire_link_is_served() {
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    let mut bytes = wire(&Pdu::EnquireLink, 7, CommandStatus::ROK);
    bytes.extend(wire(&message(), 8, CommandStatus::ROK));
    bytes.extend(wire(&Pdu::Unknown { id: CommandId(0x77), body: b"x" }, 9, CommandStatus::ROK));
    bytes.extend(wire(&Pdu::Unknown { id: CommandId(0x8000_0077), body: b"x" }, 10, CommandStatus::ROK));
    assert_eq!(feed(&mut server, &bytes, NOW, usize::MAX), []);
    let expected = [
        (CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, 7),
        (CommandId::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS, 8),
        (CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, 9),
    ];
    assert_eq!(headers(&take_output(&mut server)), expected);
    assert_eq!(server.counters().unknown_responses, 1);
    assert_eq!(server.request(&DeliverSm::default(), 1, NOW), Err(SubmitError::NotBound));
}

#[test]
fn a_malformed_bind_is_answered_and_may_be_repeated() {
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    let broken = wire(&Pdu::Unknown { id: CommandId::BIND_TRANSMITTER, body: b"shop\0" }, 1, CommandStatus::ROK);
    assert_eq!(feed(&mut server, &broken, NOW, usize::MAX), [Seen::Malformed(CommandStatus::RINVCMDLEN)]);
    let answer = (CommandId::BIND_TRANSMITTER_RESP, CommandStatus::RINVCMDLEN, 1);
    assert_eq!(headers(&take_output(&mut server)), [answer]);
    let good = wire(&Pdu::Bind(BindMode::Transmitter, Bind::default()), 2, CommandStatus::ROK);
    assert_eq!(feed(&mut server, &good, NOW, usize::MAX).len(), 1);
    server.accept_bind(b"", NOW).unwrap();
    // A second bind on the same connection.
    feed(&mut server, &good, NOW, usize::MAX);
    let answers = headers(&take_output(&mut server));
    assert_eq!(answers[1], (CommandId::BIND_TRANSMITTER_RESP, CommandStatus::RALYBND, 2));
}

#[test]
fn deliver_sm_before_the_bind_resp_comes_after_bound() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let text = |text| DeliverSm { short_message: text, ..Default::default() };
    let mut bytes = wire(&text(b"first"), 1, CommandStatus::ROK);
    bytes.extend(wire(&text(b"second"), 2, CommandStatus::ROK));
    let bind_resp = BindResp { system_id: b"MC", ..Default::default() };
    bytes.extend(wire(&Pdu::BindResp(BindMode::Transceiver, bind_resp), 1, CommandStatus::ROK));
    bytes.extend(wire(&text(b"third"), 3, CommandStatus::ROK));
    for chunk in [1, 7, usize::MAX] {
        let mut client_again = Session::client(client_config(), NOW).unwrap();
        let seen = feed(&mut client_again, &bytes, NOW, chunk);
        assert!(matches!(seen[0], Seen::Bound { .. }), "{seen:?}");
        let texts: Vec<_> = seen[1..]
            .iter()
            .map(|event| match event {
                Seen::Request { text, .. } => text.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, [&b"first"[..], b"second", b"third"]);
        assert_eq!(client_again.counters().pdus_in, 4);
    }
    // What is held is bounded; the rest is told to come again.
    let flood = wire(&text(&[b'x'; 250]), 4, CommandStatus::ROK).repeat(1_000);
    assert_eq!(feed(&mut client, &flood, NOW, usize::MAX), []);
    assert!(client.counters().throttled > 500);
}

#[test]
fn requests_sent_right_behind_a_bind_wait_for_the_decision() {
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    let mut bytes = wire(&Pdu::Bind(BindMode::Transceiver, Bind::default()), 1, CommandStatus::ROK);
    bytes.extend(wire(&message(), 2, CommandStatus::ROK));
    assert_eq!(feed(&mut server, &bytes, NOW, usize::MAX).len(), 1);
    assert_eq!(drain(&mut server, NOW), []);
    server.accept_bind(b"centre", NOW).unwrap();
    let request = Seen::Request { sequence: 2, id: CommandId::SUBMIT_SM, text: b"hello".to_vec() };
    assert_eq!(drain(&mut server, NOW), [request]);
}

#[test]
fn outbind_makes_a_waiting_client_bind() {
    let credentials = OutbindCredentials { system_id: b"MC".to_vec(), password: b"pw".to_vec() };
    let config = ClientConfig { await_outbind: Some(credentials), mode: BindMode::Receiver, ..client_config() };
    let mut pair = Pair::new(config.clone(), SessionConfig::default());
    assert!(pair.client.output().is_empty());
    pair.server.outbind(&Outbind { system_id: b"MC", password: b"pw" }).unwrap();
    pair.exchange();
    pair.exchange();
    assert!(pair.client.is_bound() && pair.server.is_bound());
    assert_eq!(pair.server.mode(), Some(BindMode::Receiver));

    for (system_id, password) in [("MC", "guess"), ("MC", "p"), ("MC", ""), ("mc", "pw"), ("", "pw"), ("MC", "pwx")] {
        let mut pair = Pair::new(config.clone(), SessionConfig::default());
        pair.server.outbind(&Outbind { system_id: system_id.as_bytes(), password: password.as_bytes() }).unwrap();
        pair.exchange();
        assert_eq!(pair.client_seen, [Seen::Closed(CloseReason::OutbindRefused)], "{system_id} {password}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let old = SessionConfig { version: InterfaceVersion::V3_3, ..Default::default() };
    let transceiver = ClientConfig { session: old, ..client_config() };
    assert_eq!(Session::client(transceiver, NOW).err(), Some(ConfigError::TransceiverNeeds34));
    let window = SessionConfig { window: 0, ..Default::default() };
    assert_eq!(Session::server(window, NOW).err(), Some(ConfigError::Window(0)));
    let nul = ClientConfig { password: b"a\0b".to_vec(), ..client_config() };
    assert_eq!(Session::client(nul, NOW).err(), Some(ConfigError::Bind(EncodeError::Nul { field: "password" })));
}
