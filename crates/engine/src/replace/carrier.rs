//! A message that a carrier has all of is replaced by the carrier: it is asked, and only when it says yes
//! the message says something else here, too.
//!
//! Between the question and the answer the store has what was sent, and a timeline that tells of the
//! question (`replace_asked`). If the process ends there, that is what is left: nobody can say which text
//! went out, and asking again is harmless. Receipts that come meanwhile are taken as ever; when the
//! carrier's yes comes after them, it is recorded all the same.

use std::sync::Arc;

use model::{Body, LedgerId, Message, MessageId};

use super::{At, ReplaceError, Sound};
use crate::engine::Engine;
use crate::inquire::{Answers, Ask, CarrierError, InquireError, first_refusal};
use crate::text;

impl Engine {
    /// Has the carrier replace a message of which it has all.
    pub(super) async fn replaced_by_carrier(&self, id: MessageId, sound: Sound) -> Result<Message, ReplaceError> {
        // Another one who has it replaced is waited for before it is read.
        let only = self.inner.desks.only_one(id).ok_or(CarrierError::Busy)?;
        let message = self.inner.store.messages(&[id]).await?.pop().ok_or(ReplaceError::NoSuchMessage)?;
        let body = self.instead(&message, sound)?;
        let connector = message.progress.connector.clone().ok_or(ReplaceError::TooLate)?;
        let answers = self.inquire(&connector, message, vec![0], Ask::Replace(body.clone()), Some(only)).await;
        let Answers { message, told } = match answers {
            Ok(answers) => answers,
            Err(InquireError::Carrier(error)) => return Err(error.into()),
            Err(InquireError::Store(error)) => return Err(error.into()),
        };
        match first_refusal(&told) {
            Some((part, reason)) => Err(CarrierError::Refused { part, reason: reason.clone().into() }.into()),
            None => Ok(message),
        }
    }

    /// What is to take the place of a message that a carrier has.
    fn instead(&self, message: &Message, mut sound: Sound) -> Result<Arc<Body>, ReplaceError> {
        let (world, now) = (self.world(), self.now());
        let counted = text::plan(&message.body).map_or(1, |plan| plan.part_count());
        match message.progress.parts.len().max(counted) {
            ..=1 => {}
            _ if message.progress.status.is_final() => return Err(ReplaceError::TooLate),
            parts => return Err(ReplaceError::InParts(parts)),
        }
        if !message.is_whole_at_carrier() || message.body.expires_at <= now {
            return Err(ReplaceError::TooLate);
        }
        let account = world.account(&message.body.account).ok_or(ReplaceError::NoSuchMessage)?;
        // One part takes the place of one, which costs neither more nor less.
        sound.max_parts = 1;
        let at = At { now, entry: LedgerId(self.next_id(now).0) };
        let planned = sound.plan(message, account, &world, at)?;
        debug_assert!(planned.claim.is_none() && planned.refund.is_none(), "a part costs what a part costs");
        if sound.content.is_some() {
            self.routed_again(&world, message, &planned.body)?;
        }
        Ok(Arc::new(planned.body))
    }
}
