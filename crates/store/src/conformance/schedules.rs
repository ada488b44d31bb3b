//! Schedules.

use model::recurring::{Course, IfMissed, OccurrenceRefused, Terms};
use model::{BatchId, Schedule, ScheduleId, ScheduleState, Timestamp};

use super::World;
use crate::{Changes, CommitError, ScheduleChange, ScheduleFilter};

fn schedule(world: &World, account: &str, due_in: i64) -> Schedule {
    let (now, due) = (world.clock.now(), world.clock.now().plus_millis(due_in));
    Schedule {
        id: ScheduleId(world.samples.id().0),
        account: account.into(),
        revision: 1,
        due: Some(due),
        ended_at: None,
        terms: Terms {
            repeat: "0 9 * * mon-fri".into(),
            time_zone: "Europe/Berlin".into(),
            starts_at: now,
            size: 2,
            ..Terms::default()
        },
        course: Course { created_at: now, next_at: Some(due), ..Course::default() },
    }
}

fn made(schedule: &Schedule, messages: &str) -> ScheduleChange {
    ScheduleChange { id: schedule.id, seen: 0, put: Some(schedule.clone()), messages: Some(messages.into()) }
}

/// The schedule as it becomes by `change`, and how that is written.
fn changed(schedule: &Schedule, change: impl FnOnce(&mut Schedule)) -> (Schedule, ScheduleChange) {
    let mut put = schedule.clone();
    put.revision += 1;
    change(&mut put);
    let change = ScheduleChange { id: put.id, seen: schedule.revision, put: Some(put.clone()), messages: None };
    (put, change)
}

fn gone(schedule: &Schedule) -> ScheduleChange {
    ScheduleChange { id: schedule.id, seen: schedule.revision, put: None, messages: None }
}

fn changes(schedules: Vec<ScheduleChange>) -> Changes {
    Changes { schedules, ..Changes::default() }
}

async fn all(world: &World, filter: ScheduleFilter) -> Vec<Schedule> {
    world.store.schedules(&filter, None, 100).await.unwrap()
}

/// Newest first, strictly older than the cursor, and by every filter; the messages by themselves.
pub async fn they_come_back_as_they_were_put(world: &World) {
    let mut put_in = [
        schedule(world, "shop", 0),
        schedule(world, "bank", 1),
        schedule(world, "shop", 2),
        schedule(world, "shop", 3),
    ];
    let now = world.clock.now();
    let rare = &mut put_in[0];
    rare.terms.name = Some("Öffnungszeiten \"neu\"".into());
    (rare.terms.ends_at, rare.terms.count, rare.terms.if_missed) = (Some(now), Some(u64::MAX), IfMissed::Send);
    let refusal = OccurrenceRefused { at: now, code: "no_route".into(), detail: "none".into() };
    rare.course = Course {
        created_at: now,
        paused: false,
        next_at: rare.due,
        times: 7,
        refused: 2,
        skipped: 1,
        last_at: Some(now),
        last_batch: Some(BatchId(world.samples.id().0)),
        last_message: Some(world.samples.id()),
        last_refusal: Some(refusal),
    };
    (put_in[2].due, put_in[2].course.paused) = (None, true);
    (put_in[3].due, put_in[3].ended_at) = (None, Some(now));
    world.commit(changes(put_in.iter().map(|schedule| made(schedule, "[1]")).collect())).await;
    let newest_first: Vec<Schedule> = put_in.iter().rev().cloned().collect();
    assert_eq!(all(world, ScheduleFilter::default()).await, newest_first);
    let page = world.store.schedules(&ScheduleFilter::default(), Some(newest_first[0].id), 2).await.unwrap();
    assert_eq!(page, newest_first[1..3]);
    let shop = ScheduleFilter { account: Some("shop".into()), ..ScheduleFilter::default() };
    assert_eq!(all(world, shop.clone()).await.len(), 3);
    for (state, place) in [(ScheduleState::Active, 0), (ScheduleState::Paused, 2), (ScheduleState::Ended, 3)] {
        let found = all(world, ScheduleFilter { state: Some(state), ..shop.clone() }).await;
        assert_eq!(found, [put_in[place].clone()], "{state:?}");
    }
    let one = ScheduleFilter { id: Some(put_in[1].id), ..ScheduleFilter::default() };
    assert_eq!(all(world, one).await, [put_in[1].clone()]);
    let (of_shop, of_nobody) = (world.store.schedule_count("shop").await, world.store.schedule_count("nobody").await);
    assert_eq!((of_shop.unwrap(), of_nobody.unwrap()), (3, 0));
    assert_eq!(world.store.schedule_messages(put_in[0].id).await.unwrap().as_deref(), Some("[1]"));
    assert_eq!(world.store.schedule_messages(ScheduleId(world.samples.id().0)).await.unwrap(), None);
}

