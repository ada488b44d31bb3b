//! Messages that go from one connector to another: none is lost, and none is sent twice by it.

#[allow(dead_code, reason = "each file of tests uses some of it")]
mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use engine::dispatch::{Job, LinkSession, Outcome, SessionState};
use model::{MessageId, Reason, Status};
use proptest::prelude::*;
use support::*;

const TO_UK: &str = r#"{"to":"07700 900123","text":"hello"}"#;
const CONNECTORS: [&str; 3] = ["a", "b", "c"];

fn pool(more: &str) -> String {
    let members = CONNECTORS.map(|id| format!(r#"{{"connector":"{id}"}}"#)).join(",");
    format!(r#"{{"id":"p","strategy":"failover","members":[{members}],"failover_after":0{more}}}"#)
}

async fn with(pool: &str) -> Bench {
    let connectors = CONNECTORS.map(connector);
    start_with(&connectors.each_ref().map(String::as_str), &[pool], &[r#"{"id":"r","to":"p"}"#]).await
}

fn down(bench: &Bench, connector: &str) {
    let link = bench.engine.link(connector).unwrap();
    link.set_state(0, SessionState::Down { reason: "gone".into(), retry_at: None });
}

fn refusal(permanent: bool) -> Reason {
    Reason::new("carrier_refused", "ESME_RSUBMITFAIL", permanent)
}

#[tokio::test]
async fn what_waits_for_a_connector_that_is_down_goes_to_the_next() {
    let bench = with(&pool("")).await;
    let message = bench.submit(TO_UK).await.unwrap();
    assert_eq!(message.progress.connector.as_deref(), Some("a"), "nobody is there, and it is the first");
    assert_eq!(bench.engine.fail_over_now().await.unwrap(), 0, "nobody is better");
    let mut b = bench.session_of("b");
    // The engine's own task may be first.
    bench.engine.fail_over_now().await.unwrap();
    let moved = bench.until_that(message.body.id, |m| m.progress.connector.as_deref() == Some("b")).await;
    let event = moved.progress.events.last().unwrap();
    assert_eq!((&*event.what, event.detail.as_deref()), ("moved", Some("a to b: it takes nothing")));
    let job = take(&mut b, 1).await.remove(0);
    assert_eq!(job.body.id, message.body.id);
    sent(&mut b, &job, "R1").await;
    bench.until(message.body.id, Status::Sent).await;
    let mut a = bench.session_of("a");
    assert!(a.take(10, Instant::now()).is_empty(), "it is in one queue only");
    assert_eq!(store::Store::queue_depths(&*bench.store).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_moved_stays_moved_after_a_restart_and_goes_back_if_need_be() {
    let bench = with(&pool("")).await;
    let message = bench.submit(TO_UK).await.unwrap();
    let b = bench.session_of("b");
    bench.engine.fail_over_now().await.unwrap();
    bench.until_that(message.body.id, |m| m.progress.connector.as_deref() == Some("b")).await;
    drop(b);
    let connectors = CONNECTORS.map(connector);
    let store = bench.stop().await;
    let connectors = connectors.each_ref().map(String::as_str);
    let bench = restart_with(store, &connectors, &[&pool("")], &[r#"{"id":"r","to":"p"}"#]).await;
    let mut a = bench.session_of("a");
    bench.engine.fail_over_now().await.unwrap();
    bench.until_that(message.body.id, |m| m.progress.connector.as_deref() == Some("a")).await;
    assert_eq!(take(&mut a, 1).await[0].body.id, message.body.id);
}

#[tokio::test]
async fn nothing_moves_before_its_time() {
    let bench = with(&pool("").replace("\"failover_after\":0", "\"failover_after\":3600")).await;
    let message = bench.submit(TO_UK).await.unwrap();
    let _b = bench.session_of("b");
    assert_eq!(bench.engine.fail_over_now().await.unwrap(), 0);
    let kept = bench.engine.message(&bench.caller, message.body.id).await.unwrap().unwrap();
    assert_eq!(kept.progress.connector.as_deref(), Some("a"));
}

#[tokio::test]
async fn what_a_carrier_may_have_never_moves() {
    let bench = with(&pool("")).await;
    let mut a = bench.session_of("a");
    let text = "x".repeat(200);
    let long = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{text}"}}"#)).await.unwrap();
    let doubtful = bench.submit(TO_UK).await.unwrap();
    let jobs = take(&mut a, 3).await;
    sent(&mut a, &jobs[0], "R1").await;
    settle(&mut a, &jobs[1], Outcome::Retry { after: Duration::ZERO, reason: refusal(false) }).await;
    bench.until_that(long.body.id, |m| m.progress.reason.is_some()).await;
    down(&bench, "a");
    let _b = bench.session_of("b");
    assert_eq!(bench.engine.fail_over_now().await.unwrap(), 1, "of one a session still holds a part");
    drop(a);
    bench.until_that(doubtful.body.id, |m| m.progress.reason.is_some()).await;
    assert_eq!(bench.engine.fail_over_now().await.unwrap(), 0);
    for id in [long.body.id, doubtful.body.id] {
        let kept = bench.engine.message(&bench.caller, id).await.unwrap().unwrap();
        assert_eq!(kept.progress.connector.as_deref(), Some("a"));
    }
}

#[tokio::test]
async fn a_refusal_goes_to_the_next_where_the_pool_says_so_and_ends_with_the_last() {
    let bench = with(&pool(r#","pass_on_refused":true"#)).await;
    let mut sessions = CONNECTORS.map(|id| bench.session_of(id));
    let message = bench.submit(TO_UK).await.unwrap();
    for session in &mut sessions {
        let job = take(session, 1).await.remove(0);
        settle(session, &job, Outcome::Refused(refusal(true))).await;
    }
    let done = bench.until(message.body.id, Status::Rejected).await;
    let whats: Vec<_> = done.progress.events.iter().map(|e| e.what.to_string()).collect();
    assert_eq!(whats, ["accepted", "passed_on", "passed_on", "refused", "rejected"]);
    let bench = with(&pool("")).await;
    let mut a = bench.session_of("a");
    let message = bench.submit(TO_UK).await.unwrap();
    let job = take(&mut a, 1).await.remove(0);
    settle(&mut a, &job, Outcome::Refused(refusal(true))).await;
    bench.until(message.body.id, Status::Rejected).await;
}

#[tokio::test]
async fn a_long_text_is_cut_anew_for_the_next() {
    let connectors =
        [connector("a").replace("\"id\"", "\"long_messages\":\"payload\",\"id\""), connector("b"), connector("c")];
    let connectors = connectors.each_ref().map(String::as_str);
    let bench = start_with(&connectors, &[&pool("")], &[r#"{"id":"r","to":"p"}"#]).await;
    let message = bench.submit(&format!(r#"{{"to":"+447700900123","text":"{}"}}"#, "x".repeat(400))).await.unwrap();
    assert_eq!(message.progress.parts.len(), 1);
    let mut b = bench.session_of("b");
    bench.engine.fail_over_now().await.unwrap();
    let jobs = take(&mut b, 3).await;
    assert_eq!(jobs.iter().map(|j| (j.part, j.parts)).collect::<Vec<_>>(), [(0, 3), (1, 3), (2, 3)]);
}

#[tokio::test]
async fn a_sick_connector_is_passed_over_and_what_waits_for_it_moves() {
    let bench = with(&pool("")).await;
    let (mut a, _b) = (bench.session_of("a"), bench.session_of("b"));
    for _ in 0..20 {
        bench.submit(TO_UK).await.unwrap();
    }
    let jobs = take(&mut a, 20).await;
    let waiting = bench.submit(TO_UK).await.unwrap();
    assert_eq!(waiting.progress.connector.as_deref(), Some("a"));
    for job in &jobs {
        settle(&mut a, job, Outcome::Refused(refusal(true))).await;
    }
    let status = bench.engine.connectors().await.unwrap().remove(0);
    assert_eq!((status.health.state, status.health.share, status.health.error_percent), ("sick", 0, Some(100)));
    assert_eq!(bench.submit(TO_UK).await.unwrap().progress.connector.as_deref(), Some("b"));
    bench.engine.fail_over_now().await.unwrap();
    bench.until_that(waiting.body.id, |m| m.progress.connector.as_deref() == Some("b")).await;
}

/// One thing that may happen.
#[derive(Clone, Copy, Debug)]
enum Step {
    Submit { long: bool, priority: u8 },
    Up(usize),
    Down(usize),
    Take(usize, usize),
    Sent(usize),
    Retry(usize),
    Refuse(usize),
    FailOver,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..CONNECTORS.len();
    prop_oneof![
        4 => (prop::bool::weighted(0.3), 0..4u8).prop_map(|(long, priority)| Step::Submit { long, priority }),
        3 => which.clone().prop_map(Step::Up),
        2 => which.clone().prop_map(Step::Down),
        4 => (which.clone(), 1..4usize).prop_map(|(n, room)| Step::Take(n, room)),
        2 => which.clone().prop_map(Step::Sent),
        1 => which.clone().prop_map(Step::Retry),
        1 => which.prop_map(Step::Refuse),
        4 => Just(Step::FailOver),
        1 => Just(Step::Restart),
    ]
}

/// How a part that a session had ended there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Sent,
    InDoubt,
    Refused,
}

/// Sessions with what they hold, and what became of everything that any had.
struct Hands {
    bench: Bench,
    sessions: [Option<(LinkSession, Vec<Job>)>; 3],
    ends: HashMap<MessageId, Vec<(usize, u8, End)>>,
    given: usize,
}

impl Hands {
    async fn new() -> Self {
        let bench = with(&pool(r#","pass_on_refused":true"#)).await;
        Self { bench, sessions: [const { None }; 3], ends: HashMap::new(), given: 0 }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Submit { long, priority } => {
                let text = "x".repeat(if long { 200 } else { 20 });
                let json = format!(r#"{{"to":"+447700900123","text":"{text}","priority":{priority}}}"#);
                let message = self.bench.submit(&json).await.unwrap();
                self.ends.insert(message.body.id, Vec::new());
            }
            Step::Up(n) => {
                if self.sessions[n].is_none() {
                    self.sessions[n] = Some((self.bench.session_of(CONNECTORS[n]), Vec::new()));
                }
            }
            Step::Down(n) => self.down(n),
            Step::Take(n, room) => {
                if let Some((session, held)) = &mut self.sessions[n] {
                    held.extend(session.take(room, Instant::now()));
                }
            }
            Step::Sent(n) => {
                self.given += 1;
                let remote_id = format!("{}", self.given).into();
                self.settle(n, End::Sent, Outcome::Sent { remote_id }).await;
            }
            Step::Retry(n) => {
                let retry = Outcome::Retry { after: Duration::ZERO, reason: refusal(false) };
                self.settle(n, End::Refused, retry).await;
            }
            Step::Refuse(n) => self.settle(n, End::Refused, Outcome::Refused(refusal(true))).await,
            Step::FailOver => drop(self.bench.engine.fail_over_now().await.unwrap()),
            Step::Restart => self.restart().await,
        }
    }

    fn down(&mut self, n: usize) {
        if let Some((session, held)) = self.sessions[n].take() {
            down(&self.bench, CONNECTORS[n]);
            held.iter().for_each(|job| self.ended(n, job, End::InDoubt));
            drop(session);
        }
    }

    async fn settle(&mut self, n: usize, end: End, outcome: Outcome) {
        let Some((session, held)) = &mut self.sessions[n] else { return };
        if held.is_empty() {
            return;
        }
        let job = held.remove(0);
        support::settle(session, &job, outcome).await;
        self.ended(n, &job, end);
    }

    fn ended(&mut self, n: usize, job: &Job, end: End) {
        self.ends.get_mut(&job.body.id).unwrap().push((n, job.part, end));
    }

    async fn restart(&mut self) {
        for n in 0..CONNECTORS.len() {
            // In order, so that it is recorded before the end.
            if let Some((session, held)) = self.sessions[n].take() {
                held.iter().for_each(|job| self.ended(n, job, End::InDoubt));
                session.close().await;
            }
        }
        let new = Hands::new().await;
        let old = std::mem::replace(&mut self.bench, new.bench);
        let store = old.stop().await;
        let connectors = CONNECTORS.map(connector);
        let connectors = connectors.each_ref().map(String::as_str);
        let pool = pool(r#","pass_on_refused":true"#);
        self.bench = restart_with(store, &connectors, &[&pool], &[r#"{"id":"r","to":"p"}"#]).await;
    }

    /// Brings every connector up and sends what is left.
    async fn finish(&mut self) {
        for n in 0..CONNECTORS.len() {
            self.step(Step::Up(n)).await;
        }
        let ids: Vec<MessageId> = self.ends.keys().copied().collect();
        let deadline = Instant::now() + Duration::from_secs(20);
        for id in ids {
            loop {
                let message = self.bench.engine.message(&self.bench.caller, id).await.unwrap().unwrap();
                if message.progress.status >= Status::Sent {
                    break;
                }
                assert!(Instant::now() < deadline, "{message:?} is stuck: {:?}", self.ends[&id]);
                for n in 0..CONNECTORS.len() {
                    self.step(Step::Take(n, 100)).await;
                    while self.sessions[n].as_ref().is_some_and(|(_, held)| !held.is_empty()) {
                        self.step(Step::Sent(n)).await;
                    }
                }
                tokio::task::yield_now().await;
            }
        }
    }

    fn check(&self) {
        for (id, ends) in &self.ends {
            let certain = ends.iter().position(|(_, _, end)| *end != End::Refused).unwrap_or(ends.len());
            let at = ends.get(certain).map(|(n, ..)| *n);
            let after = ends.iter().skip(certain).all(|(n, ..)| Some(*n) == at);
            assert!(after, "{id} went elsewhere although a carrier may have it: {ends:?}");
            for part in 0..2 {
                let count = |wanted| ends.iter().filter(|(_, p, end)| *p == part && *end == wanted).count();
                assert!(count(End::Sent) <= 1, "part {part} of {id} was sent twice: {ends:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_goes_to_two_carriers(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut hands = Hands::new().await;
            for step in steps {
                hands.step(step).await;
            }
            hands.finish().await;
            hands.check();
        });
    }
}
