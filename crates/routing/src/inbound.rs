//! What becomes of a message that came in.

use std::collections::{HashMap, HashSet};

use model::resources::{Handover, Inbound, InboundGroup, Kind, ResourceSet};
use model::{Address, Name};
use regex::Regex;

use crate::error::{Faults, RuleError, RuleProblem};
use crate::keyword::{first_word, folded, rest};
use crate::pattern;
use crate::reply::{Filling, Reply};

/// What an inbound rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The connector that it came over.
    pub connector: &'a str,
    /// The number it was sent to.
    pub to: &'a Address,
    /// The phone that sent it.
    pub from: &'a Address,
    /// The text, if it is one.
    pub text: Option<&'a str>,
}

/// What becomes of a message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundPlan {
    /// The rule.
    pub rule: Name,
    /// The account that gets it.
    pub account: Name,
    /// How the account takes it; empty is every way that it has.
    pub deliver: Vec<Handover>,
    /// The text that answers it, to its sender and from the number that it was sent to.
    pub reply: Option<String>,
    /// How many such answers one phone gets in a while; `None` is as many as is usual.
    pub reply_limit: Option<u32>,
    /// Numbers that it is sent on to.
    pub forward: Vec<Address>,
    /// The text that they, or a group, are sent; `None` for what is no text.
    pub forward_text: Option<String>,
    /// What is done with a group.
    pub group: Option<InboundGroup>,
}

/// The inbound rules in order, ready to be asked. Those with keywords are looked up by the first
/// word of the text, the others with numbers by the number that a message was sent to.
#[derive(Debug, Default)]
pub struct InboundTable {
    rules: Vec<Rule>,
    /// Places in `rules`, by folded keyword.
    by_keyword: HashMap<Box<str>, Vec<u32>>,
    by_number: HashMap<Box<str>, Vec<u32>>,
    rest: Vec<u32>,
    /// Numbers that rules name as those that messages are sent to.
    own: HashSet<Box<str>>,
}

#[derive(Debug)]
struct Rule {
    id: Name,
    account: Name,
    connectors: Vec<Box<str>>,
    /// Without `+`, sorted.
    to: Vec<Box<str>>,
    from: Vec<Box<str>>,
    from_prefixes: Vec<Box<str>>,
    /// Folded.
    keywords: Vec<Box<str>>,
    text: Option<Regex>,
    deliver: Vec<Handover>,
    reply: Option<Reply>,
    reply_limit: Option<u32>,
    forward: Vec<Address>,
    forward_text: Option<Reply>,
    /// The text goes to somebody else.
    forwards: bool,
    group: Option<InboundGroup>,
    /// The field that is at fault: a rule that is not understood matches nothing.
    fault: Option<&'static str>,
}

impl InboundTable {
    /// Compiles `rules`, by their order and then as they stand. A rule with a fault matches nothing.
    #[must_use]
    pub fn new(rules: &[Inbound]) -> Self {
        Self::build(rules, &mut Vec::new())
    }

    /// The same, with every fault told at once. What rules refer to is looked up by
    /// [`ResourceSet::faults`].
    pub fn compile(set: &ResourceSet) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let table = Self::build(&set.inbound, &mut errors);
        if errors.is_empty() { Ok(table) } else { Err(errors) }
    }

    fn build(rules: &[Inbound], errors: &mut Vec<RuleError>) -> Self {
        let mut ordered: Vec<(&Inbound, Rule)> = rules.iter().map(|rule| (rule, Rule::compile(rule, errors))).collect();
        ordered.retain(|(rule, _)| rule.enabled);
        ordered.sort_by_key(|(rule, _)| rule.order);
        let mut table = Self { rules: ordered.into_iter().map(|(_, rule)| rule).collect(), ..Self::default() };
        table.own = table.rules.iter().flat_map(|rule| rule.to.iter().cloned()).collect();
        for (rule, number) in table.rules.iter().zip(0..) {
            let (lists, keys) = match () {
                () if !rule.keywords.is_empty() => (&mut table.by_keyword, &rule.keywords),
                () if !rule.to.is_empty() => (&mut table.by_number, &rule.to),
                () => {
                    table.rest.push(number);
                    continue;
                }
            };
            for key in keys {
                lists.entry(key.clone()).or_default().push(number);
            }
        }
        table
    }

    /// All that becomes of `message`; `None` if no rule matches. `clock` gives the day and the time in
    /// which an account thinks, as texts show them; it is asked only when one does.
    pub fn plan(&self, message: Incoming<'_>, clock: impl FnOnce(&str) -> (String, String)) -> Option<InboundPlan> {
        let rule = self.find(message)?;
        let text = message.text.unwrap_or_default();
        let asks = |reply: &Option<Reply>| reply.as_ref().is_some_and(Reply::asks_clock);
        let (date, time) = match asks(&rule.reply) || asks(&rule.forward_text) {
            true => clock(&rule.account),
            false => Default::default(),
        };
        let filling = Filling {
            from: message.from.as_str(),
            to: message.to.as_str(),
            keyword: first_word(text).unwrap_or_default(),
            text,
            rest: rest(text),
            date: &date,
            time: &time,
        };
        let passed_on = |text: &str| match &rule.forward_text {
            _ if !rule.forwards => None,
            Some(written) => Some(written.fill(filling)),
            None => Some(text.to_owned()),
        };
        Some(InboundPlan {
            rule: rule.id.clone(),
            account: rule.account.clone(),
            deliver: rule.deliver.clone(),
            reply: rule.reply.as_ref().map(|reply| reply.fill(filling)),
            reply_limit: rule.reply_limit,
            forward: rule.forward.clone(),
            forward_text: message.text.and_then(passed_on),
            group: rule.group.clone(),
        })
    }

    /// Is this a number that a rule names as one that messages are sent to? What it sends is sent by
    /// this gateway.
    #[must_use]
    pub fn is_own(&self, number: &Address) -> bool {
        self.own.contains(number.bare())
    }

    /// Every rule up to the one that decides: its id, and the field that stood against it.
    #[must_use]
    pub fn explain(&self, message: Incoming<'_>) -> Vec<crate::Tried> {
        let asked = Asked::new(message);
        let mut tried = Vec::new();
        for rule in &self.rules {
            let against = rule.against(&asked);
            tried.push(crate::Tried { route: rule.id.clone(), against });
            if against.is_none() {
                break;
            }
        }
        tried
    }

    fn find(&self, message: Incoming<'_>) -> Option<&Rule> {
        let asked = Asked::new(message);
        let number = self.by_number.get(message.to.bare());
        let words = asked.words.iter().flatten().map(|word| self.by_keyword.get(&**word));
        let lists = words.chain([number, Some(&self.rest)]).flatten();
        // Of each list the first that matches, of these the first of all.
        let fits = |number: &&u32| self.rules.get(**number as usize).is_some_and(|rule| rule.against(&asked).is_none());
        let first = lists.filter_map(|list| list.iter().find(fits)).min()?;
        self.rules.get(*first as usize)
    }
}

