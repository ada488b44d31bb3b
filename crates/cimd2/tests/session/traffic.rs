//! Requests and answers of both sides.

use std::time::Duration;

use cimd2::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: ErrorCode = ErrorCode::OK;

fn answered(token: u64, id: &str) -> Seen {
    Seen::Response { token, error: OK, id: id.into() }
}

#[test]
fn messages_go_both_ways() {
    let mut pair = Pair::logged_in(with_window(10), SessionConfig { window: 2, ..Default::default() });
    for token in 0..5 {
        pair.submit(token).unwrap();
    }
    assert_eq!((pair.client.outstanding(), pair.client.window_room()), (5, 5));
    pair.server.request(&delivery(b"MO"), 77, pair.now).unwrap();
    let report = StatusReport { status: Some(StatusCode::DELIVERED), ..Default::default() };
    pair.server.request(&report, 78, pair.now).unwrap();
    assert_eq!(pair.server.request(&report, 79, pair.now), Err(SubmitError::WindowFull));
    pair.exchange();
    let ids = ["3", "5", "7", "9", "11"];
    let answers: Vec<_> = (0..).zip(ids).map(|(token, id)| answered(token, id)).collect();
    let (from_smsc, from_us): (Vec<_>, Vec<_>) =
        pair.client_seen.iter().cloned().partition(|seen| matches!(seen, Seen::Request { .. }));
    assert_eq!(from_us, answers);
    let requests = [
        Seen::Request { sequence: 0, operation: OperationCode::DELIVER, text: b"MO".to_vec() },
        Seen::Request { sequence: 2, operation: OperationCode::STATUS_REPORT, text: Vec::new() },
    ];
    assert_eq!(from_smsc, requests);
    assert_eq!(pair.server.outstanding(), 1);
    pair.client.respond(2, &Packet::StatusReportResp(Answer::default()), pair.now).unwrap();
    pair.exchange();
    assert_eq!(&pair.server_seen[5..], [answered(77, ""), answered(78, "")]);
    assert_eq!((pair.client.unanswered(), pair.server.unanswered()), (0, 0));
}

#[test]
fn the_window_is_kept() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, NOW).unwrap();
    assert_eq!(client.submit(&message(), 2, NOW), Err(SubmitError::WindowFull));
    assert_eq!(client.window_room(), 0);
    let answer = wire(&SubmitResp { timestamp: b"1", ..Default::default() }, 3);
    assert_eq!(feed(&mut client, &answer, NOW, 1), [answered(1, "1")]);
    assert_eq!(client.submit(&message(), 2, NOW), Ok(5));
}

#[test]
fn only_what_is_ours_to_send_is_sent() {
    let mut client = lone_client(client_config());
    let mut server = lone_server(SessionConfig::default());
    let wrong = |code| Err(SubmitError::WrongDirection(code));
    assert_eq!(client.request(&Deliver::default(), 1, NOW), wrong(OperationCode::DELIVER));
    assert_eq!(server.request(&message(), 1, NOW), wrong(OperationCode::SUBMIT));
    for packet in [Packet::Alive, Packet::Logout, Packet::Nack, Packet::DeliverResp(Answer::default())] {
        assert_eq!(client.request(&packet, 1, NOW), Err(SubmitError::NotARequest(packet.code())));
    }
    let bad = Submit { originator: b"\t", ..message() };
    let error = EncodeError::Character { tag: Tag::ORIGINATOR, octet: 9 };
    assert_eq!(client.submit(&bad, 1, NOW), Err(SubmitError::Encode(error)));
    assert!(client.output().is_empty() && client.outstanding() == 0);
    for request in [
        Packet::from(EnquireStatus::default()),
        DeliveryRequest { mode: Some(0), ..Default::default() }.into(),
        Cancel::default().into(),
        Set::default().into(),
        Get { parameter: Some(Tag::SMSC_TIME), ..Default::default() }.into(),
        Packet::Unknown { code: OperationCode(30), parameters: Parameters::default() },
    ] {
        let mut client = lone_client(client_config());
        assert_eq!(client.request(&request, 1, NOW), Ok(3));
        let sent = take_output(&mut client);
        let expected = (request.code(), 3, OK);
        assert_eq!(headers(&sent), [expected]);
        let answer = Packet::Unknown { code: request.code().response(), parameters: Parameters::default() };
        assert_eq!(feed(&mut client, &wire(&answer, 3), NOW, usize::MAX), [answered(1, "")]);
    }
}

