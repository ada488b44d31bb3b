//! Schedules, on a clock that goes as fast as it can.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use engine::{Accepted, PolicyCall, PolicyCaller, Refusal, SCHEDULES_MAX, ScheduleError};
use model::{Schedule, ScheduleId, ScheduleState, Timestamp};
use serde_json::{Value, json};
use store::{MemoryStore, MessageFilter, ScheduleFilter, Store, StoreError};
use support::{Bench, CONNECTOR, restart_as};
use tokio::time::Instant;

const ACCOUNT: &str = r#"{"id":"shop","api_token":"secret","default_sender":"SHOP","time_zone":"UTC",
    "webhooks":[{"url":"http://127.0.0.1:9/","events":["schedule.*"]}]}"#;

/// A store whose clock is at 2026-11-23 09:00:30 when the test begins.
fn store() -> Arc<MemoryStore> {
    let (begin, begun) = (at("2026-11-23T09:00:30Z"), Instant::now());
    Arc::new(MemoryStore::new(move || begin.plus_millis(begun.elapsed().as_millis() as i64)))
}

async fn start(account: &str) -> Bench {
    restart_as(account, store(), CONNECTOR).await
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutely(more: Value) -> Value {
    let mut asked = json!({ "messages": [{ "to": "+447700900001", "text": "x" }], "repeat": "* * * * *" });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

fn two() -> Value {
    json!([{ "to": "+447700900001", "text": "x" }, { "to": "+447700900002", "text": "y" }])
}

async fn make(bench: &Bench, asked: Value) -> Result<Schedule, ScheduleError> {
    let asked = serde_json::from_value(asked).unwrap();
    match bench.engine.make_schedule(&bench.caller, asked, None, |_| (201, "".into())).await? {
        Accepted::New(schedule, _) => Ok(schedule),
        Accepted::Replayed(answer) => panic!("replayed {answer:?}"),
    }
}

async fn get(bench: &Bench, id: ScheduleId) -> Schedule {
    bench.engine.schedule(&bench.caller, id).await.unwrap().0
}

/// Messages of a schedule.
async fn messages(bench: &Bench, id: ScheduleId) -> Vec<model::Message> {
    let filter = MessageFilter { tag: Some(("schedule".into(), Some(id.to_string().into()))), ..Default::default() };
    bench.engine.search(&bench.caller, filter, None, 500).await.unwrap().0
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The problem's code, or the pointers of what is wrong.
fn told(error: ScheduleError) -> String {
    match error {
        ScheduleError::Refused(Refusal::Invalid(faults)) => {
            faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>().join(" ")
        }
        ScheduleError::Refused(refusal) => refusal.code().to_owned(),
        ScheduleError::Message(place, refusal) => format!("{place} {}", refusal.code()),
        other => other.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn each_occurrence_is_a_batch_until_there_were_so_many() {
    let bench = start(ACCOUNT).await;
    let schedule = make(&bench, minutely(json!({ "messages": two(), "count": 3, "name": "news" }))).await.unwrap();
    assert_eq!((schedule.state(), schedule.course.next_at), (ScheduleState::Active, Some(at("2026-11-23T09:01:00Z"))));
    pass(29).await;
    assert_eq!(messages(&bench, schedule.id).await, []);
    pass(2).await;
    let once = get(&bench, schedule.id).await;
    assert_eq!((once.course.times, once.course.last_at), (1, Some(at("2026-11-23T09:01:00Z"))));
    assert_eq!(once.course.next_at, Some(at("2026-11-23T09:02:00Z")));
    let (batch, _) = bench.engine.batch(&bench.caller, once.course.last_batch.unwrap()).await.unwrap().unwrap();
    assert_eq!((batch.accepted, batch.rejected), (2, 0));
    let sent = messages(&bench, schedule.id).await;
    assert!(sent.len() == 2 && sent.iter().all(|message| message.body.batch == Some(batch.id)));
    pass(3600).await;
    let ended = get(&bench, schedule.id).await;
    assert_eq!((ended.state(), ended.course.times, ended.course.next_at), (ScheduleState::Ended, 3, None));
    assert_eq!(ended.ended_at.map(|at| at.as_seconds()), Some(at("2026-11-23T09:03:00Z").as_seconds()));
    assert_eq!(messages(&bench, schedule.id).await.len(), 6);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_message_is_a_message() {
    let bench = start(ACCOUNT).await;
    let schedule = make(&bench, minutely(json!({ "ends_at": "2026-11-23T09:02:00Z" }))).await.unwrap();
    pass(600).await;
    let ended = get(&bench, schedule.id).await;
    let sent = messages(&bench, schedule.id).await;
    assert_eq!((ended.state(), ended.course.times, sent.len()), (ScheduleState::Ended, 2, 2));
    assert_eq!(ended.course.last_message, Some(sent[0].body.id));
    assert!(ended.course.last_batch.is_none() && sent[0].body.batch.is_none());
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_left_out_or_made_up_for_once() {
    let bench = start(ACCOUNT).await;
    let skip = make(&bench, minutely(json!({}))).await.unwrap();
    let send = make(&bench, minutely(json!({ "if_missed": "send" }))).await.unwrap();
    // Hardly missed: the gateway was restarted.
    let late = make(&bench, minutely(json!({ "repeat": "59 10 * * *" }))).await.unwrap();
    let store = bench.stop().await;
    pass(2 * 3600).await;
    let bench = restart_as(ACCOUNT, store, CONNECTOR).await;
    pass(1).await;
    let (skip, send) = (get(&bench, skip.id).await, get(&bench, send.id).await);
    assert_eq!((skip.course.times, skip.course.skipped, send.course.times, send.course.skipped), (0, 1, 1, 0));
    assert_eq!((skip.course.next_at, send.course.next_at), (Some(at("2026-11-23T11:01:00Z")), skip.course.next_at));
    assert_eq!((messages(&bench, skip.id).await.len(), messages(&bench, send.id).await.len()), (0, 1));
    assert_eq!(get(&bench, late.id).await.course.skipped, 1);
    let restarted = make(&bench, minutely(json!({ "repeat": "1 11 * * *" }))).await.unwrap();
    let store = bench.stop().await;
    pass(59).await;
    let bench = restart_as(ACCOUNT, store, CONNECTOR).await;
    pass(1).await;
    assert_eq!(get(&bench, restarted.id).await.course.times, 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_the_past_is_due_at_once_if_it_is_to_be_made_up_for() {
    let bench = start(ACCOUNT).await;
    let past = json!({ "starts_at": "2026-01-01T00:00:00Z", "if_missed": "send", "repeat": "0 0 1 1 *" });
    let schedule = make(&bench, minutely(past)).await.unwrap();
    assert_eq!(schedule.course.next_at, Some(at("2026-01-01T00:00:00Z")));
    pass(1).await;
    let schedule = get(&bench, schedule.id).await;
    assert_eq!((schedule.course.times, schedule.course.next_at), (1, Some(at("2027-01-01T00:00:00Z"))));
    let skipped = make(&bench, minutely(json!({ "starts_at": "2026-01-01T00:00:00Z" }))).await.unwrap();
    assert_eq!(skipped.course.next_at, Some(at("2026-11-23T09:01:00Z")));
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_occurrence_that_is_refused_is_told_of_and_the_next_one_comes() {
    let account =
        ACCOUNT.replace("{\"id\"", r#"{"prepaid":{"currency":"EUR"},"price":{"currency":"EUR","default":"0.1"},"id""#);
    let bench = start(&account).await;
    let schedule = make(&bench, minutely(json!({ "name": "news", "messages": two() }))).await.unwrap();
    pass(31).await;
    let refused = get(&bench, schedule.id).await;
    let why = refused.course.last_refusal.clone().unwrap();
    assert_eq!((&*why.code, refused.course.times, refused.course.refused), ("balance_too_low", 1, 1));
    assert!(refused.course.last_batch.is_none() && messages(&bench, schedule.id).await.is_empty());
    let owed = bench.store.deliveries(&Default::default(), None, 9).await.unwrap();
    let [owed] = owed.as_slice() else { panic!("{owed:?}") };
    let told: Value = serde_json::from_str(&owed.payload).unwrap();
    assert_eq!((told["type"].as_str(), &told["data"]["reason"]["code"]), (Some("schedule.failed"), &json!(&*why.code)));
    assert_eq!(told["data"]["occurrence"], "2026-11-23T09:01:00.000Z");
    assert_eq!((&told["data"]["id"], &told["data"]["name"]), (&json!(schedule.id), &json!("news")));
    let account = bench.caller.account.clone();
    let money = "1.00".parse().unwrap();
    bench.engine.credit(&bench.caller, &account, money, None, None, |_| (201, "".into())).await.unwrap();
    pass(60).await;
    let accepted = get(&bench, schedule.id).await;
    assert_eq!((accepted.course.times, accepted.course.refused, accepted.course.last_refusal), (2, 1, None));
    assert_eq!(messages(&bench, schedule.id).await.len(), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_opted_out_is_left_out() {
    let bench = start(ACCOUNT).await;
    let phone = model::Address::recipient("+447700900001", None).unwrap();
    let key = model::OptOutKey { account: "shop".into(), phone, sender: None };
    bench.engine.opt_out(key).await.unwrap();
    let both = make(&bench, minutely(json!({ "messages": two() }))).await.unwrap();
    let only = make(&bench, minutely(json!({}))).await.unwrap();
    pass(31).await;
    let (both, only) = (get(&bench, both.id).await, get(&bench, only.id).await);
    let (batch, _) = bench.engine.batch(&bench.caller, both.course.last_batch.unwrap()).await.unwrap().unwrap();
    assert_eq!((batch.accepted, batch.rejected, both.course.refused), (1, 1, 0));
    let why = both.course.last_refusal.unwrap();
    assert!(&*why.code == "opted_out" && why.detail.starts_with("1 of 2 messages"), "{}", why.detail);
    assert_eq!((only.course.refused, &*only.course.last_refusal.unwrap().code), (1, "opted_out"));
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_limit_never_lets_pass_is_refused_before_the_next_one() {
    let account = ACCOUNT.replace("{\"id\"", r#"{"max_queue":1,"id""#);
    let bench = start(&account).await;
    bench.submit(r#"{"to":"+447700900009","text":"x"}"#).await.unwrap();
    let schedule = make(&bench, minutely(json!({}))).await.unwrap();
    pass(60).await;
    let waiting = get(&bench, schedule.id).await;
    assert_eq!((waiting.course.times, waiting.course.next_at), (0, Some(at("2026-11-23T09:01:00Z"))));
    pass(20).await;
    let refused = get(&bench, schedule.id).await;
    assert_eq!((refused.course.refused, &*refused.course.last_refusal.unwrap().code), (1, "queue_full"));
    assert_eq!(refused.course.next_at, Some(at("2026-11-23T09:02:00Z")));
    bench.stop().await;
}

/// A policy service that does not answer at first.
#[derive(Debug, Default)]
struct Busy(AtomicU32);

#[async_trait::async_trait]
impl PolicyCaller for Busy {
    async fn call(&self, _: PolicyCall) -> Result<Vec<u8>, String> {
        if self.0.fetch_add(1, SeqCst) < 2 { Err("busy".into()) } else { Ok(Vec::new()) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_decided_for_now_is_tried_again() {
    let account = ACCOUNT.replace("{\"id\"", r#"{"policy":{"url":"http://127.0.0.1:9/","on_failure":"reject"},"id""#);
    let bench = start(&account).await;
    bench.engine.set_policy_caller(Arc::new(Busy::default()));
    let schedule = make(&bench, minutely(json!({}))).await.unwrap();
    pass(50).await;
    assert_eq!(get(&bench, schedule.id).await.course.times, 0);
    pass(15).await;
    let accepted = get(&bench, schedule.id).await;
    assert_eq!((accepted.course.times, accepted.course.refused), (1, 0));
    assert_eq!(accepted.course.last_at, Some(at("2026-11-23T09:01:00Z")));
    assert_eq!(messages(&bench, schedule.id).await.len(), 1);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_can_be_held_back_changed_and_taken_away() {
    let bench = start(ACCOUNT).await;
    let (engine, caller) = (&bench.engine, &bench.caller);
    let schedule = make(&bench, minutely(json!({}))).await.unwrap();
    let paused = engine.pause_schedule(caller, schedule.id, true).await.unwrap();
    assert_eq!(paused.state(), ScheduleState::Paused);
    pass(600).await;
    let going_on = engine.pause_schedule(caller, schedule.id, false).await.unwrap();
    assert_eq!((going_on.course.times, going_on.course.next_at), (0, Some(at("2026-11-23T09:11:00Z"))));
    let edit = |json: Value| serde_json::from_value(json).unwrap();
    let more = engine.edit_schedule(caller, schedule.id, edit(json!({ "messages": two(), "count": 1 }))).await.unwrap();
    assert_eq!((more.terms.size, more.terms.count), (2, Some(1)));
    assert!(engine.schedule(caller, schedule.id).await.unwrap().1.contains("+447700900002"));
    pass(60).await;
    assert_eq!(get(&bench, schedule.id).await.state(), ScheduleState::Ended);
    assert_eq!(messages(&bench, schedule.id).await.len(), 2);
    assert_eq!(engine.pause_schedule(caller, schedule.id, true).await.unwrap_err(), ScheduleError::Ended);
    // It goes on if there is anything to come.
    let again = engine.edit_schedule(caller, schedule.id, edit(json!({ "count": 2 }))).await.unwrap();
    assert_eq!((again.state(), again.ended_at), (ScheduleState::Active, None));
    for (wrong, pointer) in [
        (json!({ "repeat": "x" }), "/repeat"),
        (json!({ "time_zone": "Mars" }), "/time_zone"),
        (json!({ "ends_at": "2026-11-23T09:00:00Z" }), "/ends_at"),
        (json!({ "messages": [] }), "/messages"),
    ] {
        let error = engine.edit_schedule(caller, schedule.id, edit(wrong.clone())).await.unwrap_err();
        assert_eq!(told(error), pointer, "{wrong}");
    }
    engine.delete_schedule(caller, schedule.id).await.unwrap();
    assert_eq!(engine.delete_schedule(caller, schedule.id).await.unwrap_err(), ScheduleError::NoSuchSchedule);
    pass(600).await;
    assert_eq!(messages(&bench, schedule.id).await.len(), 2);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn all_that_is_wrong_is_told_when_it_is_made() {
    let account =
        ACCOUNT.replace(r#","time_zone":"UTC""#, "").replace("{\"id\"", r#"{"allowed_countries":["GB"],"id""#);
    let bench = start(&account).await;
    for (wrong, expected) in [
        (json!({}), "/time_zone"),
        (json!({ "time_zone": "Europe/Atlantis" }), "/time_zone"),
        (json!({ "time_zone": "UTC", "repeat": "@daily", "count": 0 }), "/repeat /count"),
        (json!({ "time_zone": "UTC", "repeat": "0 0 30 2 *" }), "/repeat"),
        (json!({ "time_zone": "UTC", "starts_at": "now", "ends_at": "1969-01-01T00:00:00Z" }), "/starts_at /ends_at"),
        (json!({ "time_zone": "UTC", "ends_at": "2026-11-23T09:00:59Z" }), "/ends_at"),
        (json!({ "time_zone": "UTC", "messages": [] }), "/messages"),
        (json!({ "time_zone": "UTC", "name": "x".repeat(129) }), "/name"),
        (
            json!({ "time_zone": "UTC", "messages": [{ "to": "+447700900001", "text": "x", "send_at": "2026-11-24T00:00:00Z",
                "tags": { "schedule": "x" } }, { "to": "x" }] }),
            "/messages/0/send_at /messages/0/tags/schedule /messages/1/to /messages/1/text",
        ),
        (
            json!({ "time_zone": "UTC", "messages": [{ "to": "+447700900001", "text": "x" }, { "to": "+4915112345678", "text": "x" }] }),
            "1 country_not_allowed",
        ),
    ] {
        let error = make(&bench, minutely(wrong.clone())).await.unwrap_err();
        assert_eq!(told(error), expected, "{wrong}");
    }
    let tags: serde_json::Map<String, Value> = (0..16).map(|n| (n.to_string(), json!("x"))).collect();
    let full = json!({ "time_zone": "UTC", "messages": [{ "to": "+447700900001", "text": "x", "tags": tags }] });
    assert_eq!(told(make(&bench, minutely(full)).await.unwrap_err()), "/messages/0/tags");
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many() {
    let bench = start(ACCOUNT).await;
    let asked = || minutely(json!({ "repeat": "0 0 1 1 *" }));
    for _ in 0..SCHEDULES_MAX {
        make(&bench, asked()).await.unwrap();
    }
    assert_eq!(make(&bench, asked()).await.unwrap_err(), ScheduleError::TooMany);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_came_while_the_store_was_away_was_missed() {
    let bench = start(ACCOUNT).await;
    let skip = make(&bench, minutely(json!({ "repeat": "1 9 * * *" }))).await.unwrap();
    let send = make(&bench, minutely(json!({ "repeat": "1 9 * * *", "if_missed": "send" }))).await.unwrap();
    let soon = make(&bench, minutely(json!({ "repeat": "30 9 * * *" }))).await.unwrap();
    bench.store.fail_with(Some(StoreError::Unavailable("the disk is full".into())));
    pass(30 * 60).await;
    assert_eq!(get(&bench, skip.id).await.course.next_at, Some(at("2026-11-23T09:01:00Z")));
    bench.store.fail_with(None);
    pass(5).await;
    let (skip, send) = (get(&bench, skip.id).await.course, get(&bench, send.id).await.course);
    assert_eq!((skip.times, skip.skipped, send.times, send.skipped), (0, 1, 1, 0));
    // Half a minute late is not missed.
    assert_eq!(get(&bench, soon.id).await.course.times, 1);
    bench.stop().await;
}

/// Whatever somebody does meanwhile, there are as many messages as occurrences, and none comes twice.
#[tokio::test(start_paused = true)]
async fn changes_at_the_moment_of_an_occurrence_neither_lose_nor_repeat_it() {
    let bench = start(ACCOUNT).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(make(&bench, minutely(json!({}))).await.unwrap().id);
    }
    // Up to just before the minute, and then in the midst of it.
    pass(29).await;
    for _ in 0..5 {
        bench.store.hold(true);
        pass(2).await;
        let edits = ids.iter().map(|id| {
            let name = json!({ "name": format!("at {}", bench.engine.now()) });
            bench.engine.edit_schedule(&bench.caller, *id, serde_json::from_value(name).unwrap())
        });
        let edits = futures_util::future::join_all(edits);
        let release = async {
            pass(1).await;
            bench.store.hold(false);
        };
        let (edited, ()) = tokio::join!(edits, release);
        assert!(edited.iter().all(Result::is_ok), "{edited:?}");
        pass(57).await;
    }
    for id in &ids {
        let (schedule, sent) = (get(&bench, *id).await, messages(&bench, *id).await);
        assert_eq!((schedule.course.times, sent.len()), (5, 5));
        assert!(schedule.terms.name.is_some());
    }
    let all = bench.store.schedules(&ScheduleFilter::default(), None, 100).await.unwrap();
    assert_eq!(all.len(), 20);
    bench.stop().await;
}
