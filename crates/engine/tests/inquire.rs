//! What is asked of a carrier about parts that it has, with a hand for its session.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::time::Duration;

use engine::dispatch::{Ask, Inquiry, LinkEvent, LinkSession, Told};
use engine::{CancelError, CancelRefused, CarrierError, QueryError, Refusal, ReplaceError};
use model::resources::Protocol;
use model::{Message, MessageId, PartStatus, Reason, Receipt, ReceiptState, ReceiptWish, Replacement, Status};
use store::DeliveryFilter;
use support::*;

const PLAIN: &str = r#"{"to":"07700 900123","text":"hello"}"#;

fn with(option: &str) -> String {
    CONNECTOR.replace("\"id\"", &format!("{option},\"id\""))
}

fn refused() -> Told {
    Told::Refused(Reason { smpp_status: Some(0x11), ..Reason::new("carrier_refused", "0x00000011", true) })
}

fn state(state: ReceiptState, stat: &str) -> Told {
    Told::State(Receipt { state, stat: stat.into(), err: None })
}

/// A message that the carrier has, in so many parts, and a session that may ask.
async fn at_carrier(bench: &Bench, parts: usize) -> (Message, LinkSession) {
    let text = "x".repeat(150 * parts - if parts == 1 { 1 } else { 0 });
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let mut session = bench.session();
    for job in take(&mut session, parts).await {
        sent(&mut session, &job, &format!("R{}", job.part)).await;
    }
    session.serve_inquiries(true);
    (bench.until(message.body.id, Status::Sent).await, session)
}

/// Waits for so many inquiries.
async fn asked(session: &mut LinkSession, count: usize) -> Vec<Inquiry> {
    let mut asked = Vec::new();
    let asking = async {
        while asked.len() < count {
            if session.event(false).await == LinkEvent::Asked {
                asked.extend(std::iter::from_fn(|| session.next_inquiry(std::time::Instant::now())));
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("inquiries");
    asked
}

async fn answered(session: &mut LinkSession, told: Vec<Told>) {
    for (inquiry, told) in asked(session, told.len()).await.into_iter().zip(told) {
        inquiry.answer(told);
    }
}

fn whats(message: &Message) -> Vec<&str> {
    message.progress.events.iter().map(|event| event.what.as_ref()).collect()
}

async fn cancel(bench: &Bench, id: MessageId) -> Result<Message, CancelError> {
    bench.engine.cancel(&bench.caller, id).await
}

async fn query(bench: &Bench, id: MessageId) -> Result<Message, QueryError> {
    bench.engine.query(&bench.caller, id).await
}

#[tokio::test]
async fn a_sent_message_is_canceled_when_the_carrier_takes_all_of_it_back() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 2).await;
    let id = message.body.id;
    let carrier = async {
        let asked = asked(&mut session, 2).await;
        for (n, inquiry) in asked.into_iter().enumerate() {
            assert_eq!((&inquiry.ask, usize::from(inquiry.part), inquiry.body.id), (&Ask::Cancel, n, id));
            assert_eq!(&*inquiry.remote_id, format!("R{n}"));
            inquiry.answer(Told::Canceled);
        }
    };
    let (canceled, ()) = tokio::join!(cancel(&bench, id), carrier);
    let canceled = canceled.unwrap();
    assert_eq!(canceled.progress.status, Status::Canceled);
    assert!(canceled.progress.parts.iter().all(|part| part.status == PartStatus::Canceled));
    assert_eq!(whats(&canceled)[3..], ["withdrawn", "withdrawn", "canceled"]);
    let owed = bench.engine.deliveries(&bench.caller, DeliveryFilter::default(), None, 10).await.unwrap();
    assert!(owed.iter().any(|delivery| &*delivery.event == "message.canceled"));
    // A second one comes too late, and a receipt for what is gone is no stray.
    assert_eq!(cancel(&bench, id).await, Err(CancelError::Refused(CancelRefused::TooLate)));
    receipt(&mut session, "R1", ReceiptState::Undelivered).await;
    assert_eq!(bench.until(id, Status::Canceled).await.progress.parts[1].status, PartStatus::Canceled);
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_receipt_may_tell_of_the_cancel_before_the_answer_does() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let carrier = async {
        let inquiry = asked(&mut session, 1).await.remove(0);
        receipt(&mut session, "R0", ReceiptState::Undelivered).await;
        inquiry.answer(Told::Canceled);
    };
    let (outcome, ()) = tokio::join!(cancel(&bench, message.body.id), carrier);
    assert_eq!(outcome.unwrap().progress.status, Status::Undelivered);
}

#[tokio::test]
async fn a_carrier_that_keeps_it_is_named_and_nothing_changes() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let id = message.body.id;
    let (outcome, ()) = tokio::join!(cancel(&bench, id), answered(&mut session, vec![refused()]));
    let Err(CancelError::Carrier(CarrierError::Refused { part: 1, reason })) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.smpp_status, Some(0x11));
    let kept = bench.until(id, Status::Sent).await;
    assert_eq!(whats(&kept), ["accepted", "sent", "cancel_refused"]);
    receipt(&mut session, "R0", ReceiptState::Delivered).await;
    bench.until(id, Status::Delivered).await;
}

