//! The resources as the engine uses them: compiled once for each version, then only read.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use foldhash::{HashMap, HashMapExt};
use ipnet::IpNet;
use model::country::{self, Country};
use model::resources::{Account, Connector, Inbound, Kind, PolicyHook, Prepaid, ResourceSet, Scope, Token, Webhook};
use model::{Name, SessionProtocol, Timestamp};
use routing::{Admission, Calendar, InboundTable, RouteTable};
use store::Resources;

use crate::answers::AnswerRules;
use crate::families::families;
use crate::hash::sha256;
use crate::limits::Meter;
use crate::opt_outs::OptOutRules;
use crate::password::PasswordHash;
use crate::policy::Policy;
use crate::schedule::Shares;
use crate::token_use::LastUse;
use crate::vault::{Vault, VaultError};

mod hooks;

pub use hooks::{MQTT_LANE, RULE_LANE};

/// The protocol of sessions whose lane this is, if it is one: it begins with the protocol's name. Webhooks'
/// ids have no colon, and the origins of call-backs another scheme.
pub(crate) fn session_of_lane(endpoint: &str) -> Option<SessionProtocol> {
    let (word, _) = endpoint.split_once(':')?;
    SessionProtocol::ALL.into_iter().find(|protocol| protocol.as_str() == word)
}

/// Is this the lane of what goes over sessions?
pub(crate) fn is_session_lane(endpoint: &str) -> bool {
    session_of_lane(endpoint).is_some()
}

/// Everything that was configured, in the shape in which it is asked for.
#[derive(Debug, Default)]
pub struct World {
    /// The version of the resources that this was made from.
    pub version: u64,
    /// The resources themselves, secrets opened.
    pub set: ResourceSet,
    accounts: HashMap<Name, Arc<AccountView>>,
    tokens: HashMap<[u8; 32], TokenView>,
    /// When each token was used last, by its id.
    pub(crate) token_use: HashMap<Name, Arc<LastUse>>,
    users: HashMap<Box<str>, UserView>,
    connectors: HashMap<Name, Arc<Connector>>,
    webhooks: HashMap<Name, Arc<WebhookView>>,
    /// Webhooks of inbound rules, by the rule's id.
    rule_webhooks: HashMap<Name, Arc<WebhookView>>,
    /// Accounts by the name that they log in with, by each protocol of sessions.
    logins: [HashMap<Box<[u8]>, Arc<AccountView>>; SessionProtocol::ALL.len()],
    pub(crate) routes: RouteTable,
    /// Whose turn it is in each pool.
    pub(crate) turns: HashMap<Name, AtomicU64>,
    pub(crate) inbound: InboundTable,
}

/// An account with what is looked up of it for each message.
#[derive(Debug)]
pub struct AccountView {
    /// Its id.
    pub id: Name,
    /// Its settings.
    pub account: Account,
    /// The country whose way of writing numbers is understood.
    pub country: Option<&'static Country>,
    /// National languages whose shift tables may be used.
    pub languages: Vec<sms::Language>,
    /// Where its events go.
    pub webhooks: Vec<Arc<WebhookView>>,
    /// Its MQTT broker, as the webhook that it is to the queue.
    pub(crate) mqtt: Option<Arc<WebhookView>>,
    /// The account above it, whose limits hold for it too.
    pub parent: Option<Arc<AccountView>>,
    /// What it may do, if not everything.
    pub(crate) admission: Option<Admission>,
    /// What of its limits is used up, if it has any.
    pub(crate) meter: Option<Arc<Meter>>,
    /// The accounts whose messages count against its `max_queue`, in order; empty where it has none.
    pub(crate) queue_of: Arc<[Name]>,
    /// The hashes of the passwords that it logs in with, by protocol; `None` if it has none that can be read.
    passwords: [Option<PasswordHash>; SessionProtocol::ALL.len()],
    /// What its phones may write to hear nothing more.
    pub(crate) opt_out: Option<OptOutRules>,
    /// The service that is asked about its messages: its own, or that of the nearest account above it.
    pub(crate) policy: Option<Arc<Policy>>,
    /// The lanes of what it is owed over sessions, by protocol.
    lanes: [Name; SessionProtocol::ALL.len()],
}

/// A webhook with its id and its secret.
#[derive(Debug)]
pub struct WebhookView {
    /// Its id: the lane of its deliveries.
    pub id: Name,
    /// Whose it is.
    pub account: Name,
    /// Its settings.
    pub webhook: Webhook,
    /// The signing secret, `whsec_…`; `None` if it can't be had.
    pub secret: Option<Arc<str>>,
    /// What becomes of its answers, if they go back to phones.
    pub(crate) answers: Option<AnswerRules>,
}

