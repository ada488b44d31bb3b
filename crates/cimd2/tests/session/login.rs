//! How sessions begin.

use std::time::Duration;

use cimd2::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const GREETING: &[u8] = b"CIMD2-A ConnectionInfo: SessionId = 2 PortId = 0\r\n";

#[test]
fn login_and_answer_however_the_octets_are_split() {
    for chunk in 1..60 {
        let config = ClientConfig { announce_window: true, subaddress: Some(3), ..with_window(20) };
        let mut pair = Pair::new(config, SessionConfig::default());
        pair.server.greet(b"CIMD2-A ConnectionInfo:\x02 SessionId = 2").unwrap();
        pair.chunk = chunk;
        pair.exchange();
        let request = Seen::LoginRequest { user: "shop".into(), password: "secret".into(), window: Some(20) };
        assert_eq!(pair.server_seen, [request]);
        let greeting = Seen::Greeting("CIMD2-A ConnectionInfo: SessionId = 2".into());
        assert_eq!(pair.client_seen, [greeting, Seen::LoggedIn]);
        assert_eq!(pair.server.greet(b"too late"), Err(RespondError::NothingToAnswer));
    }
}

#[test]
fn the_login_is_what_others_send() {
    let config = ClientConfig { user: b"user01".to_vec(), password: b"psw01".to_vec(), ..Default::default() };
    let client = Session::client(config.clone(), NOW).unwrap();
    assert_eq!(client.output(), b"\x0201:001\t010:user01\t011:psw01\tBB\x03");
    assert!(!format!("{config:?}").contains("psw01"));
    let bare = SessionConfig { send_checksum: false, ..Default::default() };
    let client = Session::client(ClientConfig { session: bare, ..config }, NOW).unwrap();
    assert_eq!(client.output(), b"\x0201:001\t010:user01\t011:psw01\t\x03");
}

#[test]
fn greetings_come_in_every_form() {
    let answer = wire(&Packet::LoginResp(Answer::default()), 1);
    let said = Seen::Greeting("CIMD2-A ConnectionInfo: SessionId = 2 PortId = 0".into());
    // With an end of line, and without; with more lines and NULs that nobody wants.
    let lines = [
        GREETING,
        &GREETING[..GREETING.len() - 2],
        b"\0\r\n\0CIMD2-A ConnectionInfo: SessionId = 2 PortId = 0\n\nmore\0",
    ];
    for line in lines {
        for chunk in [1, 7, usize::MAX] {
            let mut client = Session::client(client_config(), NOW).unwrap();
            let seen = feed(&mut client, &[line, &answer].concat(), NOW, chunk);
            assert_eq!(seen, [said.clone(), Seen::LoggedIn]);
        }
    }
    // None at all.
    let mut client = Session::client(client_config(), NOW).unwrap();
    assert_eq!(feed(&mut client, &answer, NOW, 1), [Seen::LoggedIn]);
    assert_eq!(feed(&mut client, b"not a greeting\r\n", NOW, 1), []);
    // One without end is cut.
    let mut client = Session::client(client_config(), NOW).unwrap();
    let endless = feed(&mut client, &[b'x'; 100_000], NOW, 1_000);
    assert_eq!(endless, []);
    assert_eq!(feed(&mut client, &answer, NOW, 1), [Seen::Greeting("x".repeat(512)), Seen::LoggedIn]);
    // An SMSC that says something and hangs up.
    let mut client = Session::client(client_config(), NOW).unwrap();
    assert_eq!(feed(&mut client, b"too many connections", NOW, 1), []);
    client.transport_closed();
    let end = [Seen::Greeting("too many connections".into()), Seen::Closed(CloseReason::PeerClosed)];
    assert_eq!(drain(&mut client, NOW), end);
}

#[test]
fn a_refused_login_ends_both_sides() {
    let mut pair = Pair::new(client_config(), SessionConfig::default());
    pair.manner = Manner::Passive;
    pair.exchange();
    let refused = ErrorCode::LOGIN_INVALID;
    pair.server.refuse_login(refused, b"no such user", pair.now).unwrap();
    pair.exchange();
    let seen = [Seen::LoginRefused(refused, "no such user".into()), Seen::Closed(CloseReason::LoginRefused(refused))];
    assert_eq!(pair.client_seen, seen);
    // The server waits a little for the peer to close.
    assert!(!pair.server.is_closed());
    pair.advance(Duration::from_secs(5));
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::LoginRefused(refused))));
}