#[tokio::test]
async fn a_message_of_which_a_part_was_kept_stays_sent() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 3).await;
    let id = message.body.id;
    let answers = vec![Told::Canceled, refused(), Told::Canceled];
    let (outcome, ()) = tokio::join!(cancel(&bench, id), answered(&mut session, answers));
    let Err(CancelError::Carrier(error @ CarrierError::Partly { canceled: 2, of: 3, .. })) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.to_string(), "the carrier took back 2 of 3 parts; it refused part 2: 0x00000011");
    let parts: Vec<_> = bench.until(id, Status::Sent).await.progress.parts.iter().map(|part| part.status).collect();
    assert_eq!(parts, [PartStatus::Canceled, PartStatus::Sent, PartStatus::Canceled]);
    // Asked again, only what is left is asked about.
    let (outcome, ()) = tokio::join!(cancel(&bench, id), answered(&mut session, vec![Told::Canceled]));
    assert_eq!(outcome.unwrap().progress.status, Status::Canceled);
}

#[tokio::test]
async fn a_part_without_an_id_can_not_be_asked_back() {
    let bench = start(CONNECTOR).await;
    let text = "x".repeat(300);
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let id = message.body.id;
    let mut session = bench.session();
    session.serve_inquiries(true);
    for (job, remote_id) in take(&mut session, 2).await.iter().zip(["R0", ""]) {
        sent(&mut session, job, remote_id).await;
    }
    bench.until(id, Status::Sent).await;
    let (outcome, ()) = tokio::join!(cancel(&bench, id), answered(&mut session, vec![Told::Canceled]));
    let error = outcome.unwrap_err().to_string();
    assert_eq!(error, "the carrier took back 1 of 2 parts; it gave the others no id to ask by");
    assert_eq!(cancel(&bench, id).await, Err(CancelError::Refused(CancelRefused::TooLate)));
    bench.until(id, Status::Sent).await;
}

#[tokio::test]
async fn without_anybody_to_ask_there_is_no_answer() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let id = message.body.id;
    session.serve_inquiries(false);
    let nobody = CarrierError::NoSession("a".into());
    assert_eq!(cancel(&bench, id).await, Err(CancelError::Carrier(nobody.clone())));
    assert_eq!(query(&bench, id).await, Err(QueryError::Carrier(nobody)));
    // A session that ends without an answer.
    session.serve_inquiries(true);
    let ends = async {
        asked(&mut session, 1).await;
        session.serve_inquiries(false);
    };
    let (outcome, ()) = tokio::join!(query(&bench, id), ends);
    assert_eq!(outcome, Err(QueryError::Carrier(CarrierError::NoAnswer("a".into()))));
    // It may be queued and never taken, too.
    session.serve_inquiries(true);
    let ends = async {
        while session.event(false).await != LinkEvent::Asked {}
        drop(session);
    };
    let (outcome, ()) = tokio::join!(cancel(&bench, id), ends);
    assert_eq!(outcome, Err(CancelError::Carrier(CarrierError::NoAnswer("a".into()))));
    bench.until(id, Status::Sent).await;
}

