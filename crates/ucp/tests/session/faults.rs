//! Peers that do not do as they should.

use std::time::Duration;

use ucp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const HELLO: &[u8] = b"hello";

fn request(number: u8) -> Seen {
    Seen::Request { trn: number, ot: OperationType::SUBMIT, text: HELLO.to_vec() }
}

/// A submit with one octet changed.
fn garbled(number: u8, at: usize, octet: u8) -> Vec<u8> {
    let mut octets = wire(&Operation::Submit(message()), number);
    octets[at] = octet;
    octets
}

#[test]
fn garbled_operations_are_answered_and_the_session_goes_on() {
    let mut server = lone_server(SessionConfig::default());
    let octets = [
        b"\r\nnoise\r\n".to_vec(),
        // A digit of the address, LEN, and a letter in the header.
        garbled(5, 16, b'5'),
        garbled(6, 8, b'9'),
        garbled(7, 10, b'X'),
        wire(&Operation::Submit(message()), 8),
        b"\r\n".to_vec(),
    ]
    .concat();
    let expected = [
        Seen::Malformed(ErrorCode::CHECKSUM),
        Seen::Malformed(ErrorCode::SYNTAX),
        Seen::Malformed(ErrorCode::SYNTAX),
        request(8),
    ];
    for chunk in [1, 11, usize::MAX] {
        let mut server = lone_server(SessionConfig::default());
        assert_eq!(feed(&mut server, &octets, NOW, chunk), expected, "in pieces of {chunk}");
    }
    assert_eq!(feed(&mut server, &octets, NOW, usize::MAX), expected);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 5, Some(1)), frame("R51", 6, Some(2))]);
    assert_eq!(server.counters().malformed, 3);
}

#[test]
fn a_fault_under_a_trn_that_waits_is_not_answered() {
    let mut server = lone_server(SessionConfig::default());
    let octets = [wire(&Operation::Submit(message()), 5), garbled(5, 16, b'5')].concat();
    assert_eq!(feed(&mut server, &octets, NOW, usize::MAX), [request(5), Seen::Malformed(ErrorCode::CHECKSUM)]);
    assert!(server.output().is_empty());
    server.respond(trn(5), &Answer::ACK, NOW).unwrap();
}

#[test]
fn fields_that_cannot_be_read_are_answered() {
    let mut server = lone_server(SessionConfig::default());
    // AMsg with an odd number of digits; the frame is good.
    let odd = Operation::Unknown { ot: OperationType::SUBMIT, data: b"1/2/////////////////3//414//////////////" };
    assert_eq!(feed(&mut server, &wire(&odd, 3), NOW, usize::MAX), [Seen::Malformed(ErrorCode::SYNTAX)]);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 3, Some(2))]);
    assert_eq!(server.unanswered(), 0);
}

#[test]
fn a_result_that_says_nothing_leaves_its_operation_open() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 7, NOW).unwrap();
    let unclear = b"\x0201/00019/R/51/X//85\x03";
    assert_eq!(feed(&mut client, unclear, NOW, usize::MAX), [Seen::Malformed(ErrorCode::SYNTAX)]);
    // So does one whose checksum is wrong.
    let wrong = b"\x0201/00020/R/51/A///11\x03";
    assert_eq!(feed(&mut client, wrong, NOW, usize::MAX), [Seen::Malformed(ErrorCode::CHECKSUM)]);
    take_output(&mut client);
    assert!(client.output().is_empty() && client.outstanding() == 1);
    assert_eq!(drain(&mut client, Duration::from_secs(60)), [Seen::TimedOut(7)]);
    // Unless checksums don't count.
    let mut config = client_config();
    config.session.frames.check_checksum = false;
    let mut client = lone_client(config);
    client.submit(&message(), 7, NOW).unwrap();
    assert!(matches!(&feed(&mut client, wrong, NOW, usize::MAX)[..], [Seen::Response { token: 7, .. }]));
}

#[test]
fn a_peer_that_speaks_something_else_is_left() {
    let config =
        ServerConfig { login_required: false, session: SessionConfig { max_junk: 1_000, ..SessionConfig::default() } };
    let mut server = Session::server(config.clone(), NOW).unwrap();
    let http = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".repeat(20);
    assert_eq!(feed(&mut server, &http, NOW, usize::MAX), [Seen::Opened(Vec::new())]);
    // A good frame is forgiven much.
    feed(&mut server, &wire(&alert(), 0), NOW, usize::MAX);
    assert_eq!(feed(&mut server, &http, NOW, usize::MAX), []);
    let seen = feed(&mut server, &http, NOW, usize::MAX);
    assert_eq!(seen, [Seen::Closed(CloseReason::Junk(2 * http.len()))]);
    // So is one that never ends a frame.
    let mut server = Session::server(config, NOW).unwrap();
    let seen = feed(&mut server, &[&b"\x02"[..], &[b'0'; 9_000]].concat(), NOW, 100);
    assert!(matches!(&seen[..], [Seen::Opened(_), Seen::Closed(CloseReason::Junk(8_192))]), "{seen:?}");
}

#[test]
fn frames_that_are_too_long_are_skipped() {
    let frames_of = FrameRules { max_len: 200, ..FrameRules::default() };
    let mut server = lone_server(SessionConfig { frames: frames_of, ..SessionConfig::default() });
    let long = Operation::Submit(ShortMessage { content: Content::alphanumeric(&[b'x'; 160]), ..message() });
    let octets = [wire(&long, 1), wire(&Operation::Submit(message()), 2)].concat();
    for chunk in [1, 64, usize::MAX] {
        assert_eq!(feed(&mut server, &octets, NOW, chunk), [Seen::Malformed(ErrorCode::SYNTAX), request(2)]);
        server.respond(trn(2), &Answer::ACK, NOW).unwrap();
    }
    assert_eq!(server.counters().malformed, 3);
}