/// A message with what is worked out once for all rules.
struct Asked<'a> {
    message: Incoming<'a>,
    /// The first word folded: without the signs round it, and with them where that differs.
    words: [Option<Box<str>>; 2],
}

impl<'a> Asked<'a> {
    fn new(message: Incoming<'a>) -> Self {
        let text = message.text.unwrap_or_default();
        let (bare, whole) = (first_word(text), text.split_whitespace().next());
        let fold = |word: &str| folded(word).into();
        Self { message, words: [bare.map(fold), whole.filter(|word| Some(*word) != bare).map(fold)] }
    }
}

impl Rule {
    fn compile(rule: &Inbound, errors: &mut Vec<RuleError>) -> Self {
        let mut faults = Faults { kind: Kind::Inbound, id: &rule.id, errors, first: None };
        let wanted = &rule.matches;
        let text = wanted.text.as_deref().map(pattern::compile);
        let text = text.and_then(|text| faults.keep("text", "match.text".into(), text));
        let reply = rule.reply.as_deref().map(Reply::compile);
        let reply = reply.and_then(|reply| faults.keep("reply", "reply".into(), reply));
        let forward_text = rule.forward_text.as_deref().map(Reply::compile);
        let forward_text = forward_text.and_then(|text| faults.keep("forward_text", "forward_text".into(), text));
        let mut forward = Vec::with_capacity(rule.forward.len());
        for number in &rule.forward {
            let parsed = Address::recipient(number, None);
            let parsed = parsed.map_err(|error| RuleProblem::Address { text: number.clone(), error });
            forward.extend(faults.keep("forward", "forward".into(), parsed));
        }
        let bare = |list: &[String]| {
            let mut list: Vec<Box<str>> = list.iter().map(|n| n.strip_prefix('+').unwrap_or(n).into()).collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        let mut keywords: Vec<Box<str>> = wanted.keyword.iter().map(|word| folded(word.trim()).into()).collect();
        keywords.sort_unstable();
        keywords.dedup();
        Self {
            id: rule.id.as_str().into(),
            account: rule.account.as_str().into(),
            connectors: wanted.connector.iter().map(|name| name.as_str().into()).collect(),
            to: bare(&wanted.to),
            from: bare(&wanted.from),
            from_prefixes: bare(&wanted.from_prefix),
            keywords,
            text,
            deliver: rule.deliver.clone(),
            reply,
            reply_limit: rule.reply_limit,
            forward,
            forward_text,
            forwards: !rule.forward.is_empty() || rule.forwards_to_group(),
            group: rule.group.clone(),
            fault: faults.first,
        }
    }

    /// The field that stands against the message, if any does.
    fn against(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let message = &asked.message;
        let has = |list: &[Box<str>], is: &Address| list.binary_search_by(|entry| (**entry).cmp(is.bare())).is_ok();
        let sender = message.from.bare();
        if self.fault.is_some() {
            self.fault
        } else if !self.connectors.is_empty() && !self.connectors.iter().any(|c| **c == *message.connector) {
            Some("connector")
        } else if !self.to.is_empty() && !has(&self.to, message.to) {
            Some("to")
        } else if !self.from.is_empty() && !has(&self.from, message.from) {
            Some("from")
        } else if !self.from_prefixes.is_empty() && !self.from_prefixes.iter().any(|p| sender.starts_with(&**p)) {
            Some("from_prefix")
        } else if !self.keywords.is_empty() && !asked.words.iter().flatten().any(|word| self.keywords.contains(word)) {
            Some("keyword")
        } else if self.text.as_ref().is_some_and(|p| !message.text.is_some_and(|text| p.is_match(text))) {
            Some("text")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