#[test]
fn refusals_come_with_their_code() {
    let mut pair = Pair::logged_in(with_window(3), SessionConfig::default());
    pair.manner = Manner::Waits;
    for token in 1..=3 {
        pair.submit(token).unwrap();
    }
    pair.exchange();
    pair.server.refuse(3, ErrorCode::CONGESTION, b"slow down", pair.now).unwrap();
    let error = Packet::GeneralError(Answer::failed(ErrorCode::SYNTAX));
    pair.server.respond(5, &error, pair.now).unwrap();
    let wrong = Packet::DeliverResp(Answer::default());
    assert_eq!(pair.server.respond(7, &wrong, pair.now), Err(RespondError::NotItsAnswer(OperationCode::DELIVER_RESP)));
    assert_eq!(pair.server.refuse(3, OK, b"", pair.now), Err(RespondError::NothingToAnswer));
    pair.exchange();
    let refused = |token, error| Seen::Response { token, error, id: String::new() };
    assert_eq!(pair.client_seen, [refused(1, ErrorCode::CONGESTION), refused(2, ErrorCode::SYNTAX)]);
    assert_eq!((pair.client.outstanding(), pair.server.unanswered()), (1, 1));
}

#[test]
fn answers_that_belong_to_nothing_are_dropped() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, NOW).unwrap();
    // Another number, another operation, and numbers that nobody has.
    let strays = [
        wire(&SubmitResp::default(), 5),
        wire(&GetResp::default(), 3),
        wire(&SubmitResp::default(), 259),
        wire(&Packet::LoginResp(Answer::default()), 1),
    ];
    assert_eq!(feed(&mut client, &strays.concat(), NOW, usize::MAX), []);
    assert_eq!((client.counters().unknown_responses, client.outstanding()), (4, 1));
}

#[test]
fn a_repeated_request_is_answered_and_not_told_again() {
    let mut client = lone_client(client_config());
    let one = wire(&delivery(b"one"), 0);
    assert_eq!(feed(&mut client, &one, NOW, usize::MAX).len(), 1);
    // Not answered yet: once is enough.
    assert_eq!(feed(&mut client, &one, NOW, usize::MAX), []);
    assert_eq!(take_output(&mut client), b"");
    client.respond(0, &Packet::DeliverResp(Answer::default()), NOW).unwrap();
    let answer = take_output(&mut client);
    assert_eq!(headers(&answer), [(OperationCode::DELIVER_RESP, 0, OK)]);
    assert_eq!(feed(&mut client, &one, NOW, usize::MAX), []);
    assert_eq!(take_output(&mut client), answer);
    assert_eq!((client.counters().peer_repeated, client.counters().peer_requests), (2, 1));
    // What was refused was not taken, and is told again.
    for _ in 0..2 {
        assert_eq!(feed(&mut client, &wire(&delivery(b"two"), 2), NOW, usize::MAX).len(), 1);
        client.refuse(2, ErrorCode::SYSTEM_ERROR, b"", NOW).unwrap();
    }
    // The same number with another message is another request, though the number is odd for an SMSC as well.
    for sequence in [0, 1, 999] {
        assert_eq!(feed(&mut client, &wire(&delivery(b"other"), sequence), NOW, usize::MAX).len(), 1);
        client.respond(sequence, &Packet::DeliverResp(Answer::default()), NOW).unwrap();
    }
    // A whole round later it is a new one, too.
    for at in 2..130 {
        let text = if at % 128 == 0 { &b"one"[..] } else { b"filler" };
        feed(&mut client, &wire(&delivery(text), at * 2 % 256), NOW, usize::MAX);
        let _ = client.respond(at * 2 % 256, &Packet::DeliverResp(Answer::default()), NOW);
    }
    assert_eq!(client.counters().peer_requests, 134);
}

