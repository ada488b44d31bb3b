//! The resources file: accounts, connectors, routes and inbound rules as an operator writes them.
//!
//! [`read`] tells every fault at once, each with its line: first what is planned and not built yet
//! ([`planned`]), then what the model's types refuse, last what does not hold together as a whole.
//! [`write`] turns stored resources into such a file again.

mod planned;
mod write;

use std::collections::BTreeSet;
use std::ops::Range;

use engine::Vault;
use model::SessionProtocol;
use model::resources::{Kind, ResourceSet, Secret, SetFault};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::Fault;
use crate::toml_reader::{Document, unknown};

pub use write::write;

/// How secrets are looked at while a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecretCheck<'v> {
    /// Opens what an export has sealed.
    pub vault: Option<&'v Vault>,
    /// Environment variables and files that secrets are in must be there.
    pub references: bool,
}

/// Reads a resources file.
pub fn read(file: &str, text: &str, secrets: SecretCheck<'_>) -> Result<ResourceSet, Vec<Fault>> {
    let (document, table) = Document::parse(file, text);
    let syntax_is_sound = document.faults.is_empty();
    let mut reader = Reader { document, set: ResourceSet::default(), items: Vec::new(), refused: BTreeSet::new() };
    for (key, value) in table.into_inner() {
        reader.top_level(key.span(), key.get_ref(), value);
    }
    reader.secrets(secrets);
    // What refers to something that could not be read is not at fault.
    if syntax_is_sound {
        reader.whole();
    }
    let faults = reader.document.into_faults();
    if faults.is_empty() { Ok(reader.set) } else { Err(faults) }
}

struct Reader<'i> {
    document: Document<'i>,
    set: ResourceSet,
    items: Vec<Item<'i>>,
    /// What the file has, but for a fault of its own: others may refer to it.
    refused: BTreeSet<(&'static str, String)>,
}

/// One resource as it stands in the file.
struct Item<'i> {
    kind: Kind,
    id: String,
    span: Range<usize>,
    table: DeTable<'i>,
}

