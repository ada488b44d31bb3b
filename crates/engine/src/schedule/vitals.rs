//! Vitals: how well a connector does, from what carriers answer and what their receipts say. Pure; the
//! clock comes in.
//!
//! A connector that fails too often is *sick*: pools pass it over for a while, which is longer each
//! time. Then it *returns*: a few messages as probes, and twice the share with every few that go well,
//! or with time. So does one whose link was lost and is back. It is *well* again with its full share.

use std::time::{Duration, Instant};

use model::resources::HealthSettings;
use routing::FULL_SHARE;

/// Answers count for so long.
const ANSWERS: Span = Span { slots: 6, slot: Duration::from_secs(10) };
/// Receipts count for so long: they are late.
const RECEIPTS: Span = Span { slots: 15, slot: Duration::from_secs(60) };
/// The share of one that was sick, at first; of one whose link was lost.
const PROBES: u16 = 20;
const AFTER_LINK: u16 = 200;
/// Answers that double the share, and how long a quiet connector keeps one.
const GOOD_FOR_MORE: u32 = 5;
const STEP: Duration = Duration::from_secs(30);
/// Failures that end a return, if they are no fewer than the successes.
const BAD_FOR_SICK: u32 = 3;
/// The longest time that a connector is passed over.
const SICK_MAX: Duration = Duration::from_secs(600);

/// How well a connector does.
#[derive(Debug)]
pub(crate) struct Vitals {
    answers: Counts,
    receipts: Counts,
    stage: Stage,
    /// How often it fell sick without being well in between.
    relapses: u32,
    /// It was bound once.
    bound_before: bool,
}

#[derive(Debug)]
enum Stage {
    Well,
    Sick { until: Instant, why: Box<str> },
    Returning { share: u16, since: Instant, good: u32, bad: u32 },
}

/// How a connector does, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthView {
    /// `well`, `sick` or `returning`.
    pub state: &'static str,
    /// What it gets of its share in pools, in thousandths.
    pub share: u16,
    /// Why it is sick.
    pub reason: Option<Box<str>>,
    /// Answers of the last minute that were failures, in percent; `None` if there were none.
    pub error_percent: Option<u8>,
    /// Final receipts of the last quarter of an hour that said "delivered", in percent.
    pub delivered_percent: Option<u8>,
}

impl Vitals {
    pub fn new(now: Instant) -> Self {
        let (answers, receipts) = (Counts::new(ANSWERS, now), Counts::new(RECEIPTS, now));
        Self { answers, receipts, stage: Stage::Well, relapses: 0, bound_before: false }
    }

    /// What it gets of its share now; 0 while it is sick.
    pub fn share(&self) -> u16 {
        match self.stage {
            Stage::Well => FULL_SHARE,
            Stage::Sick { .. } => 0,
            Stage::Returning { share, .. } => share,
        }
    }

    /// The carrier answered, [`look`](Self::look) must follow: it took a part (`good`), or did not.
    pub fn answered(&mut self, good: bool, settings: &HealthSettings, now: Instant) {
        self.answers.add(good, now);
        if let Stage::Returning { good: successes, bad: failures, .. } = &mut self.stage {
            *(if good { &mut *successes } else { &mut *failures }) += 1;
            if *failures >= BAD_FOR_SICK && failures >= successes {
                let why = format!("{failures} of {} probes failed", *failures + *successes);
                self.fall_sick(why, settings, now);
            }
        }
    }

    /// A final receipt came; [`look`](Self::look) must follow.
    pub fn receipt(&mut self, delivered: bool, now: Instant) {
        self.receipts.add(delivered, now);
    }

    /// Its first session was bound. After a loss it comes back gently.
    pub fn bound(&mut self, now: Instant) {
        if self.bound_before && matches!(self.stage, Stage::Well) {
            self.stage = Stage::Returning { share: AFTER_LINK, since: now, good: 0, bad: 0 };
        }
        self.bound_before = true;
    }

