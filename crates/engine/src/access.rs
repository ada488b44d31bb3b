//! Who is asking: tokens to callers.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::resources::Scope;
use model::{Name, Timestamp};
use store::IdempotencyKey;

use crate::engine::Engine;
use crate::guessing::Guesses;
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

/// Why a user was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDenied {
    /// There is no such user, or its password is another.
    #[error("the user's name or password is wrong")]
    WrongPassword,
    /// Too many wrong passwords came from there.
    #[error("too many wrong passwords were tried from there")]
    TooManyGuesses,
    /// Its account is switched off.
    #[error("the account is disabled")]
    AccountDisabled,
}

/// Idempotency keys of requests that are being answered now.
#[derive(Debug, Default)]
pub(crate) struct Access {
    keys: Mutex<HashSet<IdempotencyKey>>,
    guesses: Mutex<Guesses>,
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
        if !view.account.is_enabled() {
            return Err(AccessDenied::AccountDisabled);
        }
        Ok(Caller { account: view.account.clone(), scopes: view.scopes.clone(), token: view.id.clone() })
    }

    /// Who is this user of the compatible interfaces? Says no to the right password, too, where many
    /// wrong ones came from; whether there is such a user is not to be told from how long it takes.
    pub fn authenticate_user(&self, username: &str, password: &str, remote: IpAddr) -> Result<Caller, UserDenied> {
        let (world, now) = (self.inner.current.load(), self.now());
        let guesses = || self.inner.access.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses().is_locked(username, remote, now) {
            return Err(UserDenied::TooManyGuesses);
        }
        let given = sha256(password.as_bytes());
        let user = world.user(username);
        let right = same(&given, user.map_or(&[0; 32], |user| &user.password_sha256));
        let Some(user) = user.filter(|_| right) else {
            guesses().wrong(username, remote, now);
            return Err(UserDenied::WrongPassword);
        };
        guesses().right(username, remote);
        if !user.account.account.enabled {
            return Err(UserDenied::AccountDisabled);
        }
        Ok(Caller { account: user.account.clone(), scopes: vec![Scope::Messages], token: user.token.clone() })
    }

    /// Takes an idempotency key for one request; `None` if another one holds it.
    pub(crate) fn hold_key(&self, key: IdempotencyKey) -> Option<KeyHeld> {
        let fresh = self.inner.access.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        fresh.then(|| KeyHeld { engine: self.clone(), key })
    }
}

/// Are they the same? Takes as long where they differ at once as where they differ at the end.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    std::hint::black_box(a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}
