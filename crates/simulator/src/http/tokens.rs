//! Access tokens that end: after a while, or after so many requests.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::apis::Told;

/// What is told of tokens whose life is not limited, in seconds.
const USUAL_SECONDS: u32 = 3599;

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: HashMap<String, Given>,
}

#[derive(Debug)]
struct Given {
    until: Instant,
    uses: u64,
}

impl Tokens {
    /// Gives another one out, in place of the one in this answer.
    pub(super) fn give(&mut self, told: &mut Told, seconds: Option<u32>, uses: Option<u64>) {
        let Ok(mut body) = serde_json::from_str::<serde_json::Value>(&told.body) else { return };
        let seconds = seconds.unwrap_or(USUAL_SECONDS);
        let token = format!("token-{}", self.given.len() + 1);
        body["access_token"] = token.as_str().into();
        body["expires_in"] = seconds.to_string().into();
        told.body = body.to_string();
        let until = Instant::now() + Duration::from_secs(seconds.into());
        self.given.insert(token, Given { until, uses: uses.unwrap_or(u64::MAX) });
    }

    /// Is it good still? That was one use.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let Some(given) = self.given.get_mut(token).filter(|given| given.until > Instant::now()) else { return false };
        let left = given.uses.checked_sub(1);
        given.uses = left.unwrap_or_default();
        left.is_some()
    }
}
