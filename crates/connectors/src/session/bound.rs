//! The loop of one session, from the moment when its connections are there to its end.

use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::dispatch::{Desired, LinkEvent, LinkSession, Outcome, SessionState};
use model::resources::Connector;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Begun, Dialogue, Ended, Leg, News, Slot, Talk, Unsent, Wire, step};

/// Facts that may wait for the recorder before the session stops reading and taking.
const UNREPORTED_MAX: usize = 4096;
/// How long the last words, and the last facts, may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A session of a connector.
pub(super) struct Bound<'s, D: Dialogue> {
    slot: &'s mut Slot,
    engine: Engine,
    link: LinkSession,
    settings: Arc<Connector>,
    legs: Vec<Leg<D::Wire>>,
    began: Instant,
    dialogue: D,
    /// Since when every leg is bound.
    bound: Option<Instant>,
    stopped: bool,
    news: News,
}

impl<'s, D: Dialogue> Bound<'s, D> {
    pub(super) fn new(slot: &'s mut Slot, settings: Arc<Connector>, begun: Begun<D::Wire>) -> Self {
        Self {
            engine: slot.engine.clone(),
            link: slot.link.session(),
            dialogue: D::new(slot, &settings),
            settings,
            legs: begun.legs,
            began: begun.at,
            slot,
            bound: None,
            stopped: false,
            news: News::default(),
        }
    }

    /// Runs until the session is over and nothing of it is left.
    pub(super) async fn run(mut self) -> Ended {
        let mut desired = self.slot.desired.clone();
        let mut stop = self.slot.stop.clone();
        loop {
            let now = self.began.elapsed();
            self.follow_settings();
            self.hear(now);
            self.note_bound();
            self.end_if_asked(&desired, &stop, now);
            self.inquire(now);
            self.take(now);
            if self.legs.iter().all(|leg| leg.wire.is_closed()) {
                break;
            }
            let flowing = self.link.unreported() <= UNREPORTED_MAX;
            let can_take = flowing && self.room() > 0;
            let deadline = self.legs.iter().filter_map(|leg| leg.wire.next_deadline()).min();
            let deadline = self.began + deadline.unwrap_or(Duration::from_secs(3600));
            tokio::select! {
                () = step(&mut self.legs, self.began, flowing) => {}
                event = self.link.event(can_take) => if let LinkEvent::Acknowledged(acks) = event {
                    let now = self.began.elapsed();
                    for ack in acks {
                        self.dialogue.acknowledge(&mut self.legs, ack, &self.settings, now);
                    }
                },
                () = tokio::time::sleep_until(deadline) => {}
                // A sender that is gone means the same as being told to stop.
                _ = desired.changed(), if !self.stopped => {}
                _ = stop.changed(), if !self.stopped => {}
            }
        }
        self.finish().await
    }

    fn follow_settings(&mut self) {
        if self.slot.settings.has_changed().unwrap_or(false) {
            self.settings = self.slot.settings.borrow_and_update().clone();
            self.dialogue.follow(&self.settings);
        }
    }

    fn hear(&mut self, now: Duration) {
        let Self { slot, link, settings, news, dialogue, legs, .. } = self;
        let mut talk = Talk { link, settings, follow_ups: &slot.follow_ups, news };
        for (index, leg) in legs.iter_mut().enumerate() {
            dialogue.hear(index, &mut leg.wire, &mut talk, now);
        }
    }

    fn note_bound(&mut self) {
        if self.bound.is_none() && self.legs.iter().all(|leg| leg.wire.is_bound()) {
            self.bound = Some(Instant::now());
            self.slot.set_state(SessionState::Bound { since: self.engine.now() });
            tracing::info!(
                connector = %self.settings.id, session = self.slot.number, address = %self.settings.address, "bound"
            );
        }
    }

    /// Begins an orderly end if somebody wants one, or if a part of the session is over.
    fn end_if_asked(&mut self, desired: &watch::Receiver<Desired>, stop: &watch::Receiver<bool>, now: Duration) {
        let unwanted = *desired.borrow() != Desired::Running || *stop.borrow() || stop.has_changed().is_err();
        if unwanted && !self.stopped {
            self.stopped = true;
            self.news.ending.get_or_insert_with(|| "stopped".into());
        }
        if self.news.ending.is_some() || self.legs.iter().any(|leg| leg.wire.is_closed()) {
            for leg in &mut self.legs {
                leg.wire.end(now);
            }
            // That may close a session at once, which is news too.
            self.hear(now);
        }
    }

    /// How much may be sent now.
    fn room(&self) -> usize {
        if self.bound.is_none() || self.news.ending.is_some() || self.legs.iter().any(|leg| !leg.wire.is_bound()) {
            return 0;
        }
        let sender = self.legs.first().filter(|leg| !leg.wire.output_is_full());
        sender.map_or(0, |leg| self.dialogue.room(&leg.wire))
    }

    /// Asks the carrier what the engine wants to know, before new parts take the window.
    fn inquire(&mut self, now: Duration) {
        let bound = self.bound.is_some() && self.news.ending.is_none();
        let room = self.room();
        let Self { legs, link, dialogue, settings, .. } = self;
        let Some(leg) = legs.first_mut() else { return };
        let sender = Some(&leg.wire).filter(|wire| bound && wire.is_bound());
        let room_to_ask = sender.and_then(|wire| dialogue.room_to_ask(wire, settings));
        link.serve_inquiries(room_to_ask.is_some());
        for _ in 0..room.min(room_to_ask.unwrap_or(0)) {
            let Some(inquiry) = link.next_inquiry(std::time::Instant::now()) else { break };
            dialogue.ask(&mut leg.wire, inquiry, settings, now);
        }
    }

    fn take(&mut self, now: Duration) {
        let room = self.room();
        if room == 0 || self.link.unreported() > UNREPORTED_MAX {
            return;
        }
        let Self { legs, link, dialogue, settings, .. } = self;
        let Some(leg) = legs.first_mut() else { return };
        let jobs = link.take(room, std::time::Instant::now());
        if jobs.is_empty() {
            return;
        }
        let clock = self.engine.now();
        for job in jobs {
            match dialogue.submit(&mut leg.wire, &job, settings, clock, now) {
                Ok(()) => {}
                Err(Unsent::Never(reason)) => link.settle(job.ticket, Outcome::Refused(reason)),
                Err(Unsent::NotNow) => link.give_back(job.ticket),
            }
        }
    }

    async fn finish(mut self) -> Ended {
        let began = self.began;
        let legs = &mut self.legs;
        let last_words = async {
            while legs.iter().any(|leg| !leg.is_done()) {
                step(legs, began, false).await;
            }
        };
        // A peer that does not read does not hear them.
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        // If the recorder is stuck, dropping the session leaves the facts to the engine.
        let _ = tokio::time::timeout(LAST_WORDS, self.link.close()).await;
        let News { ending, closed, useful } = self.news;
        let credentials = closed.as_ref().is_some_and(|closed| closed.credentials);
        let reason = ending.or(closed.map(|closed| closed.reason)).unwrap_or_else(|| "the connection ended".into());
        let long = self.settings.reconnect.min_ms.max(10_000);
        let lasted = self.bound.is_some_and(|since| since.elapsed() >= Duration::from_millis(long.into()));
        Ended { reason, credentials, stopped: self.stopped, useful: useful || lasted }
    }
}
