//! Operations and their results, in windows.

use std::time::Duration;

use ucp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const SUBMIT: OperationType = OperationType::SUBMIT;

fn response(token: u64, sm: &str) -> Seen {
    Seen::Response { token, ot: SUBMIT, answer: Ok(sm.as_bytes().to_vec()) }
}

#[test]
fn messages_go_to_and_fro() {
    for chunk in [1, 50, usize::MAX] {
        let mut pair = Pair::open(client_config(), ServerConfig::default());
        pair.chunk = chunk;
        for token in 0..10 {
            pair.submit(token).unwrap();
        }
        assert_eq!(pair.submit(10), Err(SubmitError::WindowFull));
        pair.server.deliver(&message(), 70, pair.now).unwrap();
        let notification = ShortMessage { dst: Some(DeliveryStatus::DELIVERED), ..message() };
        pair.server.notify(&notification, 71, pair.now).unwrap();
        pair.exchange();
        let expected: Vec<_> =
            (0..10).map(|token| response(token, &format!("4915123456789:2210261836{:02}", token + 1))).collect();
        let (deliveries, responses): (Vec<_>, Vec<_>) =
            pair.client_seen.drain(..).partition(|seen| matches!(seen, Seen::Request { .. }));
        assert_eq!(responses, expected);
        let ots = deliveries.iter().map(|seen| match seen {
            Seen::Request { ot, .. } => *ot,
            other => panic!("{other:?}"),
        });
        assert_eq!(ots.collect::<Vec<_>>(), [OperationType::DELIVER, OperationType::NOTIFY]);
        let answered = pair.server_seen.iter().filter(|seen| matches!(seen, Seen::Response { token: 70 | 71, .. }));
        assert_eq!(answered.count(), 2);
        for session in [&pair.client, &pair.server] {
            assert_eq!((session.outstanding(), session.unanswered()), (0, 0));
        }
        assert_eq!(pair.client.counters().requests, 10);
    }
}

#[test]
fn results_come_in_any_order_and_find_their_operations() {
    let mut client = lone_client(client_config());
    let trns = [10, 11, 12].map(|token| client.submit(&message(), token, NOW).unwrap().get());
    assert_eq!(trns, [1, 2, 3]);
    let octets = [
        answer_wire(SUBMIT, &Answer::ack(b"third"), 3),
        answer_wire(SUBMIT, &Answer::nack(ErrorCode::NOT_ALLOWED), 1),
        // Doubled, and of another kind than what was asked.
        answer_wire(SUBMIT, &Answer::ack(b"again"), 3),
        answer_wire(OperationType::MODIFY, &Answer::ack(b"odd"), 2),
        answer_wire(SUBMIT, &Answer::ack(b"second"), 2),
    ];
    let refused = Seen::Response { token: 10, ot: SUBMIT, answer: Err(ErrorCode::NOT_ALLOWED) };
    let expected = [response(12, "third"), refused, response(11, "second")];
    assert_eq!(feed(&mut client, &octets.concat(), NOW, 9), expected);
    let counters = client.counters();
    assert_eq!((counters.unknown_responses, counters.nacks, counters.responses), (2, 1, 3));
}

#[test]
fn a_window_of_one_stops_and_waits() {
    let mut config = client_config();
    config.session.window = 1;
    let mut pair = Pair::open(config, ServerConfig::default());
    for token in 0..250 {
        assert_eq!(pair.submit(token).unwrap().get(), ((token + 1) % 100) as u8);
        assert_eq!(pair.submit(0), Err(SubmitError::WindowFull));
        pair.exchange();
    }
    assert_eq!(pair.client_seen.len(), 250);
}

#[test]
fn a_trn_rests_after_its_operation_timed_out() {
    let second = Duration::from_secs(1);
    let mut config = client_config();
    config.session.window = 100;
    let mut client = lone_client(config);
    for token in 0..100 {
        client.submit(&message(), token, NOW).unwrap();
    }
    assert_eq!(drain(&mut client, second * 59), []);
    assert_eq!(client.next_deadline(), Some(second * 60));
    let timed_out: Vec<_> = (0..100).map(Seen::TimedOut).collect();
    assert_eq!(drain(&mut client, second * 60), timed_out);
    // All are in doubt, and no TRN is free.
    assert_eq!((client.outstanding(), client.window_room()), (0, 0));
    assert_eq!(client.submit(&message(), 100, second * 60), Err(SubmitError::WindowFull));
    // A late result frees its TRN; it is not taken for that of what is sent next.
    let late = answer_wire(SUBMIT, &Answer::ack(b"late"), 17);
    assert_eq!(feed(&mut client, &late, second * 70, usize::MAX), []);
    assert_eq!(client.submit(&message(), 100, second * 70), Ok(trn(17)));
    assert_eq!(
        feed(&mut client, &answer_wire(SUBMIT, &Answer::ack(b"new"), 17), second * 71, usize::MAX),
        [response(100, "new")]
    );
    // The others are free again in time.
    assert_eq!(client.next_deadline(), Some(second * 120));
    assert_eq!(drain(&mut client, second * 120), []);
    assert_eq!(client.window_room(), 100);
    assert_eq!(client.counters().timeouts, 100);
}

