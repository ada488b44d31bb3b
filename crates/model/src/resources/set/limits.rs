//! What must be true of the limits of accounts. Patterns are compiled, and looked at, where they
//! are used.

use std::collections::HashMap;

use super::{Faults, no_such};
use crate::resources::{
    Account, Kind, LIMIT_LIST_MAX, OPT_OUT_REPLY_MAX, OPT_OUT_WORD_MAX, OPT_OUT_WORDS_MAX, SHARE_MAX, SenderRule,
};
use crate::{Address, country};

/// Accounts above each other at the most.
const PARENTS_MAX: usize = 4;

impl Faults {
    pub(super) fn opt_out(&mut self, account: &Account) {
        let Some(words) = &account.opt_out else { return };
        let mut fault = |field: String, detail: String| {
            self.add(Kind::Account, &account.id, format!("opt_out.{field}"), detail);
        };
        for (field, list) in [("stop", &words.stop), ("start", &words.start), ("help", &words.help)] {
            if list.len() > OPT_OUT_WORDS_MAX {
                fault(field.into(), format!("has {} words; {OPT_OUT_WORDS_MAX} are allowed", list.len()));
            }
            for (n, word) in list.iter().enumerate() {
                if !(1..=OPT_OUT_WORD_MAX).contains(&word.chars().count()) || !word.contains(char::is_alphanumeric) {
                    fault(
                        format!("{field}.{n}"),
                        format!("must be 1 to {OPT_OUT_WORD_MAX} characters, one of them a letter or digit"),
                    );
                }
            }
        }
        let replies =
            [("stop_reply", &words.stop_reply), ("start_reply", &words.start_reply), ("help_reply", &words.help_reply)];
        for (field, reply) in replies {
            if reply.as_ref().is_some_and(|reply| reply.chars().count() > OPT_OUT_REPLY_MAX) {
                fault(field.into(), format!("is longer than {OPT_OUT_REPLY_MAX} characters"));
            }
        }
    }

    /// Accounts stand in trees that are not too high.
    pub(super) fn parents(&mut self, accounts: &[Account]) {
        let parents: HashMap<&str, Option<&str>> =
            accounts.iter().map(|account| (account.id.as_str(), account.parent.as_deref())).collect();
        for account in accounts {
            let Some(parent) = account.parent.as_deref() else { continue };
            if !parents.contains_key(parent) {
                self.add(Kind::Account, &account.id, "parent", no_such("account", parent));
                continue;
            }
            let above = std::iter::successors(Some(parent), |id| parents.get(id).copied().flatten());
            if above.take(PARENTS_MAX + 1).count() > PARENTS_MAX {
                let detail = format!("more than {PARENTS_MAX} accounts would stand above it, or it above itself");
                self.add(Kind::Account, &account.id, "parent", detail);
            }
        }
    }

