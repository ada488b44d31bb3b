//! Signatures: of our requests, and of the provider's calls. Pure.

use engine::CarrierDenied;
use http::header::HeaderName;
use model::Timestamp;
use model::resources::http::template::{Name, Template};
use model::resources::http::{HttpAlgorithm, HttpAuth, HttpDigest, HttpSignature};
use ring::{hmac, signature};

use super::api::DescriptionFault;
use super::escape::{digest, undigest};
use super::jwt;
use super::values::{Signing, Values};

/// Signs requests.
#[derive(Debug)]
pub(super) struct Signer {
    algorithm: hmac::Algorithm,
    key: Template,
    over: Template,
    form: HttpDigest,
    headers: Vec<(HeaderName, Template)>,
}

/// Looks at the signatures of calls.
#[derive(Debug)]
pub(super) struct Verifier {
    algorithm: HttpAlgorithm,
    key: Template,
    over: Template,
    form: HttpDigest,
    header: Box<str>,
    timestamp: Option<Template>,
    /// How far from now it may have been made, in milliseconds.
    max_age: Option<u64>,
}

/// From here on a number is milliseconds since 1970, not seconds: the year 5138 of the one, 1973 of the other.
const MILLIS_FROM: i64 = 100_000_000_000;

fn hmac_of(algorithm: HttpAlgorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        HttpAlgorithm::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        HttpAlgorithm::HmacSha256 => Some(hmac::HMAC_SHA256),
        HttpAlgorithm::HmacSha512 => Some(hmac::HMAC_SHA512),
        HttpAlgorithm::Ed25519 | HttpAlgorithm::JwtHs256 => None,
    }
}

impl Signer {
    pub(super) fn compile(auth: &HttpAuth) -> Result<Self, DescriptionFault> {
        let algorithm = hmac_of(auth.algorithm.unwrap_or_default());
        let mut headers = Vec::new();
        for (name, text) in &auth.headers {
            let name = HeaderName::try_from(name).map_err(|error| DescriptionFault::Other(error.to_string()))?;
            headers.push((name, Template::parse(text)?));
        }
        Ok(Self {
            algorithm: algorithm.ok_or_else(|| DescriptionFault::Other("auth.algorithm must be an HMAC".into()))?,
            key: Template::parse(auth.key.as_deref().unwrap_or("{password}"))?,
            over: Template::parse(auth.over.as_deref().unwrap_or_default())?,
            form: auth.encoding.unwrap_or_default(),
            headers,
        })
    }

    /// The headers that carry the signature of a request.
    pub(super) fn headers(&self, values: &Values<'_>, signing: Signing<'_>) -> Vec<(HeaderName, Vec<u8>)> {
        let plain = |signing| Values { signing: Some(signing), message: None, ..*values };
        let over = plain(signing).text(&self.over).unwrap_or_default();
        let key = values.text(&self.key).unwrap_or_default();
        let signature = digest(self.form, hmac::sign(&hmac::Key::new(self.algorithm, &key), &over).as_ref());
        let signed = plain(Signing { signature: Some(&signature), ..signing });
        self.headers.iter().filter_map(|(name, text)| Some((name.clone(), signed.text(text)?))).collect()
    }
}

impl Verifier {
    /// One for these settings; `None` where nothing is to be looked at.
    pub(super) fn compile(signature: &HttpSignature) -> Result<Option<Self>, DescriptionFault> {
        if signature.check == Some(false) {
            return Ok(None);
        }
        let is_token = signature.algorithm == Some(HttpAlgorithm::JwtHs256);
        let header = if is_token && signature.header.is_empty() { "authorization" } else { &signature.header };
        let timestamp = signature.timestamp.as_deref().filter(|text| !text.is_empty());
        Ok(Some(Self {
            algorithm: signature.algorithm.unwrap_or_default(),
            key: Template::parse(signature.key.as_deref().unwrap_or("{password}"))?,
            over: Template::parse(&signature.over)?,
            form: signature.encoding.unwrap_or(HttpDigest::Base64),
            header: header.to_ascii_lowercase().into(),
            timestamp: timestamp.map(Template::parse).transpose()?,
            max_age: signature.max_age_seconds.map(|seconds| u64::from(seconds) * 1000),
        }))
    }

    /// Are the parameters of the address a part of what is signed?
    pub(super) fn covers_url(&self) -> bool {
        self.over.slots().any(|slot| slot.name == Name::Url)
    }

    /// Has this call the provider's signature, and was that made not too long ago? Comparisons take as long for every
    /// wrong one.
    ///
    /// # Errors
    /// It has not. Whoever sends tokens may fail to make one, and calls again if we fail too.
    pub(super) fn check(&self, values: &Values<'_>) -> Result<(), CarrierDenied> {
        let is_token = self.algorithm == HttpAlgorithm::JwtHs256;
        let given = values.call.and_then(|call| call.headers.iter().find(|(name, _)| *name == self.header));
        match given {
            None if is_token => Err(CarrierDenied::Later),
            Some((_, given)) if self.made_at(given, values).is_some_and(|made| self.is_fresh(made, values.now)) => {
                Ok(())
            }
            _ => Err(CarrierDenied::Signature),
        }
    }

    /// When it was made, if it is the provider's and says so.
    fn made_at(&self, given: &[u8], values: &Values<'_>) -> Option<Option<Timestamp>> {
        let key = values.text(&self.key)?;
        if self.algorithm == HttpAlgorithm::JwtHs256 {
            return jwt::verify(given, &key, values.call?.body, values.now);
        }
        let given = undigest(self.form, std::str::from_utf8(given).ok()?)?;
        let over = values.text(&self.over)?;
        match hmac_of(self.algorithm) {
            Some(algorithm) => hmac::verify(&hmac::Key::new(algorithm, &key), &over, &given).ok()?,
            None => {
                let key = std::str::from_utf8(&key).ok().and_then(|key| undigest(HttpDigest::Base64, key));
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, key.unwrap_or_default());
                key.verify(&over, &given).ok()?;
            }
        }
        let said = self.timestamp.as_ref().and_then(|timestamp| values.text(timestamp));
        Some(said.and_then(|said| moment(std::str::from_utf8(&said).ok()?)))
    }

    /// What does not say when it was made is not fresh, where that is asked for.
    fn is_fresh(&self, made: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(max_age) = self.max_age else { return true };
        made.is_some_and(|made| now.millis_since(made).unsigned_abs() <= max_age)
    }
}

/// A moment as providers write it: seconds or milliseconds since 1970, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    match text.trim().parse::<i64>() {
        Ok(number) if number >= MILLIS_FROM => Some(Timestamp::from_millis(number)),
        Ok(number) => Some(Timestamp::from_millis(number.saturating_mul(1000))),
        Err(_) => text.trim().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_providers_write_them() {
        let at = Some(Timestamp::from_millis(1_634_579_353_000));
        for text in ["1634579353", " 1634579353000 ", "2021-10-18T17:49:13Z", "2021-10-18T19:49:13+02:00"] {
            assert_eq!(moment(text), at, "{text}");
        }
        assert_eq!([moment(""), moment("today"), moment("1e9")], [None; 3]);
        assert!(moment("-9223372036854775808").is_some());
    }
}
