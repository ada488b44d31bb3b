//! Policy services, with a caller that the test holds back as it likes.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use engine::{Accepted, PolicyCall, PolicyCaller, PolicyOutcome, PolicyTried, Refusal, ReplaceError};
use model::{Replacement, Submission};
use store::MemoryStore;
use support::{Bench, CONNECTOR, Clock, restart_as};
use tokio::sync::{Semaphore, watch};

/// Calls to one service at a time.
const CALLS_MAX: usize = 64;

/// Answers when it may, and says how many calls have come.
#[derive(Debug)]
struct Service {
    leave: Semaphore,
    came: watch::Sender<usize>,
    /// What waits for leave.
    held: fn(&str) -> bool,
    takes: Duration,
    answer: fn(&str) -> Result<String, String>,
}

impl Service {
    fn new(leave: usize, answer: fn(&str) -> Result<String, String>) -> Arc<Self> {
        let (leave, came) = (Semaphore::new(leave), watch::channel(0).0);
        Arc::new(Self { leave, came, held: |_| true, takes: Duration::ZERO, answer })
    }

    /// Allows everything, these questions when it may.
    fn holding(held: fn(&str) -> bool) -> Arc<Self> {
        let (leave, came) = (Semaphore::new(0), watch::channel(0).0);
        Arc::new(Self { leave, came, held, takes: Duration::ZERO, answer: allows })
    }

    /// Allows everything, after a while.
    fn slow(takes: Duration) -> Arc<Self> {
        let (leave, came) = (Semaphore::new(0), watch::channel(0).0);
        Arc::new(Self { leave, came, held: |_| false, takes, answer: allows })
    }

    fn calls(&self) -> usize {
        *self.came.borrow()
    }

    async fn called(&self, times: usize) {
        let mut came = self.came.subscribe();
        let waiting = came.wait_for(|came| *came >= times);
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("so many calls").unwrap();
    }
}

#[async_trait::async_trait]
impl PolicyCaller for Service {
    async fn call(&self, call: PolicyCall) -> Result<Vec<u8>, String> {
        self.came.send_modify(|came| *came += 1);
        if (self.held)(&call.body) {
            self.leave.acquire().await.expect("it is open").forget();
        }
        tokio::time::sleep(self.takes).await;
        (self.answer)(&call.body).map(String::into_bytes)
    }
}

async fn start(service: &Arc<Service>, policy: &str, more: &str) -> Bench {
    let account = format!(
        r#"{{"id":"shop","api_token":"secret","default_sender":"SHOP","default_country":"GB",
            "policy":{{"url":"https://policy.example/"{policy}}}{more}}}"#
    );
    let clock = Clock::at("2026-01-10T12:00:00Z");
    let bench = restart_as(&account, Arc::new(MemoryStore::new(clock.reader())), CONNECTOR).await;
    bench.engine.set_policy_caller(service.clone());
    bench
}

