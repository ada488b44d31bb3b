//! Who is asking: tokens, and logins of sessions, to callers.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::resources::Scope;
use model::{Name, SessionProtocol, Timestamp};
use store::IdempotencyKey;

use crate::engine::Engine;
use crate::guessing::Guesses;
use crate::hash::sha256;
use crate::password::PasswordHash;
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
    /// It may not be used from there.
    #[error("the token may not be used from this address")]
    Network,
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

/// A login of a session as it came: a bind, as SMPP calls it.
#[derive(Clone, Copy)]
pub struct BindAttempt<'a> {
    /// By which protocol.
    pub protocol: SessionProtocol,
    /// Its `system_id`, or the user's name in other protocols.
    pub system_id: &'a [u8],
    /// Its `password`.
    pub password: &'a [u8],
    /// Its `system_type`, which SMPP alone has.
    pub system_type: &'a [u8],
    /// Where it comes from.
    pub from: IpAddr,
    /// Over TLS.
    pub tls: bool,
}

/// Why a bind was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindDenied {
    /// Nobody's `system_id`.
    #[error("nobody has this name")]
    UnknownSystemId,
    /// Not its password.
    #[error("the password is wrong")]
    WrongPassword,
    /// Not its `system_type`.
    #[error("the system_type is not the account's")]
    SystemType,
    /// Not from a network that it may bind from.
    #[error("the account may not log in from this address")]
    Network,
    /// In the clear, which it may not.
    #[error("the account may log in over TLS only")]
    TlsRequired,
    /// Its account is switched off.
    #[error("the account is disabled")]
    AccountDisabled,
}

/// Idempotency keys of requests that are being answered now.
#[derive(Debug, Default)]
pub(crate) struct Access {
    keys: Mutex<HashSet<IdempotencyKey>>,
    pub(crate) guesses: Mutex<Guesses>,
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
    /// Who holds this token? One that is bound to networks is refused, for it is not known where it
    /// comes from: that is [`authenticate_from`](Self::authenticate_from).
    pub fn authenticate(&self, token: &str) -> Result<Caller, AccessDenied> {
        self.holder_of(token, None)
    }

    /// Who holds this token, which came from `address`?
    pub fn authenticate_from(&self, token: &str, address: IpAddr) -> Result<Caller, AccessDenied> {
        self.holder_of(token, Some(address))
    }