#[test]
fn a_server_takes_only_so_many() {
    let mut server = lone_server(SessionConfig { max_unanswered: 2, ..SessionConfig::default() });
    let octets: Vec<u8> = (5..9).flat_map(|number| wire(&Operation::Submit(message()), number)).collect();
    assert_eq!(feed(&mut server, &octets, NOW, usize::MAX).len(), 2);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 7, Some(4)), frame("R51", 8, Some(4))]);
    server.respond(trn(5), &Answer::ACK, NOW).unwrap();
    assert_eq!(server.respond(trn(5), &Answer::ACK, NOW), Err(RespondError::NothingToAnswer));
    assert_eq!(feed(&mut server, &wire(&Operation::Submit(message()), 9), NOW, usize::MAX).len(), 1);
    assert_eq!(server.counters().throttled, 2);
}

#[test]
fn a_trn_that_waits_cannot_be_used_again() {
    let mut server = lone_server(SessionConfig::default());
    let octets = [wire(&Operation::Submit(message()), 5), wire(&Operation::Submit(message()), 5)].concat();
    assert_eq!(feed(&mut server, &octets, NOW, usize::MAX).len(), 1);
    assert_eq!(frames(&take_output(&mut server)), [frame("R51", 5, Some(4))]);
    server.respond(trn(5), &Answer::ACK, NOW).unwrap();
    assert_eq!(feed(&mut server, &wire(&Operation::Submit(message()), 5), NOW, usize::MAX).len(), 1);
}

#[test]
fn what_goes_the_wrong_way_is_refused_on_both_ends() {
    let mut server = lone_server(SessionConfig::default());
    let mut client = lone_client(client_config());
    let short = message();
    for operation in [Operation::Deliver(short), Operation::Notify(short), Operation::InquiryResponse(short)] {
        let (ot, name) = (operation.ot(), format!("R{}", operation.ot().0));
        assert_eq!(client.request(&operation, 1, NOW), Err(SubmitError::WrongDirection(ot)));
        assert_eq!(feed(&mut server, &wire(&operation, 2), NOW, usize::MAX), []);
        assert_eq!(frames(&take_output(&mut server)), [frame(&name, 2, Some(4))]);
    }
    for operation in [Operation::Submit(short), Operation::Modify(short), Operation::List(ListManagement::default())] {
        let (ot, name) = (operation.ot(), format!("R{}", operation.ot().0));
        assert_eq!(server.request(&operation, 1, NOW), Err(SubmitError::WrongDirection(ot)));
        assert_eq!(feed(&mut client, &wire(&operation, 2), NOW, usize::MAX), []);
        assert_eq!(frames(&take_output(&mut client)), [frame(&name, 2, Some(4))]);
    }
    let unknown = Operation::Unknown { ot: OperationType(59), data: b"1/2/" };
    assert_eq!(client.request(&unknown, 1, NOW), Err(SubmitError::WrongDirection(OperationType(59))));
    for session in [&mut server, &mut client] {
        assert_eq!(feed(session, &wire(&unknown, 3), NOW, usize::MAX), []);
        assert_eq!(frames(&take_output(session)), [frame("R59", 3, Some(3))]);
    }
}

#[test]
fn every_operation_has_its_way() {
    let mut pair = Pair::open(client_config(), ServerConfig::default());
    let short = message();
    let mut list = AddressesBuf::new();
    list.push(b"123").unwrap();
    let to_smsc = [
        Operation::CallInput(CallInput { adc: b"1", content: short.content, ..CallInput::default() }),
        Operation::MultipleCallInput(MultipleCallInput { rad: list.as_addresses(), ..Default::default() }),
        Operation::SupplementaryCallInput(SupplementaryCallInput::default()),
        Operation::MessageTransfer(MessageTransfer::default()),
        Operation::Submit(short),
        Operation::Modify(short),
        Operation::Inquire(short),
        Operation::Delete(short),
        Operation::List(ListManagement::default()),
    ];
    for (token, operation) in (0..).zip(&to_smsc) {
        pair.client.request(operation, token, pair.now).unwrap();
    }
    let to_application = [
        Operation::CallInput(CallInput::default()),
        Operation::Deliver(short),
        Operation::Notify(short),
        Operation::InquiryResponse(short),
        Operation::DeleteResponse(short),
    ];
    for (token, operation) in (0..).zip(&to_application) {
        pair.server.request(operation, token, pair.now).unwrap();
    }
    pair.exchange();
    for (seen, sent) in [(&pair.server_seen, &to_smsc[..]), (&pair.client_seen, &to_application[..])] {
        let ots = seen.iter().filter_map(|seen| match seen {
            Seen::Request { ot, .. } => Some(*ot),
            _ => None,
        });
        assert_eq!(ots.collect::<Vec<_>>(), sent.iter().map(Operation::ot).collect::<Vec<_>>());
    }
    assert_eq!((pair.client.outstanding(), pair.server.outstanding()), (0, 0));
}

#[test]
fn frames_are_counted_by_sort() {
    let mut pair = Pair::open(client_config(), ServerConfig::default());
    pair.client.take_frame_counts().for_each(drop);
    pair.submit(1).unwrap();
    pair.submit(2).unwrap();
    pair.exchange();
    let counts: Vec<_> = pair.client.take_frame_counts().collect();
    let of = |incoming, kind| FrameCount { incoming, kind, ot: SUBMIT, code: None, count: 2 };
    assert_eq!(counts, [of(false, Kind::Operation), of(true, Kind::Result)]);
}
