//! The words that descriptions choose among.

use serde::{Deserialize, Serialize};

/// A way to say who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpAuthKind {
    /// None but what the request's own headers and parameters say.
    #[default]
    None,
    /// Basic authentication.
    Basic,
    /// A bearer token that is known.
    Bearer,
    /// A bearer token that is fetched with client credentials, kept, and renewed.
    Oauth2,
    /// A signature over the request.
    Hmac,
}

/// A method of HTTP (RFC 9110 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
}

/// What an error means for a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpClass {
    /// It is refused.
    #[default]
    Permanent,
    /// It is tried again later.
    Temporary,
    /// The connector pauses, and it goes first when it resumes.
    Throttled,
    /// We are not known: the connector goes down, and nothing is lost.
    Credentials,
    /// As good as accepted.
    Accepted,
    /// It may have been accepted, or not.
    Doubt,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpAlgorithm {
    /// HMAC (RFC 2104) with SHA-1.
    HmacSha1,
    /// With SHA-256.
    #[default]
    HmacSha256,
    /// With SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032): call-backs only.
    Ed25519,
    /// A JSON Web Token by HMAC with SHA-256 (RFC 7519, RFC 7518 §3.2) whose claim `payload_hash` is the SHA-256 of the
    /// body: call-backs only.
    JwtHs256,
}

/// How octets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpDigest {
    /// Hexadecimal.
    #[default]
    Hex,
    /// Base64 (RFC 4648 §4).
    Base64,
}

impl HttpMethod {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}
