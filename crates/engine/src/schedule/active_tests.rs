use super::super::ready::{OVERTAKE_ALL, OVERTAKE_MAX, READY_MAX};
use super::*;
use model::id::Uuid;

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

pub(super) fn id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

pub(super) fn body_of(account: &str, n: u128, priority: u8) -> Arc<Body> {
    let body = model::samples::body(at(0));
    Arc::new(Body { id: id(n), account: account.into(), priority, expires_at: at(i64::MAX), ..body })
}

/// An active set of which it is known that the store is empty.
fn idle() -> Active {
    let mut active = Active::new();
    list(&mut active, []);
    active
}

/// Lists these accounts, which have something due, in every priority.
fn list<const N: usize>(active: &mut Active, accounts: [&str; N]) {
    for priority in (0..PRIORITIES).rev() {
        assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(priority, None)));
        active.listed(priority, accounts.iter().map(|account| (Name::from(*account), at(0))).collect(), true);
    }
}

fn found(account: &str, due: i64, n: u128, priority: u8, parts: u8) -> Found {
    Found {
        place: (at(due), id(n)),
        body: body_of(account, n, priority),
        parts,
        unsent: (0..parts).collect(),
        marked: false,
        begun: false,
    }
}

pub(super) fn entry(account: &str, due: i64, n: u128, priority: u8) -> QueueEntry {
    QueueEntry { connector: "c".into(), shard: 0, priority, account: account.into(), due: at(due), id: id(n) }
}

fn offer(active: &mut Active, n: u128, priority: u8, parts: u8) {
    active.offer(found("a", 0, n, priority, parts), at(0));
}

fn begin(active: &mut Active, now: i64) -> (usize, Vec<QueueRead>) {
    match active.begin_read(at(now)).expect("something to read") {
        Wanted::Messages(priority, reads) => (priority, reads),
        Wanted::Accounts(..) => panic!("all accounts are known"),
    }
}

/// Begins to read on for the account `a` alone.
fn begin_a(active: &mut Active) -> (usize, Option<Place>) {
    let (priority, reads) = begin(active, 0);
    assert_eq!(reads.iter().map(|read| &*read.account).collect::<Vec<_>>(), ["a"]);
    (priority, reads[0].after)
}

fn finish(active: &mut Active, priority: usize, account: &str, numbers: impl IntoIterator<Item = u128>, all: bool) {
    let messages = numbers.into_iter().map(|n| found(account, 0, n, priority as u8, 1)).collect();
    active.loaded(priority, [Page { account: account.into(), messages, all, next_due: None }]);
}

fn finish_load(active: &mut Active, priority: usize, numbers: impl IntoIterator<Item = u128>, all: bool) {
    finish(active, priority, "a", numbers, all);
}

fn load(active: &mut Active, numbers: impl IntoIterator<Item = u128>, all: bool) {
    let (priority, _) = begin_a(active);
    finish_load(active, priority, numbers, all);
}

fn taken(active: &mut Active) -> Vec<(u128, u8)> {
    std::iter::from_fn(|| active.take()).map(|t| (t.body.id.0.as_u128(), t.part)).collect()
}

#[test]
fn parts_are_taken_in_order_and_each_once() {
    let mut active = idle();
    offer(&mut active, 1, 1, 3);
    offer(&mut active, 2, 1, 1);
    assert_eq!(taken(&mut active), [(1, 0), (1, 1), (1, 2), (2, 0)]);
    assert!(!active.has_ready());
    active.forget(id(1));
    active.forget(id(2));
    assert_eq!(active.len(), 0);
}

#[test]
fn higher_priorities_go_first_and_none_starves() {
    let mut active = idle();
    (0..100).for_each(|n| offer(&mut active, n, 3, 1));
    offer(&mut active, 1000, 0, 1);
    let order = taken(&mut active);
    let place = order.iter().position(|(n, _)| *n == 1000).unwrap();
    assert!((1..STARVATION_TURN as usize).contains(&place), "the lowest went as number {place}");
}

