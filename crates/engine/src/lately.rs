//! Lately: how often phones were answered, so that machines don't answer each other for ever.

use model::{Body, Name, Timestamp};

use crate::persist::Recent;
use crate::respond::{Action, unanswerable};
use crate::world::World;

/// Answers that one phone gets by one rule in [`WHILE_SECONDS`], where the rule does not say.
const REPLIES_MAX: u32 = 3;
/// Messages of one phone that one rule sends on in [`WHILE_SECONDS`].
const FORWARDS_MAX: u32 = 30;
/// Messages of all phones together that one rule sends on to a group in [`WHILE_SECONDS`].
const GROUP_FORWARDS_MAX: u32 = 100;
/// Ten minutes.
const WHILE_SECONDS: i64 = 600;
/// Phones and rules remembered at a time; the longest silent is forgotten first.
const PHONES_MAX: usize = 100_000;

/// A rule, a phone, and what is done about it. No phone is everybody.
type Conversation = (Name, Box<str>, Action);

/// What was answered lately. Forgotten when the process ends.
#[derive(Debug)]
pub(crate) struct Lately(Recent<Conversation, Vec<Timestamp>>);

impl Default for Lately {
    fn default() -> Self {
        Self(Recent::new(PHONES_MAX))
    }
}

impl Lately {
    /// Why nothing is sent because of `cause`, if it would be better not to; otherwise it is counted.
    /// At `most` so many times, or as many as is usual.
    #[expect(clippy::too_many_arguments, reason = "what is done, by which rule, because of what, and when")]
    pub fn holds_back(
        &mut self,
        action: Action,
        rule: &Name,
        most: Option<u32>,
        cause: &Body,
        text: Option<&str>,
        world: &World,
        now: Timestamp,
    ) -> Option<String> {
        if let Some(why) = unanswerable(action, (&cause.from, &cause.to), text, world) {
            return Some(why);
        }
        let most = most.unwrap_or(match action {
            Action::Reply => REPLIES_MAX,
            Action::Forward => FORWARDS_MAX,
        });
        let may = self.once_more((rule.clone(), cause.from.bare().into(), action), most, now);
        (!may).then(|| format!("{} wrote too often: {most} in ten minutes are enough", cause.from))
    }

    /// Why a message is not sent on to a group, if so many were that a loop is likely; otherwise it is counted.
    pub fn holds_back_group(&mut self, rule: &Name, now: Timestamp) -> Option<String> {
        let may = self.once_more((rule.clone(), "".into(), Action::Forward), GROUP_FORWARDS_MAX, now);
        (!may).then(|| format!("the rule sent on too often: {GROUP_FORWARDS_MAX} messages in ten minutes are enough"))
    }

    /// May this be done once more? Then it is counted.
    fn once_more(&mut self, conversation: Conversation, most: u32, now: Timestamp) -> bool {
        let mut times = self.0.take(&conversation).unwrap_or_default();
        times.retain(|at| now.millis_since(*at) < WHILE_SECONDS * 1000);
        let may = times.len() < most as usize;
        if may {
            times.push(now);
        }
        self.0.insert(conversation, times);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_answered_so_often_in_ten_minutes() {
        let mut lately = Lately::default();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000).plus_seconds(seconds);
        let mut asks = |phone: &str, rule: &str, seconds| {
            lately.once_more((rule.into(), phone.into(), Action::Reply), 3, at(seconds))
        };
        assert!(asks("1", "a", 0) && asks("1", "a", 10) && asks("1", "a", 20));
        assert!(!asks("1", "a", 30), "the fourth");
        assert!(asks("2", "a", 30) && asks("1", "b", 30), "another phone, another rule");
        assert!(!asks("1", "a", 599));
        assert!(asks("1", "a", 600) && !asks("1", "a", 601), "the first is ten minutes ago");
        assert!(!asks("1", "a", -100), "a clock that goes back lets no more through");
    }

    #[test]
    fn a_group_hears_so_much_in_ten_minutes_whoever_writes() {
        let mut lately = Lately::default();
        let (now, rule) = (Timestamp::from_millis(1_000_000_000), Name::from("a"));
        let held = (0..=GROUP_FORWARDS_MAX).filter(|_| lately.holds_back_group(&rule, now).is_some()).count();
        assert_eq!(held, 1);
        assert_eq!(lately.holds_back_group(&"b".into(), now), None, "another rule");
        assert_eq!(lately.holds_back_group(&rule, now.plus_seconds(WHILE_SECONDS)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut lately = Lately(Recent::new(10));
        let now = Timestamp::from_millis(0);
        for n in 0..1000 {
            assert!(lately.once_more(("a".into(), n.to_string().into(), Action::Reply), 1, now));
        }
        assert!(!lately.once_more(("a".into(), "999".into(), Action::Reply), 1, now));
        assert!(lately.once_more(("a".into(), "1".into(), Action::Reply), 1, now), "it was forgotten");
    }
}
