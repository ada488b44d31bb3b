//! OAuth 2.0 tokens by client credentials (RFC 6749 §4.4): fetched, kept, and renewed before they end.

use std::time::Duration;

use http::header::HeaderValue;
use model::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::api::{Api, TokenSource, bearer};
use super::client::{Client, Exchanged};
use super::document::Document;
use super::values::Values;

/// How long a token is taken to be good whose end nobody names.
const USUAL: Duration = Duration::from_secs(3600);
/// It is renewed so long before its end, or at nine tenths of its life.
const AHEAD: Duration = Duration::from_secs(60);

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    /// When it is to be renewed.
    pub(super) renew_at: Instant,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) struct NoToken {
    pub(super) why: Box<str>,
    /// The provider does not know us.
    pub(super) credentials: bool,
}

/// Fetches a token.
pub(super) async fn fetch(api: &Api, source: &TokenSource, client: &Client, now: Timestamp) -> Result<Token, NoToken> {
    let failed = |why: String, credentials| NoToken { why: format!("no access token: {why}").into(), credentials };
    let values = Values::plain(&api.known, now);
    let request = source.request.write(&source.origin, &[values], None);
    let request = request.map_err(|reason| failed(reason.detail.into(), false))?;
    match client.exchange(request).await {
        Exchanged::Answered(document) => {
            let known = matches!(document.status, 400 | 401 | 403);
            read(&document, Instant::now()).ok_or_else(|| failed(format!("HTTP {}", document.status), known))
        }
        Exchanged::NotSent(why) | Exchanged::Lost(why) => Err(failed(why.into(), false)),
    }
}

/// Reads an answer (RFC 6749 §5.1). Some providers write the seconds as a string.
fn read(document: &Document, now: Instant) -> Option<Token> {
    let answer = document.tree().filter(|_| document.is_success())?;
    let token = answer.get("access_token")?.as_str()?;
    let life = match answer.get("expires_in") {
        Some(Value::Number(seconds)) => seconds.as_u64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    let life = life.map_or(USUAL, |seconds| Duration::from_secs(seconds.min(86_400)));
    let life = life.saturating_sub(AHEAD).max(life.mul_f64(0.9).min(AHEAD));
    Some(Token { header: bearer(token.as_bytes()).ok()?, renew_at: now + life })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn tokens_are_renewed_before_they_end() {
        let now = Instant::now();
        let life = |body: &str| {
            let document = Document::new(200, HeaderMap::new(), body.as_bytes().to_vec());
            read(&document, now).map(|token| (token.renew_at - now).as_secs())
        };
        assert_eq!(life(r#"{"access_token":"t","token_type":"BearerToken","expires_in":"3599"}"#), Some(3539));
        assert_eq!(life(r#"{"access_token":"t","expires_in":20}"#), Some(18));
        assert_eq!(life(r#"{"access_token":"t"}"#), Some(3540));
        assert_eq!(life(r#"{"error":"invalid_client"}"#), None);
    }
}
