//! Peers that send nonsense, too much, or do not read.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: CommandStatus = CommandStatus::ROK;

#[test]
fn garbage_is_nacked_and_closes() {
    let http = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n";
    let huge = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9];
    let tiny = [0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9];
    let sequence_of_http = u32::from_be_bytes(*b".1\r\n");
    for (bytes, sequence) in [(&http[..], sequence_of_http), (&huge, 9), (&tiny, 9)] {
        let mut server = Session::server(SessionConfig::default(), NOW).unwrap();
        let seen = feed(&mut server, bytes, NOW, usize::MAX);
        assert!(matches!(seen[..], [Seen::Closed(CloseReason::Framing(_))]), "{seen:?}");
        let nack = (CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, sequence);
        assert_eq!(headers(&take_output(&mut server)), [nack]);
        // Nothing more is taken in.
        assert_eq!(feed(&mut server, bytes, NOW, usize::MAX), []);
    }
    // Four octets are enough to know, but not for a sequence number.
    let mut client = lone_client(client_config());
    assert_eq!(feed(&mut client, &huge, NOW, 1).len(), 1);
    assert_eq!(headers(&take_output(&mut client)), [(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, 0)]);
}

#[test]
fn good_pdus_before_the_garbage_still_count() {
    let mut client = lone_client(client_config());
    let sequence = client.submit(&message(), 1, NOW).unwrap();
    let mut bytes = wire(&SubmitSmResp::default(), sequence, OK);
    bytes.extend_from_slice(&[0; 20]);
    let seen = feed(&mut client, &bytes, NOW, usize::MAX);
    assert!(matches!(seen[..], [Seen::Response { token: 1, .. }, Seen::Closed(CloseReason::Framing(_))]));
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from() {
    let config = SessionConfig { output_limit: 1_000, ..Default::default() };
    let mut server = lone_server(config, BindMode::Transceiver, InterfaceVersion::V3_4);
    let flood = wire(&Pdu::EnquireLink, 1, OK).repeat(50_000);
    let mut taken = 0;
    loop {
        let more = server.receive(&flood[taken..], NOW);
        assert_eq!(drain(&mut server, NOW), []);
        if more == 0 {
            break;
        }
        taken += more;
    }
    assert!(server.output_is_full() && server.output().len() < 1_100);
    assert!(taken <= DEFAULT_MAX_PDU + 64 * 1024 + 2_000, "{taken}");
    assert_eq!(server.request(&DeliverSm::default(), 1, NOW), Err(SubmitError::OutputFull));
    // Written in small steps, everything is answered in the end.
    let mut answered = 0;
    while taken < flood.len() || !server.output().is_empty() {
        let piece = server.output().len().min(999);
        answered += piece;
        server.consume_output(piece);
        taken += server.receive(&flood[taken..], NOW);
        assert_eq!(drain(&mut server, NOW), []);
    }
    assert_eq!(answered, 50_000 * 16);
}

#[test]
fn timers_run_while_the_output_is_full() {
    let mut config = client_config();
    config.session.output_limit = 100;
    let mut client = lone_client(config);
    while client.submit(&message(), 1, NOW).is_ok() {}
    assert!(client.output_is_full());
    let mut seen = Vec::new();
    while let Some(deadline) = client.next_deadline() {
        seen.extend(drain(&mut client, deadline));
    }
    assert_eq!(seen.last(), Some(&Seen::Closed(CloseReason::EnquireTimeout)));
}

#[test]
fn a_long_life_keeps_sequence_numbers_and_slots_in_order() {
    let mut config = client_config();
    config.session.window = 100;
    let mut client = lone_client(config);
    // One request stays open while thousands pass it by.
    let open = client.submit(&message(), u64::MAX, NOW).unwrap();
    for token in 0..20_000 {
        let sequence = client.submit(&message(), token, NOW).unwrap();
        assert_eq!(u64::from(sequence), token + u64::from(open) + 1);
        take_output(&mut client);
        let seen = feed(&mut client, &wire(&SubmitSmResp::default(), sequence, OK), NOW, usize::MAX);
        assert_eq!(seen, [Seen::Response { token, status: OK, message_id: Vec::new() }]);
    }
    assert_eq!(client.drain_outstanding().collect::<Vec<_>>(), [u64::MAX]);
}

#[test]
fn junk_behind_the_last_field_is_counted_and_borne() {
    let mut client = lone_client(client_config());
    let mut bytes = wire(&DeliverSm { short_message: b"text", ..Default::default() }, 5, OK);
    bytes.extend_from_slice(&[1, 2, 3]);
    bytes[3] += 3;
    let request = Seen::Request { sequence: 5, id: CommandId::DELIVER_SM, text: b"text".to_vec() };
    assert_eq!(feed(&mut client, &bytes, NOW, usize::MAX), [request]);
    assert_eq!(client.counters().junk, 1);
}
