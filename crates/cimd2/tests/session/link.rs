//! Signs of life.

use std::time::Duration;

use cimd2::*;

use crate::pair::*;

const OK: ErrorCode = ErrorCode::OK;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_idle_link_lives_on() {
    let server = SessionConfig { silence_timeout: Some(seconds(90)), ..Default::default() };
    let mut pair = Pair::logged_in(client_config(), server);
    pair.advance(seconds(3_600));
    assert!(pair.client.is_logged_in() && pair.server.is_logged_in());
    assert!(pair.client_seen.is_empty() && pair.server_seen.is_empty());
    // One a minute, and none from the SMSC.
    assert_eq!((pair.client.counters().alives, pair.server.counters().alives), (60, 0));
}

#[test]
fn a_peer_that_hangs_is_found_out_and_its_messages_are_in_doubt() {
    let mut client = lone_client(with_window(5));
    for token in [3, 1, 2] {
        client.submit(&message(), token, seconds(10)).unwrap();
    }
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(60)));
    assert_eq!(drain(&mut client, seconds(60)), []);
    assert_eq!(headers(&take_output(&mut client)), [(OperationCode::ALIVE, 9, OK)]);
    assert_eq!(client.outstanding(), 3);
    let timed_out = [Seen::TimedOut(3), Seen::TimedOut(1), Seen::TimedOut(2)];
    assert_eq!(drain(&mut client, seconds(70)), timed_out);
    client.submit(&message(), 4, seconds(71)).unwrap();
    assert_eq!(client.next_deadline(), Some(seconds(120)));
    assert_eq!(drain(&mut client, seconds(120)), [Seen::Closed(CloseReason::AliveTimeout)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [4]);
    assert_eq!(client.submit(&message(), 4, seconds(121)), Err(SubmitError::NotLoggedIn));
}

#[test]
fn any_octet_counts_as_life() {
    let mut client = lone_client(client_config());
    assert_eq!(drain(&mut client, seconds(60)), []);
    assert_eq!(client.submit(&message(), 1, seconds(60)), Err(SubmitError::WindowFull));
    // No answer to the alive, only octets of nothing.
    assert_eq!(feed(&mut client, b"\0", seconds(110), usize::MAX), []);
    // The alive has no answer in time; that alone ends nothing.
    assert_eq!(drain(&mut client, seconds(120)), []);
    assert!(client.is_logged_in());
    assert_eq!(client.next_deadline(), Some(seconds(170)));
    client.submit(&message(), 1, seconds(120)).unwrap();
}

#[test]
fn a_full_window_needs_no_alive() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, seconds(50)).unwrap();
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(110)));
    assert_eq!(drain(&mut client, seconds(110))[..], [Seen::TimedOut(1)]);
    assert_eq!(headers(&take_output(&mut client)), [(OperationCode::ALIVE, 5, OK)]);
    assert_eq!(drain(&mut client, seconds(170)), [Seen::Closed(CloseReason::AliveTimeout)]);
}

#[test]
fn some_peers_never_answer_and_that_can_be_borne() {
    let mut config = client_config();
    config.session.alive_timeout = None;
    let mut client = lone_client(config);
    for at in 1..100 {
        assert_eq!(client.next_deadline(), Some(seconds(60 * at)));
        assert_eq!(drain(&mut client, seconds(60 * at)), []);
        assert_eq!(headers(&take_output(&mut client)).len(), 1);
    }
    let mut config = client_config();
    config.session.alive_interval = None;
    assert_eq!(lone_client(config).next_deadline(), None);
}

#[test]
fn a_peer_that_never_reads_gets_no_alives_on_top() {
    let full = |alive_timeout| {
        let mut config = with_window(100);
        config.session.output_limit = 100;
        config.session.alive_timeout = alive_timeout;
        config.session.response_timeout = seconds(10_000);
        let mut client = lone_client(config);
        while client.submit(&message(), 1, seconds(0)).is_ok() {}
        assert!(client.output_is_full());
        client
    };
    let mut client = full(Some(seconds(20)));
    let held = client.output().len();
    assert_eq!(drain(&mut client, seconds(60)), []);
    assert_eq!((client.output().len(), client.counters().alives), (held, 0));
    assert_eq!(client.next_deadline(), Some(seconds(80)));
    assert_eq!(drain(&mut client, seconds(80)), [Seen::Closed(CloseReason::AliveTimeout)]);

    // One that reads in the meantime is asked then, and has the whole time to answer.
    let mut client = full(Some(seconds(20)));
    assert_eq!(drain(&mut client, seconds(65)), []);
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(60)));
    assert_eq!(drain(&mut client, seconds(70)), []);
    assert_eq!(headers(&take_output(&mut client)).len(), 1);
    assert_eq!(client.next_deadline(), Some(seconds(90)));

    // One that may be silent for ever is only held up.
    let mut client = full(None);
    for at in [60, 120, 3_000] {
        assert_eq!(drain(&mut client, seconds(at)), []);
        assert_eq!((client.output().len(), client.counters().alives), (held, 0));
    }
    assert_eq!(client.next_deadline(), Some(seconds(10_000)));
}

#[test]
fn silence_ends_a_session() {
    let config = SessionConfig { silence_timeout: Some(seconds(100)), ..Default::default() };
    let mut server = lone_server(config);
    assert_eq!(server.next_deadline(), Some(seconds(100)));
    feed(&mut server, &wire(&Packet::Alive, 3), seconds(90), usize::MAX);
    assert_eq!(server.next_deadline(), Some(seconds(190)));
    assert_eq!(drain(&mut server, seconds(190)), [Seen::Closed(CloseReason::Silence)]);
}

#[test]
fn alive_is_answered_by_either_side() {
    let mut client = lone_client(client_config());
    let mut server = lone_server(SessionConfig::default());
    for (session, sequence) in [(&mut client, 0), (&mut server, 3)] {
        assert_eq!(feed(session, &wire(&Packet::Alive, sequence), seconds(1), usize::MAX), []);
        assert_eq!(headers(&take_output(session)), [(OperationCode::ALIVE_RESP, sequence, OK)]);
    }
}
