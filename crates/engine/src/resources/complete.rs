//! What an operator leaves out of resources, and the forms that are not kept.

use model::SessionProtocol;
use model::resources::{Account, Connector, Inbound, Kind, ResourceSet, Secret, SetFault};

use super::{EditError, new_webhook_secret};
use crate::hash::{hex, sha256};
use crate::password::PasswordHash;
use crate::vault::{Vault, VaultError};

/// `wanted` with what it leaves out: secrets as they were, hashes instead of API tokens, ids and
/// secrets for webhooks, and the tokens of accounts that stay. Secrets that were sealed here are
/// open in it; those that can't be had are faults.
pub(super) fn completed(old: &ResourceSet, mut wanted: ResourceSet, vault: &Vault) -> Result<ResourceSet, EditError> {
    let mut faults = Vec::new();
    for account in &mut wanted.accounts {
        let id = account.id.clone();
        let mut fault = |field: String, detail: String| {
            faults.push(SetFault { kind: Kind::Account, id: id.clone(), field, detail })
        };
        open_account(account, vault, &mut fault);
        let before = old.accounts.iter().find(|a| a.id == account.id);
        for protocol in SessionProtocol::ALL {
            complete_login(account, protocol, before, vault, &mut fault)?;
        }
        complete_account(account, before)?;
    }
    for connector in &mut wanted.connectors {
        complete_connector(connector, old.connectors.iter().find(|c| c.id == connector.id));
        let outbind = connector.outbind.as_mut().and_then(|outbind| outbind.password.as_mut());
        let outbind = outbind.map(|secret| ("outbind.password".to_owned(), secret));
        let pin = connector.modem.as_mut().and_then(|modem| modem.pin.as_mut());
        let pin = pin.map(|secret| ("modem.pin".to_owned(), secret));
        let http = connector.http.iter_mut().flat_map(|http| http.secrets_mut());
        let http = http.map(|(field, secret)| (format!("http.{field}"), secret));
        let password = connector.password.iter_mut().map(|secret| ("password".to_owned(), secret));
        for (field, secret) in password.chain(outbind).chain(pin).chain(http) {
            if let Err(error) = vault.open(secret) {
                let (kind, id) = (Kind::Connector, connector.id.clone());
                faults.push(SetFault { kind, id, field, detail: error.to_string() });
            }
        }
    }
    for rule in &mut wanted.inbound {
        complete_inbound(rule, old.inbound.iter().find(|r| r.id == rule.id));
        if let Err(error) = vault.open_inbound(rule) {
            let (kind, id, field) = (Kind::Inbound, rule.id.clone(), "webhook.secret".to_owned());
            faults.push(SetFault { kind, id, field, detail: error.to_string() });
        }
    }
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    for (n, route) in wanted.routes.iter_mut().enumerate().filter(|(_, r)| r.order == 0) {
        route.order = n as i64;
    }
    for (n, rule) in wanted.inbound.iter_mut().enumerate().filter(|(_, r)| r.order == 0) {
        rule.order = n as i64;
    }
    if wanted.tokens.is_empty() {
        let stays = |token: &&model::resources::Token| wanted.accounts.iter().any(|a| a.id == token.account);
        wanted.tokens = old.tokens.iter().filter(stays).cloned().collect();
    }
    Ok(wanted)
}

/// Opens what was sealed, and makes a hash of an API token, wherever it is.
fn open_account(account: &mut Account, vault: &Vault, fault: &mut impl FnMut(String, String)) {
    if let Some(mut token) = account.api_token.take() {
        let opened = vault.open(&mut token).map_err(|error| error.to_string());
        match opened.and_then(|()| token.reveal().map_err(|error| error.to_string())) {
            Ok(token) => account.api_token_sha256 = Some(hex(&sha256(token.as_bytes()))),
            Err(why) => fault("api_token".into(), why),
        }
    }
    let password = account.compat.as_mut().and_then(|compat| compat.password.as_mut());
    if let Some(Err(error)) = password.map(|secret| vault.open(secret)) {
        fault("compat.password".into(), error.to_string());
    }
    let mqtt = account.mqtt.as_mut().and_then(|mqtt| mqtt.password.as_mut());
    if let Some(Err(error)) = mqtt.map(|secret| vault.open(secret)) {
        fault("mqtt.password".into(), error.to_string());
    }
    let policy = account.policy.as_mut().and_then(|policy| policy.secret.as_mut());
    if let Some(Err(error)) = policy.map(|secret| vault.open(secret)) {
        fault("policy.secret".into(), error.to_string());
    }
    for (n, webhook) in account.webhooks.iter_mut().enumerate() {
        if let Some(Err(error)) = webhook.secret.as_mut().map(|secret| vault.open(secret)) {
            fault(format!("webhooks.{n}.secret"), error.to_string());
        }
    }
}