/// A token as requests are checked against it.
#[derive(Debug)]
pub struct TokenView {
    /// Its id.
    pub id: Name,
    /// Whose it is.
    pub account: Arc<AccountView>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// After this it is refused.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from; empty is everywhere.
    pub networks: Vec<IpNet>,
    /// When it was used last, where that is kept.
    pub(crate) used: Option<Arc<LastUse>>,
}

/// A user of the interfaces that other gateways' applications know.
#[derive(Debug)]
pub struct UserView {
    /// Whose it is.
    pub account: Arc<AccountView>,
    /// SHA-256 of the password.
    pub password_sha256: [u8; 32],
    /// What stands in the access log for a token.
    pub token: Name,
}

/// Stored resources that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A document is not what its kind should be.
    #[error("the stored {kind} \"{id}\" can't be read: {detail}")]
    Document {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What is wrong.
        detail: String,
    },
    /// A secret can't be opened.
    #[error("a secret of the stored {kind} \"{id}\" can't be opened: {source}")]
    Secret {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Why.
        source: VaultError,
    },
}

impl World {
    /// Reads stored resources, opening their secrets with `vault`.
    pub fn read(resources: &Resources, vault: &Vault) -> Result<Self, WorldError> {
        Self::read_after(resources, vault, &Self::default())
    }

    /// Reads stored resources as the successor of `old`, whose accounts' limits go on counting.
    pub(crate) fn read_after(resources: &Resources, vault: &Vault, old: &Self) -> Result<Self, WorldError> {
        let mut set = ResourceSet::default();
        for document in &resources.documents {
            let kind = document.kind.as_str();
            let bad =
                |e: serde_json::Error| WorldError::Document { kind, id: document.id.clone(), detail: e.to_string() };
            let sealed = |source| WorldError::Secret { kind, id: document.id.clone(), source };
            let json = document.json.as_str();
            match document.kind {
                Kind::Account => {
                    let mut account: Account = serde_json::from_str(json).map_err(bad)?;
                    vault.open_account(&mut account).map_err(sealed)?;
                    set.accounts.push(account);
                }
                Kind::Connector => {
                    let mut connector: Connector = serde_json::from_str(json).map_err(bad)?;
                    vault.open_connector(&mut connector).map_err(sealed)?;
                    set.connectors.push(connector);
                }
                Kind::Pool => set.pools.push(serde_json::from_str(json).map_err(bad)?),
                Kind::Route => set.routes.push(serde_json::from_str(json).map_err(bad)?),
                Kind::Inbound => {
                    let mut rule: Inbound = serde_json::from_str(json).map_err(bad)?;
                    vault.open_inbound(&mut rule).map_err(sealed)?;
                    set.inbound.push(rule);
                }
                Kind::Token => set.tokens.push(serde_json::from_str(json).map_err(bad)?),
            }
        }
        Ok(Self::compile_after(resources.version, set, old))
    }

    /// Compiles resources whose secrets are open.
    #[must_use]
    pub fn compile(version: u64, set: ResourceSet) -> Self {
        Self::compile_after(version, set, &Self::default())
    }

    fn compile_after(version: u64, set: ResourceSet, old: &Self) -> Self {
        let mut world = Self { version, ..Self::default() };
        world.accounts = AccountView::all(&set.accounts, old);
        for account in &set.accounts {
            let Some(view) = world.accounts.get(account.id.as_str()).cloned() else { continue };
            for webhook in &view.webhooks {
                world.webhooks.insert(webhook.id.clone(), webhook.clone());
            }
            if let Some(hash) = account.api_token_sha256.as_deref().and_then(parse_sha256) {
                let id = format!("{}-token", account.id).into();
                world.tokens.insert(hash, TokenView::of_account(id, &view));
            }
            if let Some(token) = account.api_token.as_ref().and_then(|t| t.reveal().ok()) {
                let id = format!("{}-token", account.id).into();
                world.tokens.insert(sha256(token.as_bytes()), TokenView::of_account(id, &view));
            }
            let password = account.compat.as_ref().and_then(|c| c.password.as_ref()?.reveal().ok());
            if let (Some(compat), Some(password)) = (&account.compat, password) {
                let (password_sha256, token) = (sha256(password.as_bytes()), format!("{}-user", account.id).into());
                let user = UserView { account: view.clone(), password_sha256, token };
                world.users.insert(compat.username.as_str().into(), user);
            }
            for protocol in SessionProtocol::ALL {
                if let Some(login) = account.login(protocol) {
                    world.logins[protocol as usize].insert(login.user.as_bytes().into(), view.clone());
                }
            }
        }
        for token in &set.tokens {
            world.add_token(token, old);
        }
        for connector in &set.connectors {
            world.connectors.insert(connector.id.as_str().into(), Arc::new(connector.clone()));
        }
        let costs = set.connectors.iter().filter_map(|c| Some((c.id.as_str(), c.cost.as_deref()?)));
        let (routes, faults) = RouteTable::as_far_as_sound(&set, costs);
        // Resources are checked before they are stored; these were stored by something else.
        faults.iter().for_each(|fault| tracing::error!(%fault, "a rule is not in force"));
        world.routes = routes;
        world.turns = set.pools.iter().map(|pool| (pool.id.as_str().into(), AtomicU64::default())).collect();
        world.inbound = InboundTable::new(&set.inbound);
        world.rule_webhooks = set.inbound.iter().filter_map(WebhookView::of_rule).collect();
        world.set = set;
        world
    }