#[test]
fn a_general_error_refuses_too() {
    for (answer, code) in
        [(&b"\x0298:001\t\x03"[..], 2), (b"\x0298:001\t900:1\t\x03", 1), (b"\x0251:001\t900:9\t\x03", 9)]
    {
        let mut client = Session::client(client_config(), NOW).unwrap();
        let seen = feed(&mut client, answer, NOW, usize::MAX);
        let code = ErrorCode(code);
        assert_eq!(seen, [Seen::LoginRefused(code, String::new()), Seen::Closed(CloseReason::LoginRefused(code))]);
    }
}

#[test]
fn a_nacked_login_is_repeated_a_few_times() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let login = take_output(&mut client);
    for _ in 0..3 {
        assert_eq!(feed(&mut client, &wire(&Packet::Nack, 1), NOW, usize::MAX), []);
        assert_eq!(take_output(&mut client), login);
    }
    let seen = feed(&mut client, &wire(&Packet::Nack, 1), NOW, usize::MAX);
    assert_eq!(seen, [Seen::Closed(CloseReason::OutOfStep)]);
}

#[test]
fn nobody_waits_for_a_login_for_ever() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    for session in [&mut client, &mut server] {
        let deadline = session.next_deadline().unwrap();
        assert_eq!(deadline, Duration::from_secs(60));
        assert_eq!(drain(session, deadline - Duration::from_nanos(1)), []);
        assert_eq!(drain(session, deadline), [Seen::Closed(CloseReason::LoginTimeout)]);
    }
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    feed(&mut server, &wire(&Login::default(), 1), Duration::from_secs(59), usize::MAX);
    assert_eq!(drain(&mut server, Duration::from_secs(119)), [Seen::Closed(CloseReason::LoginTimeout)]);
}

#[test]
fn messages_may_come_before_the_answer_to_the_login() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    take_output(&mut client);
    let early = [wire(&delivery(b"one"), 0), wire(&delivery(b"two"), 2)].concat();
    assert_eq!(feed(&mut client, &early, NOW, 5), []);
    let answer = wire(&Packet::LoginResp(Answer::default()), 1);
    let seen = feed(&mut client, &[answer, wire(&delivery(b"three"), 4)].concat(), NOW, 5);
    let request =
        |sequence, text: &[u8]| Seen::Request { sequence, operation: OperationCode::DELIVER, text: text.to_vec() };
    assert_eq!(seen, [Seen::LoggedIn, request(0, b"one"), request(2, b"two"), request(4, b"three")]);
    assert_eq!((client.unanswered(), client.counters().packets_in), (3, 4));
    // Only so much is held.
    let mut client = Session::client(client_config(), NOW).unwrap();
    take_output(&mut client);
    let one = wire(&delivery(b"early"), 0);
    feed(&mut client, &one.repeat(70_000 / one.len()), NOW, usize::MAX);
    assert!(client.counters().throttled > 0);
    assert_eq!(headers(&take_output(&mut client))[0], (OperationCode::DELIVER_RESP, 0, ErrorCode::CONGESTION));
}

#[test]
fn before_the_login_nothing_else_is_done() {
    let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
    assert_eq!(feed(&mut server, &wire(&message(), 1), NOW, usize::MAX), []);
    assert_eq!(feed(&mut server, &wire(&Packet::Alive, 3), NOW, usize::MAX), []);
    let answers = [
        (OperationCode::SUBMIT_RESP, 1, ErrorCode::UNEXPECTED_OPERATION),
        (OperationCode::ALIVE_RESP, 3, ErrorCode::OK),
    ];
    assert_eq!(headers(&take_output(&mut server)), answers);
    assert_eq!(server.accept_login(NOW), Err(RespondError::NothingToAnswer));
    assert_eq!(
        feed(&mut server, &wire(&Packet::Logout, 5), NOW, usize::MAX),
        [Seen::Closed(CloseReason::PeerLoggedOut)]
    );
    assert_eq!(headers(&take_output(&mut server)), [(OperationCode::LOGOUT_RESP, 5, ErrorCode::OK)]);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let fault = |config: ClientConfig| Session::client(config, NOW).err();
    assert_eq!(fault(with_window(0)), Some(ConfigError::Window(0)));
    assert_eq!(fault(with_window(128)), Some(ConfigError::Window(128)));
    let user = ClientConfig { user: b"a\tb".to_vec(), ..client_config() };
    let tab = EncodeError::Character { tag: Tag::USER, octet: 9 };
    assert_eq!(fault(user), Some(ConfigError::Login(tab)));
}
