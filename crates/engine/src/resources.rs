//! Changing resources: every change is checked against the whole before any of it is stored.
//!
//! The same functions serve the API of a running gateway and the command line, which opens the
//! store itself; a running gateway sees the new version within a second.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::resources::{Account, Connector, Inbound, Kind, ResourceSet, Route, Secret, SetFault, Token};
use ring::rand::{SecureRandom, SystemRandom};
use store::{ResourceChange, Store, StoreError};

use crate::engine::Engine;
use crate::hash::{hex, sha256};
use crate::vault::{Vault, VaultError};
use crate::world::{World, WorldError};

/// Tries at a change that others keep getting in the way of.
const TRIES: usize = 5;

/// One change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Puts an account. Secrets that are left out stay as they were.
    Account(Account),
    /// Puts a connector. A password that is left out stays as it was.
    Connector(Connector),
    /// Puts a route.
    Route(Route),
    /// Puts an inbound rule.
    Inbound(Inbound),
    /// Puts a token.
    Token(Token),
    /// Takes a resource away.
    Remove(Kind, String),
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The resources would be unsound with it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<SetFault>),
    /// A resources file is the only authority.
    #[error("the resources file {0} is the only authority; change that")]
    ReadOnly(String),
    /// There is no such resource.
    #[error("there is no {} \"{id}\"", kind.as_str())]
    NotFound {
        /// What kind of resource.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// Others changed the resources at the same time, again and again.
    #[error("the resources are being changed by others; try again")]
    Conflict,
    /// What is stored can't be read.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret can't be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Engine {
    /// Makes changes, all or none; they are in force when this returns.
    pub async fn edit_resources(&self, edits: Vec<Edit>) -> Result<u64, EditError> {
        if let Some(file) = &self.inner.authority {
            return Err(EditError::ReadOnly(file.clone()));
        }
        let version = edit(&*self.inner.store, &self.inner.vault, edits).await?;
        if let Err(error) = self.reload().await {
            tracing::error!(%error, "resources were stored but can't be read back");
        }
        Ok(version)
    }
}

/// The stored resources with their secrets open, and their version.
pub async fn load(store: &dyn Store, vault: &Vault) -> Result<(u64, ResourceSet), EditError> {
    let world = World::read(&store.resources().await?, vault)?;
    Ok((world.version, world.set))
}

/// Makes changes in a store, all or none.
pub async fn edit(store: &dyn Store, vault: &Vault, edits: Vec<Edit>) -> Result<u64, EditError> {
    for _ in 0..TRIES {
        let (version, set) = load(store, vault).await?;
        let wanted = edited(set.clone(), edits.clone())?;
        if let Some(version) = replace(store, vault, version, &set, wanted).await? {
            return Ok(version);
        }
    }
    Err(EditError::Conflict)
}

/// Makes the stored resources those of `wanted`; tokens that were made by hand stay. Secrets that
/// are left out stay as they were. Returns the new version and what was changed.
pub async fn apply(
    store: &dyn Store,
    vault: &Vault,
    wanted: &ResourceSet,
) -> Result<(u64, Vec<Difference>), EditError> {
    for _ in 0..TRIES {
        let (version, set) = load(store, vault).await?;
        let complete = completed(&set, wanted.clone());
        let differences = differences(&set, &complete);
        if differences.is_empty() {
            return Ok((version, differences));
        }
        if let Some(version) = replace(store, vault, version, &set, complete).await? {
            return Ok((version, differences));
        }
    }
    Err(EditError::Conflict)
}

/// What [`apply`] would change.
pub async fn diff(store: &dyn Store, vault: &Vault, wanted: &ResourceSet) -> Result<Vec<Difference>, EditError> {
    let (_, set) = load(store, vault).await?;
    let complete = completed(&set, wanted.clone());
    let faults = complete.faults();
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    Ok(differences(&set, &complete))
}

/// One resource that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of resource.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What is to be done with it.
    pub what: Changed,
}

/// How a resource differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is new.
    Added,
    /// It is not as it was.
    Changed,
    /// It is gone.
    Removed,
}

/// A new API token: what is shown once, and its SHA-256 in hexadecimal, which is kept.
pub fn new_token() -> Result<(String, String), VaultError> {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).map_err(|_| VaultError::NoRandomness)?;
    let token = format!("pr_{}", URL_SAFE_NO_PAD.encode(random));
    let hash = hex(&sha256(token.as_bytes()));
    Ok((token, hash))
}

/// A new signing secret for a webhook, as Standard Webhooks writes it.
pub fn new_webhook_secret() -> Result<String, VaultError> {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).map_err(|_| VaultError::NoRandomness)?;
    Ok(format!("whsec_{}", STANDARD.encode(random)))
}

fn edited(mut set: ResourceSet, edits: Vec<Edit>) -> Result<ResourceSet, EditError> {
    let before = set.clone();
    for edit in edits {
        match edit {
            Edit::Account(account) => put(&mut set.accounts, account, |a| &a.id),
            Edit::Connector(connector) => put(&mut set.connectors, connector, |c| &c.id),
            Edit::Route(route) => put(&mut set.routes, route, |r| &r.id),
            Edit::Inbound(rule) => put(&mut set.inbound, rule, |r| &r.id),
            Edit::Token(token) => put(&mut set.tokens, token, |t| &t.id),
            Edit::Remove(kind, id) => {
                let gone = match kind {
                    Kind::Account => take(&mut set.accounts, &id, |a| &a.id),
                    Kind::Connector => take(&mut set.connectors, &id, |c| &c.id),
                    Kind::Route => take(&mut set.routes, &id, |r| &r.id),
                    Kind::Inbound => take(&mut set.inbound, &id, |r| &r.id),
                    Kind::Token => take(&mut set.tokens, &id, |t| &t.id),
                };
                if !gone {
                    return Err(EditError::NotFound { kind, id });
                }
            }
        }
    }
    let tokens = set.tokens.clone();
    Ok(ResourceSet { tokens, ..completed(&before, set) })
}

