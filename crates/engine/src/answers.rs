//! Answers: what a service says when an inbound rule's webhook calls it goes back to the phone.
//!
//! The call is a delivery like any other. When the service has answered it, the end of the delivery and
//! the message that goes back are one commit: after a crash either both are there, or neither, and then
//! the service is called again. So a phone gets one answer, however often the service was asked.

use std::fmt;

use model::submission::EncodingChoice;
use model::{Delivery, Name, Progress};
use routing::InboundPlan;
use sms::{Choice, TextOptions};

use crate::persist::{Draft, Recorder};
use crate::respond::{Action, Manner};
use crate::validate::choice_of;
use crate::world::{AccountView, World};

/// Answers that one phone gets by one rule in ten minutes, where the rule does not say: people talk to
/// services.
const ANSWERS_MAX: u32 = 30;
/// Most characters of an answer: a longer one is cut.
pub const ANSWER_TEXT_MAX: usize = 1600;
/// Parts that an answer may have, where the rule does not say.
const PARTS_MAX: u8 = 10;
/// What stands in the timeline of a message that was a word to opt out, to opt in or for help: nothing
/// else answers it.
const WORDS: [&str; 3] = ["opted_out", "opted_in", "helped"];

/// What a service answered.
#[derive(Clone, PartialEq, Eq)]
pub enum ServiceAnswer {
    /// A text for the phone.
    Text {
        /// It, not empty.
        text: String,
        /// From whom, if not from the number that the phone wrote to.
        from: Option<String>,
        /// In which alphabet.
        encoding: EncodingChoice,
        /// Message class, 0 (flash) to 3.
        class: Option<u32>,
    },
    /// Something that can't be sent to a phone.
    Unfit {
        /// For a person: what it is.
        why: Box<str>,
    },
}

impl fmt::Debug for ServiceAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Texts don't belong in a log.
            Self::Text { text, .. } => f.debug_struct("Text").field("octets", &text.len()).finish_non_exhaustive(),
            Self::Unfit { why } => f.debug_struct("Unfit").field("why", why).finish(),
        }
    }
}

/// What an inbound rule makes of its service's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnswerRules {
    pub rule: Name,
    /// Answers that one phone gets in a while.
    pub limit: Option<u32>,
    /// Parts that an answer may have.
    pub max_parts: Option<u8>,
    /// Headers of the answer count, as Kannel has them.
    pub headers: bool,
}

impl Recorder {
    /// A service has answered `delivery`: its text goes to the phone in the commit that ends the delivery.
    pub(crate) fn answered(&mut self, delivery: &Delivery, answer: ServiceAnswer, world: &World, draft: &mut Draft) {
        // What a rule no longer says is not done, and a message that was dropped with its day had its time.
        let view = world.endpoint(&delivery.endpoint).filter(|view| view.account == delivery.account);
        let Some(rules) = view.and_then(|view| view.answers.as_ref()) else { return };
        let Some(message) = delivery.message.and_then(|id| draft.message(id)) else { return };
        let (body, mut progress) = (message.body.clone(), message.progress.clone());
        let now = draft.now;
        if let Some(word) = word_of(&progress) {
            let why = format!("it was heeded as a word of opting out ({word})");
            progress.note(now, Action::Reply.undone(), None, Some(why.into()));
            draft.retell(body.id, progress);
            return;
        }
        let consequences = match answer {
            ServiceAnswer::Unfit { why } => {
                progress.note(now, Action::Reply.undone(), None, Some(why));
                self.engine.inner.metrics.responded(&rules.rule, Action::Reply.as_str(), "held_back", 1);
                Vec::new()
            }
            ServiceAnswer::Text { text, from, encoding, class } => {
                let Some(account) = world.account(&delivery.account) else { return };
                let text = cut(&text, choice_of(encoding), rules.max_parts.unwrap_or(PARTS_MAX), account).to_owned();
                let plan = InboundPlan {
                    rule: rules.rule.clone(),
                    account: account.id.clone(),
                    deliver: Vec::new(),
                    reply: Some(text),
                    reply_limit: Some(rules.limit.unwrap_or(ANSWERS_MAX)),
                    forward: Vec::new(),
                    forward_text: None,
                    group: None,
                };
                let manner = Manner { from, encoding, class, heeds_word: false };
                self.respond(&plan, &body, &mut progress, world, now, &manner)
            }
        };
        draft.retell(body.id, progress);
        consequences.into_iter().for_each(|consequence| draft.follow(consequence));
    }
}

fn word_of(progress: &Progress) -> Option<&'static str> {
    WORDS.into_iter().find(|word| progress.events.iter().any(|event| event.what == *word))
}

/// As much of a text as fits into so many parts.
fn cut<'t>(text: &'t str, choice: Choice, most: u8, account: &AccountView) -> &'t str {
    let options = TextOptions {
        choice,
        transliterate: false,
        languages: &account.languages,
        wide_reference: false,
        max_parts: most,
    };
    let end = text.char_indices().nth(ANSWER_TEXT_MAX).map_or(text.len(), |(at, _)| at);
    let text = text.get(..end).unwrap_or_default();
    let fits = |text: &str| sms::plan(text, &options).is_ok();
    if fits(text) {
        return text;
    }
    // More text is never fewer parts.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let fitting = ends.partition_point(|end| text.get(..*end).is_some_and(fits));
    let end = ends.get(fitting.saturating_sub(1)).copied().unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(text: &str, most: u8) -> usize {
        let account = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
        let set = model::resources::ResourceSet { accounts: vec![account], ..Default::default() };
        let world = World::compile(1, set);
        cut(text, Choice::Auto, most, world.account("a").unwrap()).chars().count()
    }

    #[test]
    fn an_answer_is_cut_where_its_last_part_ends() {
        assert_eq!(fitting("hello", 1), 5);
        assert_eq!(fitting(&"x".repeat(160), 1), 160);
        assert_eq!(fitting(&"x".repeat(161), 1), 160);
        assert_eq!(fitting(&"x".repeat(900), 3), 459);
        assert_eq!(fitting(&"ж".repeat(900), 2), 134);
        assert_eq!(fitting(&format!("{}ж", "x".repeat(160)), 1), 160, "what comes later does not count");
        assert_eq!(fitting(&"€".repeat(100), 1), 80, "an escape is never cut in two");
        assert_eq!(fitting(&"😀".repeat(40), 1), 35);
        assert_eq!(fitting(&"x".repeat(5000), 255), ANSWER_TEXT_MAX);
        assert_eq!(fitting("", 1), 0);
    }

    #[test]
    fn what_is_logged_of_an_answer_has_no_text() {
        let encoding = EncodingChoice::default();
        let answer = ServiceAnswer::Text { text: "secret".into(), from: None, encoding, class: None };
        assert_eq!(format!("{answer:?}"), "Text { octets: 6, .. }");
    }
}
