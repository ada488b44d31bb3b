//! Passwords that applications bind with over SMPP, as salted hashes.
//!
//! They are checked with HMAC-SHA256, which takes a microsecond, and not with a slow hash: SMPP has
//! room for eight characters that a machine sends in the clear, and after a restart hundreds of
//! clients bind at once; a hash that takes a tenth of a second would let anybody who can connect
//! keep the processor busy. Guessing over the wire is what the server's lock-outs are for, and a
//! copy of the store does not help either, for the hashes are sealed in it.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::hash::hex;
use crate::vault::VaultError;

/// Octets of a salt.
const SALT: usize = 16;

/// A password's hash and what it was salted with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash {
    salt: [u8; SALT],
    hash: [u8; 32],
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// The hash of a password, with a new salt.
    pub fn of(password: &str) -> Result<Self, VaultError> {
        let mut salt = [0; SALT];
        SystemRandom::new().fill(&mut salt).map_err(|_| VaultError::NoRandomness)?;
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&key(&salt), password.as_bytes()).as_ref());
        Ok(Self { salt, hash })
    }

    /// One that no password has, to compare with where there is none: then an unknown name takes
    /// as long as a wrong password.
    pub const fn nobodys() -> Self {
        Self { salt: [0; SALT], hash: [0; 32] }
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (salt, hash) = text.split_once(':')?;
        Some(Self { salt: octets(salt)?, hash: octets(hash)? })
    }

    /// Salt, colon, hash, in hexadecimal.
    pub fn to_text(&self) -> String {
        format!("{}:{}", hex(&self.salt), hex(&self.hash))
    }

    /// Is this the password? How long it takes says nothing.
    pub fn is_of(&self, password: &[u8]) -> bool {
        hmac::verify(&key(&self.salt), password, &self.hash).is_ok()
    }
}

fn key(salt: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, salt)
}

fn octets<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if hex.len() != N * 2 || !hex.is_ascii() {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_taken_and_no_two_hashes_are_alike() {
        let hash = PasswordHash::of("secret").unwrap();
        assert!(hash.is_of(b"secret"));
        assert!(!hash.is_of(b"Secret") && !hash.is_of(b"") && !PasswordHash::nobodys().is_of(b""));
        assert_ne!(hash, PasswordHash::of("secret").unwrap());
        assert_eq!(PasswordHash::parse(&hash.to_text()), Some(hash.clone()));
        assert_eq!(PasswordHash::parse("00:11"), None);
        assert!(!format!("{hash:?}").contains(&hex(&hash.hash)));
    }
}