    /// What follows from the counts, and from time.
    pub fn look(&mut self, settings: &HealthSettings, now: Instant) {
        match &mut self.stage {
            Stage::Well => {
                if let Some(why) = self.complaint(settings, now) {
                    self.fall_sick(why, settings, now);
                }
            }
            Stage::Sick { until, .. } if *until <= now => {
                // What made it sick is not held against it a second time.
                (self.answers, self.receipts) = (Counts::new(ANSWERS, now), Counts::new(RECEIPTS, now));
                self.stage = Stage::Returning { share: PROBES, since: now, good: 0, bad: 0 };
            }
            Stage::Sick { .. } => {}
            Stage::Returning { share, since, good, bad } => {
                let rested = now.saturating_duration_since(*since) >= STEP;
                if *good >= GOOD_FOR_MORE || rested && bad <= good {
                    *share = share.saturating_mul(2);
                    (*since, *good, *bad) = (now, 0, 0);
                }
                if *share >= FULL_SHARE {
                    self.stage = Stage::Well;
                    self.relapses = 0;
                }
            }
        }
    }

    /// For people.
    pub fn view(&mut self, now: Instant) -> HealthView {
        let (state, reason) = match &self.stage {
            Stage::Well => ("well", None),
            Stage::Sick { why, .. } => ("sick", Some(why.clone())),
            Stage::Returning { .. } => ("returning", None),
        };
        let error_percent = self.answers.percent_bad(now);
        let delivered_percent = self.receipts.percent_bad(now).map(|bad| 100 - bad);
        HealthView { state, share: self.share(), reason, error_percent, delivered_percent }
    }

    /// How fast the carrier answered lately; `None` if it did not.
    pub fn answers_a_second(&mut self, now: Instant) -> Option<f64> {
        self.answers.advance(now);
        let over = now.saturating_duration_since(self.answers.began).min(ANSWERS.slot * ANSWERS.slots as u32);
        let rate = self.answers.total() as f64 / over.as_secs_f64().max(1.0);
        (rate > 0.0).then_some(rate)
    }

    /// What is wrong with it, if anything is.
    fn complaint(&mut self, settings: &HealthSettings, now: Instant) -> Option<String> {
        let enough = |counts: &Counts| counts.total() >= u64::from(settings.min_samples);
        if let Some(bad) = self.answers.percent_bad(now).filter(|_| enough(&self.answers))
            && bad >= settings.max_error_percent
        {
            return Some(format!("{bad}% of the last minute's answers were failures"));
        }
        let least = settings.min_delivered_percent?;
        let delivered = self.receipts.percent_bad(now).map(|bad| 100 - bad).filter(|_| enough(&self.receipts))?;
        (delivered < least).then(|| format!("only {delivered}% of the last receipts said that it was delivered"))
    }

    fn fall_sick(&mut self, why: String, settings: &HealthSettings, now: Instant) {
        let base = Duration::from_secs(settings.probe_after_seconds.into());
        let rest = base.saturating_mul(1 << self.relapses.min(10)).min(SICK_MAX.max(base));
        self.relapses += 1;
        self.stage = Stage::Sick { until: now + rest, why: why.into() };
    }
}

/// Over how long something is counted.
#[derive(Clone, Copy, Debug)]
struct Span {
    slots: usize,
    slot: Duration,
}

/// How much went well and badly lately, in slots that are emptied one by one.
#[derive(Debug)]
struct Counts {
    span: Span,
    slots: Vec<(u64, u64)>,
    began: Instant,
    /// The newest slot, counted since `began`.
    newest: u64,
}

impl Counts {
    fn new(span: Span, now: Instant) -> Self {
        Self { span, slots: vec![(0, 0); span.slots], began: now, newest: 0 }
    }

    fn add(&mut self, good: bool, now: Instant) {
        self.advance(now);
        let place = (self.newest % self.span.slots as u64) as usize;
        if let Some(slot) = self.slots.get_mut(place) {
            *if good { &mut slot.0 } else { &mut slot.1 } += 1;
        }
    }

