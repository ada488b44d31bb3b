//! How sessions end, in order and otherwise.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: CommandStatus = CommandStatus::ROK;

#[test]
fn unbind_waits_for_open_answers() {
    let mut pair = Pair::bound(client_config(), SessionConfig::default());
    pair.manner = Manner::Waits;
    let sequence = pair.submit(7).unwrap();
    pair.exchange();
    pair.client.unbind(pair.now);
    assert_eq!(pair.submit(8), Err(SubmitError::NotBound));
    assert_eq!(pair.client.window_room(), 0);
    pair.exchange();
    assert!(pair.server.is_bound(), "the unbind is not sent yet");
    pair.server.respond(sequence, OK, &SubmitSmResp::default(), pair.now).unwrap();
    pair.exchange();
    let response = Seen::Response { token: 7, status: OK, message_id: Vec::new() };
    assert_eq!(pair.client_seen, [response, Seen::Closed(CloseReason::WeUnbound)]);
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::PeerUnbound)));
}

#[test]
fn unbind_waits_only_so_long() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 7, NOW).unwrap();
    take_output(&mut client);
    client.unbind(NOW);
    assert!(client.output().is_empty());
    let first = client.next_deadline().unwrap();
    assert_eq!(drain(&mut client, first), []);
    assert_eq!(headers(&take_output(&mut client)), [(CommandId::UNBIND, OK, 3)]);
    let second = client.next_deadline().unwrap();
    assert_eq!(drain(&mut client, second), [Seen::Closed(CloseReason::WeUnbound)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [7]);
}

#[test]
fn a_peer_that_unbinds_gets_its_answers_first() {
    let mut server = lone_server(SessionConfig::default(), BindMode::Transceiver, InterfaceVersion::V3_4);
    let mut bytes = wire(&message(), 2, OK);
    bytes.extend(wire(&Pdu::Unbind, 3, OK));
    bytes.extend(wire(&message(), 4, OK));
    let request = Seen::Request { sequence: 2, id: CommandId::SUBMIT_SM, text: b"hello".to_vec() };
    assert_eq!(feed(&mut server, &bytes, NOW, usize::MAX), [request, Seen::PeerUnbinding]);
    // What comes behind an unbind is refused.
    let refusal = (CommandId::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS, 4);
    assert_eq!(headers(&take_output(&mut server)), [refusal]);
    assert_eq!(server.request(&DeliverSm::default(), 1, NOW), Err(SubmitError::NotBound));
    server.respond(2, OK, &SubmitSmResp { message_id: b"1", ..Default::default() }, NOW).unwrap();
    assert_eq!(drain(&mut server, NOW), [Seen::Closed(CloseReason::PeerUnbound)]);
    let answers = [(CommandId::SUBMIT_SM_RESP, OK, 2), (CommandId::UNBIND_RESP, OK, 3)];
    assert_eq!(headers(&take_output(&mut server)), answers);
}

#[test]
fn a_peer_that_unbinds_owes_answers_for_a_while() {
    let mut client = lone_client(client_config());
    let first = client.submit(&message(), 1, NOW).unwrap();
    client.submit(&message(), 2, NOW).unwrap();
    take_output(&mut client);
    assert_eq!(feed(&mut client, &wire(&Pdu::Unbind, 1, OK), NOW, usize::MAX), [Seen::PeerUnbinding]);
    assert_eq!(headers(&take_output(&mut client)), [(CommandId::UNBIND_RESP, OK, 1)]);
    assert_eq!(feed(&mut client, &wire(&SubmitSmResp::default(), first, OK), NOW, usize::MAX).len(), 1);
    client.transport_closed();
    assert_eq!(drain(&mut client, NOW), [Seen::Closed(CloseReason::PeerUnbound)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [2]);
}

#[test]
fn both_unbind_at_once() {
    let mut pair = Pair::bound(client_config(), SessionConfig::default());
    pair.client.unbind(pair.now);
    pair.server.unbind(pair.now);
    pair.exchange();
    for seen in [&pair.client_seen, &pair.server_seen] {
        assert_eq!(seen.last(), Some(&Seen::Closed(CloseReason::WeUnbound)));
    }
}

#[test]
fn unbind_before_the_bind_just_closes() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    client.unbind(NOW);
    assert_eq!(drain(&mut client, NOW), [Seen::Closed(CloseReason::WeUnbound)]);
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    let seen = feed(&mut server, &wire(&Pdu::Unbind, 5, OK), NOW, usize::MAX);
    assert_eq!(seen, [Seen::Closed(CloseReason::PeerUnbound)]);
    assert_eq!(headers(&take_output(&mut server)), [(CommandId::UNBIND_RESP, OK, 5)]);
}

#[test]
fn a_connection_that_ends_gives_what_came_before() {
    let mut client = lone_client(client_config());
    let first = client.submit(&message(), 1, NOW).unwrap();
    let second = client.submit(&message(), 2, NOW).unwrap();
    let mut bytes = wire(&SubmitSmResp::default(), first, OK);
    // Half of the second answer.
    bytes.extend_from_slice(&wire(&SubmitSmResp::default(), second, OK)[..9]);
    assert_eq!(client.receive(&bytes, NOW), bytes.len());
    client.transport_closed();
    let seen = drain(&mut client, NOW);
    let response = Seen::Response { token: 1, status: OK, message_id: Vec::new() };
    assert_eq!(seen, [response, Seen::Closed(CloseReason::PeerClosed)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [2]);
    assert_eq!(client.respond(1, OK, &DeliverSmResp::default(), NOW), Err(RespondError::NothingToAnswer));
}