fn to(number: usize) -> String {
    format!(r#"{{"to":"+4477009{number:05}","text":"x"}}"#)
}

/// How many questions ended so.
fn outcomes(bench: &Bench, outcome: &str) -> u64 {
    let metrics = bench.engine.metrics_text();
    let series = format!(r#"policy_questions_total{{account="shop",outcome="{outcome}"}} "#);
    metrics.lines().find_map(|line| line.split_once(&series)?.1.parse().ok()).unwrap_or_default()
}

fn allows(_: &str) -> Result<String, String> {
    Ok("{}".into())
}

#[tokio::test]
async fn the_gateways_own_crowd_is_not_held_against_the_service() {
    let service = Service::new(0, allows);
    let bench = start(&service, r#","timeout_ms":20"#, "").await;
    let explain = || {
        let submission: Submission = serde_json::from_str(&to(99)).unwrap();
        bench.engine.explain(&bench.caller.account, submission, true)
    };
    let asked = |tried: Option<PolicyTried>| match tried {
        Some(PolicyTried::Asked(asked)) => asked.outcome,
        tried => panic!("{tried:?}"),
    };
    let engine = bench.engine.clone();
    let crowd = (0..CALLS_MAX).map(|n| {
        let (engine, caller) = (engine.clone(), bench.caller.clone());
        let submission: Submission = serde_json::from_str(&to(n)).unwrap();
        tokio::spawn(async move { engine.submit_each(&caller, vec![submission]).await })
    });
    let crowd = Vec::from_iter(crowd);
    service.called(CALLS_MAX).await;
    for n in 0..10 {
        bench.submit(&to(100 + n)).await.expect("it goes on as if nobody had been asked");
    }
    assert_eq!(asked(explain().await.policy), PolicyOutcome::Crowded);
    assert_eq!((outcomes(&bench, "crowded"), outcomes(&bench, "skipped")), (10, 0));
    service.leave.add_permits(CALLS_MAX + 1);
    for one in crowd {
        assert!(one.await.unwrap().iter().all(Result::is_ok));
    }
    bench.submit(&to(200)).await.unwrap();
    assert_eq!(outcomes(&bench, "allowed"), CALLS_MAX as u64 + 1);
    bench.stop().await;
}

#[tokio::test]
async fn what_is_only_asked_about_opens_no_breaker() {
    let service = Service::new(1000, |_| Err("HTTP 500".into()));
    let bench = start(&service, "", "").await;
    for _ in 0..10 {
        let submission: Submission = serde_json::from_str(&to(1)).unwrap();
        bench.engine.explain(&bench.caller.account, submission, true).await;
    }
    bench.submit(&to(1)).await.unwrap();
    assert_eq!((service.calls(), outcomes(&bench, "failed")), (11, 1));
    bench.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_for_an_account_that_has_used_up_its_limits() {
    let service = Service::new(1000, allows);
    let bench = start(&service, "", r#","throughput":1"#).await;
    // It takes minutes to pay that back.
    let long = format!(r#"{{"to":"+447700900001","text":"{}","max_parts":255}}"#, "x".repeat(153 * 200));
    bench.submit(&long).await.unwrap();
    for n in 2..10 {
        assert!(matches!(bench.submit(&to(n)).await, Err(Refusal::Limited { .. })));
    }
    let each = (0..5).map(|n| serde_json::from_str(&to(n)).unwrap()).collect();
    let each = bench.engine.submit_each(&bench.caller, each).await;
    assert!(each.iter().all(|one| matches!(one, Err(Refusal::Limited { .. }))), "{each:?}");
    assert_eq!(service.calls(), 1);
    bench.stop().await;
}

#[tokio::test]
async fn one_slow_answer_holds_up_no_other_of_a_batch() {
    const COUNT: usize = 500;
    let service = Service::holding(|question| question.contains("+447700900000"));
    let bench = start(&service, r#","timeout_ms":10000"#, "").await;
    let batch = (0..COUNT).map(|n| Ok(serde_json::from_str(&to(n)).unwrap())).collect();
    let (engine, caller) = (bench.engine.clone(), bench.caller.clone());
    let taken = tokio::spawn(async move { engine.submit_batch(&caller, batch, None, |_| (202, "".into())).await });
    service.called(COUNT).await;
    service.leave.add_permits(1);
    let Accepted::New(taken, _) = taken.await.unwrap().unwrap() else { panic!("it is new") };
    for (n, id) in taken.accepted.iter().enumerate() {
        let message = bench.engine.message(&bench.caller, *id).await.unwrap().unwrap();
        assert_eq!(message.body.to.as_str(), format!("+4477009{n:05}"));
    }
    assert_eq!(taken.accepted.len(), COUNT);
    bench.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_asked_about_for_so_long_and_then_goes_on_as_without_an_answer() {
    const COUNT: usize = 1000;
    for (on_failure, all_taken) in [("continue", true), ("reject", false)] {
        let service = Service::slow(Duration::from_secs(5));
        let bench = start(&service, &format!(r#","timeout_ms":10000,"on_failure":"{on_failure}""#), "").await;
        let batch = (0..COUNT).map(|n| Ok(serde_json::from_str(&to(n)).unwrap())).collect();
        let begun = tokio::time::Instant::now();
        let taken = bench.engine.submit_batch(&bench.caller, batch, None, |_| (202, "".into())).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(25), "on the test's clock: {:?}", begun.elapsed());
        let Accepted::New(taken, _) = taken else { panic!("it is new") };
        let asked = service.calls();
        assert!(asked > 0 && asked < COUNT, "{asked}");
        assert_eq!(taken.accepted.len(), if all_taken { COUNT } else { asked });
        assert!(taken.rejected.iter().all(|(_, refusal)| matches!(refusal, Refusal::PolicyAway(_))));
        assert_eq!(outcomes(&bench, "crowded"), (COUNT - asked) as u64);
        bench.stop().await;
    }
}

#[tokio::test]
async fn addresses_that_the_service_puts_in_place_must_be_allowed_too_and_stay_apart() {
    let service = Service::new(1000, |question| {
        Ok(match question.contains("+447700900001") {
            true => r#"{"to":"+447700900999","from":"60777"}"#.into(),
            false => r#"{"from":"OTHER"}"#.into(),
        })
    });
    let bench = start(&service, "", r#","allowed_senders":["SHOP","60777"]"#).await;
    let message = bench.submit(&to(1)).await.unwrap();
    assert_eq!((message.body.to.as_str(), message.body.from.as_str()), ("+447700900001", "SHOP"));
    assert_eq!((message.body.sent_to().as_str(), message.body.sent_from().as_str()), ("+447700900999", "60777"));
    let refused = bench.submit(&to(2)).await.unwrap_err();
    assert!(matches!(&refused, Refusal::SenderNotAllowed(sender) if sender.as_str() == "OTHER"), "{refused}");
    let phone = message.body.sent_to().clone();
    let key = model::OptOutKey { account: "shop".into(), phone: phone.clone(), sender: None };
    bench.engine.opt_out(key).await.unwrap();
    assert_eq!(bench.submit(&to(1)).await.unwrap_err(), Refusal::OptedOut(phone));
    bench.stop().await;
}

#[tokio::test]
async fn another_text_has_to_please_the_service_too() {
    let service = Service::new(1000, |question| match question {
        question if question.contains("bad") => Ok(r#"{"decision":"reject","reason":"no"}"#.into()),
        question if question.contains("worse") => Err("HTTP 500".into()),
        _ => Ok("{}".into()),
    });
    let bench = start(&service, r#","send_text":true,"on_failure":"reject""#, "").await;
    let message = bench.submit(&to(1)).await.unwrap();
    let replace = async |text: &str| {
        let with = Replacement { text: Some(text.into()), ..Replacement::default() };
        bench.engine.replace(&bench.caller, message.body.id, with).await
    };
    let refused = replace("bad").await.unwrap_err();
    assert_eq!(refused, ReplaceError::Refused(Refusal::PolicyRejects(Some("no".into()))));
    assert_eq!(replace("worse").await.unwrap_err(), ReplaceError::Refused(Refusal::PolicyAway("shop".into())));
    assert_eq!(bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap(), message);
    assert_eq!(replace("good").await.unwrap().body.content.text(), Some("good"));
    let later = Replacement { validity_seconds: Some(60), ..Replacement::default() };
    bench.engine.replace(&bench.caller, message.body.id, later).await.unwrap();
    assert_eq!(service.calls(), 4, "another end is nothing to ask about");
    bench.stop().await;
}

#[tokio::test]
async fn what_a_message_would_cost_is_what_the_service_makes_of_it() {
    let service = Service::new(1000, |question| match question.contains("+447700900001") {
        true => Ok(r#"{"network":"23415"}"#.into()),
        false => Ok(r#"{"decision":"reject"}"#.into()),
    });
    let bench = start(&service, r#","cache_seconds":60"#, "").await;
    let preview = |number: usize| {
        let submission: Submission = serde_json::from_str(&to(number)).unwrap();
        bench.engine.preview(&bench.caller.account, submission)
    };
    let network = |message: model::Message| message.body.plan.as_ref().and_then(|plan| plan.network.clone());
    assert_eq!(network(preview(1).await.unwrap()).as_deref(), Some("23415"));
    assert_eq!(preview(2).await.unwrap_err(), Refusal::PolicyRejects(None));
    bench.submit(&to(1)).await.unwrap();
    assert_eq!(service.calls(), 2, "answers are kept");
    bench.stop().await;
}
