//! Who is asking: tokens to callers.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use model::resources::Scope;
use model::{Name, Timestamp};
use store::IdempotencyKey;

use crate::engine::Engine;
use crate::hash::sha256;
use crate::world::AccountView;

/// Somebody who has shown a token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose messages it may see and send.
    pub account: Arc<AccountView>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The token's id, for the access log.
    pub token: Name,
}

impl Caller {
    /// May it do this? An admin may do everything.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        let holds = |wanted| self.scopes.contains(&wanted);
        holds(scope) || holds(Scope::Admin) || (scope == Scope::Read && holds(Scope::Messages))
    }

    /// Is it an operator, who sees every account?
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessDenied {
    /// Nobody's token.
    #[error("the token is not known")]
    UnknownToken,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// Its account is switched off.
    #[error("the account is disabled")]
    AccountDisabled,
}

/// Idempotency keys of requests that are being answered now.
#[derive(Debug, Default)]
pub(crate) struct Access {
    keys: Mutex<HashSet<IdempotencyKey>>,
}

/// Holds an idempotency key while its request is answered.
#[derive(Debug)]
pub(crate) struct KeyHeld {
    engine: Engine,
    pub key: IdempotencyKey,
}

impl Drop for KeyHeld {
    fn drop(&mut self) {
        let keys = &self.engine.inner.access.keys;
        keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Engine {
    /// Who holds this token?
    pub fn authenticate(&self, token: &str) -> Result<Caller, AccessDenied> {
        let world = self.inner.current.load();
        let view = world.token(&sha256(token.as_bytes())).ok_or(AccessDenied::UnknownToken)?;
        if view.expires_at.is_some_and(|at: Timestamp| at <= self.now()) {
            return Err(AccessDenied::Expired);
        }
        if !view.account.account.enabled {
            return Err(AccessDenied::AccountDisabled);
        }
        Ok(Caller { account: view.account.clone(), scopes: view.scopes.clone(), token: view.id.clone() })
    }

    /// Takes an idempotency key for one request; `None` if another one holds it.
    pub(crate) fn hold_key(&self, key: IdempotencyKey) -> Option<KeyHeld> {
        let fresh = self.inner.access.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        fresh.then(|| KeyHeld { engine: self.clone(), key })
    }
}
