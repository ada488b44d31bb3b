//! How sessions open, or don't.

use std::time::Duration;

use ucp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_login_opens_both_sides_however_octets_come() {
    for chunk in [1, 7, usize::MAX] {
        let mut pair = Pair::new(client_config(), ServerConfig::default());
        pair.chunk = chunk;
        pair.exchange();
        assert_eq!(pair.client_seen, [Seen::Opened(b"welcome".to_vec())]);
        let asked = Seen::LoginRequest { oadc: b"60777".to_vec(), password: b"secret".to_vec() };
        assert_eq!(pair.server_seen, [asked]);
        assert!(pair.client.is_open() && pair.server.is_open());
        // 00 was the login's.
        assert_eq!(pair.submit(1).unwrap(), trn(1));
    }
}

#[test]
fn the_login_is_as_kannel_writes_it() {
    let login = Login { oadc: b"12345".to_vec(), password: b"bar".to_vec(), ..Login::default() };
    assert!(!format!("{login:?}").contains("98, 97"), "the password is not shown");
    let client = Session::client(ClientConfig { login: Some(login), ..ClientConfig::default() }, NOW).unwrap();
    assert_eq!(client.output(), b"\x0200/00046/O/60/12345/6/5/1/626172//0100//////93\x03");
}

#[test]
fn a_login_may_be_refused() {
    let mut pair = Pair::new(client_config(), ServerConfig::default());
    pair.manner = Manner::Passive;
    pair.exchange();
    pair.server.refuse_login(ErrorCode::AUTHENTICATION, pair.now).unwrap();
    assert!(pair.server.accept_login(b"", pair.now).is_err());
    pair.exchange();
    let refused = CloseReason::LoginRefused(ErrorCode::AUTHENTICATION);
    assert_eq!(pair.client_seen, [Seen::LoginRefused(ErrorCode::AUTHENTICATION), Seen::Closed(refused)]);
    assert!(!pair.server.is_closed());
    pair.server.transport_closed();
    assert_eq!(drain(&mut pair.server, pair.now), [Seen::Closed(refused)]);
    // A peer that does not close is left after a while.
    let mut server = Session::server(ServerConfig::default(), NOW).unwrap();
    feed(&mut server, &wire(&login(), 0), NOW, usize::MAX);
    server.refuse_login(ErrorCode::NOT_ALLOWED, NOW).unwrap();
    take_output(&mut server);
    feed(&mut server, &wire(&Operation::Submit(message()), 1), NOW, usize::MAX);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 1, Some(4))]);
    assert_eq!(drain(&mut server, seconds(3)), [Seen::Closed(CloseReason::LoginRefused(ErrorCode::NOT_ALLOWED))]);
}

#[test]
fn what_comes_before_the_login_is_settled_waits() {
    // A client that does not wait for the result.
    let mut server = Session::server(ServerConfig::default(), NOW).unwrap();
    let octets = [wire(&login(), 0), wire(&Operation::Submit(message()), 1), wire(&alert(), 2)].concat();
    let asked = Seen::LoginRequest { oadc: b"60777".to_vec(), password: b"secret".to_vec() };
    assert_eq!(feed(&mut server, &octets, NOW, 5), [asked, Seen::Alert(b"60777".to_vec())]);
    server.accept_login(b"", NOW).unwrap();
    let text = b"hello".to_vec();
    assert_eq!(drain(&mut server, NOW), [Seen::Request { trn: 1, ot: OperationType::SUBMIT, text: text.clone() }]);
    assert_eq!(frames(&take_output(&mut server)), [frame("R31", 2, None), frame("R60", 0, None)]);
    assert_eq!(server.counters().frames_in, 3);

    // An SMSC that delivers before its result of the login.
    let mut client = Session::client(client_config(), NOW).unwrap();
    let octets =
        [wire(&Operation::Deliver(message()), 0), answer_wire(OperationType::SESSION, &Answer::ACK, 0)].concat();
    let delivered = Seen::Request { trn: 0, ot: OperationType::DELIVER, text };
    assert_eq!(feed(&mut client, &octets, NOW, 5), [Seen::Opened(Vec::new()), delivered]);
    client.respond(trn(0), &Answer::ACK, NOW).unwrap();
}

#[test]
fn nothing_goes_without_a_login() {
    let mut server = Session::server(ServerConfig::default(), NOW).unwrap();
    assert_eq!(feed(&mut server, &wire(&Operation::Submit(message()), 7), NOW, usize::MAX), []);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 7, Some(4))]);
    assert_eq!(server.deliver(&message(), 1, NOW), Err(SubmitError::NotOpen));
    // An alert is always answered.
    assert_eq!(feed(&mut server, &wire(&alert(), 8), NOW, usize::MAX), [Seen::Alert(b"60777".to_vec())]);
    assert_eq!(take_output(&mut server), b"\x0208/00023/R/31/A/0000/2E\x03");
    // Changing a password needs a login, too.
    let change = SessionManagement { styp: Some(SessionType::CHANGE_PASSWORD), ..SessionManagement::default() };
    assert_eq!(feed(&mut server, &wire(&Operation::Session(change), 9), NOW, usize::MAX), []);
    assert_eq!(frames(&take_output(&mut server)), [frame("R60", 9, Some(4))]);
    let mut client = Session::client(client_config(), NOW).unwrap();
    assert_eq!(client.submit(&message(), 1, NOW), Err(SubmitError::NotOpen));
    assert_eq!(client.window_room(), 0);
}

