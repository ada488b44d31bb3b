//! Changing resources: every change is checked against the whole before any of it is stored.
//!
//! The same functions serve the API of a running gateway and the command line, which opens the
//! store itself; a running gateway sees the new version within a second.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::resources::{Account, Connector, Inbound, Kind, Pool, ResourceSet, Route, SetFault, Token};
use ring::rand::{SecureRandom, SystemRandom};
use store::{ResourceChange, Store, StoreError};

use self::complete::completed;
use self::difference::differences;

use crate::engine::Engine;
use crate::hash::{hex, sha256};
use crate::vault::{Vault, VaultError};
use crate::world::{World, WorldError};

mod check;
mod complete;
mod difference;

pub use check::check;
pub use difference::{Changed, Difference};

/// Tries at a change that others keep getting in the way of.
const TRIES: usize = 5;

/// One change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Puts an account. Secrets that are left out stay as they were.
    Account(Account),
    /// Puts a connector. A password that is left out stays as it was.
    Connector(Connector),
    /// Puts a pool.
    Pool(Pool),
    /// Puts a route.
    Route(Box<Route>),
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
    pub async fn edit_resources(&self, edits: Vec<Edit>) -> Result<(), EditError> {
        self.change_resources(|_| Ok((edits.clone(), ()))).await
    }

    /// Makes the changes that `plan` wants, given the resources as they are; it is asked again when
    /// another process was first. All or none; they are in force when this returns, with what else
    /// `plan` gave.
    pub async fn change_resources<T, E: From<EditError>>(
        &self,
        plan: impl FnMut(&ResourceSet) -> Result<(Vec<Edit>, T), E>,
    ) -> Result<T, E> {
        let inner = &self.inner;
        if let Some(file) = &inner.authority {
            return Err(EditError::ReadOnly(file.clone()).into());
        }
        // Those of one process take turns, so that only other processes can be in the way.
        let turn = inner.editing.lock().await;
        let planned = change(&*inner.store, &inner.vault, plan).await?;
        drop(turn);
        if let Err(error) = self.reload().await {
            tracing::error!(%error, "resources were stored but can't be read back");
        }
        Ok(planned)
    }
}

/// The stored resources with their secrets open, and their version.
pub async fn load(store: &dyn Store, vault: &Vault) -> Result<(u64, ResourceSet), EditError> {
    let world = World::read(&store.resources().await?, vault)?;
    Ok((world.version, world.set))
}

/// Makes changes in a store, all or none.
pub async fn edit(store: &dyn Store, vault: &Vault, edits: Vec<Edit>) -> Result<(), EditError> {
    change(store, vault, |_| Ok((edits.clone(), ()))).await
}

/// Makes the changes that `plan` wants of the resources as they are stored; see
/// [`Engine::change_resources`].
pub async fn change<T, E: From<EditError>>(
    store: &dyn Store,
    vault: &Vault,
    mut plan: impl FnMut(&ResourceSet) -> Result<(Vec<Edit>, T), E>,
) -> Result<T, E> {
    for _ in 0..TRIES {
        let (version, set) = load(store, vault).await?;
        let (edits, planned) = plan(&set)?;
        let wanted = edited(&set, edits, vault)?;
        if replace(store, vault, version, &set, &wanted).await?.is_some() {
            return Ok(planned);
        }
    }
    Err(EditError::Conflict.into())
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
        let complete = completed(&set, wanted.clone(), vault)?;
        let differences = differences(&set, &complete);
        if differences.is_empty() {
            return Ok((version, differences));
        }
        if let Some(version) = replace(store, vault, version, &set, &complete).await? {
            return Ok((version, differences));
        }
    }
    Err(EditError::Conflict)
}

/// What [`apply`] would change.
pub async fn diff(store: &dyn Store, vault: &Vault, wanted: &ResourceSet) -> Result<Vec<Difference>, EditError> {
    let (_, set) = load(store, vault).await?;
    let complete = completed(&set, wanted.clone(), vault)?;
    let faults = check(&complete);
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    Ok(differences(&set, &complete))
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

fn edited(before: &ResourceSet, edits: Vec<Edit>, vault: &Vault) -> Result<ResourceSet, EditError> {
    let mut set = before.clone();
    for edit in edits {
        match edit {
            Edit::Account(account) => put(&mut set.accounts, account, |a| &a.id),
            Edit::Connector(connector) => put(&mut set.connectors, connector, |c| &c.id),
            Edit::Pool(pool) => put(&mut set.pools, pool, |p| &p.id),
            Edit::Route(route) => put(&mut set.routes, *route, |r| &r.id),
            Edit::Inbound(rule) => put(&mut set.inbound, rule, |r| &r.id),
            Edit::Token(token) => put(&mut set.tokens, token, |t| &t.id),
            Edit::Remove(kind, id) => {
                let gone = match kind {
                    Kind::Account => take(&mut set.accounts, &id, |a| &a.id),
                    Kind::Connector => take(&mut set.connectors, &id, |c| &c.id),
                    Kind::Pool => take(&mut set.pools, &id, |p| &p.id),
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
    Ok(ResourceSet { tokens, ..completed(before, set, vault)? })
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

async fn replace(
    store: &dyn Store,
    vault: &Vault,
    version: u64,
    old: &ResourceSet,
    wanted: &ResourceSet,
) -> Result<Option<u64>, EditError> {
    let faults = check(wanted);
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    let mut changes = Vec::new();
    for Difference { kind, id, what } in differences(old, wanted) {
        let json = match what {
            Changed::Removed => None,
            Changed::Added | Changed::Changed => document(wanted, vault, kind, &id)?,
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
        Kind::Pool => find(&set.pools, id, |p| &p.id).and_then(|p| json(&p)),
        Kind::Route => find(&set.routes, id, |r| &r.id).and_then(|r| json(&r)),
        Kind::Inbound => match find(&set.inbound, id, |r| &r.id) {
            Some(mut rule) => {
                vault.seal_inbound(&mut rule)?;
                json(&rule)
            }
            None => None,
        },
        Kind::Token => find(&set.tokens, id, |t| &t.id).and_then(|t| json(&t)),
    })
}

fn json<T: serde::Serialize>(resource: &T) -> Option<String> {
    serde_json::to_string(resource).ok()
}

#[cfg(test)]
mod tests;
