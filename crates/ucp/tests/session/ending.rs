//! How sessions end.

use std::time::Duration;

use ucp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;

#[test]
fn an_orderly_end_awaits_open_results_both_ways() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 7, NOW).unwrap();
    feed(&mut client, &wire(&Operation::Deliver(message()), 0), NOW, usize::MAX);
    client.finish(NOW);
    assert_eq!(client.submit(&message(), 8, NOW), Err(SubmitError::NotOpen));
    // What comes now is left to come again.
    assert_eq!(feed(&mut client, &wire(&Operation::Deliver(message()), 1), NOW, usize::MAX), []);
    take_output(&mut client);
    client.respond(trn(0), &Answer::ACK, NOW).unwrap();
    assert_eq!(frames(&take_output(&mut client)), [frame("R52", 0, None)]);
    let answer = answer_wire(OperationType::SUBMIT, &Answer::ack(b"id"), 1);
    let seen = feed(&mut client, &answer, NOW, usize::MAX);
    assert!(matches!(&seen[..], [Seen::Response { token: 7, .. }, Seen::Closed(CloseReason::WeClosed)]), "{seen:?}");
    assert_eq!(client.next_deadline(), None);
    assert_eq!(drain(&mut client, NOW), []);
}

#[test]
fn an_orderly_end_takes_only_so_long() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 7, NOW).unwrap();
    client.finish(NOW);
    assert_eq!(client.next_deadline(), Some(Duration::from_secs(3)));
    assert_eq!(drain(&mut client, Duration::from_secs(3)), [Seen::Closed(CloseReason::WeClosed)]);
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [7]);
    // With nothing open it ends at once; an alert of its own is nothing to wait for.
    let mut client = lone_client(asking(None));
    assert_eq!(drain(&mut client, Duration::from_secs(30)), []);
    assert_eq!(client.outstanding(), 1);
    client.finish(Duration::from_secs(30));
    assert_eq!(drain(&mut client, Duration::from_secs(30)), [Seen::Closed(CloseReason::WeClosed)]);
    assert_eq!(client.drain_outstanding().count(), 0);
    // So does one that is not open yet.
    let mut client = Session::client(client_config(), NOW).unwrap();
    client.finish(NOW);
    assert_eq!(drain(&mut client, NOW), [Seen::Closed(CloseReason::WeClosed)]);
}

#[test]
fn what_came_before_the_connection_ended_is_told_first() {
    let mut client = lone_client(client_config());
    client.submit(&message(), 1, NOW).unwrap();
    client.submit(&message(), 2, NOW).unwrap();
    let octets = [answer_wire(OperationType::SUBMIT, &Answer::ack(b"id"), 1), b"\x0202/0003".to_vec()].concat();
    assert_eq!(client.receive(&octets, NOW), octets.len());
    client.transport_closed();
    let seen = drain(&mut client, NOW);
    assert!(matches!(&seen[..], [Seen::Response { token: 1, .. }, Seen::Closed(CloseReason::PeerClosed)]), "{seen:?}");
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [2]);
    // After the end nothing is taken, and nothing is said.
    assert_eq!(client.receive(&octets, NOW), octets.len());
    assert_eq!(drain(&mut client, NOW), []);
    assert_eq!(client.respond(trn(0), &Answer::ACK, NOW), Err(RespondError::NothingToAnswer));
}

#[test]
fn a_full_output_holds_up_input_until_it_is_written() {
    let mut server = lone_server(SessionConfig { output_limit: 60, ..SessionConfig::default() });
    let octets: Vec<u8> = (0..10).flat_map(|number| wire(&alert(), number)).collect();
    assert_eq!(server.receive(&octets, NOW), octets.len());
    let mut seen = 0;
    while seen < 10 {
        let events = drain(&mut server, NOW).len();
        assert!(events > 0 && server.output().len() < 60 + 30);
        seen += events;
        take_output(&mut server);
    }
}
