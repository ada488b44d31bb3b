//! Quiet hours, on a clock that the test holds: what waits, what goes, what is refused.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::dispatch::{Incoming, Job, LinkSession, MobileOriginated, Outcome};
use engine::{InboundQuestion, Refusal};
use model::{Address, Content, Encoding, Message, MessageId, Reason, Status, Timestamp};
use store::{MemoryStore, Store};
use support::{Bench, CONNECTOR, Clock, incoming, resources, restart_as, restart_on, sent, take};

const ACCOUNT: &str = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
    "quiet_hours":{"from":"21:00","to":"08:00","exempt_priority":3}}"#;

async fn start(clock: &Clock, account: &str) -> Bench {
    restart_as(account, Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn to(number: &str, more: &str) -> String {
    format!(r#"{{"to":"{number}","text":"x"{more}}}"#)
}

fn due(message: &Message) -> String {
    message.progress.due.map(|due| due.to_string()).unwrap_or_default()
}

/// What there is to send once the clock was moved: the engine's own timers go by the wall clock.
async fn take_after_moving(session: &mut LinkSession, count: usize) -> Vec<Job> {
    let mut jobs = session.take(count, Instant::now());
    jobs.extend(take(session, count - jobs.len()).await);
    jobs
}

/// The message, once a session that looks for something to send was not given it.
async fn put_off(bench: &Bench, session: &mut LinkSession, id: MessageId) -> Message {
    let looking = async {
        loop {
            assert!(session.take(100, Instant::now()).is_empty());
            let message = bench.engine.message(&bench.caller, id).await.unwrap().unwrap();
            if message.progress.reason.as_ref().is_some_and(|reason| &*reason.code == "quiet_hours") {
                return message;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it is put off")
}

#[tokio::test]
async fn what_waits_when_quiet_hours_begin_goes_when_they_end() {
    let clock = Clock::at("2026-01-10T20:59:00Z");
    let bench = start(&clock, ACCOUNT).await;
    let mut session = bench.session();
    let early = bench.submit(&to("+447700900001", "")).await.unwrap();
    let sooner = bench.submit(&to("+447700900002", r#","send_at":"2026-01-10T20:59:30Z""#)).await.unwrap();
    let long = format!(r#"{{"to":"+447700900003","text":"{}"}}"#, "x".repeat(200));
    let long = bench.submit(&long).await.unwrap();
    assert_eq!((early.progress.status, sooner.progress.status), (Status::Queued, Status::Scheduled));
    // Half of the long one has gone out: the rest goes too.
    let begun = take(&mut session, 2).await;
    assert_eq!((begun[0].body.id, begun[1].body.id), (early.body.id, long.body.id));
    session.settle(begun[0].ticket, Outcome::Throttled(Reason::new("busy", "", false)));

    clock.set("2026-01-10T21:00:00Z");
    let late = bench.submit(&to("+447700900004", "")).await.unwrap();
    assert_eq!((late.progress.status, due(&late)), (Status::Scheduled, "2026-01-11T08:00:00.000Z".into()));
    assert_eq!(late.progress.reason.as_ref().unwrap().code.as_ref(), "quiet_hours");
    let code = bench.submit(&to("+447700900005", r#","priority":3"#)).await.unwrap();
    let rest = take_after_moving(&mut session, 2).await;
    for job in begun[1..].iter().chain(&rest) {
        assert!([long.body.id, code.body.id].contains(&job.body.id));
        sent(&mut session, job, &format!("{}-{}", job.body.id, job.part)).await;
    }
    for waits in [early.body.id, sooner.body.id] {
        let message = put_off(&bench, &mut session, waits).await;
        let last = message.progress.events.last().unwrap().what.clone();
        assert_eq!((due(&message), last.as_ref()), ("2026-01-11T08:00:00.000Z".into(), "put_off"));
    }
    bench.until(long.body.id, Status::Sent).await;
    bench.until(code.body.id, Status::Sent).await;
    drop(session);
    // They wait on disk.
    let bench = restart_as(ACCOUNT, bench.stop().await, CONNECTOR).await;
    let mut session = bench.session();
    clock.set("2026-01-11T07:59:59Z");
    assert!(session.take(100, Instant::now()).is_empty());
    assert_eq!(bench.store.queue_depths().await.unwrap()[0].1, 3);
    clock.set("2026-01-11T08:00:00Z");
    let jobs = take_after_moving(&mut session, 3).await;
    let mut went: Vec<MessageId> = jobs.iter().map(|job| job.body.id).collect();
    went.sort_unstable();
    assert_eq!(went, [early.body.id, sooner.body.id, late.body.id]);
    bench.stop().await;
}

#[tokio::test]
async fn a_time_of_its_own_in_quiet_hours_moves_to_their_end() {
    let clock = Clock::at("2026-01-10T12:00:00Z");
    let bench = start(&clock, ACCOUNT).await;
    for (send_at, moved) in
        [("2026-01-10T20:00:00Z", "2026-01-10T20:00:00.000Z"), ("2026-01-10T23:00:00Z", "2026-01-11T08:00:00.000Z")]
    {
        let message = bench.submit(&to("+447700900001", &format!(r#","send_at":"{send_at}""#))).await.unwrap();
        assert_eq!(due(&message), moved);
        assert_eq!(message.body.send_at, Some(at(send_at)));
    }
    // It would have expired before.
    let short = to("+447700900001", r#","send_at":"2026-01-10T23:00:00Z","validity_seconds":3600"#);
    let refused = bench.submit(&short).await.unwrap_err();
    let until = at("2026-01-11T08:00:00Z");
    let Refusal::QuietHours { until: told, expires, .. } = refused else { panic!("{refused}") };
    assert_eq!((told, expires), (until, true));
    bench.stop().await;
}

#[tokio::test]
async fn accounts_refuse_let_messages_ignore_them_and_heed_those_above() {
    let clock = Clock::at("2026-01-10T22:00:00Z");
    let rejects = ACCOUNT.replace("\"exempt_priority\":3", "\"action\":\"reject\"");
    let bench = start(&clock, &rejects).await;
    let refused = bench.submit(&to("+447700900001", "")).await.unwrap_err();
    assert!(matches!(refused, Refusal::QuietHours { expires: false, .. }), "{refused}");
    let ignores = to("+447700900001", r#","ignore_quiet_hours":true"#);
    assert!(matches!(bench.submit(&ignores).await.unwrap_err(), Refusal::Forbidden(_)));
    // It is morning in Tokyo.
    clock.set("2026-01-10T23:00:00Z");
    bench.submit(&to("+819012345678", "")).await.unwrap();
    bench.stop().await;

    let lets = ACCOUNT.replace("\"exempt_priority\":3", "\"may_ignore\":true");
    let bench = start(&clock, &lets).await;
    let message = bench.submit(&ignores).await.unwrap();
    assert_eq!(message.progress.status, Status::Queued);
    let mut session = bench.session();
    assert_eq!(take(&mut session, 1).await[0].body.id, message.body.id);
    bench.stop().await;
}

#[tokio::test]
async fn a_phone_is_answered_at_any_time_and_what_is_sent_on_waits() {
    let clock = Clock::at("2026-01-10T22:00:00Z");
    let mut wanted = resources(&[CONNECTOR], &[], &[]);
    wanted.accounts = vec![serde_json::from_str(ACCOUNT).unwrap()];
    let rule = r#"{"id":"in","account":"shop","reply":"hello","forward":["+447700900111"]}"#;
    wanted.inbound = vec![serde_json::from_str(rule).unwrap()];
    let bench = restart_on(Arc::new(MemoryStore::new(clock.reader())), wanted).await;
    let mut session = bench.session();
    let (from, to) = (Address::from_carrier("447700900001", true), Address::from_carrier("60777", false));
    let question =
        InboundQuestion { connector: "a".into(), from: from.clone(), to: to.clone(), text: Some("hi".into()) };
    let explained = bench.engine.explain_inbound(&question).await.unwrap().taken.unwrap();
    let told = explained.responses.iter().map(|response| {
        let message = response.outcome.as_ref().unwrap().as_ref().unwrap();
        (response.action, message.progress.status)
    });
    assert_eq!(Vec::from_iter(told), [("reply", Status::Queued), ("forward", Status::Scheduled)]);

    let (content, encoding) = (Content::Text("hi".into()), Encoding::Gsm7);
    let mo = MobileOriginated { from, to, content, encoding, class: None, concat: None };
    incoming(&mut session, Incoming::Mo(Box::new(mo))).await;
    let reply = take(&mut session, 1).await.remove(0);
    assert_eq!((reply.body.to.as_str(), reply.body.content.text()), ("+447700900001", Some("hello")));
    assert!(session.take(100, Instant::now()).is_empty());
    sent(&mut session, &reply, "r1").await;
    clock.set("2026-01-11T08:00:00Z");
    let on = take_after_moving(&mut session, 1).await.remove(0);
    assert_eq!(on.body.to.as_str(), "+447700900111");
    bench.stop().await;
}