fn put<T>(list: &mut Vec<T>, new: T, id: impl Fn(&T) -> &String) {
    match list.iter_mut().find(|old| id(old) == id(&new)) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}

fn take<T>(list: &mut Vec<T>, id: &str, id_of: impl Fn(&T) -> &String) -> bool {
    let before = list.len();
    list.retain(|item| id_of(item) != id);
    list.len() < before
}

/// `wanted` with what it leaves out: secrets as they were, hashes instead of API tokens, ids and
/// secrets for webhooks, and the tokens of accounts that stay.
fn completed(old: &ResourceSet, mut wanted: ResourceSet) -> ResourceSet {
    for account in &mut wanted.accounts {
        let before = old.accounts.iter().find(|a| a.id == account.id);
        if let Some(token) = account.api_token.take()
            && let Ok(token) = token.reveal()
        {
            account.api_token_sha256 = Some(hex(&sha256(token.as_bytes())));
        }
        if account.api_token_sha256.is_none() {
            account.api_token_sha256 = before.and_then(|a| a.api_token_sha256.clone());
        }
        for (n, webhook) in account.webhooks.iter_mut().enumerate() {
            let id = webhook.id.get_or_insert_with(|| format!("{}-{}", account.id, n + 1));
            let was = before.and_then(|a| a.webhooks.iter().find(|w| w.id.as_ref() == Some(id)));
            if webhook.secret.is_none() {
                webhook.secret =
                    was.and_then(|w| w.secret.clone()).or_else(|| new_webhook_secret().ok().map(Secret::Plain));
            }
        }
    }
    for connector in wanted.connectors.iter_mut().filter(|c| c.password.is_none()) {
        let before = old.connectors.iter().find(|c| c.id == connector.id);
        connector.password = before.and_then(|c| c.password.clone());
    }
    for (n, route) in wanted.routes.iter_mut().enumerate().filter(|(_, r)| r.order == 0) {
        route.order = n as i64;
    }
    for (n, rule) in wanted.inbound.iter_mut().enumerate().filter(|(_, r)| r.order == 0) {
        rule.order = n as i64;
    }
    if wanted.tokens.is_empty() {
        let stays = |token: &&Token| wanted.accounts.iter().any(|a| a.id == token.account);
        wanted.tokens = old.tokens.iter().filter(stays).cloned().collect();
    }
    wanted
}

async fn replace(
    store: &dyn Store,
    vault: &Vault,
    version: u64,
    old: &ResourceSet,
    wanted: ResourceSet,
) -> Result<Option<u64>, EditError> {
    let faults = wanted.faults();
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    let mut changes = Vec::new();
    for Difference { kind, id, what } in differences(old, &wanted) {
        let json = match what {
            Changed::Removed => None,
            Changed::Added | Changed::Changed => document(&wanted, vault, kind, &id)?,
        };
        changes.push(ResourceChange { kind, id, json });
    }
    Ok(store.change_resources(changes, Some(version)).await?)
}

/// A resource as it is stored: its JSON, with secrets sealed.
fn document(set: &ResourceSet, vault: &Vault, kind: Kind, id: &str) -> Result<Option<String>, VaultError> {
    fn find<T: Clone>(list: &[T], id: &str, id_of: impl Fn(&T) -> &String) -> Option<T> {
        list.iter().find(|item| id_of(item) == id).cloned()
    }
    Ok(match kind {
        Kind::Account => match find(&set.accounts, id, |a| &a.id) {
            Some(mut account) => {
                vault.seal_account(&mut account)?;
                json(&account)
            }
            None => None,
        },
        Kind::Connector => match find(&set.connectors, id, |c| &c.id) {
            Some(mut connector) => {
                vault.seal_connector(&mut connector)?;
                json(&connector)
            }
            None => None,
        },
        Kind::Route => find(&set.routes, id, |r| &r.id).and_then(|r| json(&r)),
        Kind::Inbound => find(&set.inbound, id, |r| &r.id).and_then(|r| json(&r)),
        Kind::Token => find(&set.tokens, id, |t| &t.id).and_then(|t| json(&t)),
    })
}

fn json<T: serde::Serialize>(resource: &T) -> Option<String> {
    serde_json::to_string(resource).ok()
}

fn differences(old: &ResourceSet, new: &ResourceSet) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, Kind::Account, &old.accounts, &new.accounts, |a| &a.id);
    compare(&mut found, Kind::Connector, &old.connectors, &new.connectors, |c| &c.id);
    compare(&mut found, Kind::Route, &old.routes, &new.routes, |r| &r.id);
    compare(&mut found, Kind::Inbound, &old.inbound, &new.inbound, |r| &r.id);
    compare(&mut found, Kind::Token, &old.tokens, &new.tokens, |t| &t.id);
    found
}

fn compare<T: PartialEq>(found: &mut Vec<Difference>, kind: Kind, old: &[T], new: &[T], id: impl Fn(&T) -> &String) {
    let of = |list: &[T], wanted: &str| list.iter().position(|item| id(item) == wanted);
    for item in new {
        let what = match of(old, id(item)) {
            None => Changed::Added,
            Some(place) if old[place] != *item => Changed::Changed,
            Some(_) => continue,
        };
        found.push(Difference { kind, id: id(item).clone(), what });
    }
    for item in old.iter().filter(|item| of(new, id(item)).is_none()) {
        found.push(Difference { kind, id: id(item).clone(), what: Changed::Removed });
    }
}