    pub(super) fn limits(&mut self, account: &Account) {
        let mut fault = |field: String, detail: String| self.add(Kind::Account, &account.id, field, detail);
        for (n, rule) in account.allowed_senders.iter().enumerate() {
            let field = format!("allowed_senders.{n}");
            match rule {
                SenderRule::Exact(sender) => {
                    if let Err(error) = Address::sender(sender, None) {
                        fault(field, format!("\"{sender}\" {error}"));
                    }
                }
                SenderRule::Family(family) => {
                    let given = [family.prefix.is_some(), family.regex.is_some(), family.kind.is_some()];
                    if given.iter().filter(|given| **given).count() != 1 {
                        fault(field, "needs just one of prefix, regex and type".into());
                    } else if family.prefix.as_deref().is_some_and(|p| p.is_empty() || p.starts_with('+')) {
                        fault(field, "prefix must not be empty or begin with +".into());
                    }
                }
            }
        }
        let lists = [
            ("allowed_senders", account.allowed_senders.len()),
            ("allowed_countries", account.allowed_countries.len()),
            ("denied_countries", account.denied_countries.len()),
        ];
        for (field, entries) in lists {
            if entries > LIMIT_LIST_MAX {
                fault(field.into(), format!("has {entries} entries; {LIMIT_LIST_MAX} are allowed"));
            }
        }
        for (field, countries) in
            [("allowed_countries", &account.allowed_countries), ("denied_countries", &account.denied_countries)]
        {
            for (n, iso) in countries.iter().enumerate().filter(|(_, iso)| country::find(iso).is_none()) {
                fault(format!("{field}.{n}"), format!("\"{iso}\" is no ISO 3166 country code such as GB"));
            }
        }
        if let Some(prepaid) = &account.prepaid
            && let Some(price) = account.price.as_ref().filter(|price| price.currency != prepaid.currency)
        {
            let (price, balance) = (price.currency.as_str(), prepaid.currency.as_str());
            fault(
                "price.currency".into(),
                format!("is {price}, and the balance is in {balance}; they must be the same"),
            );
        }
        if account.priority_share.is_some_and(|share| !(1..=SHARE_MAX).contains(&share)) {
            fault("priority_share".into(), format!("must be 1 to {SHARE_MAX}"));
        }
        if account.quiet_hours.as_ref().is_some_and(|hours| hours.exempt_priority.is_some_and(|p| p > 3)) {
            fault("quiet_hours.exempt_priority".into(), "must be 0 to 3".into());
        }
        for (field, detail) in account.pace.iter().flat_map(|pace| pace.faults()) {
            fault(format!("pace.{field}"), detail);
        }
        if account.throughput == Some(0) {
            fault(
                "throughput".into(),
                "must be at least 1 part a second; set enabled = false to stop an account".into(),
            );
        }
        if account.max_queue == Some(0) {
            fault("max_queue".into(), "must be at least 1 message; set enabled = false to stop an account".into());
        }
        if let Some(price) = &account.price {
            self.prices(Kind::Account, &account.id, "price", price);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    #[test]
    fn limits_that_can_be_kept_have_no_faults() {
        let good = r#"
            [[account]]
            id = "shop"
            allowed_senders = ["SHOP", "+447700900123", { prefix = "4477" }, { regex = "^[A-Z]+$" }, { type = "numeric" }]
            allowed_countries = ["GB", "de"]
            denied_countries = ["FR"]
            throughput = 100
            max_queue = 1
            quota = { daily = 0, monthly = 100000 }
            price = { currency = "EUR", default = "0.05" }
            prepaid = { currency = "EUR", overdraft = 10, warn_below = "2.50" }
        "#;
        assert_eq!(faults(good), Vec::<String>::new());
    }

    #[test]
    fn accounts_stand_in_trees() {
        let set = |parents: &[(&str, &str)]| {
            let account = |(id, parent): &(&str, &str)| match *parent {
                "" => format!("[[account]]\nid = \"{id}\"\n"),
                parent => format!("[[account]]\nid = \"{id}\"\nparent = \"{parent}\"\n"),
            };
            faults(&parents.iter().map(account).collect::<String>())
        };
        assert_eq!(set(&[("e", "d"), ("d", "c"), ("c", "b"), ("b", "a"), ("a", "")]), Vec::<String>::new());
        assert_eq!(set(&[("f", "e"), ("e", "d"), ("d", "c"), ("c", "b"), ("b", "a"), ("a", "")]).len(), 1);
        assert_eq!(set(&[("a", "a")]).len(), 1);
        assert_eq!(set(&[("a", "b"), ("b", "a")]).len(), 2);
        assert!(set(&[("a", "x")])[0].contains("there is no account \"x\""));
    }

    #[test]
    fn every_limit_that_can_not_be_kept_is_told() {
        for (bad, told) in [
            ("allowed_senders = [\"A name too long\"]", "allowed_senders.0: \"A name too long\" is longer"),
            ("allowed_senders = [{}]", "allowed_senders.0: needs just one of"),
            (
                "allowed_senders = [\"A\", { prefix = \"4\", type = \"numeric\" }]",
                "allowed_senders.1: needs just one of",
            ),
            ("allowed_senders = [{ prefix = \"+44\" }]", "allowed_senders.0: prefix must not"),
            ("allowed_countries = [\"GB\", \"xx\"]", "allowed_countries.1: \"xx\" is no ISO"),
            ("denied_countries = [\"1\"]", "denied_countries.0: \"1\" is no ISO"),
            ("price = { currency = \"EUR\" }", "price: needs a default"),
            ("price = { currency = \"EUR\", prefixes = { x = 1 } }", "price.prefixes: \"x\" must be digits"),
            (
                "price = { currency = \"EUR\", default = 1 }\nprepaid = { currency = \"USD\" }",
                "price.currency: is EUR, and the balance is in USD",
            ),
            ("priority_share = 0", "priority_share: must be 1 to 1000"),
            (
                "quiet_hours = { from = \"21:00\", to = \"08:00\", exempt_priority = 4 }",
                "quiet_hours.exempt_priority: must be 0 to 3",
            ),
            ("pace = { per_sender = { parts = 0, seconds = 1 } }", "pace.per_sender.parts: must be 1 to 1000"),
            (
                "pace = { per_recipient = { messages = 1, seconds = 86401 } }",
                "pace.per_recipient.seconds: must be 1 to 86400",
            ),
            ("max_queue = 0", "max_queue: must be at least 1"),
            ("throughput = 0", "throughput: must be at least 1"),
        ] {
            let faults = faults(&format!("[[account]]\nid = \"shop\"\n{bad}\n"));
            assert!(faults.len() == 1 && faults[0].contains(told), "{bad}: {faults:?}");
        }
    }
}
