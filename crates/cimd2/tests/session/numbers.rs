//! Packet numbers, nacks, checksums, and requests that are sent again.

use std::time::Duration;

use cimd2::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: ErrorCode = ErrorCode::OK;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn submits(output: &[u8]) -> Vec<u16> {
    headers(output)
        .into_iter()
        .map(|(operation, sequence, _)| {
            assert_eq!(operation, OperationCode::SUBMIT);
            sequence
        })
        .collect()
}

fn nack(session: &mut Session, expected: u16) -> Vec<Seen> {
    feed(session, &wire(&Packet::Nack, expected), NOW, usize::MAX)
}

#[test]
fn numbers_go_round() {
    let mut pair = Pair::logged_in(client_config(), SessionConfig::default());
    for round in 0..300 {
        let number = pair.submit(round).unwrap();
        assert_eq!(u64::from(number), (round * 2 + 3) % 256);
        let number = pair.server.request(&delivery(b"x"), round, pair.now).unwrap();
        assert_eq!(u64::from(number), round * 2 % 256);
        pair.exchange();
        assert_eq!((pair.client.outstanding(), pair.server.outstanding()), (0, 0));
    }
    assert_eq!(pair.client.counters().nacks + pair.server.counters().peer_repeated, 0);
}

#[test]
fn a_number_is_not_used_twice_at_a_time() {
    let mut client = lone_client(with_window(5));
    client.submit(&message(), 0, NOW).unwrap();
    for token in 1..128 {
        let sequence = u16::from(client.submit(&message(), token, NOW).unwrap());
        feed(&mut client, &wire(&SubmitResp::default(), sequence), NOW, usize::MAX);
    }
    // Number 3 has not been answered in a whole round.
    assert_eq!((client.window_room(), client.submit(&message(), 128, NOW)), (0, Err(SubmitError::WindowFull)));
    feed(&mut client, &wire(&SubmitResp::default(), 3), NOW, usize::MAX);
    assert_eq!((client.window_room(), client.submit(&message(), 128, NOW)), (5, Ok(3)));
}

#[test]
fn a_late_answer_is_not_taken_for_another_messages() {
    let session = SessionConfig { alive_interval: None, ..Default::default() };
    let mut client = lone_client(ClientConfig { session, ..client_config() });
    assert_eq!(client.submit(&message(), 0, NOW), Ok(3));
    assert_eq!(drain(&mut client, seconds(60)), [Seen::TimedOut(0)]);
    for token in 1..128 {
        let sequence = u16::from(client.submit(&message(), token, seconds(60)).unwrap());
        feed(&mut client, &wire(&SubmitResp::default(), sequence), seconds(60), usize::MAX);
    }
    // It is the turn of 3 again, and its first answer may still come.
    assert_eq!(client.submit(&message(), 128, seconds(60)), Ok(5));
    assert_eq!(feed(&mut client, &wire(&SubmitResp::default(), 3), seconds(60), usize::MAX), []);
    assert_eq!(client.counters().unknown_responses, 1);
}

#[test]
fn a_nacked_request_is_sent_again() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 7, NOW).unwrap();
    let sent = take_output(&mut client);
    for _ in 0..3 {
        assert_eq!(nack(&mut client, 3), []);
        assert_eq!(take_output(&mut client), sent);
    }
    assert_eq!(nack(&mut client, 3), [Seen::Nacked(7), Seen::Closed(CloseReason::OutOfStep)]);
    assert_eq!(client.drain_outstanding().count(), 0);
    assert_eq!((client.counters().nacks, client.counters().repeated), (4, 3));
}

#[test]
fn only_the_request_that_was_damaged_is_sent_again() {
    let mut client = lone_client(with_window(3));
    for token in 0..3 {
        client.submit(&message(), token, NOW).unwrap();
    }
    assert_eq!(submits(&take_output(&mut client)), [3, 5, 7]);
    assert_eq!(nack(&mut client, 5), []);
    assert_eq!(submits(&take_output(&mut client)), [5]);
}

