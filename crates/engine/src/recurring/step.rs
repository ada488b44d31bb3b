//! One step of a schedule: what is known of it after an occurrence, or after somebody has changed it.

use model::recurring::OccurrenceRefused;
use model::{BatchId, MessageId, Schedule, Timestamp};
use routing::Recurrence;
use store::ScheduleChange;

/// What became of an occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was accepted, as a batch or a message; perhaps not all of it.
    Accepted { batch: Option<BatchId>, message: Option<MessageId>, without: Option<OccurrenceRefused> },
    /// Nothing of it was accepted.
    Refused(OccurrenceRefused),
    /// It was missed, and is left out.
    Skipped,
}

/// The schedule after an occurrence. Of several that have passed by now this was the last.
pub(super) fn after(schedule: &Schedule, came: Came, recurrence: Option<&Recurrence>, now: Timestamp) -> Schedule {
    let mut next = schedule.clone();
    let course = &mut next.course;
    let occurrence = course.next_at.unwrap_or(now);
    match came {
        Came::Skipped => course.skipped += 1,
        Came::Accepted { batch, message, without } => {
            course.times += 1;
            course.last_at = Some(occurrence);
            (course.last_batch, course.last_message, course.last_refusal) = (batch, message, without);
        }
        Came::Refused(why) => {
            course.times += 1;
            course.refused += 1;
            course.last_at = Some(occurrence);
            course.last_refusal = Some(why);
        }
    }
    let upcoming = recurrence.and_then(|recurrence| recurrence.next(occurrence.max(now)));
    goes_on(&mut next, upcoming, now);
    next
}

/// The schedule goes on with an occurrence at `upcoming`, or ends if its terms allow none.
pub(super) fn goes_on(schedule: &mut Schedule, upcoming: Option<Timestamp>, now: Timestamp) {
    let Schedule { terms, course, .. } = schedule;
    let more = terms.count.is_none_or(|count| course.times < count);
    let upcoming = upcoming.filter(|at| more && terms.ends_at.is_none_or(|end| *at <= end));
    course.next_at = upcoming;
    schedule.due = upcoming.filter(|_| !course.paused);
    schedule.ended_at = match upcoming {
        Some(_) => None,
        None => schedule.ended_at.or(Some(now)),
    };
}

/// How it is written that `seen` becomes `put`.
pub(super) fn change(seen: &Schedule, mut put: Schedule) -> ScheduleChange {
    put.revision = seen.revision + 1;
    ScheduleChange { id: seen.id, seen: seen.revision, put: Some(put), messages: None }
}

#[cfg(test)]
mod tests {
    use model::ScheduleId;
    use model::id::Uuid;
    use model::recurring::{Course, Terms};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily() -> (Schedule, Recurrence) {
        let next = at("2026-11-23T09:00:00Z");
        let schedule = Schedule {
            id: ScheduleId(Uuid::nil()),
            account: "a".into(),
            revision: 3,
            due: Some(next),
            ended_at: None,
            terms: Terms { repeat: "0 9 * * *".into(), time_zone: "UTC".into(), size: 1, ..Terms::default() },
            course: Course { next_at: Some(next), ..Course::default() },
        };
        (schedule, Recurrence::new("0 9 * * *".parse().unwrap(), "UTC").unwrap())
    }

    fn refused(at: Timestamp) -> Came {
        Came::Refused(OccurrenceRefused { at, code: "no_route".into(), detail: "none".into() })
    }

    const ACCEPTED: Came = Came::Accepted { batch: None, message: None, without: None };

    #[test]
    fn an_occurrence_that_comes_late_stands_for_those_after_it() {
        let (schedule, times) = daily();
        let now = at("2026-11-26T10:00:00Z");
        let next = after(&schedule, ACCEPTED, Some(&times), now);
        assert_eq!((next.course.times, next.course.last_at), (1, Some(at("2026-11-23T09:00:00Z"))));
        assert_eq!((next.due, next.course.next_at), (Some(at("2026-11-27T09:00:00Z")), next.due));
        let early = after(&schedule, ACCEPTED, Some(&times), at("2026-11-23T08:59:59Z"));
        assert_eq!(early.due, Some(at("2026-11-24T09:00:00Z")), "a clock that went back repeats nothing");
    }

    #[test]
    fn what_is_refused_counts_and_what_is_left_out_does_not() {
        let (mut schedule, times) = daily();
        schedule.terms.count = Some(2);
        let now = at("2026-11-23T09:00:00Z");
        let skipped = after(&schedule, Came::Skipped, Some(&times), now);
        assert_eq!((skipped.course.times, skipped.course.skipped, skipped.course.last_at), (0, 1, None));
        let first = after(&schedule, refused(now), Some(&times), now);
        assert_eq!((first.course.times, first.course.refused, first.ended_at), (1, 1, None));
        assert_eq!(&*first.course.last_refusal.as_ref().unwrap().code, "no_route");
        let last = after(&first, ACCEPTED, Some(&times), now.plus_seconds(86_400));
        assert_eq!((last.course.last_refusal, last.due, last.course.next_at), (None, None, None));
        assert_eq!(last.ended_at, Some(now.plus_seconds(86_400)));
    }

    #[test]
    fn the_end_is_the_last_time_at_which_it_happens() {
        let (mut schedule, times) = daily();
        let now = at("2026-11-23T09:00:00Z");
        schedule.terms.ends_at = Some(at("2026-11-24T09:00:00Z"));
        let last = after(&schedule, ACCEPTED, Some(&times), now);
        assert_eq!((last.due, last.ended_at), (Some(at("2026-11-24T09:00:00Z")), None));
        schedule.terms.ends_at = Some(at("2026-11-24T08:59:59.999Z"));
        assert_eq!(after(&schedule, ACCEPTED, Some(&times), now).ended_at, Some(now));
    }

    #[test]
    fn a_paused_one_knows_when_it_would_go_on_and_is_not_looked_at() {
        let (mut schedule, times) = daily();
        schedule.course.paused = true;
        let now = at("2026-11-23T09:00:00Z");
        goes_on(&mut schedule, times.next(now), now);
        assert_eq!((schedule.due, schedule.course.next_at), (None, Some(at("2026-11-24T09:00:00Z"))));
        let change = change(&schedule, schedule.clone());
        assert_eq!((change.seen, change.put.unwrap().revision), (3, 4));
    }
}
