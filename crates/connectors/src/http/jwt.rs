//! JSON Web Tokens that carry the signature of a call (RFC 7519, by HMAC with SHA-256: RFC 7518 §3.2). Pure.
//!
//! The claim `payload_hash` is what binds a token to its body: the SHA-256 of it, in hexadecimal. So do Vonage's signed
//! webhooks. Without it a token that was seen once would be good for any body.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use model::resources::http::HttpDigest;
use ring::{digest, hmac};
use serde_json::Value;

use super::escape::undigest;

/// Longest token that is looked at, in octets.
const TOKEN_MAX: usize = 8 * 1024;
/// How far clocks may be apart, in seconds, where a token names a beginning or an end.
const APART: i64 = 60;

/// Is this the token of this body, and good at this moment? When it was made then, if it says so.
pub(super) fn verify(header: &[u8], key: &[u8], body: &[u8], now: Timestamp) -> Option<Option<Timestamp>> {
    let token = std::str::from_utf8(header).ok()?.trim();
    let token = match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => return None,
        None => token,
    };
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_MAX)?;
    let (head, claims) = signed.split_once('.')?;
    // What it says of its own algorithm decides nothing but whether it is ours.
    if part(head)?.get("alg")?.as_str()? != "HS256" {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), &signature).ok()?;
    let claims = part(claims)?;
    let time = |name: &str| -> Option<Option<i64>> {
        match claims.get(name) {
            None | Some(Value::Null) => Some(None),
            // RFC 7519 §2: a number, perhaps with a fraction.
            Some(value) => value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)).map(Some),
        }
    };
    let now = now.as_seconds();
    let is_over = time("exp")?.is_some_and(|end| now > end.saturating_add(APART));
    let is_early = time("nbf")?.is_some_and(|begin| now < begin.saturating_sub(APART));
    let hash = undigest(HttpDigest::Hex, claims.get("payload_hash")?.as_str()?)?;
    let is_its = hash == digest::digest(&digest::SHA256, body).as_ref();
    (is_its && !is_over && !is_early).then(|| time("iat").flatten().map(seconds))
}

fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}
