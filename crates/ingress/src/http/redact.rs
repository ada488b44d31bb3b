//! Resources as they are shown: without their secrets.

use model::SessionProtocol;
use model::resources::{Account, Connector, Inbound, Secret, Token};
use serde::Serialize;

/// An account without its tokens, its user's, its logins' and its broker's passwords and its webhooks' secrets.
pub(super) fn account(account: &Account) -> Account {
    let mut shown = account.clone();
    shown.api_token = None;
    shown.api_token_sha256 = None;
    if let Some(compat) = &mut shown.compat {
        compat.password = compat.password.take().filter(is_reference);
    }
    for protocol in SessionProtocol::ALL {
        if let Some((password, password_sha256)) = shown.login_secrets(protocol) {
            (*password, *password_sha256) = (None, None);
        }
    }
    if let Some(mqtt) = &mut shown.mqtt {
        mqtt.password = mqtt.password.take().filter(is_reference);
    }
    if let Some(policy) = &mut shown.policy {
        policy.secret = policy.secret.take().filter(is_reference);
    }
    for webhook in &mut shown.webhooks {
        webhook.secret = webhook.secret.take().filter(is_reference);
    }
    shown
}

/// A connector without its passwords.
pub(super) fn connector(connector: &Connector) -> Connector {
    let mut shown = connector.clone();
    shown.password = shown.password.take().filter(is_reference);
    if let Some(outbind) = &mut shown.outbind {
        outbind.password = outbind.password.take().filter(is_reference);
    }
    if let Some(modem) = &mut shown.modem {
        modem.pin = modem.pin.take().filter(is_reference);
    }
    if let Some(http) = &mut shown.http {
        http.secrets.retain(|_, secret| is_reference(secret));
        if let Some(callback) = &mut http.callback {
            callback.secret = callback.secret.take().filter(is_reference);
        }
    }
    shown
}

/// An inbound rule without its webhook's secret.
pub(super) fn inbound(rule: &Inbound) -> Inbound {
    let mut shown = rule.clone();
    if let Some(webhook) = &mut shown.webhook {
        webhook.secret = webhook.secret.take().filter(is_reference);
    }
    shown
}

/// A token without its hash.
#[derive(Debug, Serialize)]
pub(super) struct TokenShown<'a> {
    id: &'a str,
    account: &'a str,
    scopes: &'a [model::resources::Scope],
    expires_at: Option<model::Timestamp>,
    networks: &'a [ipnet::IpNet],
    created_at: model::Timestamp,
    /// When it was used last, to about a second.
    pub last_used_at: Option<model::Timestamp>,
    /// The token itself, right after it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl<'a> From<&'a Token> for TokenShown<'a> {
    fn from(token: &'a Token) -> Self {
        Self {
            id: &token.id,
            account: &token.account,
            scopes: &token.scopes,
            expires_at: token.expires_at,
            networks: &token.networks,
            created_at: token.created_at,
            last_used_at: None,
            token: None,
        }
    }
}

/// Where to look for a secret is none itself.
fn is_reference(secret: &Secret) -> bool {
    matches!(secret, Secret::Env { .. } | Secret::File { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_protocol_of_a_connector_shows_its_secrets() {
        let settings = r#"
            id = "a"
            protocol = "http"
            address = "https://api.example"
            password = "hunter2"
            modem = { pin = "1234-hunter2" }
            outbind = { listen = "127.0.0.1:1", allow = [], password = "hunter2" }
            [http]
            preset = "twilio"
            secrets = { key = "hunter2", kept = { env = "KEPT" } }
            callback = { url = "https://gateway.example", secret = "hunter2-hunter2-hunter2" }
        "#;
        let shown = connector(&toml::from_str(settings).unwrap());
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("hunter2") && text.contains("KEPT"), "{text}");
    }
}