#[tokio::test]
async fn a_connector_may_be_set_not_to_ask() {
    let bench = start(&with("\"cancel\":false,\"query\":false")).await;
    let (message, _session) = at_carrier(&bench, 1).await;
    let not_asked = CarrierError::NotAsked("a".into());
    assert_eq!(cancel(&bench, message.body.id).await, Err(CancelError::Carrier(not_asked.clone())));
    assert_eq!(query(&bench, message.body.id).await, Err(QueryError::Carrier(not_asked)));
    let waits = bench.submit(PLAIN).await.unwrap();
    assert_eq!(cancel(&bench, waits.body.id).await.unwrap().progress.status, Status::Canceled);
}

#[tokio::test]
async fn answers_are_taken_as_receipts_and_states_only_move_forward() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 2).await;
    let id = message.body.id;
    let answers = vec![state(ReceiptState::Delivered, "DELIVRD"), state(ReceiptState::Intermediate, "ENROUTE")];
    let (asked_once, ()) = tokio::join!(query(&bench, id), answered(&mut session, answers));
    let asked_once = asked_once.unwrap();
    assert_eq!(asked_once.progress.status, Status::Sent);
    assert_eq!(asked_once.progress.parts[0].status, PartStatus::Delivered);
    // Only the other part is asked about now; what was answered before is told once.
    for (answer, status) in [("ENROUTE", Status::Sent), ("DELIVRD", Status::Delivered)] {
        let of = if answer == "DELIVRD" { ReceiptState::Delivered } else { ReceiptState::Intermediate };
        let (known, ()) = tokio::join!(query(&bench, id), answered(&mut session, vec![state(of, answer)]));
        assert_eq!(known.unwrap().progress.status, status);
    }
    let done = query(&bench, id).await.unwrap();
    assert_eq!(whats(&done)[3..], ["query", "query", "query", "delivered"]);
    receipt(&mut session, "R0", ReceiptState::Delivered).await;
    assert_eq!(bench.engine.unmatched(None, 10).await.unwrap().len(), 0, "the receipt that came late is known");
}

#[tokio::test]
async fn a_query_that_is_refused_says_so_unless_another_part_is_known() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 2).await;
    let id = message.body.id;
    let (outcome, ()) = tokio::join!(query(&bench, id), answered(&mut session, vec![refused(), refused()]));
    assert!(matches!(outcome, Err(QueryError::Carrier(CarrierError::Refused { part: 1, .. }))), "{outcome:?}");
    let answers = vec![refused(), state(ReceiptState::Undelivered, "UNDELIV")];
    let (known, ()) = tokio::join!(query(&bench, id), answered(&mut session, answers));
    assert_eq!(known.unwrap().progress.parts[1].status, PartStatus::Undelivered);
    let waits = bench.submit(PLAIN).await.unwrap();
    assert_eq!(query(&bench, waits.body.id).await.unwrap().progress.status, Status::Queued, "nothing to ask about");
}

#[tokio::test]
async fn what_was_sent_of_a_message_that_is_canceled_on_its_way_is_asked_back() {
    let bench = start(CONNECTOR).await;
    let text = "x".repeat(300);
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let id = message.body.id;
    let mut session = bench.session();
    session.serve_inquiries(true);
    let jobs = take(&mut session, 1).await;
    sent(&mut session, &jobs[0], "R0").await;
    bench.until_that(id, |message| message.progress.parts[0].status == PartStatus::Sent).await;
    assert_eq!(cancel(&bench, id).await.unwrap().progress.status, Status::Canceled);
    answered(&mut session, vec![Told::Canceled]).await;
    let done = bench.until_that(id, |message| message.progress.parts[0].status == PartStatus::Canceled).await;
    assert_eq!(done.progress.status, Status::Canceled);
}

#[tokio::test]
async fn what_is_asked_counts_towards_the_throughput() {
    let bench = start(&with("\"throughput\":10")).await;
    let (message, mut session) = at_carrier(&bench, 2).await;
    let waits = bench.submit(PLAIN).await.unwrap();
    let carrier = async {
        let mut asked = Vec::new();
        while asked.len() < 2 {
            if session.event(false).await != LinkEvent::Asked {
                continue;
            }
            let now = std::time::Instant::now();
            let Some(inquiry) = session.next_inquiry(now) else { continue };
            assert!(session.next_inquiry(now).is_none(), "one at a time");
            inquiry.answer(Told::Canceled);
            asked.push(now);
            if asked.len() == 1 {
                // The part that waits goes before the second.
                let job = take(&mut session, 1).await.remove(0);
                assert_eq!(job.body.id, waits.body.id);
                sent(&mut session, &job, "R9").await;
            }
        }
        asked
    };
    let (canceled, asked) = tokio::join!(cancel(&bench, message.body.id), carrier);
    assert_eq!(canceled.unwrap().progress.status, Status::Canceled);
    // An inquiry, a part, an inquiry: never less than two tenths of a second.
    assert!(asked[1].duration_since(asked[0]) >= Duration::from_millis(200), "{asked:?}");
}

