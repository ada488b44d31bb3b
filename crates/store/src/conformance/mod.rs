//! The suite that every store must pass: what the words of [`Store`] mean, as tests.
//!
//! A store's crate switches on the feature `conformance` for its tests and says
//!
//! ```text
//! async fn make(clock: TestClock) -> Fixture {
//!     let directory = tempfile::tempdir().unwrap();
//!     let store = open(directory.path(), move || clock.now());
//!     Fixture::new(Arc::new(store), directory)
//! }
//!
//! store::conformance_suite!(make);
//! ```
//!
//! which makes one `#[tokio::test]` of each function below. Each gets a store of its own that is
//! empty, and moves that store's clock. A store that several nodes can work on says `store::fleet_suite!(make);`, too.

pub mod accounts;
pub mod commits;
pub mod deliveries;
pub mod extremes;
pub mod fleet;
pub mod forgetting;
pub mod groups;
pub mod keys;
pub mod leases;
pub mod mail;
pub mod opt_outs;
pub mod queue;
pub mod races;
pub mod random;
pub mod receipts;
pub mod resources;
pub mod samples;
pub mod schedules;
pub mod search;
pub mod shards;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::{Message, MessageId, Timestamp};

use crate::{Changes, Store};
pub use samples::Samples;

/// When the clock of a test starts: 2026-11-22T20:14:56.007Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_376_096_007);

/// A clock that stands still until a test moves it. Copies show the same time.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<AtomicI64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START.as_millis())))
    }
}

impl TestClock {
    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// A store to be tested, with what must live as long as it does.
pub struct Fixture {
    store: Arc<dyn Store>,
    keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// `keep` is dropped after the store: a temporary directory, a database's handle.
    pub fn new(store: Arc<dyn Store>, keep: impl Any + Send + Sync) -> Self {
        Self { store, keep: Box::new(keep) }
    }
}

/// What a test works with.
pub struct World {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// The store's clock.
    pub clock: TestClock,
    /// Things to store.
    pub samples: Samples,
    _keep: Box<dyn Any + Send + Sync>,
}

impl World {
    /// A world round the store that `make` makes.
    pub async fn new(make: impl AsyncFnOnce(TestClock) -> Fixture) -> Self {
        let clock = TestClock::default();
        let Fixture { store, keep } = make(clock.clone()).await;
        World { store, samples: Samples::new(clock.clone()), clock, _keep: keep }
    }

    /// Commits what must succeed.
    pub async fn commit(&self, changes: Changes) {
        self.store.commit(changes).await.expect("this commit has nothing to stop it");
    }

    /// Stores a message that is not queued.
    pub async fn insert(&self, message: &Message) {
        self.commit(samples::insert(message)).await;
    }

