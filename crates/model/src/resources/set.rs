//! All resources together, and what must be true of them as a whole.

mod limits;
mod link;
mod rules;
mod session;
mod smpp;

use std::collections::BTreeSet;

use super::{
    Account, Connector, Inbound, Kind, POLICY_CACHE_SECONDS_MAX, POLICY_TIMEOUT_MS_MAX, Pool, Route, Secret, Token,
    is_signing_secret,
};
use crate::{Address, country, id, url};
pub use link::parse_status;
use rules::Known;

/// Longest name of a user of the compatible interfaces.
const USERNAME_MAX: usize = 64;

/// Every resource of a gateway.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceSet {
    /// Accounts.
    pub accounts: Vec<Account>,
    /// Connectors.
    pub connectors: Vec<Connector>,
    /// Pools.
    pub pools: Vec<Pool>,
    /// Routes, in the order in which they are looked at.
    pub routes: Vec<Route>,
    /// Inbound rules, in the order in which they are looked at.
    pub inbound: Vec<Inbound>,
    /// Tokens.
    pub tokens: Vec<Token>,
}

/// Something wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} \"{id}\": {field}: {detail}", kind.as_str())]
pub struct SetFault {
    /// What kind of resource.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// Which of its fields: a path such as `match.account` or `webhooks.0.url`.
    pub field: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl ResourceSet {
    /// Every fault there is; empty when the set may take effect.
    #[must_use]
    pub fn faults(&self) -> Vec<SetFault> {
        let mut faults = Faults(Vec::new());
        faults.ids(Kind::Account, self.accounts.iter().map(|r| &r.id));
        faults.ids(Kind::Connector, self.connectors.iter().map(|r| &r.id));
        faults.ids(Kind::Route, self.routes.iter().map(|r| &r.id));
        faults.ids(Kind::Inbound, self.inbound.iter().map(|r| &r.id));
        faults.ids(Kind::Token, self.tokens.iter().map(|r| &r.id));
        let known = Known {
            accounts: self.accounts.iter().map(|a| a.id.as_str()).collect(),
            connectors: self.connectors.iter().map(|c| c.id.as_str()).collect(),
            pools: self.pools.iter().map(|p| p.id.as_str()).collect(),
            costs: self.connectors.iter().filter_map(|c| Some((c.id.as_str(), c.cost.as_deref()?))).collect(),
        };
        self.accounts.iter().for_each(|a| faults.account(a));
        faults.parents(&self.accounts);
        faults.webhook_ids(&self.accounts);
        faults.usernames(&self.accounts);
        faults.mqtt_clients(&self.accounts);
        faults.smpp_logins(&self.accounts);
        faults.session_logins(&self.accounts);
        self.connectors.iter().for_each(|c| faults.connector(c));
        faults.ids(Kind::Pool, self.pools.iter().map(|r| &r.id));
        self.pools.iter().for_each(|p| faults.pool(p, &known));
        self.routes.iter().for_each(|r| faults.route(r, &known));
        self.inbound.iter().for_each(|r| faults.inbound(r, &known));
        for token in &self.tokens {
            if !known.accounts.contains(token.account.as_str()) {
                faults.add(Kind::Token, &token.id, "account", no_such("account", &token.account));
            }
            if !is_sha256(&token.sha256) {
                faults.add(Kind::Token, &token.id, "sha256", "must be 64 hexadecimal digits".into());
            }
        }
        faults.0
    }
}

fn no_such(what: &str, id: &str) -> String {
    format!("there is no {what} \"{id}\"; add it or correct the name")
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

struct Faults(Vec<SetFault>);

impl Faults {
    fn add(&mut self, kind: Kind, id: &str, field: impl Into<String>, detail: String) {
        self.0.push(SetFault { kind, id: id.to_owned(), field: field.into(), detail });
    }

    fn ids<'a>(&mut self, kind: Kind, ids: impl Iterator<Item = &'a String>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !id::is_name(id) {
                self.add(kind, id, "id", "must be 1 to 64 letters, digits, dots, hyphens or underscores".into());
            }
            if !seen.insert(id) {
                self.add(kind, id, "id", "is used twice; ids must differ".into());
            }
        }
    }