async fn replace(bench: &Bench, id: MessageId, with: Replacement) -> Result<Message, ReplaceError> {
    bench.engine.replace(&bench.caller, id, with).await
}

fn other(text: &str) -> Replacement {
    Replacement { text: Some(text.into()), ..Replacement::default() }
}

/// What the message says in the store.
async fn says(bench: &Bench, id: MessageId) -> String {
    let message = bench.engine.message(&bench.caller, id).await.unwrap().unwrap();
    message.body.content.text().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_message_says_something_else_when_its_carrier_does() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let (id, old) = (message.body.id, message.body.content.text().unwrap().to_owned());
    let wanted = Replacement { validity_seconds: Some(600), receipt: Some(ReceiptWish::Failure), ..other("good bye") };
    let carrier = async {
        let inquiry = asked(&mut session, 1).await.remove(0);
        let Ask::Replace(body) = &inquiry.ask else { panic!("{inquiry:?}") };
        assert_eq!((body.content.text(), body.receipt), (Some("good bye"), ReceiptWish::Failure));
        assert_eq!((&*inquiry.remote_id, inquiry.body.content.text()), ("R0", Some(&*old)));
        // Nothing is different before it says so, but for that it is asked.
        let before = bench.until(id, Status::Sent).await;
        assert_eq!(whats(&before), ["accepted", "sent", "replace_asked"]);
        assert_eq!((before.body.content.text(), before.body.expires_at), (Some(&*old), message.body.expires_at));
        // Nobody else has it replaced meanwhile.
        assert_eq!(replace(&bench, id, other("x")).await, Err(CarrierError::Busy.into()));
        inquiry.answer(Told::Replaced);
    };
    let (replaced, ()) = tokio::join!(replace(&bench, id, wanted), carrier);
    let replaced = replaced.unwrap();
    assert_eq!(whats(&replaced)[2..], ["replace_asked", "replaced"]);
    assert_eq!((replaced.progress.status, replaced.body.receipt), (Status::Sent, ReceiptWish::Failure));
    assert!(replaced.body.expires_at < message.body.expires_at && replaced.body.validity_given);
    assert_eq!(bench.engine.message(&bench.caller, id).await.unwrap().unwrap(), replaced);
    // The next one takes the place of this one.
    let carrier = async {
        let inquiry = asked(&mut session, 1).await.remove(0);
        assert_eq!(inquiry.body.content.text(), Some("good bye"));
        inquiry.answer(Told::Replaced);
    };
    let (again, ()) = tokio::join!(replace(&bench, id, other("for good")), carrier);
    assert_eq!(again.unwrap().body.expires_at, replaced.body.expires_at);
    receipt(&mut session, "R0", ReceiptState::Delivered).await;
    let bench = restart(bench.stop().await, CONNECTOR).await;
    assert_eq!(bench.until(id, Status::Delivered).await.body.content.text(), Some("for good"));
}

#[tokio::test]
async fn a_carrier_that_keeps_the_text_is_named_each_time() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let id = message.body.id;
    for _ in 0..2 {
        let (outcome, ()) = tokio::join!(replace(&bench, id, other("x")), answered(&mut session, vec![refused()]));
        let Err(ReplaceError::Carrier(CarrierError::Refused { reason, .. })) = outcome else { panic!("{outcome:?}") };
        assert_eq!(reason.smpp_status, Some(0x11));
    }
    let kept = bench.until(id, Status::Sent).await;
    assert_eq!(kept.body, message.body);
    let told = ["replace_asked", "replace_refused", "replace_asked", "replace_refused"];
    assert_eq!(whats(&kept)[2..], told);
}