/// The first first, and none that waits for nothing.
pub async fn those_that_are_due_come_in_their_order(world: &World) {
    let put_in = [5, -5, 0, 1].map(|due_in| schedule(world, "shop", due_in));
    let mut paused = schedule(world, "shop", 0);
    paused.due = None;
    world.commit(changes(put_in.iter().chain([&paused]).map(|schedule| made(schedule, "[]")).collect())).await;
    let due = |by: Timestamp, limit| world.store.schedules_due(by, limit);
    assert_eq!(due(world.clock.now(), 9).await.unwrap(), [put_in[1].clone(), put_in[2].clone()]);
    assert_eq!(due(world.clock.now(), 1).await.unwrap(), [put_in[1].clone()]);
    assert_eq!(due(Timestamp::from_millis(i64::MAX), 9).await.unwrap().len(), 4);
}

/// A change that follows another revision than there is stops its whole commit.
pub async fn only_who_has_seen_the_last_revision_changes_one(world: &World) {
    let (first, other) = (schedule(world, "shop", 0), schedule(world, "shop", 0));
    world.commit(changes(vec![made(&first, "[1]"), made(&other, "[2]")])).await;
    let (second, step) = changed(&first, |schedule| schedule.due = Some(world.clock.now().plus_millis(60_000)));
    world.commit(changes(vec![step.clone()])).await;
    let message = world.samples.message();
    let refused = Changes {
        insert: super::samples::insert(&message).insert,
        ..changes(vec![gone(&other), step, made(&second, "[]"), gone(&first)])
    };
    let refused = world.store.commit(refused).await;
    assert_eq!(refused, Err(CommitError::SchedulesMoved(vec![1, 2, 3])));
    assert_eq!(world.get(message.body.id).await, None);
    assert_eq!(all(world, ScheduleFilter::default()).await, [other.clone(), second.clone()]);
    // Each once in a commit.
    let refused = world.store.commit(changes(vec![gone(&other), gone(&other)])).await;
    assert_eq!(refused, Err(CommitError::SchedulesMoved(vec![1])));
    let unknown = schedule(world, "shop", 0);
    let refused = world.store.commit(changes(vec![changed(&unknown, |_| {}).1])).await;
    assert_eq!(refused, Err(CommitError::SchedulesMoved(vec![0])));
    assert_eq!(world.store.schedule_messages(second.id).await.unwrap().as_deref(), Some("[1]"), "stay with it");
}

/// With their messages, which may be replaced before.
pub async fn they_go_whole(world: &World) {
    let first = schedule(world, "shop", 0);
    world.commit(changes(vec![made(&first, "[1]")])).await;
    let (second, mut change) = changed(&first, |_| {});
    change.messages = Some("[2]".into());
    world.commit(changes(vec![change])).await;
    assert_eq!(world.store.schedule_messages(first.id).await.unwrap().as_deref(), Some("[2]"));
    world.commit(changes(vec![gone(&second)])).await;
    assert_eq!(all(world, ScheduleFilter::default()).await, []);
    assert_eq!(world.store.schedule_messages(first.id).await.unwrap(), None);
    assert_eq!(world.store.schedules_due(Timestamp::from_millis(i64::MAX), 9).await.unwrap(), []);
}

/// Those that ended before the given time, up to the limit.
pub async fn those_that_ended_long_ago_are_forgotten(world: &World) {
    let mut put_in = [0, 1, 2, 3].map(|_| schedule(world, "shop", 0));
    for (schedule, ended_in) in put_in.iter_mut().zip([-3, -2, 0]) {
        (schedule.due, schedule.ended_at) = (None, Some(world.clock.now().plus_millis(ended_in)));
    }
    world.commit(changes(put_in.iter().map(|schedule| made(schedule, "[]")).collect())).await;
    let forget = || world.store.forget_schedules(world.clock.now(), 1);
    assert_eq!((forget().await.unwrap(), forget().await.unwrap(), forget().await.unwrap()), (1, 1, 0));
    let left: Vec<Schedule> = put_in[2..].iter().rev().cloned().collect();
    assert_eq!(all(world, ScheduleFilter::default()).await, left);
    assert_eq!(world.store.schedule_messages(put_in[0].id).await.unwrap(), None);
}
