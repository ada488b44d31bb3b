//! Secrets at rest: carriers' passwords, webhooks' secrets and the hashes of applications' are stored encrypted with the
//! installation's key (ChaCha20-Poly1305), so that a copy of the database gives nothing away.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::resources::{Account, Connector, Inbound, Secret};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

/// The installation's key.
pub struct Vault {
    key: LessSafeKey,
    random: SystemRandom,
}

/// A secret that can't be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not what this key has sealed: another installation's, or damaged.
    #[error("it was sealed with another key, or is damaged")]
    NotOurs,
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    NoRandomness,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// With the key's 32 octets.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&aead::CHACHA20_POLY1305, key).expect("the algorithm's keys have 32 octets");
        Self { key: LessSafeKey::new(key), random: SystemRandom::new() }
    }

    /// Encrypts a secret that is written out; the others only say where to look and stay so.
    pub fn seal(&self, secret: &mut Secret) -> Result<(), VaultError> {
        let Secret::Plain(text) = secret else { return Ok(()) };
        let mut nonce = [0; aead::NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut sealed = std::mem::take(text).into_bytes();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .map_err(|_| VaultError::NoRandomness)?;
        let mut octets = nonce.to_vec();
        octets.append(&mut sealed);
        *secret = Secret::Sealed { sealed: STANDARD.encode(octets) };
        Ok(())
    }

    /// Decrypts a sealed secret; the others stay as they are.
    pub fn open(&self, secret: &mut Secret) -> Result<(), VaultError> {
        let Secret::Sealed { sealed } = secret else { return Ok(()) };
        let mut octets = STANDARD.decode(sealed.as_bytes()).map_err(|_| VaultError::NotOurs)?;
        let (nonce, text) = octets.split_at_mut_checked(aead::NONCE_LEN).ok_or(VaultError::NotOurs)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::NotOurs)?;
        let text = self.key.open_in_place(nonce, Aad::empty(), text).map_err(|_| VaultError::NotOurs)?;
        *secret = Secret::Plain(String::from_utf8(text.to_vec()).map_err(|_| VaultError::NotOurs)?);
        Ok(())
    }

    /// Seals every secret of an account. (Its API token and the passwords of its logins are replaced by hashes before.)
    pub fn seal_account(&self, account: &mut Account) -> Result<(), VaultError> {
        account_secrets(account).try_for_each(|s| self.seal(s))
    }

    /// Opens every secret of an account.
    pub fn open_account(&self, account: &mut Account) -> Result<(), VaultError> {
        account_secrets(account).try_for_each(|s| self.open(s))
    }

    /// Seals every secret of a connector.
    pub fn seal_connector(&self, connector: &mut Connector) -> Result<(), VaultError> {
        connector_secrets(connector).try_for_each(|s| self.seal(s))
    }

    /// Seals every secret of an inbound rule.
    pub fn seal_inbound(&self, rule: &mut Inbound) -> Result<(), VaultError> {
        inbound_secret(rule).map_or(Ok(()), |s| self.seal(s))
    }

    /// Opens every secret of an inbound rule.
    pub fn open_inbound(&self, rule: &mut Inbound) -> Result<(), VaultError> {
        inbound_secret(rule).map_or(Ok(()), |s| self.open(s))
    }

    /// Opens every secret of a connector.
    pub fn open_connector(&self, connector: &mut Connector) -> Result<(), VaultError> {
        connector_secrets(connector).try_for_each(|s| self.open(s))
    }
}

fn account_secrets(account: &mut Account) -> impl Iterator<Item = &mut Secret> {
    let password = account.compat.as_mut().and_then(|compat| compat.password.as_mut());
    let smpp = account.smpp.as_mut().and_then(|login| login.password_sha256.as_mut());
    let others = [&mut account.ucp, &mut account.cimd2].into_iter().flatten();
    let logins = smpp.into_iter().chain(others.filter_map(|login| login.password_sha256.as_mut()));
    let policy = account.policy.as_mut().and_then(|policy| policy.secret.as_mut());
    let mqtt = account.mqtt.as_mut().and_then(|mqtt| mqtt.password.as_mut());
    let webhooks = account.webhooks.iter_mut().filter_map(|w| w.secret.as_mut());
    webhooks.chain(password).chain(logins).chain(policy).chain(mqtt)
}

fn inbound_secret(rule: &mut Inbound) -> Option<&mut Secret> {
    rule.webhook.as_mut()?.secret.as_mut()
}

fn connector_secrets(connector: &mut Connector) -> impl Iterator<Item = &mut Secret> {
    let outbind = connector.outbind.as_mut().and_then(|outbind| outbind.password.as_mut());
    let pin = connector.modem.as_mut().and_then(|modem| modem.pin.as_mut());
    let http = connector.http.iter_mut().flat_map(|http| http.secrets_mut().map(|(_, secret)| secret));
    connector.password.iter_mut().chain(outbind).chain(pin).chain(http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_only() {
        let vault = Vault::new(&[7; 32]);
        let mut secret = Secret::Plain("hunter2".into());
        vault.seal(&mut secret).unwrap();
        assert!(matches!(&secret, Secret::Sealed { sealed } if !sealed.contains("hunter2")));
        let mut other = secret.clone();
        assert_eq!(Vault::new(&[8; 32]).open(&mut other), Err(VaultError::NotOurs));
        vault.open(&mut secret).unwrap();
        assert_eq!(secret, Secret::Plain("hunter2".into()));
    }

    #[test]
    fn damaged_secrets_are_refused() {
        let vault = Vault::new(&[7; 32]);
        for sealed in ["", "####", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(vault.open(&mut Secret::Sealed { sealed: sealed.into() }), Err(VaultError::NotOurs));
        }
    }

    #[test]
    fn references_to_secrets_stay_references() {
        let vault = Vault::new(&[7; 32]);
        let mut secret = Secret::Env { env: "X".into() };
        vault.seal(&mut secret).unwrap();
        assert_eq!(secret, Secret::Env { env: "X".into() });
    }
}