impl<'i> Reader<'i> {
    fn top_level(&mut self, key_span: Range<usize>, key: &str, value: Spanned<DeValue<'i>>) {
        let Some(kind) = Kind::from_word(key) else {
            let message = match planned::table(key) {
                Some(what) => format!("{what} not supported yet; remove [[{key}]]"),
                None => unknown("table", key, &Kind::ALL.map(Kind::as_str)),
            };
            self.document.fault(key_span, message);
            for id in ids_of(&value) {
                self.refused.insert(("connector", id));
            }
            return;
        };
        let DeValue::Array(items) = value.into_inner() else {
            self.document.fault(key_span, format!("write [[{key}]], for there may be several"));
            return;
        };
        for item in items {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(table) => self.item(kind, span, table),
                _ => self.document.fault(span, format!("write [[{key}]] and a line for each of its keys")),
            }
        }
    }

    fn item(&mut self, kind: Kind, span: Range<usize>, mut table: DeTable<'i>) {
        let id = table.get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default().to_owned();
        let whole = table.clone();
        let faults_before = self.document.faults.len();
        planned::refuse(kind, &mut table, &mut self.document);
        let value = Spanned::new(span.clone(), DeValue::Table(table));
        let document = &mut self.document;
        match kind {
            Kind::Account => self.set.accounts.extend(document.read(value)),
            Kind::Connector => self.set.connectors.extend(document.read(value)),
            Kind::Pool => self.set.pools.extend(document.read(value)),
            Kind::Route => self.set.routes.extend(document.read(value)),
            Kind::Inbound => self.set.inbound.extend(document.read(value)),
            Kind::Token => self.set.tokens.extend(document.read(value)),
        }
        if self.document.faults.len() > faults_before {
            self.refused.insert((kind.as_str(), id.clone()));
        }
        self.items.push(Item { kind, id, span, table: whole });
    }

    /// What does not hold together, and is not the consequence of a fault that was told already.
    fn whole(&mut self) {
        for fault in engine::resources::check(&self.set) {
            let consequence = self.refused.iter().any(|(kind, id)| {
                // What is sent to may be either.
                let kind = if *kind == Kind::Pool.as_str() { Kind::Connector.as_str() } else { kind };
                fault.detail.starts_with(&format!("there is no {kind} \"{id}\""))
            });
            if !consequence {
                let span = self.span_of(&fault);
                self.document.fault(span, fault.to_string());
            }
        }
    }

    fn span_of(&self, fault: &SetFault) -> Range<usize> {
        // Of two with one id, the second is the one too many.
        let Some(item) = self.items.iter().rev().find(|i| i.kind == fault.kind && i.id == fault.id) else {
            return 0..0;
        };
        let Some(value) = find(&item.table, &fault.field) else { return item.span.clone() };
        let named = |entry: &&Spanned<DeValue<'_>>| {
            entry.get_ref().as_str().is_some_and(|text| fault.detail.contains(&format!("\"{text}\"")))
        };
        let entry = value.get_ref().as_array().and_then(|entries| entries.iter().find(named));
        entry.unwrap_or(value).span()
    }

    fn secrets(&mut self, check: SecretCheck<'_>) {
        let mut faults = Vec::new();
        for account in &mut self.set.accounts {
            let id = account.id.clone();
            let mut look = |field: String, secret: &mut Secret, always: bool| {
                if let Err(detail) = look_at(secret, check, always) {
                    faults.push(SetFault { kind: Kind::Account, id: id.clone(), field, detail });
                }
            };
            // A token is replaced by its hash at once, so that it must be there.
            account.api_token.iter_mut().for_each(|token| look("api_token".into(), token, true));
            let password = account.compat.as_mut().and_then(|compat| compat.password.as_mut());
            password.into_iter().for_each(|secret| look("compat.password".into(), secret, false));
            let mqtt = account.mqtt.as_mut().and_then(|mqtt| mqtt.password.as_mut());
            mqtt.into_iter().for_each(|secret| look("mqtt.password".into(), secret, false));
            let policy = account.policy.as_mut().and_then(|policy| policy.secret.as_mut());
            policy.into_iter().for_each(|secret| look("policy.secret".into(), secret, false));
            // So is a password.
            for protocol in SessionProtocol::ALL {
                let Some((password, hash)) = account.login_secrets(protocol) else { continue };
                for (name, secret) in [("password", password), ("password_sha256", hash)] {
                    let field = format!("{}.{name}", protocol.as_str());
                    secret.iter_mut().for_each(|secret| look(field.clone(), secret, true));
                }
            }
            for (n, webhook) in account.webhooks.iter_mut().enumerate() {
                webhook.secret.iter_mut().for_each(|secret| look(format!("webhooks.{n}.secret"), secret, false));
            }
        }
        for connector in &mut self.set.connectors {
            let outbind = connector.outbind.as_mut().and_then(|outbind| outbind.password.as_mut());
            let pin = connector.modem.as_mut().and_then(|modem| modem.pin.as_mut());
            let secrets =
                [("password", connector.password.as_mut()), ("outbind.password", outbind), ("modem.pin", pin)];
            for (field, secret) in secrets {
                if let Some(Err(detail)) = secret.map(|secret| look_at(secret, check, false)) {
                    let (kind, id, field) = (Kind::Connector, connector.id.clone(), field.into());
                    faults.push(SetFault { kind, id, field, detail });
                }
            }
        }
        for rule in &mut self.set.inbound {
            let secret = rule.webhook.as_mut().and_then(|webhook| webhook.secret.as_mut());
            if let Some(Err(detail)) = secret.map(|secret| look_at(secret, check, false)) {
                let (kind, id, field) = (Kind::Inbound, rule.id.clone(), "webhook.secret".into());
                faults.push(SetFault { kind, id, field, detail });
            }
        }
        for fault in faults {
            let span = self.span_of(&fault);
            self.document.fault(span, fault.to_string());
        }
    }
}

fn look_at(secret: &mut Secret, check: SecretCheck<'_>, always: bool) -> Result<(), String> {
    match secret {
        Secret::Sealed { .. } => match check.vault {
            Some(vault) => vault.open(secret).map_err(|error| error.to_string()),
            None => Err("it is sealed, and the key that opens it is not here".into()),
        },
        Secret::Env { .. } | Secret::File { .. } if always || check.references => {
            secret.reveal().map(drop).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

/// The value at a path such as `match.account` or `webhooks.0.url`, or the deepest that there is of it.
fn find<'t, 'i>(table: &'t DeTable<'i>, path: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    let mut keys = path.split('.');
    let mut value = table.get(keys.next()?)?;
    for key in keys {
        let deeper = match value.get_ref() {
            DeValue::Table(table) => table.get(key),
            DeValue::Array(items) => key.parse::<usize>().ok().and_then(|n| items.get(n)),
            _ => None,
        };
        match deeper {
            Some(deeper) => value = deeper,
            None => break,
        }
    }
    Some(value)
}

fn ids_of(value: &Spanned<DeValue<'_>>) -> Vec<String> {
    let items = value.get_ref().as_array().map(|items| items.iter());
    let id = |item: &Spanned<DeValue<'_>>| Some(item.get_ref().get("id")?.get_ref().as_str()?.to_owned());
    items.into_iter().flatten().filter_map(id).collect()
}

#[cfg(test)]
mod tests;