#[test]
fn too_many_open_requests_are_refused() {
    let mut client = lone_client(ClientConfig {
        session: SessionConfig { max_unanswered: 2, ..Default::default() },
        ..client_config()
    });
    for sequence in [0, 2, 4] {
        feed(&mut client, &wire(&delivery(b"x"), sequence), NOW, usize::MAX);
    }
    assert_eq!(headers(&take_output(&mut client)), [(OperationCode::DELIVER_RESP, 4, ErrorCode::CONGESTION)]);
    assert_eq!((client.unanswered(), client.counters().throttled), (2, 1));
}

#[test]
fn what_cannot_be_is_answered() {
    let mut client = lone_client(client_config());
    let mut server = lone_server(SessionConfig::default());
    // For the other side; again; of vendors.
    feed(&mut client, &wire(&message(), 0), NOW, usize::MAX);
    feed(&mut server, &wire(&Login::default(), 3), NOW, usize::MAX);
    feed(&mut server, b"\x0230:005\t\x03", NOW, usize::MAX);
    let refused = |operation, sequence| (operation, sequence, ErrorCode::UNEXPECTED_OPERATION);
    assert_eq!(headers(&take_output(&mut client)), [refused(OperationCode::SUBMIT_RESP, 0)]);
    let answers = [refused(OperationCode::LOGIN_RESP, 3), refused(OperationCode::GENERAL_ERROR, 5)];
    assert_eq!(headers(&take_output(&mut server)), answers);
    // Malformed ones are told, and answered with what is wrong.
    let seen = feed(&mut server, b"\x0203:007\t030:999\t\x03", NOW, usize::MAX);
    assert_eq!(seen, [Seen::Malformed(7, DecodeError::Value { tag: Tag::DCS })]);
    assert_eq!(headers(&take_output(&mut server)), [(OperationCode::SUBMIT_RESP, 7, ErrorCode::SUBMIT_DCS)]);
    // What is no packet at all is told only.
    let seen = feed(&mut server, b"\x0203:0\x02x\x03", NOW, usize::MAX);
    assert_eq!(seen, [Seen::Broken(FrameError::BrokenOff), Seen::Broken(FrameError::Header)]);
    assert!(server.output().is_empty() && server.is_logged_in());
}

#[test]
fn what_came_and_went_is_counted_by_kind() {
    let mut pair = Pair::logged_in(client_config(), SessionConfig::default());
    pair.submit(1).unwrap();
    pair.exchange();
    let mut counts: Vec<_> =
        pair.client.take_packet_counts().map(|of| (of.incoming, of.operation.0, of.error.0, of.count)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(false, 1, 0, 1), (false, 3, 0, 1), (true, 51, 0, 1), (true, 53, 0, 1)]);
    let counters = pair.client.counters();
    assert_eq!((counters.packets_in, counters.packets_out, counters.requests, counters.responses), (2, 2, 1, 1));
    assert_eq!(
        (counters.bytes_in, counters.bytes_out),
        (pair.server.counters().bytes_out, pair.server.counters().bytes_in)
    );
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from() {
    let config = SessionConfig { output_limit: 100, ..Default::default() };
    let mut server = lone_server(config);
    let alive = wire(&Packet::Alive, 3);
    let flood = alive.repeat(10_000);
    let mut handed = server.receive(&flood, NOW);
    assert_eq!(drain(&mut server, NOW), []);
    assert!(server.output_is_full() && server.output().len() < 200);
    handed += server.receive(&flood[handed..], NOW);
    assert!(handed < flood.len());
    // What had come before the end is answered all the same.
    server.transport_closed();
    assert_eq!(drain(&mut server, NOW), [Seen::Closed(CloseReason::PeerClosed)]);
    assert_eq!(server.counters().packets_in, 1 + handed as u64 / alive.len() as u64);
}
