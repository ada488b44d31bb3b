//! Signatures: of our requests, and of the provider's calls. Pure.

use http::header::HeaderName;
use model::resources::http::template::Template;
use model::resources::http::{HttpAlgorithm, HttpAuth, HttpDigest, HttpSignature};
use ring::{hmac, signature};

use super::escape::{digest, undigest};
use super::request::DescriptionError;
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
}

fn hmac_of(algorithm: HttpAlgorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        HttpAlgorithm::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        HttpAlgorithm::HmacSha256 => Some(hmac::HMAC_SHA256),
        HttpAlgorithm::HmacSha512 => Some(hmac::HMAC_SHA512),
        HttpAlgorithm::Ed25519 => None,
    }
}

impl Signer {
    pub(super) fn compile(auth: &HttpAuth) -> Result<Self, DescriptionError> {
        let algorithm = hmac_of(auth.algorithm.unwrap_or_default());
        let mut headers = Vec::new();
        for (name, text) in &auth.headers {
            let name = HeaderName::try_from(name).map_err(|error| DescriptionError::Other(error.to_string()))?;
            headers.push((name, Template::parse(text)?));
        }
        Ok(Self {
            algorithm: algorithm.ok_or_else(|| DescriptionError::Other("auth.algorithm must be an HMAC".into()))?,
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
    pub(super) fn compile(signature: &HttpSignature) -> Result<Option<Self>, DescriptionError> {
        if signature.check == Some(false) {
            return Ok(None);
        }
        Ok(Some(Self {
            algorithm: signature.algorithm.unwrap_or_default(),
            key: Template::parse(signature.key.as_deref().unwrap_or("{password}"))?,
            over: Template::parse(&signature.over)?,
            form: signature.encoding.unwrap_or(HttpDigest::Base64),
            header: signature.header.to_ascii_lowercase().into(),
        }))
    }

    /// Has this call the provider's signature? Comparisons take as long for every wrong one.
    pub(super) fn is_right(&self, values: &Values<'_>) -> bool {
        let Some(call) = values.call else { return false };
        let given = call.headers.iter().find(|(name, _)| *name == self.header);
        let given = given.and_then(|(_, value)| undigest(self.form, std::str::from_utf8(value).ok()?));
        let (Some(given), Some(over), Some(key)) = (given, values.text(&self.over), values.text(&self.key)) else {
            return false;
        };
        match hmac_of(self.algorithm) {
            Some(algorithm) => hmac::verify(&hmac::Key::new(algorithm, &key), &over, &given).is_ok(),
            None => {
                let key = std::str::from_utf8(&key).ok().and_then(|key| undigest(HttpDigest::Base64, key));
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, key.unwrap_or_default());
                key.verify(&over, &given).is_ok()
            }
        }
    }
}