#[test]
fn a_login_takes_only_so_long() {
    let mut client = Session::client(client_config(), NOW).unwrap();
    let mut server = Session::server(ServerConfig::default(), NOW).unwrap();
    for session in [&mut client, &mut server] {
        assert_eq!(session.next_deadline(), Some(seconds(30)));
        assert_eq!(drain(session, seconds(29)), []);
        assert_eq!(drain(session, seconds(30)), [Seen::Closed(CloseReason::LoginTimeout)]);
    }
    // Nor does a decision about it.
    let mut server = Session::server(ServerConfig::default(), NOW).unwrap();
    feed(&mut server, &wire(&login(), 0), seconds(20), usize::MAX);
    assert_eq!(drain(&mut server, seconds(50)), [Seen::Closed(CloseReason::LoginTimeout)]);
}

#[test]
fn links_without_a_login_are_open_at_once() {
    let session = SessionConfig { keep_alive: Some(KeepAlive::every_minute(b"12345")), ..SessionConfig::default() };
    let config = ClientConfig { login: None, announce: true, session };
    let server = ServerConfig { login_required: false, ..ServerConfig::default() };
    let mut pair = Pair::new(config.clone(), server);
    // As Kannel writes it.
    assert_eq!(pair.client.output(), b"\x0200/00027/O/31/12345/0539/F6\x03");
    pair.exchange();
    assert_eq!(pair.client_seen, [Seen::Opened(Vec::new())]);
    assert_eq!(pair.server_seen, [Seen::Opened(Vec::new()), Seen::Alert(b"12345".to_vec())]);
    // The alert's result has made room.
    assert_eq!((pair.client.outstanding(), pair.client.window_room()), (0, 10));
    pair.submit(5).unwrap();
    pair.exchange();
    assert!(matches!(pair.client_seen.last(), Some(Seen::Response { token: 5, .. })));
    // A login that comes all the same is put to the caller, once.
    let mut server = pair.server;
    let asked = Seen::LoginRequest { oadc: b"60777".to_vec(), password: b"secret".to_vec() };
    assert_eq!(feed(&mut server, &wire(&login(), 50), pair.now, usize::MAX), [asked]);
    server.accept_login(b"", pair.now).unwrap();
    assert_eq!(feed(&mut server, &wire(&login(), 51), pair.now, usize::MAX), []);
    assert_eq!(frames(&take_output(&mut server)), [frame("R60", 50, None), frame("R60", 51, Some(4))]);
    let nothing = ClientConfig { session: SessionConfig::default(), ..config };
    assert_eq!(Session::client(nothing, NOW).err(), Some(ConfigError::Announcement));
}

#[test]
fn an_smsc_that_connects_to_us_may_log_in() {
    let mut listener = lone_client(ClientConfig::default());
    let octets = [wire(&login(), 0), wire(&Operation::Deliver(message()), 1)].concat();
    let delivered = Seen::Request { trn: 1, ot: OperationType::DELIVER, text: b"hello".to_vec() };
    assert_eq!(feed(&mut listener, &octets, NOW, usize::MAX), [delivered]);
    assert_eq!(frames(&take_output(&mut listener)), [frame("R60", 0, None)]);
    // On a connection of ours it may not.
    let mut client = lone_client(client_config());
    assert_eq!(feed(&mut client, &wire(&login(), 0), NOW, usize::MAX), []);
    assert_eq!(frames(&take_output(&mut client)), [frame("R60", 0, Some(4))]);
}

#[test]
fn other_sessions_are_asked_for_by_the_caller() {
    let mut pair = Pair::open(client_config(), ServerConfig::default());
    let change = SessionManagement {
        oadc: b"60777",
        styp: Some(SessionType::CHANGE_PASSWORD),
        pwd: Secret(Hex::octets(b"secret")),
        npwd: Secret(Hex::octets(b"better")),
        ..SessionManagement::default()
    };
    pair.client.request(&Operation::Session(change), 9, pair.now).unwrap();
    pair.exchange();
    assert!(matches!(&pair.server_seen[..], [Seen::Request { ot: OperationType::SESSION, .. }]));
    assert!(matches!(&pair.client_seen[..], [Seen::Response { token: 9, answer: Ok(_), .. }]));
    assert_eq!(pair.client.request(&login(), 1, pair.now), Err(SubmitError::Login));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let session = |window| SessionConfig { window, ..SessionConfig::default() };
    for window in [0, 101] {
        let config = ServerConfig { session: session(window), ..ServerConfig::default() };
        assert_eq!(Session::server(config, NOW).err(), Some(ConfigError::Window(window)));
    }
    let none = ServerConfig {
        session: SessionConfig { max_unanswered: 0, ..SessionConfig::default() },
        ..ServerConfig::default()
    };
    assert_eq!(Session::server(none, NOW).err(), Some(ConfigError::MaxUnanswered(0)));
    let login = Login { oadc: b"a/b".to_vec(), ..Login::default() };
    let config = ClientConfig { login: Some(login), ..ClientConfig::default() };
    let character = EncodeError::Character { field: "OAdC", octet: b'/' };
    assert_eq!(Session::client(config, NOW).err(), Some(ConfigError::Login(character)));
    let mut config = asking(None);
    config.session.keep_alive.as_mut().unwrap().adc = vec![b'1'; 17];
    assert!(matches!(Session::client(config, NOW).err(), Some(ConfigError::KeepAlive(_))));
}
