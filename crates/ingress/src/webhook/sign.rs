//! The signature of a call (Standard Webhooks 1.0, "Verifying webhook authenticity").

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, general_purpose};
use foldhash::HashMap;
use http::HeaderValue;
use ring::hmac;

/// Keys kept at a time; when there are more secrets, they are made anew.
const KEYS_MAX: usize = 4096;
/// `v1,` and 32 octets in base64.
const SIGNATURE_LENGTH: usize = 3 + 44;

/// Secrets are written with padding or without.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret that nothing can be signed with. Does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret is not whsec_ and base64; give the webhook another")]
pub(super) struct BadSecret;

/// Signs, and keeps the keys that it has made of secrets.
#[derive(Default)]
pub(super) struct Signer {
    keys: Mutex<HashMap<Arc<str>, hmac::Key>>,
}

impl Signer {
    /// The value of `webhook-signature` for a body that goes out at `timestamp` (Unix seconds, as
    /// `webhook-timestamp` has it) under `id`.
    pub fn sign(&self, secret: &Arc<str>, id: &str, timestamp: &str, body: &[u8]) -> Result<HeaderValue, BadSecret> {
        let mut context = hmac::Context::with_key(&self.key(secret)?);
        for piece in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(piece);
        }
        let mut value = [0; SIGNATURE_LENGTH];
        value[..3].copy_from_slice(b"v1,");
        STANDARD.encode_slice(context.sign(), &mut value[3..]).map_err(|_| BadSecret)?;
        HeaderValue::from_bytes(&value).map_err(|_| BadSecret)
    }

    fn key(&self, secret: &Arc<str>) -> Result<hmac::Key, BadSecret> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(secret) {
            return Ok(key.clone());
        }
        let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
        let octets = SECRET.decode(encoded).map_err(|_| BadSecret)?;
        if octets.is_empty() {
            return Err(BadSecret);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(secret.clone(), key.clone());
        Ok(key)
    }
}

/// The value of `authorization` for a user's name and password in a URL (RFC 7617).
pub(super) fn basic(userinfo: &str) -> Option<HeaderValue> {
    let encoded = general_purpose::STANDARD.encode(percent_decoded(userinfo));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// RFC 3986 §2.1; a `%` without two digits stands for itself.
fn percent_decoded(text: &str) -> Vec<u8> {
    let octets = text.as_bytes();
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        let digits = octets.get(at + 1..at + 3).filter(|d| octet == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        decoded.push(value.unwrap_or(octet));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret: Arc<str> = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        let signer = Signer::default();
        let sign = |secret: &Arc<str>| {
            let body = br#"{"test": 2432232314}"#;
            signer.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body).unwrap()
        };
        for _ in 0..2 {
            assert_eq!(sign(&secret), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        }
        assert_eq!(sign(&"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()), sign(&secret));
        assert_ne!(sign(&"whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()), sign(&secret));
    }

    #[test]
    fn a_secret_that_is_none_is_refused() {
        for bad in ["whsec_", "whsec_!!!", "käse", ""] {
            assert_eq!(Signer::default().sign(&bad.into(), "a", "1", b""), Err(BadSecret), "{bad}");
        }
    }

    #[test]
    fn users_and_passwords_are_decoded_before_they_are_encoded() {
        // RFC 7617 §2.
        assert_eq!(basic("Aladdin:open%20sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(percent_decoded("100%&%4"), b"100%&%4");
        assert_eq!(percent_decoded("%C3%a4"), "ä".as_bytes());
    }
}
