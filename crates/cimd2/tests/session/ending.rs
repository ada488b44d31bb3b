//! How sessions end.

use std::time::Duration;

use cimd2::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: ErrorCode = ErrorCode::OK;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn logout_lets_open_answers_through() {
    let mut pair = Pair::logged_in(client_config(), SessionConfig::default());
    pair.manner = Manner::Waits;
    pair.submit(1).unwrap();
    pair.exchange();
    pair.client.logout(pair.now);
    assert!(pair.client.output().is_empty());
    assert_eq!(pair.submit(2), Err(SubmitError::NotLoggedIn));
    let answer = SubmitResp { timestamp: b"7", ..Default::default() };
    pair.server.respond(3, &answer, pair.now).unwrap();
    pair.exchange();
    let answered = Seen::Response { token: 1, error: OK, id: "7".into() };
    assert_eq!(pair.client_seen, [answered, Seen::Closed(CloseReason::WeLoggedOut)]);
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::PeerLoggedOut)));
}

#[test]
fn logout_does_not_wait_for_ever() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, NOW).unwrap();
    take_output(&mut client);
    client.logout(NOW);
    assert_eq!(client.next_deadline(), Some(seconds(3)));
    assert_eq!(drain(&mut client, seconds(3)), []);
    assert_eq!(headers(&take_output(&mut client)), [(OperationCode::LOGOUT, 5, OK)]);
    assert_eq!(drain(&mut client, seconds(6)), [Seen::Closed(CloseReason::WeLoggedOut)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [1]);
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn a_server_that_ends_has_nothing_to_say() {
    let mut pair = Pair::logged_in(client_config(), SessionConfig::default());
    pair.server.request(&delivery(b"last"), 9, pair.now).unwrap();
    pair.server.logout(pair.now);
    pair.exchange();
    let answered = Seen::Response { token: 9, error: OK, id: String::new() };
    assert_eq!(pair.server_seen, [answered, Seen::Closed(CloseReason::WeLoggedOut)]);
    assert!(pair.client.is_logged_in());
    pair.client.transport_closed();
    assert_eq!(drain(&mut pair.client, pair.now), [Seen::Closed(CloseReason::PeerClosed)]);
}

#[test]
fn the_peers_logout_is_answered_when_its_requests_are() {
    let mut server = lone_server(SessionConfig::default());
    let octets = [wire(&message(), 3), wire(&Packet::Logout, 5)].concat();
    let seen = feed(&mut server, &octets, NOW, usize::MAX);
    assert_eq!(seen[1..], [Seen::PeerLoggingOut]);
    assert!(server.output().is_empty());
    assert_eq!(server.request(&delivery(b"x"), 1, NOW), Err(SubmitError::NotLoggedIn));
    server.respond(3, &SubmitResp::default(), NOW).unwrap();
    assert_eq!(drain(&mut server, NOW), [Seen::Closed(CloseReason::PeerLoggedOut)]);
    let answers = [(OperationCode::SUBMIT_RESP, 3, OK), (OperationCode::LOGOUT_RESP, 5, OK)];
    assert_eq!(headers(&take_output(&mut server)), answers);
    assert_eq!(server.respond(3, &SubmitResp::default(), NOW), Err(RespondError::NothingToAnswer));
}

#[test]
fn events_before_the_end_of_the_connection_are_told() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, NOW).unwrap();
    let octets = [wire(&delivery(b"last words"), 0), wire(&SubmitResp::default(), 3)].concat();
    assert_eq!(client.receive(&octets, NOW), octets.len());
    client.transport_closed();
    let seen = drain(&mut client, NOW);
    assert!(matches!(seen[..], [Seen::Request { .. }, Seen::Response { .. }, Seen::Closed(CloseReason::PeerClosed)]));
    assert_eq!(client.receive(b"\x02", NOW), 1);
    assert_eq!(drain(&mut client, seconds(1_000)), []);
}

#[test]
fn logging_out_early_ends_at_once() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    for session in [&mut client, &mut server] {
        session.logout(NOW);
        assert_eq!(drain(session, NOW), [Seen::Closed(CloseReason::WeLoggedOut)]);
        session.logout(NOW);
        assert_eq!(drain(session, NOW), []);
    }
}