#[test]
fn what_came_back_goes_first() {
    let mut active = idle();
    (1..=3).for_each(|n| offer(&mut active, n, 1, 1));
    active.take();
    active.take();
    active.give_back(id(2), 0);
    active.give_back(id(1), 0);
    assert_eq!(taken(&mut active), [(1, 0), (2, 0), (3, 0)]);
}

#[test]
fn a_full_list_leaves_the_rest_to_the_store_and_reads_it_back() {
    let mut active = idle();
    let count = READY_MAX as u128 + 10;
    (0..count).for_each(|n| offer(&mut active, n, 1, 1));
    assert_eq!(active.len(), READY_MAX);
    let first = taken(&mut active);
    assert_eq!(first.len(), READY_MAX);
    let (priority, after) = begin_a(&mut active);
    assert!(priority == 1 && after.unwrap() < (at(0), id(READY_MAX as u128)), "{after:?}");
    // The store still shows those that are with sessions.
    finish_load(&mut active, priority, 0..count, true);
    assert_eq!(taken(&mut active), (count - 10..count).map(|n| (n, 0)).collect::<Vec<_>>());
    assert!(!active.is_hungry(at(0)));
}

#[test]
fn nothing_is_overtaken_while_older_messages_wait_in_the_store() {
    let mut active = idle();
    (0..=READY_MAX as u128).for_each(|n| offer(&mut active, n, 1, 1));
    active.take();
    offer(&mut active, 9999, 1, 1);
    assert!(active.len() <= READY_MAX, "9999 waits in the store behind its elder");
}

#[test]
fn what_ended_while_a_page_was_read_is_not_sent_again() {
    let mut active = idle();
    (0..=READY_MAX as u128).for_each(|n| offer(&mut active, n, 1, 1));
    let all = taken(&mut active);
    let (priority, _) = begin_a(&mut active);
    // The page was read before this was committed, and comes after it.
    active.forget(id(all[0].0));
    finish_load(&mut active, priority, [0, READY_MAX as u128], true);
    assert_eq!(taken(&mut active), [(READY_MAX as u128, 0)]);
}

#[test]
fn what_is_offered_while_accounts_are_listed_is_read_later() {
    let mut active = Active::new();
    assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(3, None)));
    offer(&mut active, 7, 3, 1);
    active.listed(3, vec![], true);
    assert_eq!(active.len(), 0);
    for priority in (0..3).rev() {
        assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(priority, None)));
        active.listed(priority, vec![], true);
    }
    load(&mut active, [7], true);
    assert_eq!(taken(&mut active), [(7, 0)]);
    offer(&mut active, 8, 3, 1);
    assert_eq!(taken(&mut active), [(8, 0)]);
}

#[test]
fn accounts_are_listed_a_page_at_a_time() {
    let mut active = Active::new();
    active.begin_read(at(0));
    active.listed(3, vec![("a".into(), at(0)), ("b".into(), at(90))], false);
    assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(3, Some("b".into()))));
    active.listed(3, vec![("c".into(), at(0))], true);
    assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(2, None)));
    active.end_read();
    assert_eq!(active.begin_read(at(0)), Some(Wanted::Accounts(2, None)), "nothing was read");
    for priority in (0..3).rev() {
        active.listed(priority, vec![], true);
    }
    let accounts = |(_, reads): (usize, Vec<QueueRead>)| reads.into_iter().map(|read| read.account).collect::<Vec<_>>();
    assert_eq!(accounts(begin(&mut active, 0)), ["a".into(), "c".into()]);
    assert_eq!(active.next_due(), Some(at(90)));
    active.end_read();
    assert_eq!(accounts(begin(&mut active, 90)), ["a".into(), "b".into(), "c".into()]);
}

#[test]
fn what_is_left_to_the_store_during_a_read_is_read_later() {
    let mut active = Active::new();
    list(&mut active, ["a"]);
    let (priority, _) = begin_a(&mut active);
    assert_eq!(priority, 3);
    offer(&mut active, 7, 3, 1);
    finish_load(&mut active, priority, [], true);
    assert_eq!(active.len(), 0);
    load(&mut active, [7], true);
    assert_eq!(taken(&mut active), [(7, 0)]);
}

