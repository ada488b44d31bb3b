//! Requests and answers.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: CommandStatus = CommandStatus::ROK;

fn answer(sequence: u32, status: CommandStatus, id: &[u8]) -> Vec<u8> {
    wire(&SubmitSmResp { message_id: id, ..Default::default() }, sequence, status)
}

#[test]
fn messages_go_both_ways_at_once_however_the_octets_are_split() {
    for chunk in (1..80).chain([usize::MAX]) {
        let mut pair = Pair::bound(client_config(), SessionConfig::default());
        pair.chunk = chunk;
        for token in 0..5 {
            pair.submit(token).unwrap();
            let mo = DeliverSm { short_message: b"mo", ..Default::default() };
            pair.server.request(&mo, 100 + token, pair.now).unwrap();
        }
        pair.exchange();
        let answered: Vec<_> = (0..5)
            .map(|token| Seen::Response { token, status: OK, message_id: (token + 2).to_string().into_bytes() })
            .collect();
        let of_client: Vec<_> =
            pair.client_seen.iter().filter(|e| matches!(e, Seen::Response { .. })).cloned().collect();
        assert_eq!(of_client, answered);
        assert_eq!(pair.server_seen.iter().filter(|e| matches!(e, Seen::Response { .. })).count(), 5);
        assert_eq!(pair.client.outstanding() + pair.server.outstanding(), 0);
        assert_eq!(pair.client.unanswered() + pair.server.unanswered(), 0);
        let counters = pair.client.counters();
        assert_eq!((counters.requests, counters.responses, counters.peer_requests), (5, 5, 5));
        assert_eq!(counters.bytes_out, pair.server.counters().bytes_in);
    }
}

#[test]
fn the_window_is_kept() {
    let mut config = client_config();
    config.session.window = 3;
    let mut pair = Pair::bound(config, SessionConfig::default());
    pair.manner = Manner::Waits;
    for token in 0..3 {
        assert_eq!(pair.client.window_room(), 3 - token);
        pair.submit(token as u64).unwrap();
    }
    assert_eq!(pair.submit(3), Err(SubmitError::WindowFull));
    pair.exchange();
    assert_eq!(pair.server.unanswered(), 3);
    pair.server.respond(3, OK, &SubmitSmResp::default(), pair.now).unwrap();
    pair.exchange();
    assert_eq!(pair.client_seen, [Seen::Response { token: 1, status: OK, message_id: Vec::new() }]);
    assert_eq!(pair.submit(3), Ok(5));
}

