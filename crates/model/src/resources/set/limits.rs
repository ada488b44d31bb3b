//! What must be true of the limits of accounts. Patterns are compiled, and looked at, where they
//! are used.

use super::Faults;
use crate::resources::{Account, Kind, LIMIT_LIST_MAX, SenderRule};
use crate::{Address, country};

impl Faults {
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
        if account.throughput == Some(0) {
            fault(
                "throughput".into(),
                "must be at least 1 part a second; set enabled = false to stop an account".into(),
            );
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
        "#;
        assert_eq!(faults(good), Vec::<String>::new());
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
            ("throughput = 0", "throughput: must be at least 1"),
        ] {
            let faults = faults(&format!("[[account]]\nid = \"shop\"\n{bad}\n"));
            assert!(faults.len() == 1 && faults[0].contains(told), "{bad}: {faults:?}");
        }
    }
}