    fn holder_of(&self, token: &str, address: Option<IpAddr>) -> Result<Caller, AccessDenied> {
        let world = self.inner.current.load();
        let view = world.token(&sha256(token.as_bytes())).ok_or(AccessDenied::UnknownToken)?;
        if view.expires_at.is_some_and(|at: Timestamp| at <= self.now()) {
            return Err(AccessDenied::Expired);
        }
        let within = |address: IpAddr| view.networks.iter().any(|net| net.contains(&address.to_canonical()));
        if !view.networks.is_empty() && !address.is_some_and(within) {
            return Err(AccessDenied::Network);
        }
        if !view.account.is_enabled() {
            return Err(AccessDenied::AccountDisabled);
        }
        if let Some(used) = &view.used {
            used.note(self.now());
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
        if !user.account.is_enabled() {
            return Err(UserDenied::AccountDisabled);
        }
        Ok(Caller { account: user.account.clone(), scopes: vec![Scope::Messages], token: user.token.clone() })
    }

    /// Who logs in to have a session? Whatever else is wrong is told only to those who know the password.
    pub fn authenticate_bind(&self, attempt: BindAttempt<'_>) -> Result<Caller, BindDenied> {
        const NOBODYS: PasswordHash = PasswordHash::nobodys();
        let world = self.inner.current.load();
        let account = world.login(attempt.protocol, attempt.system_id);
        let hash = account.and_then(|account| account.password(attempt.protocol));
        let right = hash.unwrap_or(&NOBODYS).is_of(attempt.password);
        let (Some(account), Some(login)) = (account, account.and_then(|a| a.account.login(attempt.protocol))) else {
            return Err(BindDenied::UnknownSystemId);
        };
        if !right || hash.is_none() {
            return Err(BindDenied::WrongPassword);
        }
        if !login.allow.is_empty() && !login.allow.iter().any(|net| net.contains(&attempt.from.to_canonical())) {
            return Err(BindDenied::Network);
        }
        if login.tls_required && !attempt.tls {
            return Err(BindDenied::TlsRequired);
        }
        if login.system_type.as_ref().is_some_and(|wanted| wanted.as_bytes() != attempt.system_type) {
            return Err(BindDenied::SystemType);
        }
        if !account.is_enabled() {
            return Err(BindDenied::AccountDisabled);
        }
        let token = format!("{}-{}", account.id, attempt.protocol.as_str()).into();
        Ok(Caller { account: account.clone(), scopes: vec![Scope::Messages], token })
    }

    /// The account as somebody who has shown who it is in another way, such as by a broker's topic; `None` if
    /// it is switched off or gone.
    #[must_use]
    pub fn caller_of(&self, account: &str) -> Option<Caller> {
        let world = self.inner.current.load();
        let account = world.account(account).filter(|account| account.is_enabled())?;
        let token = format!("{}-mqtt", account.id).into();
        Some(Caller { account: account.clone(), scopes: vec![Scope::Messages], token })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use model::resources::{Account, ResourceSet};

    use super::*;
    use crate::resources::apply;
    use crate::{Retention, Settings, Vault, World};

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

    async fn engine(account: &str) -> Engine {
        engine_of(&[account]).await
    }

    async fn engine_of(accounts: &[&str]) -> Engine {
        let store = Arc::new(store::MemoryStore::new(|| Timestamp::from_millis(1_795_376_096_000)));
        let accounts = accounts.iter().map(|account| serde_json::from_str::<Account>(account).unwrap()).collect();
        let wanted = ResourceSet { accounts, ..ResourceSet::default() };
        apply(&*store, &Vault::new(&[1; 32]), &wanted).await.unwrap();
        // Applied again it is the same, though hashes are salted.
        assert_eq!(apply(&*store, &Vault::new(&[1; 32]), &wanted).await.unwrap().1, []);
        let settings = Settings {
            vault: Vault::new(&[1; 32]),
            retention: Retention::default(),
            webhook_concurrency: 1,
            watch_resources: Duration::from_secs(3600),
            authority: None,
            node: None,
        };
        Engine::start(store, settings).await.unwrap()
    }

    fn attempt<'a>(system_id: &'a str, password: &'a str) -> BindAttempt<'a> {
        let (system_id, password) = (system_id.as_bytes(), password.as_bytes());
        BindAttempt {
            protocol: SessionProtocol::Smpp,
            system_id,
            password,
            system_type: b"VMA",
            from: FROM,
            tls: false,
        }
    }

    #[tokio::test]
    async fn a_bind_needs_name_password_network_and_type() {
        let engine = engine(
            r#"{"id":"a","smpp":{"system_id":"shop","password":"secret","allow":["10.0.0.0/8"],"system_type":"VMA"}}"#,
        )
        .await;
        let good = attempt("shop", "secret");
        assert_eq!(&*engine.authenticate_bind(good).unwrap().account.id, "a");
        let stored = engine.store().resources().await.unwrap().documents.remove(0).json;
        assert!(!stored.contains("secret"), "{stored}");
        for (attempt, why) in [
            (attempt("shop", "secreT"), BindDenied::WrongPassword),
            (attempt("shop", ""), BindDenied::WrongPassword),
            (attempt("shoP", "secret"), BindDenied::UnknownSystemId),
            (BindAttempt { from: [192, 0, 2, 1].into(), ..good }, BindDenied::Network),
            (BindAttempt { system_type: b"", ..good }, BindDenied::SystemType),
        ] {
            assert_eq!(engine.authenticate_bind(attempt).unwrap_err(), why);
        }
        assert!(engine.authenticate_bind(BindAttempt { from: "::ffff:10.0.0.1".parse().unwrap(), ..good }).is_ok());
        engine.stop().await;
    }

    #[tokio::test]
    async fn an_account_may_want_tls_or_be_switched_off() {
        let engine =
            engine(r#"{"id":"a","enabled":false,"smpp":{"system_id":"shop","password":"secret","tls_required":true}}"#)
                .await;
        let good = attempt("shop", "secret");
        assert_eq!(engine.authenticate_bind(good).unwrap_err(), BindDenied::TlsRequired);
        let denied = engine.authenticate_bind(BindAttempt { tls: true, ..good }).unwrap_err();
        assert_eq!(denied, BindDenied::AccountDisabled);
        engine.stop().await;
    }

    #[tokio::test]
    async fn an_account_below_one_that_is_switched_off_is_so_too_in_every_way_in() {
        let below = r#"{"id":"b","parent":"a","smpp":{"system_id":"shop","password":"secret"},
            "compat":{"username":"user","password":"secret"}}"#;
        let (on, off) =
            (engine_of(&[r#"{"id":"a"}"#, below]).await, engine_of(&[r#"{"id":"a","enabled":false}"#, below]).await);
        let bound = on.authenticate_bind(attempt("shop", "secret")).unwrap();
        assert!(on.authenticate_user("user", "secret", FROM).is_ok());
        assert_eq!(off.authenticate_bind(attempt("shop", "secret")).unwrap_err(), BindDenied::AccountDisabled);
        assert_eq!(off.authenticate_user("user", "secret", FROM).unwrap_err(), UserDenied::AccountDisabled);
        assert!(on.world().account("b").unwrap().logs_in_as(&bound.account, SessionProtocol::Smpp));
        let mut disabled = on.world().set.clone();
        disabled.accounts.iter_mut().filter(|account| account.id == "a").for_each(|account| account.enabled = false);
        assert!(!World::compile(2, disabled).account("b").unwrap().logs_in_as(&bound.account, SessionProtocol::Smpp));
        on.stop().await;
        off.stop().await;
    }

    #[tokio::test]
    async fn a_login_without_a_password_is_a_fault() {
        let store = store::MemoryStore::new(|| Timestamp::from_millis(1_795_376_096_000));
        let account: Account = serde_json::from_str(r#"{"id":"a","smpp":{"system_id":"shop"}}"#).unwrap();
        let wanted = ResourceSet { accounts: vec![account], ..ResourceSet::default() };
        let error = apply(&store, &Vault::new(&[1; 32]), &wanted).await.unwrap_err().to_string();
        assert!(error.contains("smpp.password: is missing"), "{error}");
    }
}
