//! The plan by which a message is cut, kept while its parts are sent.

use std::sync::Arc;

use model::Body;
use sms::{TextError, TextPlan};

/// The plan of the message that was cut last: its parts mostly follow one another.
#[derive(Debug, Default)]
pub(crate) struct LastPlan(Option<(Arc<Body>, TextPlan)>);

impl LastPlan {
    /// The plan of `body`. A message that was replaced has its id still, and another body: so it is looked at
    /// which body it is.
    pub(crate) fn of(&mut self, body: &Arc<Body>) -> Result<&TextPlan, TextError> {
        let last = self.0.take().filter(|(last, _)| Arc::ptr_eq(last, body));
        let last = match last {
            Some(last) => last,
            None => (body.clone(), engine::text::plan(body)?),
        };
        Ok(&self.0.insert(last).1)
    }
}
