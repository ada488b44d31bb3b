//! Signs of life.

use std::time::Duration;

use ucp::*;

use crate::pair::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_idle_link_lives_on() {
    let mut pair = Pair::open(asking(Some(seconds(30))), ServerConfig::default());
    pair.advance(seconds(3_600));
    assert!(pair.client.is_open() && pair.server.is_open());
    assert!(pair.client_seen.is_empty());
    assert_eq!(pair.client.counters().alerts, 120);
    assert_eq!(pair.server_seen.len(), 120);
    assert!(pair.server_seen.iter().all(|seen| *seen == Seen::Alert(b"60777".to_vec())));
}

#[test]
fn an_smsc_may_ask_too() {
    let session = SessionConfig { keep_alive: Some(KeepAlive::every_minute(b"1")), ..SessionConfig::default() };
    let mut pair = Pair::open(client_config(), ServerConfig { session, ..ServerConfig::default() });
    pair.advance(seconds(600));
    assert_eq!((pair.server.counters().alerts, pair.client_seen.len()), (10, 10));
}

#[test]
fn a_peer_that_hangs_is_found_out_and_its_messages_are_in_doubt() {
    let mut client = lone_client(asking(Some(seconds(20))));
    for token in [3, 1, 2] {
        client.submit(&message(), token, seconds(10)).unwrap();
    }
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(30)));
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert_eq!(frames(&take_output(&mut client)), [frame("31", 4, None)]);
    assert_eq!(client.next_deadline(), Some(seconds(50)));
    assert_eq!(drain(&mut client, seconds(50)), [Seen::Closed(CloseReason::KeepAliveTimeout)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [3, 1, 2]);
    assert_eq!((client.outstanding(), client.next_deadline()), (0, None));
    assert_eq!(client.submit(&message(), 4, seconds(61)), Err(SubmitError::NotOpen));
}

#[test]
fn any_octet_counts_as_life() {
    let mut client = lone_client(asking(Some(seconds(30))));
    assert_eq!(drain(&mut client, seconds(30)), []);
    // No result, only the first octets of something else.
    assert_eq!(feed(&mut client, b"\x0207/", seconds(59), usize::MAX), []);
    assert_eq!(drain(&mut client, seconds(60)), []);
    assert_eq!(client.next_deadline(), Some(seconds(89)));
    // A refusal is as good as any answer.
    feed(&mut client, &answer_wire(OperationType::ALERT, &Answer::nack(ErrorCode(3)), 1), seconds(61), usize::MAX);
    assert_eq!((client.outstanding(), client.next_deadline()), (0, Some(seconds(91))));
}

#[test]
fn a_full_window_is_not_exceeded_by_an_alert() {
    let mut config = asking(Some(seconds(20)));
    config.session.window = 1;
    let mut client = lone_client(config);
    client.submit(&message(), 1, seconds(0)).unwrap();
    take_output(&mut client);
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert!(client.output().is_empty());
    // The peer owes us an answer all the same.
    assert_eq!(client.next_deadline(), Some(seconds(50)));
    assert_eq!(drain(&mut client, seconds(50)), [Seen::Closed(CloseReason::KeepAliveTimeout)]);
    // And an open alert holds up messages of a link that stops and waits.
    let mut config = asking(Some(seconds(20)));
    config.session.window = 1;
    let mut client = lone_client(config);
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert_eq!(client.submit(&message(), 1, seconds(31)), Err(SubmitError::WindowFull));
    feed(&mut client, &answer_wire(OperationType::ALERT, &Answer::ack(b"0000"), 1), seconds(32), usize::MAX);
    assert_eq!(client.submit(&message(), 1, seconds(32)), Ok(trn(2)));
}

#[test]
fn some_peers_never_answer_and_that_can_be_borne() {
    let mut config = asking(None);
    config.session.response_timeout = seconds(45);
    let mut client = lone_client(config);
    for at in 1..400 {
        assert_eq!(drain(&mut client, seconds(15 * at)), []);
        take_output(&mut client);
        assert!(client.outstanding() <= 1);
    }
    // One alert at a time, each until it has timed out.
    assert!((100..=134).contains(&client.counters().alerts), "{:?}", client.counters());
    let client = lone_client(client_config());
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn a_peer_that_never_reads_gets_no_alerts_on_top() {
    let full = |timeout| {
        let mut config = asking(timeout);
        config.session.output_limit = 100;
        let mut client = lone_client(config);
        while client.submit(&message(), 1, seconds(0)).is_ok() {}
        assert!(client.output_is_full());
        client
    };
    let mut client = full(Some(seconds(20)));
    let held = client.output().len();
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert_eq!((client.output().len(), client.counters().alerts), (held, 0));
    assert_eq!(client.next_deadline(), Some(seconds(50)));
    assert_eq!(drain(&mut client, seconds(50)), [Seen::Closed(CloseReason::KeepAliveTimeout)]);

    // One that may be silent for ever is only held up.
    let mut client = full(None);
    for at in [30, 60, 90, 3_000] {
        let others = drain(&mut client, seconds(at)).into_iter().filter(|seen| !matches!(seen, Seen::TimedOut(_)));
        assert_eq!(others.count(), 0);
        assert_eq!((client.output().len(), client.counters().alerts), (held, 0));
    }
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn inactivity_is_about_messages_only() {
    let session = SessionConfig { inactivity_timeout: Some(seconds(100)), ..SessionConfig::default() };
    let server = ServerConfig { session, ..ServerConfig::default() };
    let mut pair = Pair::open(asking(Some(seconds(30))), server);
    pair.advance(seconds(90));
    pair.submit(1).unwrap();
    pair.advance(seconds(90));
    assert!(pair.server.is_open());
    pair.advance(seconds(20));
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::Inactivity)));
}