#[test]
fn a_commit_that_overtook_another_during_a_read_hides_nothing() {
    let mut active = Active::new();
    list(&mut active, ["a"]);
    let (priority, _) = begin(&mut active, 20);
    // The page was read with 12 in it; 11 was committed only then.
    active.offer(found("a", 11, 1, 3, 1), at(20));
    let messages = vec![found("a", 12, 2, 3, 1)];
    active.loaded(priority, [Page { account: "a".into(), messages, all: false, next_due: None }]);
    taken(&mut active);
    let (_, reads) = begin(&mut active, 20);
    assert!(reads[0].after.unwrap() < (at(11), id(1)), "{reads:?}");
}

#[test]
fn a_message_behind_the_reading_place_turns_it_back() {
    let mut active = Active::new();
    list(&mut active, ["a"]);
    load(&mut active, [5], false);
    offer(&mut active, 3, 3, 1);
    let (priority, after) = begin_a(&mut active);
    assert_eq!(priority, 3);
    assert!(after.unwrap() < (at(0), id(3)), "{after:?}");
    finish_load(&mut active, 3, [3, 5], true);
    assert_eq!(taken(&mut active).len(), 2, "5 is loaded once");
}

#[test]
fn a_retry_leaves_memory_when_no_part_is_out_and_comes_back_when_due() {
    let mut active = idle();
    offer(&mut active, 1, 1, 3);
    active.take();
    active.take();
    active.retry(id(1), Some(&entry("a", 500, 1, 1)));
    assert!(!active.has_ready(), "the third part waits for the retry too");
    assert_eq!(active.len(), 1);
    active.sent(id(1));
    assert_eq!(active.len(), 0);
    assert_eq!(active.next_due(), Some(at(500)));
    assert!(!active.is_hungry(at(499)));
    assert!(active.is_hungry(at(500)));
}

#[test]
fn what_is_retried_twice_waits_where_the_store_has_it() {
    let mut active = idle();
    offer(&mut active, 1, 1, 2);
    active.take();
    active.take();
    // Pauses of two sessions: the first had failed more often.
    active.retry(id(1), Some(&entry("a", 4000, 1, 1)));
    active.retry(id(1), Some(&entry("a", 1000, 1, 1)));
    assert_eq!((active.len(), active.next_due()), (0, Some(at(1000))));
    let (_, reads) = begin(&mut active, 1000);
    assert!(reads[0].after.is_none_or(|after| after < (at(1000), id(1))), "{reads:?}");
}

#[test]
fn what_was_put_aside_and_queued_again_meanwhile_leaves_when_no_part_is_out() {
    let mut active = idle();
    offer(&mut active, 1, 1, 2);
    active.take();
    active.take();
    active.retry(id(1), None);
    active.offer(found("a", 70, 1, 1, 2), at(70));
    assert_eq!(active.len(), 1, "a session still has the other part");
    assert!(!active.has_ready());
    active.sent(id(1));
    assert_eq!((active.len(), active.next_due()), (0, Some(at(70))));
}

#[test]
fn a_part_that_is_retried_after_its_message_was_thought_settled_is_found_again() {
    let mut active = idle();
    offer(&mut active, 1, 1, 2);
    active.take();
    active.take();
    active.forget(id(1));
    active.retry(id(1), Some(&entry("a", 500, 1, 1)));
    assert_eq!((active.len(), active.next_due()), (0, Some(at(500))));
}

#[test]
fn what_expires_while_a_session_has_a_part_of_it_leaves_after_that() {
    let mut active = idle();
    offer(&mut active, 1, 1, 3);
    active.take();
    active.take();
    assert!(!active.expire(id(1)), "a session has the first part");
    assert!(!active.has_ready() && !active.revoke(id(1)));
    active.sent(id(1));
    assert!(active.revoke(id(1)), "it may end now");
    offer(&mut active, 2, 1, 1);
    active.take();
    assert!(active.expire(id(2)));
    assert_eq!(active.len(), 0);
}