    /// Empties the slots that have become too old.
    fn advance(&mut self, now: Instant) {
        let number = (now.saturating_duration_since(self.began).as_millis() / self.span.slot.as_millis()) as u64;
        let steps = number.saturating_sub(self.newest).min(self.span.slots as u64);
        self.newest = self.newest.max(number);
        for back in 0..steps {
            let place = ((self.newest - back) % self.span.slots as u64) as usize;
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = (0, 0);
            }
        }
    }

    fn total(&self) -> u64 {
        self.slots.iter().map(|(good, bad)| good + bad).sum()
    }

    fn percent_bad(&mut self, now: Instant) -> Option<u8> {
        self.advance(now);
        let bad: u64 = self.slots.iter().map(|(_, bad)| bad).sum();
        (bad * 100).checked_div(self.total()).map(|percent| percent as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn settings() -> HealthSettings {
        HealthSettings { min_delivered_percent: Some(40), ..HealthSettings::default() }
    }

    fn answers(vitals: &mut Vitals, now: Instant, good: u32, bad: u32) {
        for good in [false].repeat(bad as usize).into_iter().chain([true].repeat(good as usize)) {
            vitals.answered(good, &settings(), now);
            vitals.look(&settings(), now);
        }
    }

    #[test]
    fn one_that_fails_is_passed_over_and_let_back_gently() {
        let start = Instant::now();
        let mut vitals = Vitals::new(start);
        answers(&mut vitals, start, 0, 19);
        assert_eq!(vitals.share(), FULL_SHARE, "too few to judge by");
        answers(&mut vitals, start, 0, 1);
        let view = vitals.view(start);
        assert_eq!((view.state, view.share, view.error_percent), ("sick", 0, Some(100)));
        let later = start + 30 * SECOND;
        vitals.look(&settings(), later - SECOND);
        assert_eq!(vitals.share(), 0);
        vitals.look(&settings(), later);
        let mut shares = vec![vitals.share()];
        while vitals.share() < FULL_SHARE {
            answers(&mut vitals, later, 1, 0);
            shares.push(vitals.share());
        }
        shares.dedup();
        assert_eq!(shares, [20, 40, 80, 160, 320, 640, 1000]);
        assert_eq!(vitals.view(later).state, "well");
    }

    #[test]
    fn a_relapse_takes_longer() {
        let start = Instant::now();
        let mut vitals = Vitals::new(start);
        answers(&mut vitals, start, 0, 20);
        let mut now = start;
        for rest in [30, 60, 120, 240, 480, 600, 600] {
            vitals.look(&settings(), now + rest * SECOND - SECOND);
            assert_eq!(vitals.share(), 0, "{rest}");
            now += rest * SECOND;
            vitals.look(&settings(), now);
            assert_eq!(vitals.share(), 20);
            answers(&mut vitals, now, 0, 3);
            assert_eq!(vitals.view(now).reason.as_deref(), Some("3 of 3 probes failed"));
        }
    }

    #[test]
    fn time_alone_brings_a_quiet_one_back() {
        let start = Instant::now();
        let mut vitals = Vitals::new(start);
        vitals.bound(start);
        assert_eq!(vitals.share(), FULL_SHARE, "the first bind is no return");
        vitals.bound(start);
        assert_eq!((vitals.share(), vitals.view(start).state), (200, "returning"));
        for step in 1..=3 {
            vitals.look(&settings(), start + step * STEP);
        }
        assert_eq!(vitals.share(), FULL_SHARE);
    }

    #[test]
    fn receipts_that_tell_of_failures_count_if_that_is_wanted() {
        let start = Instant::now();
        let mut vitals = Vitals::new(start);
        let lenient = HealthSettings::default();
        for n in 0..30 {
            vitals.receipt(n % 3 == 0, start);
            vitals.look(&lenient, start);
        }
        assert_eq!((vitals.share(), vitals.view(start).delivered_percent), (FULL_SHARE, Some(34)));
        vitals.look(&settings(), start);
        assert!(vitals.view(start).reason.unwrap().contains("delivered"));
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let start = Instant::now();
        let mut vitals = Vitals::new(start);
        answers(&mut vitals, start, 0, 19);
        let later = start + 61 * SECOND;
        answers(&mut vitals, later, 1, 1);
        assert_eq!(vitals.view(later).error_percent, Some(50));
        assert_eq!(vitals.share(), FULL_SHARE);
        assert_eq!(vitals.view(later + 3600 * SECOND).error_percent, None);
    }
}