    /// What was counted of an account's limits until now; settings that changed may give it more.
    fn meter_of(&self, account: &str) -> Arc<Meter> {
        let meter = self.account(account).and_then(|view| view.meter.clone()).unwrap_or_default();
        meter.forget_short();
        meter
    }

    /// The policy service of an account; one that is as it was goes on with what it knows.
    fn policy_of(&self, account: &str, hook: &PolicyHook) -> Arc<Policy> {
        let before = self.account(account).and_then(|view| view.policy.clone());
        let same = before.filter(|policy| *policy.owner == *account && policy.hook == *hook);
        same.unwrap_or_else(|| Arc::new(Policy::new(account.into(), hook)))
    }

    /// What accounts get of connectors, where it is not 1.
    pub(crate) fn shares(&self) -> Shares {
        let share = |account: &Account| Some((account.id.as_str().into(), account.priority_share?));
        self.set.accounts.iter().filter_map(share).collect()
    }

    fn add_token(&mut self, token: &Token, old: &Self) {
        if let (Some(account), Some(hash)) = (self.accounts.get(token.account.as_str()), parse_sha256(&token.sha256)) {
            let id: Name = token.id.as_str().into();
            let used = old.token_use.get(&id).cloned().unwrap_or_default();
            self.token_use.insert(id.clone(), used.clone());
            let view = TokenView {
                id,
                used: Some(used),
                account: account.clone(),
                scopes: token.scopes.clone(),
                expires_at: token.expires_at,
                networks: token.networks.clone(),
            };
            self.tokens.insert(hash, view);
        }
    }

    /// When the token of this id was used last, to about a second, if it ever was.
    #[must_use]
    pub fn token_used(&self, id: &str) -> Option<Timestamp> {
        self.token_use.get(id)?.at()
    }

    /// The account of this id.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Arc<AccountView>> {
        self.accounts.get(id)
    }

    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<AccountView>> {
        self.accounts.values()
    }

    /// The account that logs in by this name: its `system_id` in SMPP.
    #[must_use]
    pub fn login(&self, protocol: SessionProtocol, name: &[u8]) -> Option<&Arc<AccountView>> {
        self.logins[protocol as usize].get(name)
    }

    /// The connector of this id.
    #[must_use]
    pub fn connector(&self, id: &str) -> Option<&Arc<Connector>> {
        self.connectors.get(id)
    }

    /// Every connector.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }

    /// The webhook of this id.
    #[must_use]
    pub fn webhook(&self, id: &str) -> Option<&Arc<WebhookView>> {
        self.webhooks.get(id)
    }

    /// The user of this name.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&UserView> {
        self.users.get(name)
    }

    /// The token whose SHA-256 this is.
    #[must_use]
    pub fn token(&self, hash: &[u8; 32]) -> Option<&TokenView> {
        self.tokens.get(hash)
    }
}