#[test]
fn answers_in_any_order_twice_or_unasked() {
    let mut client = lone_client(client_config());
    let sequences: Vec<u32> = (10..14).map(|token| client.submit(&message(), token, NOW).unwrap()).collect();
    let mut bytes = Vec::new();
    for &sequence in sequences.iter().rev() {
        bytes.extend(answer(sequence, OK, b"id"));
        bytes.extend(answer(sequence, OK, b"again"));
    }
    bytes.extend(answer(0, OK, b"made up"));
    bytes.extend(answer(u32::MAX, OK, b"made up"));
    let seen = feed(&mut client, &bytes, NOW, usize::MAX);
    let tokens: Vec<u64> = seen
        .iter()
        .map(|event| match event {
            Seen::Response { token, message_id, .. } if message_id == b"id" => *token,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tokens, [13, 12, 11, 10]);
    assert_eq!(client.counters().unknown_responses, 6);
}

#[test]
fn refusals_throttling_and_nacks_reach_their_token() {
    let mut client = lone_client(client_config());
    let sequences: Vec<u32> = (0..4).map(|token| client.submit(&message(), token, NOW).unwrap()).collect();
    let mut bytes = answer(sequences[0], CommandStatus::RTHROTTLED, b"");
    assert_eq!(bytes.len(), 16);
    bytes.extend(wire(&Pdu::GenericNack, sequences[1], CommandStatus::RINVCMDID));
    bytes.extend(answer(sequences[2], CommandStatus(0x412), b"body all the same"));
    // Not the kind of answer that belongs to the request.
    bytes.extend(wire(&DataSmResp { message_id: b"odd", ..Default::default() }, sequences[3], OK));
    let expected = [
        Seen::Response { token: 0, status: CommandStatus::RTHROTTLED, message_id: Vec::new() },
        Seen::Nacked { token: 1, status: CommandStatus::RINVCMDID },
        Seen::Response { token: 2, status: CommandStatus(0x412), message_id: b"body all the same".to_vec() },
        Seen::Response { token: 3, status: OK, message_id: Vec::new() },
    ];
    assert_eq!(feed(&mut client, &bytes, NOW, usize::MAX), expected);
}

#[test]
fn each_request_times_out_in_its_turn() {
    let mut client = lone_client(client_config());
    let second = Duration::from_secs(1);
    for token in 0..3u32 {
        client.submit(&message(), u64::from(token), second * token).unwrap();
    }
    // The second is answered in time, and something is received so that the link is well.
    assert_eq!(feed(&mut client, &answer(3, OK, b"id"), second * 50, usize::MAX).len(), 1);
    assert_eq!(client.next_deadline(), Some(second * 60));
    assert_eq!(drain(&mut client, second * 59), []);
    assert_eq!(drain(&mut client, second * 60), [Seen::TimedOut(0)]);
    assert_eq!(client.next_deadline(), Some(second * 62));
    assert_eq!(drain(&mut client, second * 62), [Seen::TimedOut(2)]);
    // Too late.
    assert_eq!(feed(&mut client, &answer(2, OK, b"id"), second * 63, usize::MAX), []);
    assert_eq!((client.counters().timeouts, client.counters().unknown_responses), (2, 1));
    assert_eq!(client.window_room(), 10);
}

#[test]
fn a_server_throttles_what_exceeds_its_limit() {
    let config = SessionConfig { max_unanswered: 2, ..Default::default() };
    let mut server = lone_server(config, BindMode::Transceiver, InterfaceVersion::V3_4);
    let bytes: Vec<u8> = (5..9).flat_map(|sequence| wire(&message(), sequence, OK)).collect();
    assert_eq!(feed(&mut server, &bytes, NOW, usize::MAX).len(), 2);
    let throttled = |sequence| (CommandId::SUBMIT_SM_RESP, CommandStatus::RTHROTTLED, sequence);
    assert_eq!(headers(&take_output(&mut server)), [throttled(7), throttled(8)]);
    server.respond(5, OK, &SubmitSmResp { message_id: b"1", ..Default::default() }, NOW).unwrap();
    assert_eq!(feed(&mut server, &wire(&message(), 9, OK), NOW, usize::MAX).len(), 1);
}

#[test]
fn requests_in_the_wrong_direction_are_refused_on_both_ends() {
    let mut server = lone_server(SessionConfig::default(), BindMode::Receiver, InterfaceVersion::V3_4);
    for (pdu, answer) in [
        (Pdu::SubmitSm(message()), CommandId::SUBMIT_SM_RESP),
        (DataSm::default().into(), CommandId::DATA_SM_RESP),
        (DeliverSm::default().into(), CommandId::DELIVER_SM_RESP),
    ] {
        assert_eq!(feed(&mut server, &wire(&pdu, 2, OK), NOW, usize::MAX), []);
        assert_eq!(headers(&take_output(&mut server)), [(answer, CommandStatus::RINVBNDSTS, 2)]);
    }
    let mut server = lone_server(SessionConfig::default(), BindMode::Transmitter, InterfaceVersion::V3_4);
    assert_eq!(server.request(&DeliverSm::default(), 1, NOW), Err(SubmitError::WrongDirection));
    let mut client = lone_client(ClientConfig { mode: BindMode::Receiver, ..client_config() });
    assert_eq!(client.submit(&message(), 1, NOW), Err(SubmitError::WrongDirection));
    let not_ours = SubmitError::NotARequest(CommandId::ENQUIRE_LINK);
    let mut client = lone_client(client_config());
    assert_eq!(client.request(&Pdu::EnquireLink, 1, NOW), Err(not_ours));
    let refused = client.respond(1, OK, &message(), NOW);
    assert_eq!(refused, Err(RespondError::NotAResponse(CommandId::SUBMIT_SM)));
}

#[test]
fn malformed_requests_are_answered_and_the_session_goes_on() {
    let mut client = lone_client(client_config());
    let mut bytes = wire(&DeliverSm { short_message: b"text", ..Default::default() }, 77, OK);
    let at = bytes.len() - 5;
    bytes[at] = 200;
    bytes.extend(wire(&DeliverSm { short_message: b"good", ..Default::default() }, 78, OK));
    let good = Seen::Request { sequence: 78, id: CommandId::DELIVER_SM, text: b"good".to_vec() };
    let seen = feed(&mut client, &bytes, NOW, 3);
    assert_eq!(seen, [Seen::Malformed(CommandStatus::RINVMSGLEN), good]);
    let answer = (CommandId::DELIVER_SM_RESP, CommandStatus::RINVMSGLEN, 77);
    assert_eq!(headers(&take_output(&mut client)), [answer]);
}

#[test]
fn every_operation_has_its_way() {
    let mut pair = Pair::bound(client_config(), SessionConfig::default());
    let requests: [Pdu<'_>; 5] = [
        DataSm::default().into(),
        QuerySm::default().into(),
        CancelSm::default().into(),
        ReplaceSm::default().into(),
        SubmitMulti::default().into(),
    ];
    for (token, pdu) in requests.iter().enumerate() {
        pair.client.request(pdu, token as u64, pair.now).unwrap();
    }
    let alert = AlertNotification::default();
    pair.server.request(&alert, 9, pair.now).unwrap();
    pair.exchange();
    let got: Vec<_> = pair
        .server_seen
        .iter()
        .map(|event| match event {
            Seen::Request { id, .. } => *id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(got, requests.map(|pdu| pdu.command_id()));
    assert_eq!(pair.server.unanswered(), 5);
    // An alert_notification asks for no answer, on either end.
    assert_eq!((pair.server.outstanding(), pair.client.unanswered()), (0, 0));
    assert!(matches!(&pair.client_seen[..], [Seen::Request { id: CommandId::ALERT_NOTIFICATION, .. }]));
}

#[test]
fn congestion_is_noted() {
    let mut client = lone_client(client_config());
    let sequence = client.submit(&message(), 1, NOW).unwrap();
    let mut tlvs = TlvBuf::new();
    tlvs.push_u8(Tag::CONGESTION_STATE, 85);
    let answer = SubmitSmResp { message_id: b"id", tlvs: tlvs.as_tlvs() };
    assert_eq!(client.congestion_state(), None);
    feed(&mut client, &wire(&answer, sequence, OK), NOW, usize::MAX);
    assert_eq!(client.congestion_state(), Some(85));
}