    fn account(&mut self, account: &Account) {
        let kind = Kind::Account;
        if let Some(iso) = &account.default_country
            && country::find(iso).is_none()
        {
            self.add(kind, &account.id, "default_country", format!("\"{iso}\" is no ISO 3166 country code such as GB"));
        }
        if let Some(sender) = &account.default_sender
            && let Err(error) = Address::sender(sender, None)
        {
            self.add(kind, &account.id, "default_sender", error.to_string());
        }
        if account.api_token_sha256.as_deref().is_some_and(|hash| !is_sha256(hash)) {
            self.add(kind, &account.id, "api_token_sha256", "must be 64 hexadecimal digits".into());
        }
        for (n, language) in account.languages.iter().enumerate().filter(|(_, l)| l.parse::<sms::Language>().is_err()) {
            let detail = format!("\"{language}\" has no national language shift table");
            self.add(kind, &account.id, format!("languages.{n}"), detail);
        }
        self.limits(account);
        self.opt_out(account);
        self.policy(account);
        if account.api_token == Some(Secret::Plain(String::new())) {
            self.add(kind, &account.id, "api_token", "is empty".into());
        }
        for (n, webhook) in account.webhooks.iter().enumerate() {
            self.hook(kind, &account.id, &format!("webhooks.{n}"), &webhook.url, webhook.secret.as_ref());
        }
    }

    fn policy(&mut self, account: &Account) {
        let Some(policy) = &account.policy else { return };
        let bounds = [
            ("timeout_ms", policy.timeout_ms, POLICY_TIMEOUT_MS_MAX),
            ("cache_seconds", policy.cache_seconds, POLICY_CACHE_SECONDS_MAX),
        ];
        for (key, given, most) in bounds {
            if given.is_some_and(|given| !(1..=most).contains(&given)) {
                self.add(Kind::Account, &account.id, format!("policy.{key}"), format!("must be 1 to {most}"));
            }
        }
        self.hook(Kind::Account, &account.id, "policy", &policy.url, policy.secret.as_ref());
    }

    /// An address that is called, and what calls are signed with.
    fn hook(&mut self, kind: Kind, id: &str, field: &str, url: &str, secret: Option<&Secret>) {
        if let Some(Secret::Plain(text)) = secret
            && !is_signing_secret(text)
        {
            let detail = "must be whsec_ and base64 of 24 to 64 octets".into();
            self.add(kind, id, format!("{field}.secret"), detail);
        }
        if !url::is_web(url) {
            let detail = "must begin with https:// or http:// and a host, and hold no spaces".into();
            self.add(kind, id, format!("{field}.url"), detail);
        }
    }

    /// A user's name says which account calls.
    fn usernames(&mut self, accounts: &[Account]) {
        let mut seen = BTreeSet::new();
        for (account, compat) in accounts.iter().filter_map(|a| Some((a, a.compat.as_ref()?))) {
            let name = &compat.username;
            let fits = |c: char| !c.is_control() && c != ':';
            if !(1..=USERNAME_MAX).contains(&name.chars().count()) || !name.chars().all(fits) {
                let detail =
                    format!("must have 1 to {USERNAME_MAX} characters, and neither colons nor control characters");
                self.add(Kind::Account, &account.id, "compat.username", detail);
            }
            if !seen.insert(name) {
                let detail = format!("\"{name}\" is used twice; names of users differ over all accounts");
                self.add(Kind::Account, &account.id, "compat.username", detail);
            }
        }
    }

    /// A broker keeps one connection of each client, and ends the older one.
    fn mqtt_clients(&mut self, accounts: &[Account]) {
        let mut seen = BTreeSet::new();
        for (account, mqtt) in accounts.iter().filter_map(|a| Some((a, a.mqtt.as_deref()?))) {
            for (field, detail) in mqtt.faults() {
                self.add(Kind::Account, &account.id, format!("mqtt.{field}"), detail.to_owned());
            }
            if let Some(client) = &mqtt.client_id
                && !seen.insert((&mqtt.url, client))
            {
                let detail = format!("\"{client}\" is used twice at this broker");
                self.add(Kind::Account, &account.id, "mqtt.client_id", detail);
            }
        }
    }