impl AccountView {
    /// Every account, each with the one above it.
    fn all(accounts: &[Account], old: &World) -> HashMap<Name, Arc<Self>> {
        let (admissions, _) = routing::admissions(accounts);
        let mut families = families(accounts, |account| account.max_queue.is_some());
        let mut left: Vec<_> = accounts.iter().zip(admissions).collect();
        let mut views: HashMap<Name, Arc<Self>> = HashMap::new();
        loop {
            let before = left.len();
            for (account, admission) in std::mem::take(&mut left) {
                let parent = match &account.parent {
                    None => None,
                    Some(id) => match views.get(id.as_str()) {
                        Some(parent) => Some(parent.clone()),
                        None => {
                            left.push((account, admission));
                            continue;
                        }
                    },
                };
                let meter = is_metered(account).then(|| old.meter_of(&account.id));
                let queue_of = families.remove(account.id.as_str()).unwrap_or_default().into();
                let policy = match &account.policy {
                    Some(hook) => Some(old.policy_of(&account.id, hook)),
                    None => parent.as_ref().and_then(|parent: &Arc<Self>| parent.policy.clone()),
                };
                let view = Self { admission, meter, queue_of, parent, policy, ..Self::new(account) };
                views.insert(view.id.clone(), Arc::new(view));
            }
            // Those whose parents there are not, or go round in a circle, are refused when they are put.
            if left.is_empty() || left.len() == before {
                return views;
            }
        }
    }

    /// The account, the one above it, and so on.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &Self> + Clone {
        std::iter::successors(Some(self), |account| account.parent.as_deref())
    }

    /// Is it enabled, and every one above it?
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.chain().all(|account| account.account.enabled)
    }

    /// Is anything of it, or above it, to be counted?
    pub(crate) fn is_limited(&self) -> bool {
        self.meter.is_some() || self.parent.is_some()
    }

    pub(crate) fn meters(&self) -> impl Iterator<Item = (&Self, &Meter)> {
        self.chain().filter_map(|account| Some((account, account.meter.as_deref()?)))
    }

    /// The nearest account that pays before it sends.
    pub(crate) fn payer(&self) -> Option<(&Self, &Prepaid)> {
        self.chain().find_map(|account| Some((account, account.account.prepaid.as_ref()?)))
    }

    pub(crate) fn calendar(&self) -> Option<&Calendar> {
        self.admission.as_ref()?.calendar.as_ref()
    }

    fn new(account: &Account) -> Self {
        let id: Name = account.id.as_str().into();
        let webhooks = account.webhooks.iter().enumerate().map(|(n, webhook)| {
            let name = webhook.id.clone().unwrap_or_else(|| format!("{id}-{}", n + 1));
            Arc::new(WebhookView {
                id: name.into(),
                account: id.clone(),
                secret: webhook.secret.as_ref().and_then(|s| s.reveal().ok()).map(Arc::from),
                webhook: webhook.clone(),
                answers: None,
            })
        });
        Self {
            webhooks: webhooks.collect(),
            mqtt: WebhookView::of_mqtt(account),
            passwords: SessionProtocol::ALL.map(|protocol| {
                let hash = account.login(protocol)?.password_sha256?.reveal().ok()?;
                PasswordHash::parse(&hash)
            }),
            lanes: SessionProtocol::ALL.map(|protocol| format!("{}:{id}", protocol.as_str()).into()),
            opt_out: account.opt_out.as_deref().map(OptOutRules::new),
            country: account.default_country.as_deref().and_then(country::find),
            languages: account.languages.iter().filter_map(|l| l.parse().ok()).collect(),
            account: account.clone(),
            admission: None,
            policy: None,
            meter: None,
            queue_of: Arc::default(),
            parent: None,
            id,
        }
    }
}

impl AccountView {
    /// The lane of what it is owed over sessions of this protocol.
    #[must_use]
    pub fn lane(&self, protocol: SessionProtocol) -> &Name {
        &self.lanes[protocol as usize]
    }

    /// The hash of the password that it logs in with.
    pub(crate) fn password(&self, protocol: SessionProtocol) -> Option<&PasswordHash> {
        self.passwords[protocol as usize].as_ref()
    }

    /// Would a login that `other` (the same account, earlier) was let in with be let in by this?
    #[must_use]
    pub fn logs_in_as(&self, other: &Self, protocol: SessionProtocol) -> bool {
        let (Some(login), Some(was)) = (self.account.login(protocol), other.account.login(protocol)) else {
            return false;
        };
        let same_rules = (login.user, login.allow, login.system_type, login.tls_required)
            == (was.user, was.allow, was.system_type, was.tls_required);
        let same_password = self.password(protocol) == other.password(protocol);
        self.id == other.id && self.is_enabled() && same_password && same_rules
    }
}

impl TokenView {
    fn of_account(id: Name, account: &Arc<AccountView>) -> Self {
        Self {
            id,
            account: account.clone(),
            scopes: vec![Scope::Messages],
            expires_at: None,
            networks: vec![],
            used: None,
        }
    }
}

fn is_metered(account: &Account) -> bool {
    account.throughput.is_some() || account.quota.is_some() || account.prepaid.is_some() || account.max_queue.is_some()
}

/// 32 octets from 64 hexadecimal digits.
fn parse_sha256(hex: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}
