//! What a session asks the provider beside sending: what became of a message, what has come, and to be called.

use engine::dispatch::{Ask, Inquiry, Job, Told};
use model::Reason;
use tokio::time::Instant;

use super::{Load, Session};
use crate::http::client::Exchanged;
use crate::http::reader::ProviderReader;
use crate::http::values::{Outgoing, Values};

/// Questions under way at a time.
const INQUIRIES_MAX: usize = 8;

impl Session<'_> {
    /// Asks the provider what the engine wants to know.
    pub(super) fn ask(&mut self) {
        let api = self.api.clone();
        let Some(query) = &api.query else { return };
        while self.inquiries < INQUIRIES_MAX {
            let Some(inquiry) = self.link.next_inquiry(std::time::Instant::now()) else { return };
            if inquiry.ask == Ask::Cancel {
                let reason = Reason::new("cancel_refused", "the description knows no way to take a message back", true);
                inquiry.answer(Told::Refused(reason));
                continue;
            }
            let job = Job { ticket: 0, body: inquiry.body.clone(), part: inquiry.part, parts: 1 };
            let Ok(outgoing) = Outgoing::new(&job, false) else { continue };
            let plain = Values::plain(&api.known, self.slot.engine.now());
            let values = Values { message: Some(&outgoing), remote_id: Some(&inquiry.remote_id), ..plain };
            if let Ok(request) = query.write(&api.origin, &[values], self.access.header()) {
                self.inquiries += 1;
                self.fly(Load::Inquiry(Box::new(inquiry)), request);
            }
        }
    }

    /// Does what is due.
    pub(super) fn run_errands(&mut self) {
        let api = self.api.clone();
        while let Some(errand) = self.errands.due(Instant::now()) {
            let values = Values::plain(&api.known, self.slot.engine.now());
            let request = errand
                .request(&api)
                .and_then(|request| request.write(&api.origin, &[values], self.access.header()).ok());
            match request {
                Some(request) => self.fly(Load::Errand(errand), request),
                None => self.errands.forget(errand),
            }
        }
    }
}

/// Answers a question by what the provider said.
pub(super) fn told(reader: &ProviderReader, inquiry: Inquiry, exchanged: &Exchanged) {
    // Dropped unanswered: nobody knows.
    if let Exchanged::Answered(document) = exchanged {
        inquiry.answer(reader.told(document));
    }
}
