//! What is asked of a schedule, looked at.

use model::recurring::{IfMissed, NewSchedule, Terms};
use model::submission::Fault;
use model::{Submission, Timestamp};
use routing::{Cron, Recurrence};

use super::SCHEDULE_MESSAGES_MAX;
use crate::world::AccountView;

/// Most characters of a name.
const NAME_MAX: usize = 128;
/// Most occurrences that may be asked for.
const COUNT_MAX: u64 = 1_000_000_000;
/// The tag of messages that says which schedule they are of.
pub(super) const TAG: &str = "schedule";
/// Faults that are told of messages; the others are like them.
const FAULTS_MAX: usize = 100;

/// Terms that are sound, with the times that they mean.
pub(super) fn terms_of(
    asked: &NewSchedule,
    account: &AccountView,
    now: Timestamp,
    size: usize,
) -> Result<(Terms, Recurrence), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, detail: String| faults.push(Fault::new(pointer, detail));
    if asked.name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX) {
        fault("/name", format!("is longer than {NAME_MAX} characters"));
    }
    let cron = asked.repeat.parse::<Cron>().map_err(|error| fault("/repeat", error.to_string())).ok();
    let zone = asked.time_zone.as_deref().or(account.account.time_zone.as_deref());
    if zone.is_none() {
        fault("/time_zone", "is missing, and the account has none".into());
    }
    // Whether there is such a zone does not depend on the times.
    let any = || "* * * * *".parse().expect("every minute is a time");
    let recurrence = zone.map(|zone| Recurrence::new(cron.clone().unwrap_or_else(any), zone));
    let recurrence = recurrence.and_then(|recurrence| {
        recurrence.map_err(|_| fault("/time_zone", "must be an IANA time zone such as Europe/London".into())).ok()
    });
    let mut time = |pointer, text: Option<&str>| {
        let at = text?.parse::<Timestamp>().ok().filter(|at| *at >= Timestamp::default());
        if at.is_none() {
            fault(pointer, "must be a time as RFC 3339 writes it, such as 2026-01-31T09:00:00Z".into());
        }
        at
    };
    let starts_at = time("/starts_at", asked.starts_at.as_deref()).unwrap_or(now);
    let ends_at = time("/ends_at", asked.ends_at.as_deref());
    if asked.count.is_some_and(|count| !(1..=COUNT_MAX).contains(&count)) {
        fault("/count", format!("must be 1 to {COUNT_MAX}"));
    }
    let (Some(recurrence), Some(zone), []) = (recurrence, zone, faults.as_slice()) else { return Err(faults) };
    let terms = Terms {
        name: asked.name.as_deref().map(Into::into),
        repeat: asked.repeat.split_ascii_whitespace().collect::<Vec<_>>().join(" ").into(),
        time_zone: zone.into(),
        starts_at,
        ends_at,
        count: asked.count,
        if_missed: asked.if_missed,
        size: u32::try_from(size).unwrap_or(u32::MAX),
    };
    Ok((terms, recurrence))
}

/// The first occurrence of a new schedule. What lies in the past is made up for if that was asked for, and
/// left out otherwise.
pub(super) fn first(terms: &Terms, recurrence: &Recurrence, now: Timestamp) -> Result<Timestamp, Vec<Fault>> {
    let from = if terms.if_missed == IfMissed::Send { terms.starts_at } else { terms.starts_at.max(now) };
    next_from(terms, recurrence, from)
}

/// The first occurrence at or after `from`.
pub(super) fn next_from(terms: &Terms, recurrence: &Recurrence, from: Timestamp) -> Result<Timestamp, Vec<Fault>> {
    let fault = |pointer, detail: &str| vec![Fault::new(pointer, detail)];
    let next = recurrence.next(from.plus_millis(-1)).ok_or_else(|| fault("/repeat", "never comes"))?;
    match terms.ends_at.is_none_or(|end| next <= end) {
        true => Ok(next),
        false => Err(fault("/ends_at", "is before the first time that it would happen")),
    }
}

/// Looks at what does not fit messages that are sent again and again, and at each of them by `check`.
pub(super) fn check_messages<E>(
    messages: &[Submission],
    mut check: impl FnMut(usize, &Submission) -> Result<Vec<Fault>, E>,
) -> Result<Vec<Fault>, E> {
    if !(1..=SCHEDULE_MESSAGES_MAX).contains(&messages.len()) {
        return Ok(vec![Fault::new("/messages", format!("must be 1 to {SCHEDULE_MESSAGES_MAX}"))]);
    }
    let mut faults = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let mut fault = |field: &str, detail: &str| {
            faults.push(Fault::new(format!("/messages/{place}/{field}"), detail));
        };
        if message.send_at.is_some() {
            fault("send_at", "can't be given here: the schedule says when");
        }
        if message.tags.contains_key(TAG) {
            fault("tags/schedule", "can't be given: it will be the id of the schedule");
        }
        let within = |fault: Fault| Fault::new(format!("/messages/{place}{}", fault.pointer), fault.detail);
        faults.extend(check(place, message)?.into_iter().map(within));
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    Ok(faults)
}