#[tokio::test]
async fn the_carriers_yes_counts_also_when_a_receipt_was_quicker() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let carrier = async {
        let inquiry = asked(&mut session, 1).await.remove(0);
        receipt(&mut session, "R0", ReceiptState::Delivered).await;
        inquiry.answer(Told::Replaced);
    };
    let (replaced, ()) = tokio::join!(replace(&bench, message.body.id, other("on the phone")), carrier);
    assert_eq!(replaced.unwrap().progress.status, Status::Delivered);
    assert_eq!(says(&bench, message.body.id).await, "on the phone");
    assert_eq!(replace(&bench, message.body.id, other("x")).await, Err(ReplaceError::TooLate), "it has ended");
}

#[tokio::test]
async fn a_process_that_ends_before_the_answer_leaves_the_question() {
    let bench = start(CONNECTOR).await;
    let (message, mut session) = at_carrier(&bench, 1).await;
    let (id, old) = (message.body.id, says(&bench, message.body.id).await);
    let ends = async {
        asked(&mut session, 1).await;
        drop(session);
    };
    let (outcome, ()) = tokio::join!(replace(&bench, id, other("x")), ends);
    assert_eq!(outcome, Err(CarrierError::NoAnswer("a".into()).into()));
    let bench = restart(bench.stop().await, CONNECTOR).await;
    assert_eq!(says(&bench, id).await, old);
    assert_eq!(whats(&bench.until(id, Status::Sent).await), ["accepted", "sent", "replace_asked"]);
    // Asking again sets it right.
    let mut session = bench.session();
    session.serve_inquiries(true);
    let (again, ()) = tokio::join!(replace(&bench, id, other("x")), answered(&mut session, vec![Told::Replaced]));
    assert_eq!(again.unwrap().body.content.text(), Some("x"));
}

#[tokio::test]
async fn one_part_is_replaced_by_one() {
    let bench = start(CONNECTOR).await;
    let (message, _session) = at_carrier(&bench, 2).await;
    assert_eq!(replace(&bench, message.body.id, other("x")).await, Err(ReplaceError::InParts(2)));
    let long = other(&"x".repeat(161));
    // A text that the carrier splits is one part here, and several there.
    let bench = start(&with("\"long_messages\":\"payload\"")).await;
    for (text, parts) in [(200, 2), (1, 1)] {
        let json = format!(r#"{{"to":"+447700900123","text":"{}"}}"#, "x".repeat(text));
        let id = bench.submit(&json).await.unwrap().body.id;
        let mut session = bench.session();
        let job = take(&mut session, 1).await.remove(0);
        sent(&mut session, &job, &format!("P{parts}")).await;
        session.serve_inquiries(true);
        assert_eq!(bench.until(id, Status::Sent).await.progress.parts.len(), 1);
        match replace(&bench, id, long.clone()).await {
            Err(ReplaceError::InParts(2)) => assert_eq!(parts, 2),
            Err(ReplaceError::Refused(Refusal::Invalid(faults))) => {
                assert_eq!((faults[0].pointer.as_str(), parts), ("/text", 1))
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(whats(&bench.until(id, Status::Sent).await), ["accepted", "sent"], "nobody was asked");
    }
}

#[tokio::test]
async fn not_every_connector_can_have_a_message_replaced() {
    let bench = start(&with("\"replace\":false")).await;
    let (message, session) = at_carrier(&bench, 1).await;
    let id = message.body.id;
    assert_eq!(replace(&bench, id, other("x")).await, Err(CarrierError::NotAsked("a".into()).into()));
    drop(session);
    let bench = start(&CONNECTOR.replace("smpp", "cimd2")).await;
    let (message, session) = at_carrier(&bench, 1).await;
    let id = message.body.id;
    let error = replace(&bench, id, other("x")).await.unwrap_err();
    assert_eq!(error, CarrierError::NoOperation("a".into(), Protocol::Cimd2).into());
    assert_eq!(error.to_string(), "the connector a can't ask its carrier that: there is no such operation over cimd2");
    drop(session);
    let bench = start(CONNECTOR).await;
    let (message, session) = at_carrier(&bench, 1).await;
    drop(session);
    let nobody = CarrierError::NoSession("a".into());
    assert_eq!(replace(&bench, message.body.id, other("x")).await, Err(nobody.into()));
    assert_eq!(whats(&bench.until(message.body.id, Status::Sent).await), ["accepted", "sent"]);
}
