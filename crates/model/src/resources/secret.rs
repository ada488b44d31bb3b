//! Secrets: written plainly, or as where to find them; never shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret in a resource: a string, `{ env = "NAME" }`, `{ file = "PATH" }`, or, in the store,
/// `{ sealed = "…" }`: encrypted with the installation's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Secret {
    /// Written out.
    Plain(String),
    /// In an environment variable of the gateway's process.
    Env {
        /// The variable's name.
        env: String,
    },
    /// In a file; one line end at its end is not part of it.
    File {
        /// The file's path.
        file: String,
    },
    /// Encrypted at rest; opened where the store's documents are read.
    Sealed {
        /// Base64 of nonce and ciphertext.
        sealed: String,
    },
}

/// A secret that could not be had. Says where it was looked for, never what was found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No such environment variable, or not UTF-8.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file can't be read.
    #[error("the secret's file {0} can't be read: {1}")]
    NoFile(String, std::io::Error),
    /// Still encrypted: it was taken from the store without being opened.
    #[error("the secret is still sealed")]
    Sealed,
}

impl Secret {
    /// The secret itself. Reads the environment or a file when it says so.
    pub fn reveal(&self) -> Result<String, SecretError> {
        match self {
            Secret::Plain(text) => Ok(text.clone()),
            Secret::Env { env } => std::env::var(env).map_err(|_| SecretError::NoVariable(env.clone())),
            Secret::File { file } => {
                let text = std::fs::read_to_string(file).map_err(|e| SecretError::NoFile(file.clone(), e))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            Secret::Sealed { .. } => Err(SecretError::Sealed),
        }
    }
}

/// May `text` sign webhooks? Standard Webhooks 1.0, "Secret key": `whsec_` and base64 of 24 to 64
/// octets.
#[must_use]
pub fn is_signing_secret(text: &str) -> bool {
    let Some(encoded) = text.strip_prefix("whsec_") else { return false };
    let digits = encoded.trim_end_matches('=');
    let padding = encoded.len() - digits.len();
    let octets = digits.len() * 3 / 4;
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    padding <= 2 && encoded.len() % 4 == 0 && (24..=64).contains(&octets) && digits.bytes().all(sound)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Plain(_) | Secret::Sealed { .. } => f.write_str("Secret(…)"),
            Secret::Env { env } => write!(f, "Secret(env {env})"),
            Secret::File { file } => write!(f, "Secret(file {file})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_secrets_are_long_enough() {
        assert!(is_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert!(is_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMQ=="));
        let long = format!("whsec_{}", "A".repeat(92));
        let unprefixed = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for bad in ["", "whsec_", unprefixed, "whsec_c2hvcnQ=", "whsec_%%%", "whsec_…", &long] {
            assert!(!is_signing_secret(bad), "{bad}");
        }
    }
}