#[test]
fn the_peers_count_is_taken_over() {
    let mut client = lone_client(with_window(3));
    for token in 0..3 {
        client.submit(&message(), token, NOW).unwrap();
    }
    take_output(&mut client);
    // Each of the three draws a nack; the first says all.
    assert_eq!(nack(&mut client, 253), []);
    assert_eq!(submits(&take_output(&mut client)), [253, 255, 1]);
    assert_eq!([nack(&mut client, 253), nack(&mut client, 253)], [[], []]);
    assert_eq!(take_output(&mut client), b"");
    for (token, sequence) in (0..).zip([253, 255, 1]) {
        let seen = feed(&mut client, &wire(&SubmitResp::default(), sequence), NOW, usize::MAX);
        assert_eq!(seen, [Seen::Response { token, error: OK, id: String::new() }]);
    }
    assert_eq!(client.submit(&message(), 9, NOW), Ok(3));
    // With nothing open it only counts on from there, and a number that can't be ours means the one that is open.
    let mut client = lone_client(client_config());
    nack(&mut client, 101);
    assert_eq!(client.submit(&message(), 1, NOW), Ok(101));
    take_output(&mut client);
    nack(&mut client, 4);
    assert_eq!(submits(&take_output(&mut client)), [101]);
    // A peer that asks for ever other numbers is left.
    nack(&mut client, 1);
    nack(&mut client, 11);
    assert_eq!(nack(&mut client, 21), [Seen::Nacked(1), Seen::Closed(CloseReason::OutOfStep)]);
}

#[test]
fn wrong_checksums_are_answered_with_the_expected_number() {
    let mut client = lone_client(client_config());
    feed(&mut client, &wire(&delivery(b"one"), 0), NOW, usize::MAX);
    let mut damaged = wire(&delivery(b"two"), 2);
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    assert_eq!(feed(&mut client, &damaged, NOW, usize::MAX), []);
    assert_eq!(headers(&take_output(&mut client)), [(OperationCode::NACK, 2, OK)]);
    assert_eq!(client.counters().wrong_checksums, 1);
    assert_eq!(feed(&mut client, &wire(&delivery(b"two"), 2), NOW, usize::MAX).len(), 1);
    // In a response it changes nothing.
    client.submit(&message(), 1, NOW).unwrap();
    let answer = b"\x0253:003\t021:1\t060:2\tFF\x03";
    assert_eq!(feed(&mut client, answer, NOW, usize::MAX).len(), 1);
    // Nor where nobody looks.
    let lax = SessionConfig { verify_checksum: false, ..Default::default() };
    let mut client = lone_client(ClientConfig { session: lax, ..client_config() });
    assert_eq!(feed(&mut client, &damaged, NOW, usize::MAX).len(), 1);
}

#[test]
fn both_sides_get_over_a_damaged_packet() {
    let mut pair = Pair::logged_in(client_config(), SessionConfig::default());
    pair.submit(1).unwrap();
    let mut damaged = take_output(&mut pair.client);
    damaged[20] ^= 4;
    let seen = feed(&mut pair.server, &damaged, pair.now, usize::MAX);
    assert_eq!(seen, []);
    pair.exchange();
    assert_eq!(pair.client_seen, [Seen::Response { token: 1, error: OK, id: "3".into() }]);
    assert_eq!(pair.server_seen.len(), 1);
}

#[test]
fn an_unanswered_request_is_repeated_as_often_as_it_may() {
    let config = SessionConfig { repeats: 2, window: 1, ..Default::default() };
    let mut server = lone_server(config);
    server.request(&delivery(b"x"), 5, NOW).unwrap();
    let sent = take_output(&mut server);
    for at in [60, 120] {
        assert_eq!(server.next_deadline(), Some(seconds(at)));
        assert_eq!(drain(&mut server, seconds(at)), []);
        assert_eq!(take_output(&mut server), sent);
    }
    assert_eq!(drain(&mut server, seconds(180)), [Seen::TimedOut(5)]);
    assert_eq!((server.counters().repeated, server.counters().timeouts), (2, 1));
    assert_eq!(server.next_deadline(), None);
    // The application takes it for one message.
    let mut client = lone_client(client_config());
    assert_eq!(feed(&mut client, &sent.repeat(3), NOW, usize::MAX).len(), 1);
}