    /// The message with this id.
    pub async fn get(&self, id: MessageId) -> Option<Message> {
        self.store.messages(&[id]).await.unwrap().pop()
    }
}

/// Makes one `#[tokio::test]` of each test of the suite. See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! conformance_suite {
    ($make:ident) => {
        $crate::conformance_tests! { conformance, $make;
        commits {
                        a_message_comes_back_as_it_was_put,
                        ids_that_are_not_there_are_left_out,
                        a_message_that_is_there_is_left_as_it_is,
                        a_repeated_commit_changes_nothing,
                        a_repeated_commit_does_not_queue_a_sent_message_again,
                        an_update_writes_progress_only,
                        an_update_of_an_unknown_message_makes_none,
                        a_body_takes_the_place_of_the_one_before,
                        a_body_and_the_end_in_one_commit,
                        a_taken_key_stops_the_whole_commit,
                        a_lost_lease_stops_the_whole_commit,
                        many_commits_at_once_succeed_and_fail_each_on_its_own,
                        a_large_commit_is_one_commit,
                        an_empty_commit_is_fine,
                    }
                    queue {
                        a_lane_is_ordered_by_due_time_and_id,
                        a_page_begins_strictly_after_its_cursor,
                        only_what_is_due_is_given,
                        lanes_do_not_mix,
                        a_page_tells_when_the_next_becomes_due,
                        accounts_are_read_by_themselves,
                        accounts_are_listed_with_what_is_due_first,
                        what_was_dequeued_is_gone,
                        requeued_in_the_commit_that_dequeues,
                        depths_count_each_connector,
                        deadlines_come_with_messages_that_have_not_ended,
                        deadlines_go_with_the_end,
                    }
                    shards {
                        several_shards_are_read_as_one,
                        pages_of_several_shards_go_on_after_a_cursor,
                        several_shards_tell_when_the_next_becomes_due,
                        accounts_of_several_shards_are_merged,
                        of_no_shards_nothing_is_read,
                    }
                    receipts {
                        remote_ids_are_found_in_the_order_of_the_keys,
                        a_remote_id_that_is_given_again_means_the_new_part,
                        a_remote_id_that_is_done_is_gone,
                        parked_receipts_are_listed_newest_first_and_found_by_key,
                        parked_receipts_that_are_done_are_gone,
                        mo_parts_come_back_as_they_were_put,
                        mo_parts_that_are_done_are_gone,
                    }
                    deliveries {
                        pages_are_ordered_by_due_time_and_id,
                        a_payload_that_can_be_made_again_is_not_kept,
                        a_delivery_that_is_written_anew_moves,
                        a_delivery_that_was_taken_is_gone,
                        a_delivery_that_has_moved_is_not_taken_by_its_old_key,
                        failed_ones_are_kept_but_not_given_out,
                        those_tried_already_are_named,
                        the_next_due_time_is_later_than_the_given,
                        endpoints_are_those_with_pending_deliveries,
                        every_filter_works,
                        listed_newest_first_strictly_older,
                    }
                    keys {
                        an_answer_is_kept_until_it_expires,
                        a_key_may_be_used_anew_after_it_expired,
                        the_same_key_twice_in_one_commit_is_taken,
                        keys_belong_to_accounts,
                        a_batch_counts_its_messages,
                        a_batch_is_in_the_phase_that_it_was_put_in_last,
                        a_batch_is_finished_once,
                        a_batch_grows_while_it_is_handed_in,
                        the_latest_message_under_a_key_is_known_until_it_ends,
                        keys_of_messages_belong_to_accounts_and_recipients,
                    }
                    accounts {
                        entries_come_back_as_they_were_put,
                        an_entry_counts_once,
                        a_claim_is_met_down_to_the_floor,
                        claims_of_one_commit_are_met_in_their_order,
                        a_quota_counts_in_its_period,
                        a_claim_is_met_whole,
                        a_message_that_is_there_may_take_more,
                        tallies_are_put_as_they_are,
                        old_entries_become_one_of_each_day,
                        queues_take_so_many_messages_of_an_account,
                        accounts_share_the_room_in_queues,
                        money_is_neither_made_nor_lost,
                    }
                    opt_outs {
                        they_come_back_as_they_were_put,
                        one_that_is_there_is_left_as_it_is,
                        they_go_and_come_again,
                    }
                    schedules {
                        they_come_back_as_they_were_put,
                        those_that_are_due_come_in_their_order,
                        only_who_has_seen_the_last_revision_changes_one,
                        they_go_whole,
                        those_that_ended_long_ago_are_forgotten,
                    }
                    groups {
                        they_are_listed_with_the_number_of_their_members,
                        members_come_back_as_they_were_put,
                        what_is_there_is_left_as_it_is,
                        they_go_with_their_members,
                        tasks_wait_until_they_are_done,
                    }
                    resources {
                        an_empty_store_has_version_zero,
                        a_change_raises_the_version,
                        a_change_on_an_old_version_is_refused,
                        documents_are_ordered_by_kind_and_id,
                    }
                    leases {
                        the_first_holder_gets_the_lease,
                        another_holder_waits_for_the_end,
                        the_same_holder_keeps_its_epoch,
                        a_new_holder_gets_a_higher_epoch,
                        a_lease_given_back_is_free_at_once,
                        giving_back_what_is_lost_does_nothing,
                        a_fence_holds_while_nobody_else_took_the_lease,
                    }
                    search {
                        newest_first_strictly_older,
                        every_filter_works,
                        filters_join,
                        pages_go_on_across_days,
                        a_rare_message_is_found_behind_many,
                        limits_are_kept,
                    }
                    forgetting {
                        days_go_whole,
                        a_day_with_an_open_message_stays,
                        texts_of_ended_messages_are_emptied,
                        texts_are_emptied_up_to_the_limit,
                        texts_that_deliveries_are_made_of_stay_until_those_are_taken,
                        expired_rows_go,
                    }
                    extremes {
                        every_status_and_word,
                        every_optional_field,
                        odd_texts,
                        all_octets,
                        parts_and_events_in_plenty,
                        times_at_the_ends,
                        ids_that_differ_in_their_last_bit_only,
                    }
                    random {
                        many_random_commits_leave_what_the_model_says,
                    }
                }
    };
}

/// The same for the tests of what several nodes do on one store, of a store that has a [`Fleet`](crate::Fleet).
#[macro_export]
macro_rules! fleet_suite {
    ($make:ident) => {
        $crate::conformance_tests! { fleet_conformance, $make;
            fleet {
                a_node_is_a_member_until_its_time_runs_out,
                a_membership_is_a_lease,
                another_process_waits_until_a_node_has_run_out,
                a_node_that_leaves_frees_its_slots_at_once,
                free_slots_are_claimed,
                a_slot_of_a_living_node_is_not_taken,
                a_claim_ends_a_membership_that_ran_out,
                a_membership_that_ran_out_is_good_until_a_slot_of_it_is_claimed,
                released_slots_are_free_at_once,
            }
            races {
                no_slot_is_claimed_by_two,
                no_slot_of_a_node_that_is_gone_is_claimed_by_two,
                who_comes_back_late_keeps_all_or_nothing,
                no_commit_of_a_membership_comes_after_its_end,
            }
            mail {
                mail_comes_as_it_was_written,
                mail_is_part_of_a_commit,
                mail_comes_in_the_order_of_its_ids,
                what_is_under_way_is_passed_over,
                much_mail_is_read_page_by_page,
                mail_goes_with_the_slot,
                what_was_done_is_gone,
                a_repeated_commit_leaves_one,
                mail_that_nobody_will_take_is_forgotten,
                to_forget_mail_ends_a_membership_that_ran_out,
                a_node_that_is_woken_wakes_up,
            }
        }
    };
}

/// The part of [`conformance_suite`] and [`fleet_suite`] that writes the tests out.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $make:ident; $($module:ident { $($name:ident,)* })*) => {
        mod $suite {
            $(
                mod $module {
                    $(
                        #[::tokio::test]
                        async fn $name() {
                            let world = $crate::conformance::World::new(super::super::$make).await;
                            $crate::conformance::$module::$name(&world).await;
                        }
                    )*
                }
            )*
        }
    };
}
