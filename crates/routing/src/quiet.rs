//! Quiet hours, ready to be asked: may a message go to this number now, and if not, when?

use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::resources::{QuietAction, QuietHours, RECIPIENT_ZONE};
use model::{Address, Body, Timestamp};

use crate::error::{Faults, RuleProblem};
use crate::window::{Span, minutes};
use crate::zones::Zones;

/// Times after each other that are quiet by one clock or another; more than a week of the shortest ones.
const STEPS_MAX: usize = 200;
/// So far ahead a time is looked for that is quiet by no clock of a country.
const AHEAD_SECONDS: i64 = 8 * 86_400;

/// An account's [`QuietHours`].
#[derive(Debug)]
pub struct Quiet {
    spans: Vec<Span>,
    clock: Clock,
    /// What becomes of a message that comes in them.
    pub action: QuietAction,
    /// May messages say that they are to be ignored?
    pub may_ignore: bool,
    exempt_priority: Option<u32>,
}

#[derive(Debug)]
enum Clock {
    One(TimeZone),
    Recipients {
        zones: Arc<Zones>,
        /// For what is no number of a country.
        other: TimeZone,
    },
}

impl Quiet {
    /// `zone` is the account's clock, which counts where the recipient has none.
    pub(crate) fn compile(
        hours: &QuietHours,
        zone: Option<&str>,
        zones: &Arc<Zones>,
        faults: &mut Faults<'_>,
    ) -> Option<Self> {
        let mut time = |key: &str, text: &str| {
            let minutes = minutes(text).ok_or_else(|| RuleProblem::NotATime(text.to_owned()));
            faults.keep("quiet_hours", format!("quiet_hours.{key}"), minutes)
        };
        let (from, to) = (time("from", &hours.from), time("to", &hours.to));
        let clock = match hours.time_zone.as_deref() {
            None | Some(RECIPIENT_ZONE) => {
                // An account's zone that is none is told of by the field it stands in.
                let other = zone.and_then(|name| find(name).ok()).unwrap_or(TimeZone::UTC);
                Some(Clock::Recipients { zones: zones.clone(), other })
            }
            Some(name) => faults.keep("quiet_hours", "quiet_hours.time_zone".into(), find(name)).map(Clock::One),
        };
        let mut spans = vec![Span::new(&hours.days, from?, to?)];
        if !hours.quiet_days.is_empty() {
            spans.push(Span::new(&hours.quiet_days, 0, 24 * 60));
        }
        let quiet = |day: i8, minute: u16| spans.iter().any(|span| span.holds(day, minute));
        if (0..7).all(|day| (0..24 * 60).all(|minute| quiet(day, minute))) {
            faults.add("quiet_hours", "quiet_hours".into(), RuleProblem::AlwaysQuiet);
            return None;
        }
        let QuietHours { action, may_ignore, exempt_priority, .. } = *hours;
        Some(Self { spans, clock: clock?, action, may_ignore, exempt_priority })
    }

    /// Does this message go at any time? Whether it may say so itself was seen when it was accepted.
    #[must_use]
    pub fn exempts(&self, body: &Body) -> bool {
        let urgent = self.exempt_priority.is_some_and(|priority| u32::from(body.priority) >= priority);
        urgent || body.ignore_quiet_hours
    }

    /// When the quiet hours end that `now` is in, for a message to this number; `None` if it may go. In a
    /// country with several clocks that is when it is quiet by none of them; where there is no such time,
    /// the clock of most of its people counts.
    #[must_use]
    pub fn until(&self, to: &Address, now: Timestamp) -> Option<Timestamp> {
        let clocks = self.clocks(to);
        let end = self.end(clocks, now)?;
        if end.millis_since(now) <= AHEAD_SECONDS * 1000 {
            return Some(end);
        }
        self.end(clocks.get(..1)?, now)
    }

    /// The names of the clocks that count for this number.
    pub fn clock_names(&self, to: &Address) -> impl Iterator<Item = &str> {
        self.clocks(to).iter().map(|zone| zone.iana_name().unwrap_or("UTC"))
    }

    fn clocks(&self, to: &Address) -> &[TimeZone] {
        match &self.clock {
            Clock::One(zone) => std::slice::from_ref(zone),
            Clock::Recipients { zones, other } => match zones.of(to) {
                [] => std::slice::from_ref(other),
                zones => zones,
            },
        }
    }

    fn end(&self, clocks: &[TimeZone], now: Timestamp) -> Option<Timestamp> {
        let mut end = None;
        let mut at = now;
        for _ in 0..STEPS_MAX {
            let ends = clocks.iter().flat_map(|zone| self.spans.iter().filter_map(move |span| span.end(zone, at)));
            let Some(latest) = ends.max() else { return end };
            (at, end) = (latest, Some(latest));
            if at.millis_since(now) > AHEAD_SECONDS * 1000 {
                break;
            }
        }
        // Never by all of these clocks.
        Some(Timestamp::from_millis(i64::MAX))
    }
}

fn find(name: &str) -> Result<TimeZone, RuleProblem> {
    let unknown = |_| RuleProblem::Unknown { what: "time zone", name: name.to_owned() };
    TimeZoneDatabase::bundled().get(name).map_err(unknown)
}

#[cfg(test)]
#[path = "quiet_tests.rs"]
mod tests;