    /// A webhook's id is the lane of its deliveries, whoever's it is.
    fn webhook_ids(&mut self, accounts: &[Account]) {
        let mut seen = BTreeSet::new();
        for account in accounts {
            for (n, id) in account.webhooks.iter().enumerate().filter_map(|(n, w)| Some((n, w.id.as_ref()?))) {
                let field = format!("webhooks.{n}.id");
                if !id::is_name(id) {
                    let detail = format!("\"{id}\" must be 1 to 64 letters, digits, dots, hyphens or underscores");
                    self.add(Kind::Account, &account.id, field.clone(), detail);
                }
                if !seen.insert(id) {
                    let detail = format!("\"{id}\" is used twice; ids of webhooks differ over all accounts");
                    self.add(Kind::Account, &account.id, field, detail);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(toml: &str) -> ResourceSet {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            account: Vec<Account>,
            #[serde(default)]
            connector: Vec<Connector>,
            #[serde(default)]
            pool: Vec<Pool>,
            #[serde(default)]
            route: Vec<Route>,
            #[serde(default)]
            inbound: Vec<Inbound>,
        }
        let file: File = toml::from_str(toml).unwrap();
        ResourceSet {
            accounts: file.account,
            connectors: file.connector,
            pools: file.pool,
            routes: file.route,
            inbound: file.inbound,
            tokens: vec![],
        }
    }

    pub(super) fn faults(toml: &str) -> Vec<String> {
        set(toml).faults().iter().map(ToString::to_string).collect()
    }

    const GOOD: &str = r#"
        [[account]]
        id = "shop"
        default_country = "gb"
        languages = ["turkish"]
        [[connector]]
        id = "a"
        protocol = "smpp"
        address = "127.0.0.1:2775"
        system_id = "x"
        [[route]]
        id = "all"
        to = "a"
        [[inbound]]
        id = "in"
        account = "shop"
    "#;

    #[test]
    fn a_good_set_has_no_faults() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let bad = GOOD
            .replace("\"gb\"", "\"xx\"")
            .replace("to = \"a\"", "to = \"b\"")
            .replace("account = \"shop\"", "account = \"nobody\"")
            .replace(":2775", "");
        let faults = faults(&bad);
        assert_eq!(faults.len(), 4, "{faults:#?}");
        assert!(faults.iter().any(|f| f
            == r#"route "all": to: there is no connector "b" and no pool of that name; add it or correct the name"#));
    }

    #[test]
    fn ids_of_webhooks_differ_over_all_accounts() {
        let webhook = "[[account.webhooks]]\nid = \"hook\"\nurl = \"https://x.example/\"\n";
        let two = format!("[[account]]\nid = \"a\"\n{webhook}[[account]]\nid = \"b\"\n{webhook}");
        assert_eq!(faults(&two).len(), 1);
        assert_eq!(faults(&two.replacen("\"hook\"", "\"h k\"", 1)).len(), 1);
    }

    #[test]
    fn a_policy_has_an_address_and_bounds() {
        let policy = |with: &str| faults(&format!("[[account]]\nid = \"a\"\npolicy = {{ {with} }}\n"));
        assert_eq!(policy("url = \"https://x.example/\", timeout_ms = 200, cache_seconds = 600"), Vec::<String>::new());
        assert_eq!(policy("url = \"x\", timeout_ms = 0, cache_seconds = 100000, secret = \"x\"").len(), 4);
    }

    #[test]
    fn names_of_users_differ_over_all_accounts() {
        let two = |a: &str, b: &str| {
            let account =
                |id: &str, name: &str| format!("[[account]]\nid = \"{id}\"\ncompat = {{ username = \"{name}\" }}\n");
            faults(&(account("a", a) + &account("b", b)))
        };
        assert_eq!(two("shop", "bank"), Vec::<String>::new());
        assert_eq!(two("shop", "shop").len(), 1);
        assert_eq!(two("sh:op", "").len(), 2);
    }
}