/// The hash of a login's password instead of it; the one that there was, if it is that password's.
fn complete_login(
    account: &mut Account,
    protocol: SessionProtocol,
    before: Option<&Account>,
    vault: &Vault,
    fault: &mut impl FnMut(String, String),
) -> Result<(), VaultError> {
    let Some((password, password_sha256)) = account.login_secrets(protocol) else { return Ok(()) };
    let field = |name: &str| format!("{}.{name}", protocol.as_str());
    let was = before.and_then(|a| a.login(protocol)?.password_sha256.cloned());
    if let Some(mut password) = password.take() {
        let opened = vault.open(&mut password).map_err(|error| error.to_string());
        let password = match opened.and_then(|()| password.reveal().map_err(|error| error.to_string())) {
            Ok(password) => password,
            Err(why) => {
                fault(field("password"), why);
                return Ok(());
            }
        };
        let same = |secret: &Secret| {
            let text = secret.reveal().ok()?;
            Some(PasswordHash::parse(&text)?.is_of(password.as_bytes()))
        };
        *password_sha256 = match was {
            Some(hash) if same(&hash) == Some(true) => Some(hash),
            _ => Some(Secret::Plain(PasswordHash::of(&password)?.to_text())),
        };
        return Ok(());
    }
    match password_sha256 {
        Some(hash) => {
            if let Err(error) = vault.open(hash) {
                fault(field("password_sha256"), error.to_string());
            }
        }
        None if was.is_some() => *password_sha256 = was,
        None => fault(field("password"), "is missing: without one nobody can log in".into()),
    }
    Ok(())
}

fn complete_account(account: &mut Account, before: Option<&Account>) -> Result<(), VaultError> {
    if account.api_token_sha256.is_none() {
        account.api_token_sha256 = before.and_then(|a| a.api_token_sha256.clone());
    }
    if let Some(compat) = account.compat.as_mut().filter(|compat| compat.password.is_none()) {
        compat.password = before.and_then(|a| a.compat.as_ref()?.password.clone());
    }
    if let Some(mqtt) = account.mqtt.as_mut().filter(|mqtt| mqtt.password.is_none()) {
        mqtt.password = before.and_then(|a| a.mqtt.as_ref()?.password.clone());
    }
    if let Some(policy) = account.policy.as_mut().filter(|policy| policy.secret.is_none()) {
        policy.secret = before.and_then(|a| a.policy.as_ref()?.secret.clone());
    }
    for (n, webhook) in account.webhooks.iter_mut().enumerate() {
        let id = webhook.id.get_or_insert_with(|| format!("{}-{}", account.id, n + 1));
        if webhook.secret.is_none() {
            let was = before.and_then(|a| a.webhooks.iter().find(|w| w.id.as_ref() == Some(id)));
            webhook.secret = match was.and_then(|w| w.secret.clone()) {
                Some(secret) => Some(secret),
                None => Some(Secret::Plain(new_webhook_secret()?)),
            };
        }
    }
    Ok(())
}

fn complete_inbound(rule: &mut Inbound, before: Option<&Inbound>) {
    if let Some(webhook) = rule.webhook.as_mut().filter(|webhook| webhook.secret.is_none()) {
        webhook.secret = before.and_then(|rule| rule.webhook.as_ref()?.secret.clone());
    }
}

fn complete_connector(connector: &mut Connector, before: Option<&Connector>) {
    if connector.password.is_none() {
        connector.password = before.and_then(|c| c.password.clone());
    }
    if let Some(outbind) = connector.outbind.as_mut().filter(|outbind| outbind.password.is_none()) {
        outbind.password = before.and_then(|c| c.outbind.as_ref()?.password.clone());
    }
    if let Some(modem) = connector.modem.as_mut().filter(|modem| modem.pin.is_none()) {
        modem.pin = before.and_then(|c| c.modem.as_ref()?.pin.clone());
    }
    let before = before.and_then(|c| c.http.as_deref());
    if let (Some(http), Some(before)) = (&mut connector.http, before) {
        for (name, secret) in &before.secrets {
            http.secrets.entry(name.clone()).or_insert_with(|| secret.clone());
        }
        if let Some(callback) = http.callback.as_mut().filter(|callback| callback.secret.is_none()) {
            callback.secret = before.callback.as_ref().and_then(|callback| callback.secret.clone());
        }
    }
}
