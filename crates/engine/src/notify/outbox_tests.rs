use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use model::DeliveryId;
use model::delivery::{DeliveryState, RETRY_SECONDS};
use store::Changes;

use super::super::fixtures::{Bench, START, delivery, id, world};
use super::super::{Call, RedeliverError};
use super::*;

fn failure() -> CallResult {
    CallResult::Failed { detail: "HTTP 500".into(), retry_after: None }
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_handed_over_and_then_gone() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    bench.owe(vec![delivery(1, 1, 0)]).await;
    let call = bench.next().await;
    assert_eq!(call.delivery.id, id(1));
    assert_eq!(&*call.target.url, "https://hook.example/x");
    assert_eq!(call.target.secret.as_deref(), Some("whsec_AAAA"));
    call.finish(CallResult::Taken).await;
    bench.settled().await;
    assert_eq!(bench.rows().await, []);
    assert!(bench.is_quiet().await);
    assert_eq!(bench.outbox.view(), []);
}

#[tokio::test(start_paused = true)]
async fn what_the_store_has_from_before_is_found() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    let changes = Changes { deliveries: (1..=3).map(|n| delivery(n, n, 0)).collect(), ..Changes::default() };
    bench.store.commit(changes).await.unwrap();
    let bench = bench.restart(4).await;
    let found: BTreeSet<DeliveryId> =
        [bench.next().await, bench.next().await, bench.next().await].iter().map(|c| c.delivery.id).collect();
    assert_eq!(found, [id(1), id(2), id(3)].into());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_tried_by_the_schedule_and_then_given_up() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    bench.owe(vec![delivery(1, 1, 0)]).await;
    let mut times = Vec::new();
    for attempt in 0..10 {
        let call = bench.next().await;
        assert_eq!(call.delivery.attempts, attempt);
        times.push(bench.seconds());
        call.finish(failure()).await;
    }
    for (pair, wait) in times.windows(2).zip(RETRY_SECONDS) {
        let (waited, wait) = (pair[1] - pair[0], wait as f64);
        assert!((wait * 0.85 - 1.0..=wait * 1.15 + 61.0).contains(&waited), "{waited} s instead of {wait} s");
    }
    bench.settled().await;
    let rows = bench.rows().await;
    assert_eq!((rows[0].state, rows[0].attempts), (DeliveryState::Failed, 10));
    assert!(bench.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_does_not_count() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    bench.owe(vec![delivery(1, 1, 0)]).await;
    for _ in 0..50 {
        assert_eq!(bench.next().await.delivery.attempts, 0);
    }
    assert_eq!(bench.commits.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_gone_or_disabled_fails_its_deliveries_with_the_reason() {
    let bench = Bench::new(world(&[("off", false)]), 4);
    let off = Delivery { endpoint: "off".into(), ..delivery(2, 2, 0) };
    bench.owe(vec![delivery(1, 1, 0), off]).await;
    assert!(bench.is_quiet().await);
    bench.settled().await;
    let rows = bench.rows().await;
    let errors: Vec<_> = rows.iter().map(|r| (r.state, r.last_error.as_deref().unwrap())).collect();
    let failed = DeliveryState::Failed;
    let expected = [(failed, "there is no webhook \"hook\" any more"), (failed, "the webhook \"off\" is disabled")];
    assert_eq!(errors, expected);
}

#[tokio::test(start_paused = true)]
async fn after_410_a_webhook_takes_nothing_until_it_is_changed() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    bench.owe(vec![delivery(1, 1, 0), delivery(2, 2, 0)]).await;
    bench.next().await.finish(CallResult::Gone).await;
    assert!(bench.is_quiet().await);
    bench.settled().await;
    assert!(bench.rows().await.iter().all(|r| r.state == DeliveryState::Failed), "{:?}", bench.rows().await);
    // Resources that leave the webhook as it is change nothing.
    bench.world.send_replace(world(&[("hook", true), ("other", true)]));
    bench.owe(vec![delivery(3, 3, 0)]).await;
    assert!(bench.is_quiet().await);
    bench.world.send_replace(world(&[("hook", false)]));
    assert!(bench.is_quiet().await);
    bench.world.send_replace(world(&[("hook", true)]));
    assert!(bench.is_quiet().await);
    bench.owe(vec![delivery(4, 4, 0)]).await;
    assert_eq!(bench.next().await.delivery.id, id(4));
}

#[tokio::test(start_paused = true)]
async fn a_callback_url_goes_its_own_way_signed_with_the_accounts_secret() {
    let bench = Bench::new(world(&[("hook", true)]), 1);
    let url: Box<str> = "https://cb.example/path?x".into();
    let callback = Delivery { endpoint: "https://cb.example".into(), url: Some(url.clone()), ..delivery(2, 2, 0) };
    bench.owe(vec![delivery(1, 1, 0), callback]).await;
    let (first, second) = (bench.next().await, bench.next().await);
    let callback = if first.delivery.id == id(2) { first } else { second };
    assert_eq!(callback.target.url, url);
    assert_eq!(callback.target.secret.as_deref(), Some("whsec_AAAA"));
    // 410 for one URL says nothing of the others of its origin.
    callback.finish(CallResult::Gone).await;
    let next = Delivery { endpoint: "https://cb.example".into(), url: Some(url), ..delivery(3, 3, 0) };
    bench.owe(vec![next]).await;
    assert_eq!(bench.next().await.delivery.id, id(3));
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_holds_up_nobody_else() {
    let bench = Bench::new(world(&[("hook", true), ("dead", true)]), 4);
    let dead = |n| Delivery { endpoint: "dead".into(), ..delivery(n, n, 0) };
    bench.owe((1..=1000).map(dead).collect()).await;
    bench.owe((2001..=2100).map(|n| delivery(n, n, 0)).collect()).await;
    let mut good = 0;
    while good < 100 {
        let call = bench.next().await;
        let is_good = &*call.delivery.endpoint == "hook";
        good += usize::from(is_good);
        call.finish(if is_good { CallResult::Taken } else { failure() }).await;
    }
    assert!(bench.seconds() < 1.0, "{} s", bench.seconds());
    let view = bench.outbox.view();
    let dead = view.iter().find(|v| &*v.endpoint == "dead").unwrap();
    assert!(dead.backing_off_until.is_some() && dead.waiting <= 4, "{dead:?}");
    assert_eq!(dead.last_error.as_deref(), Some("HTTP 500"));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_given_up_or_waits_is_made_again_at_once() {
    let bench = Bench::new(world(&[("hook", true)]), 4);
    let failed = Delivery { state: DeliveryState::Failed, attempts: 10, ..delivery(1, 1, 0) };
    bench.owe(vec![failed, delivery(2, 2, 0)]).await;
    bench.next().await.finish(failure()).await;
    bench.settled().await;
    assert!(bench.is_quiet().await);
    for (n, attempts) in [(1, 0), (2, 1)] {
        let again = bench.outbox.redeliver(id(n)).await.unwrap();
        assert_eq!((again.state, again.attempts), (DeliveryState::Pending, attempts));
        let call = bench.next().await;
        assert_eq!((call.delivery.id, call.delivery.attempts), (id(n), attempts));
        assert_eq!(bench.outbox.redeliver(id(n)).await.unwrap().id, id(n), "under way: nothing to do");
        call.finish(CallResult::Taken).await;
        bench.settled().await;
    }
    assert!(bench.seconds() < 4.0, "nobody waited for the retry");
    assert_eq!(bench.rows().await, []);
    assert_eq!(bench.outbox.redeliver(id(1)).await, Err(RedeliverError::NoSuchDelivery));
}

/// Random answers, restarts and abandoned calls: every delivery comes to its end once, those of a
/// message one after another in order.
#[tokio::test(start_paused = true)]
async fn whatever_happens_every_delivery_ends_and_messages_keep_their_order() {
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::new(world(&[("hook", true), ("b", true)]), 3);
        let total = 300u128;
        let mut owed = 0;
        let mut state: BTreeMap<DeliveryId, (u128, bool)> = BTreeMap::new();
        let mut calls: Vec<Call> = Vec::new();
        let mut ended = 0;
        while ended < total {
            if owed < total && random.u8(..) < 100 {
                let mut some = Vec::new();
                for _ in 0..random.u128(1..40).min(total - owed) {
                    owed += 1;
                    let endpoint = if random.bool() { "hook" } else { "b" };
                    // A message keeps to one endpoint here, so that its order is one order.
                    let message = random.u128(1..30) * 2 + u128::from(endpoint == "b");
                    let now = bench.outbox.now().millis_since(START);
                    let new = Delivery { endpoint: endpoint.into(), ..delivery(owed, message, now) };
                    state.insert(new.id, (message, false));
                    some.push(new);
                }
                bench.owe(some).await;
            }
            if random.u8(..) < 2 {
                calls.clear();
                // What was reported and not recorded would be called twice: that is allowed, but
                // here every end is counted once.
                bench.settled().await;
                bench = bench.restart(3).await;
            }
            while calls.len() < 4
                && let Ok(call) = tokio::time::timeout(Duration::from_secs(30), bench.next()).await
            {
                let (message, over) = state[&call.delivery.id];
                assert!(!over, "seed {seed}: {:?} came again", call.delivery.id);
                let earlier = state.range(..call.delivery.id).find(|(_, (m, over))| *m == message && !over);
                assert_eq!(earlier, None, "seed {seed}: {:?} came too early", call.delivery.id);
                calls.push(call);
            }
            if calls.is_empty() {
                continue;
            }
            let call = calls.swap_remove(random.usize(..calls.len()));
            let last = call.delivery.attempts == 9;
            match random.u8(..100) {
                0..5 => drop(call),
                5..50 => {
                    if last {
                        state.get_mut(&call.delivery.id).unwrap().1 = true;
                        ended += 1;
                    }
                    call.finish(failure()).await;
                }
                _ => {
                    state.get_mut(&call.delivery.id).unwrap().1 = true;
                    ended += 1;
                    call.finish(CallResult::Taken).await;
                }
            }
        }
        bench.settled().await;
        assert!(bench.rows().await.iter().all(|r| r.state == DeliveryState::Failed), "seed {seed}");
        assert!(bench.is_quiet().await, "seed {seed}");
        assert!(bench.outbox.view().iter().all(|v| v.waiting + v.under_way + v.retrying == 0), "seed {seed}");
    }
}