#[test]
fn a_part_is_the_first_while_nothing_else_of_its_message_went() {
    let mut active = idle();
    let first = |active: &mut Active| active.take().map(|taken| (taken.part, taken.is_first));
    offer(&mut active, 1, 1, 3);
    assert_eq!([first(&mut active), first(&mut active)], [Some((0, true)), Some((1, false))]);
    active.give_back(id(1), 0);
    assert_eq!(first(&mut active), Some((0, false)), "a session has the second");
    [0, 1].into_iter().for_each(|part| active.give_back(id(1), part));
    assert_eq!([first(&mut active), first(&mut active)], [Some((1, true)), Some((0, false))]);
    active.sent(id(1));
    active.give_back(id(1), 0);
    assert_eq!(first(&mut active), Some((0, false)), "the second went out");
    active.offer(Found { begun: true, unsent: VecDeque::from([0]), ..found("a", 0, 2, 2, 2) }, at(0));
    assert_eq!(first(&mut active), Some((0, false)), "it was known when it was loaded");
}

#[test]
fn what_is_due_later_stays_in_the_store_until_then() {
    let mut active = idle();
    active.offer(found("a", 900, 1, 2, 1), at(0));
    assert_eq!((active.len(), active.next_due()), (0, Some(at(900))));
    assert!(!active.is_hungry(at(899)));
    assert_eq!(begin(&mut active, 900).0, 2);
}

#[test]
fn a_message_is_canceled_only_while_no_session_has_it_and_not_loaded_again() {
    let mut active = idle();
    offer(&mut active, 1, 1, 2);
    active.take();
    assert!(!active.revoke(id(1)));
    offer(&mut active, 2, 1, 1);
    assert!(active.revoke(id(2)));
    assert!(active.revoke(id(3)), "one that is in the store only");
    active.list_again();
    list(&mut active, ["a"]);
    // Of the higher priorities there is nothing.
    load(&mut active, [], true);
    load(&mut active, [], true);
    load(&mut active, [2, 3, 4], true);
    assert_eq!(taken(&mut active), [(1, 1), (4, 0)]);
}

#[test]
fn marked_parts_are_taken_once_they_are_recorded() {
    let mut active = idle();
    offer(&mut active, 1, 1, 1);
    let part = active.take().unwrap();
    active.mark(part);
    assert_eq!((active.take_marked(), active.marking()), (None, 1));
    active.marked(id(1), 0);
    assert_eq!(active.take_marked().map(|t| t.body.id), Some(id(1)));
    assert_eq!(active.marking(), 0);
}

#[test]
fn what_an_earlier_process_marked_is_told_of_and_what_this_one_did_is_not() {
    let mut active = idle();
    (0..READY_MAX as u128 + 1).for_each(|n| offer(&mut active, n, 1, 2));
    let part = active.take().unwrap();
    active.mark(part);
    active.marked(id(0), 0);
    (0..READY_MAX * 2 - 1).for_each(|_| drop(active.take()));
    let (priority, _) = begin_a(&mut active);
    let marked = |n| Found { unsent: VecDeque::from([1]), marked: true, ..found("a", 0, n, 1, 2) };
    let messages = vec![marked(0), found("a", 0, READY_MAX as u128, 1, 2), marked(9999)];
    let pages = [Page { account: "a".into(), messages, all: true, next_due: None }];
    assert_eq!(active.loaded(priority, pages), [id(9999)]);
    assert_eq!(taken(&mut active), [(READY_MAX as u128, 0), (READY_MAX as u128, 1)]);
}

/// Offers a message of the account `b`.
fn offer_b(active: &mut Active, n: u128) {
    active.offer(found("b", 0, n, 1, 1), at(0));
}

/// An active set of which an account has filled all, with `more` of its messages in the store.
fn flooded(more: u128) -> Active {
    let mut active = idle();
    (0..READY_MAX as u128 + more).for_each(|n| offer(&mut active, n, 1, 1));
    active
}

