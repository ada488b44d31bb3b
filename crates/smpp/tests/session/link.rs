//! Signs of life.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const OK: CommandStatus = CommandStatus::ROK;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_idle_link_lives_on() {
    let mut pair = Pair::bound(client_config(), SessionConfig::default());
    pair.advance(seconds(3_600));
    assert!(pair.client.is_bound() && pair.server.is_bound());
    assert!(pair.client_seen.is_empty() && pair.server_seen.is_empty());
    // One in 30 s from each side, since both fall silent at the same moments.
    for session in [&pair.client, &pair.server] {
        assert_eq!(session.counters().enquires, 120);
    }
}

#[test]
fn a_peer_that_hangs_is_found_out_and_its_messages_are_in_doubt() {
    let mut client = lone_client(client_config());
    for token in [3, 1, 2] {
        client.submit(&message(), token, seconds(10)).unwrap();
    }
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(30)));
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert_eq!(headers(&take_output(&mut client)), [(CommandId::ENQUIRE_LINK, OK, 5)]);
    assert_eq!(client.next_deadline(), Some(seconds(60)));
    assert_eq!(drain(&mut client, seconds(60)), [Seen::Closed(CloseReason::EnquireTimeout)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [3, 1, 2]);
    assert_eq!(client.outstanding(), 0);
    assert_eq!(client.submit(&message(), 4, seconds(61)), Err(SubmitError::NotBound));
}

#[test]
fn any_octet_counts_as_life() {
    let mut client = lone_client(client_config());
    assert_eq!(drain(&mut client, seconds(30)), []);
    // No enquire_link_resp, only the first octets of something else.
    assert_eq!(feed(&mut client, &[0, 0, 0], seconds(59), usize::MAX), []);
    assert_eq!(drain(&mut client, seconds(60)), []);
    assert_eq!(client.next_deadline(), Some(seconds(89)));
}

#[test]
fn some_peers_never_answer_and_that_can_be_borne() {
    let mut config = client_config();
    config.session.enquire_timeout = None;
    let mut client = lone_client(config);
    for at in 1..100 {
        assert_eq!(client.next_deadline(), Some(seconds(30 * at)));
        assert_eq!(drain(&mut client, seconds(30 * at)), []);
        assert_eq!(headers(&take_output(&mut client)).len(), 1);
    }
    let mut config = client_config();
    config.session.enquire_interval = None;
    let client = lone_client(config);
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn a_peer_that_never_reads_gets_no_enquire_links_on_top() {
    let full = |enquire_timeout| {
        let mut config = client_config();
        config.session.output_limit = 100;
        config.session.enquire_timeout = enquire_timeout;
        let mut client = lone_client(config);
        while client.submit(&message(), 1, seconds(0)).is_ok() {}
        assert!(client.output_is_full());
        client
    };
    let mut client = full(Some(seconds(20)));
    let held = client.output().len();
    assert_eq!(drain(&mut client, seconds(30)), []);
    assert_eq!((client.output().len(), client.counters().enquires), (held, 0));
    assert_eq!(client.next_deadline(), Some(seconds(50)));
    assert_eq!(drain(&mut client, seconds(50)), [Seen::Closed(CloseReason::EnquireTimeout)]);

    // One that reads in the meantime is asked then, and has the whole time to answer.
    let mut client = full(Some(seconds(20)));
    assert_eq!(drain(&mut client, seconds(35)), []);
    take_output(&mut client);
    assert_eq!(client.next_deadline(), Some(seconds(30)));
    assert_eq!(drain(&mut client, seconds(40)), []);
    assert_eq!(headers(&take_output(&mut client)).len(), 1);
    assert_eq!(client.next_deadline(), Some(seconds(60)));

    // One that may be silent for ever is only held up.
    let mut client = full(None);
    for at in [30, 60, 90, 3_000] {
        assert_eq!(drain(&mut client, seconds(at)).iter().filter(|seen| !matches!(seen, Seen::TimedOut(_))).count(), 0);
        assert_eq!((client.output().len(), client.counters().enquires), (held, 0));
    }
    assert_eq!(client.next_deadline(), None);
}

#[test]
fn an_outbind_is_awaited_until_it_comes() {
    let config = ClientConfig { await_outbind: Some(OutbindCredentials::default()), ..client_config() };
    let mut client = Session::client(config, seconds(0)).unwrap();
    assert!(client.awaits_outbind());
    feed(&mut client, &wire(&Outbind::default(), 1, OK), seconds(1), usize::MAX);
    assert!(!client.awaits_outbind() && !client.is_closed());
    assert!(!lone_client(client_config()).awaits_outbind());
}

#[test]
fn inactivity_is_about_messages_only() {
    let server = SessionConfig { inactivity_timeout: Some(seconds(100)), ..Default::default() };
    let mut pair = Pair::bound(client_config(), server);
    pair.advance(seconds(90));
    pair.submit(1).unwrap();
    pair.advance(seconds(90));
    assert!(pair.server.is_bound());
    pair.advance(seconds(20));
    assert_eq!(pair.server_seen.last(), Some(&Seen::Closed(CloseReason::Inactivity)));
    assert_eq!(pair.client_seen.last(), Some(&Seen::Closed(CloseReason::PeerUnbound)));
}

#[test]
fn requests_and_answers_of_the_peer_are_activity() {
    let config = SessionConfig { inactivity_timeout: Some(seconds(50)), enquire_interval: None, ..Default::default() };
    let mut server = lone_server(config, BindMode::Transceiver, InterfaceVersion::V3_4);
    let sequence = server.request(&DeliverSm::default(), 1, seconds(10)).unwrap();
    assert_eq!(server.next_deadline(), Some(seconds(60)));
    assert_eq!(feed(&mut server, &wire(&DeliverSmResp::default(), sequence, OK), seconds(30), usize::MAX).len(), 1);
    assert_eq!(server.next_deadline(), Some(seconds(80)));
    assert_eq!(feed(&mut server, &wire(&message(), 2, OK), seconds(40), usize::MAX).len(), 1);
    assert_eq!(server.next_deadline(), Some(seconds(90)));
    server.respond(2, OK, &SubmitSmResp::default(), seconds(45)).unwrap();
    assert_eq!(server.next_deadline(), Some(seconds(95)));
    // enquire_link is not.
    assert_eq!(feed(&mut server, &wire(&Pdu::EnquireLink, 3, OK), seconds(60), usize::MAX), []);
    assert_eq!(server.next_deadline(), Some(seconds(95)));
}
