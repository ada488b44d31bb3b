//! Messages: from the queue into requests, and from answers to their ends.

use std::time::{Duration, SystemTime};

use engine::dispatch::{Job, Outcome};
use model::resources::http::HttpClass;
use model::{Content, MessageId};
use tokio::time::Instant;

use super::access::Generation;
use super::{Load, Session};
use crate::http::answer::{Verdict, retry_after};
use crate::http::client::Exchanged;
use crate::http::values::{Outgoing, Values, unsendable};

/// A message under way: its ticket, its id, and what `{id}` was.
pub(super) type Sent = (u64, MessageId, Box<str>);

impl Session<'_> {
    /// Messages that the window has room for.
    pub(super) fn room(&self) -> usize {
        usize::from(self.settings.window.max(1)).saturating_sub(self.flying.len()).saturating_mul(self.batch())
    }

    /// Messages that go into one request.
    fn batch(&self) -> usize {
        if self.singly > 0 { 1 } else { self.api.batch }
    }

    /// Takes as many messages as there is room for, and sends them.
    pub(super) fn take(&mut self) {
        let room = self.room();
        if room == 0 {
            return;
        }
        let jobs = self.link.take(room, std::time::Instant::now());
        let (texts, octets): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| matches!(job.body.content, Content::Text(_)));
        let mut texts = texts.into_iter().peekable();
        while texts.peek().is_some() {
            let some: Vec<Job> = texts.by_ref().take(self.batch()).collect();
            self.singly = self.singly.saturating_sub(some.len());
            self.send(some, false);
        }
        for job in octets {
            // Each takes a request of its own, and there was room for batches.
            match self.room() {
                0 => self.link.give_back(job.ticket),
                _ => self.send(vec![job], true),
            }
        }
    }

    /// Sends messages in one request.
    fn send(&mut self, jobs: Vec<Job>, binary: bool) {
        let api = self.api.clone();
        let request = if binary { api.binary.as_ref() } else { Some(&api.send) };
        let Some(request) = request else {
            let reason = unsendable("http.binary is missing: the description says not how octets are sent");
            return jobs.iter().for_each(|job| self.link.settle(job.ticket, Outcome::Refused(reason.clone())));
        };
        let mut outgoing = Vec::with_capacity(jobs.len());
        let mut load = Vec::with_capacity(jobs.len());
        for job in &jobs {
            match Outgoing::new(job, request.wants_octets) {
                Ok(one) => {
                    load.push((job.ticket, job.body.id, one.id.clone()));
                    outgoing.push(one);
                }
                Err(reason) => self.link.settle(job.ticket, Outcome::Refused(reason)),
            }
        }
        if outgoing.is_empty() {
            return;
        }
        let plain = Values::plain(&api.known, self.slot.engine.now());
        let values: Vec<Values<'_>> = outgoing.iter().map(|one| Values { message: Some(one), ..plain }).collect();
        match request.write(&api.origin, &values, self.access.header()) {
            Ok(request) => self.fly(Load::Messages(load), request),
            Err(reason) => {
                for (ticket, ..) in load {
                    self.link.settle(ticket, Outcome::Refused(reason.clone()));
                }
            }
        }
    }

    /// The request of these messages came to this.
    pub(super) fn answered(&mut self, messages: &[Sent], generation: Generation, exchanged: Exchanged) {
        let document = match exchanged {
            Exchanged::Answered(document) => document,
            Exchanged::NotSent(why) => {
                messages.iter().for_each(|(ticket, ..)| self.link.give_back(*ticket));
                return self.end(why, false);
            }
            Exchanged::Lost(why) => {
                messages.iter().for_each(|(ticket, ..)| self.link.settle(*ticket, Outcome::InDoubt));
                return self.end(why, false);
            }
        };
        let ids: Vec<&str> = messages.iter().map(|(_, _, id)| &**id).collect();
        let wait = retry_after(&document, SystemTime::now());
        let verdicts = self.api.reader.answers(&document, &ids);
        let refused = |verdict: &Verdict| matches!(verdict, Verdict::Not(HttpClass::Permanent, _));
        if messages.len() > 1 && !document.is_success() && verdicts.iter().all(refused) {
            // One of them may be what is wrong with all: each by itself shows which.
            self.singly = self.singly.saturating_add(messages.len());
            return messages.iter().for_each(|(ticket, ..)| self.link.give_back(*ticket));
        }
        for ((ticket, message, _), verdict) in messages.iter().zip(verdicts) {
            self.settle((*ticket, *message, generation), verdict, wait);
        }
    }

    fn settle(
        &mut self,
        (ticket, message, generation): (u64, MessageId, Generation),
        verdict: Verdict,
        wait: Option<Duration>,
    ) {
        let (class, reason) = match verdict {
            Verdict::Sent(remote_id) => {
                self.useful = true;
                self.access.took(generation);
                self.patience.decided(message);
                if self.settings.query_after_seconds.is_some() {
                    self.slot.follow_ups.sent(message);
                }
                return self.link.settle(ticket, Outcome::Sent { remote_id });
            }
            Verdict::Not(class, reason) => (class, reason),
        };
        match class {
            HttpClass::Permanent | HttpClass::Accepted => {
                self.useful = true;
                self.patience.decided(message);
                self.link.settle(ticket, Outcome::Refused(reason));
            }
            HttpClass::Temporary => {
                let after = self.patience.refused(message).max(wait.unwrap_or_default());
                self.link.settle(ticket, Outcome::Retry { after, reason });
            }
            HttpClass::Throttled => {
                if let Some(wait) = wait {
                    let until = Instant::now() + wait;
                    self.not_before = Some(self.not_before.map_or(until, |at| at.max(until)));
                }
                self.link.settle(ticket, Outcome::Throttled(reason));
            }
            HttpClass::Doubt => {
                self.link.settle(ticket, Outcome::InDoubt);
                // What is sent again at once may go out as often as the provider answers so: first a pause.
                self.end(reason.detail, false);
            }
            HttpClass::Credentials => {
                self.link.give_back(ticket);
                if !self.access.not_known(generation) {
                    self.end(reason.detail, true);
                }
            }
        }
    }
}