#[test]
fn a_code_is_next_whatever_another_account_has_queued() {
    let mut active = flooded(100_000);
    offer_b(&mut active, 1_000_000);
    let place = taken(&mut active).iter().position(|(n, _)| *n == 1_000_000).unwrap();
    assert!(place <= 1, "it went as number {place}");
}

#[test]
fn the_backlog_of_one_account_is_read_while_codes_of_another_pass() {
    let mut active = flooded(READY_MAX as u128);
    for code in 0..50 {
        // Whatever stands in the way, a page comes in between.
        while active.is_hungry(at(0)) {
            let (priority, after) = begin_a(&mut active);
            let from = after.map(|(_, id)| id.0.as_u128()).filter(|n| *n < u128::MAX).map_or(0, |n| n + 1);
            finish_load(&mut active, priority, from..from + 500, false);
        }
        offer_b(&mut active, 1_000_000 + code);
        let first: Vec<u128> = (0..2).map(|_| active.take().unwrap().body.id.0.as_u128()).collect();
        assert!(first.contains(&(1_000_000 + code)), "{first:?}");
        (0..100).for_each(|_| drop(active.take()));
    }
}

#[test]
fn one_that_overtakes_too_much_waits_in_the_store_too() {
    let mut active = flooded(10);
    (0..10_000).for_each(|n| offer_b(&mut active, 1_000_000 + n));
    assert_eq!(active.len(), READY_MAX + OVERTAKE_MAX);
    // Its own order is kept: what comes later waits behind what is in the store.
    active.take();
    active.take();
    offer_b(&mut active, 2_000_000);
    assert_eq!(active.len(), READY_MAX + OVERTAKE_MAX);
    let waiting = taken(&mut active).len();
    assert_eq!(waiting, READY_MAX + OVERTAKE_MAX - 2);
}

#[test]
fn memory_is_bounded_however_many_accounts_there_are() {
    let mut active = flooded(10);
    for account in 0..1000u128 {
        for n in 0..20 {
            let n = 1_000_000 + account * 100 + n;
            active.offer(found(&format!("c{account}"), 0, n, 1, 1), at(0));
        }
    }
    assert!(active.len() <= READY_MAX + OVERTAKE_ALL, "{}", active.len());
}

#[test]
fn what_overtook_is_not_sent_again_when_its_page_comes() {
    let mut active = flooded(1);
    offer_b(&mut active, 1_000_000);
    let all = taken(&mut active);
    let (priority, _) = begin_a(&mut active);
    finish_load(&mut active, priority, [READY_MAX as u128 - 1, READY_MAX as u128], true);
    assert_eq!(taken(&mut active), [(READY_MAX as u128, 0)]);
    assert_eq!(all.len(), READY_MAX + 1);
}

#[test]
fn a_part_that_came_back_is_not_sent_twice_when_its_message_was_revoked_in_vain() {
    let mut active = idle();
    offer(&mut active, 1, 1, 1);
    active.take();
    active.give_back(id(1), 0);
    assert!(active.revoke(id(1)), "no session has it");
    active.bring_back((at(0), id(1)), &"a".into(), 1);
    load(&mut active, [1], true);
    assert_eq!(taken(&mut active), [(1, 0)]);
}

#[test]
fn a_part_that_came_back_is_not_sent_twice_when_another_waits_for_a_retry() {
    let mut active = idle();
    offer(&mut active, 1, 1, 2);
    active.take();
    active.take();
    active.give_back(id(1), 0);
    active.retry(id(1), Some(&entry("a", 500, 1, 1)));
    assert_eq!((active.len(), active.has_ready()), (0, false));
    let (priority, _) = begin(&mut active, 500);
    active.loaded(
        priority,
        [Page { account: "a".into(), messages: vec![found("a", 500, 1, 1, 2)], all: true, next_due: None }],
    );
    assert_eq!(taken(&mut active), [(1, 0), (1, 1)]);
}
