//! Where a delivery goes, as the resources have it now.

use std::fmt;
use std::sync::Arc;

use model::resources::Webhook;
use model::{CallbackStyle, Delivery, Name};

use crate::answers::AnswerRules;
use crate::world::World;

/// Where a call goes and what it is signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `https://…` or `http://…`.
    pub url: Box<str>,
    /// How it is made.
    pub style: CallbackStyle,
    /// The signing secret, `whsec_…`; `None` when the account has none, then the call is unsigned.
    pub secret: Option<Arc<str>>,
    /// What it answers goes back to the phone.
    pub answer: AnswerWish,
}

/// Is what an application answers wanted?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerWish {
    /// No: its status says all.
    #[default]
    No,
    /// Its text is.
    Text {
        /// And what Kannel's headers say of it.
        kannel_headers: bool,
    },
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the secret nor what a URL may hold in its path and query belongs in a log.
        f.debug_struct("Target").field("origin", &origin(&self.url)).finish_non_exhaustive()
    }
}

impl Target {
    /// Of what is not called but taken.
    pub(super) fn nowhere() -> Self {
        Self { url: "".into(), secret: None, style: CallbackStyle::Webhook, answer: AnswerWish::No }
    }
}

/// The target of `delivery`, or why it has none any more.
pub(crate) fn target_of(world: &World, delivery: &Delivery) -> Result<Target, Box<str>> {
    let endpoint = &delivery.endpoint;
    let webhook = match (world.endpoint(endpoint), &delivery.url) {
        (Some(webhook), _) => webhook,
        // A `callback_url`: its endpoint is an origin, which no webhook's id can be.
        (None, Some(url)) if delivery.style.is_webhook() || endpoint.contains("://") => {
            let account = world.account(&delivery.account);
            let secret = account.and_then(|a| a.webhooks.iter().find_map(|w| w.secret.clone()));
            let secret = secret.filter(|_| delivery.style.is_webhook());
            return Ok(Target { url: url.clone(), style: delivery.style, secret, answer: AnswerWish::No });
        }
        (None, _) => return Err(format!("there is no webhook \"{endpoint}\" any more").into()),
    };
    if webhook.account != delivery.account {
        return Err(format!("the webhook \"{endpoint}\" is another account's now").into());
    }
    if !webhook.webhook.enabled {
        return Err(format!("the webhook \"{endpoint}\" is disabled").into());
    }
    let text = |rules: &AnswerRules| AnswerWish::Text { kannel_headers: rules.headers };
    let answer = webhook.answers.as_ref().map_or(AnswerWish::No, text);
    if let Some(url) = &delivery.url {
        return Ok(Target { url: url.clone(), style: delivery.style, secret: None, answer });
    }
    let url = webhook.webhook.url.as_str().into();
    if !delivery.style.is_webhook() {
        return Ok(Target { url, style: delivery.style, secret: None, answer });
    }
    if webhook.webhook.secret.is_some() && webhook.secret.is_none() {
        return Err(format!("the secret of the webhook \"{endpoint}\" can't be read").into());
    }
    Ok(Target { url, style: delivery.style, secret: webhook.secret.clone(), answer })
}

/// The webhook's settings that `delivery` goes by; `None` for a `callback_url`.
pub(crate) fn settings_of(world: &World, endpoint: &str) -> Option<Webhook> {
    world.endpoint(endpoint).map(|w| w.webhook.clone())
}

/// Scheme, host and port of a URL (RFC 6454 §4), without the port that the scheme has anyway and
/// without a user's name: the lane of a `callback_url`.
pub(crate) fn origin(url: &str) -> Name {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let mut origin = format!("{scheme}://{host}");
    origin.make_ascii_lowercase();
    let usual = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(usual).unwrap_or(&origin).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_unusual_port() {
        assert_eq!(&*origin("https://Example.com/a/b?c#d"), "https://example.com");
        assert_eq!(&*origin("https://user:pw@example.com:443?x"), "https://example.com");
        assert_eq!(&*origin("HTTP://example.com:80"), "http://example.com");
        assert_eq!(&*origin("http://example.com:443/"), "http://example.com:443");
        assert_eq!(&*origin("http://[::1]:8080/x"), "http://[::1]:8080");
        assert_eq!(&*origin("nonsense"), "nonsense");
    }

    #[test]
    fn a_target_shows_neither_secret_nor_path() {
        let target = Target {
            url: "https://u:p@h/secret?token=1".into(),
            style: CallbackStyle::Webhook,
            secret: Some("whsec_x".into()),
            answer: AnswerWish::No,
        };
        assert_eq!(format!("{target:?}"), r#"Target { origin: "https://h", .. }"#);
    }
}
