//! Webhooks that inbound rules have of their own: looked up as those of accounts are.

use std::sync::Arc;

use model::resources::{Account, EventFilter, Inbound, Webhook};
use model::{CallbackStyle, Name};

use super::{AccountView, WebhookView, World};
use crate::answers::AnswerRules;

/// What the lanes of inbound rules' own webhooks begin with; the rule's id follows.
pub const RULE_LANE: &str = "rule:";

/// What the lanes of events that go to an MQTT broker begin with; the account's id follows.
pub const MQTT_LANE: &str = "mqtt:";

impl World {
    /// The webhook that an inbound rule has of its own.
    #[must_use]
    pub fn rule_webhook(&self, rule: &str) -> Option<&Arc<WebhookView>> {
        self.rule_webhooks.get(rule)
    }

    /// The webhook whose deliveries wait in this lane.
    pub(crate) fn endpoint(&self, lane: &str) -> Option<&Arc<WebhookView>> {
        if let Some(rule) = lane.strip_prefix(RULE_LANE) {
            return self.rule_webhook(rule);
        }
        match lane.strip_prefix(MQTT_LANE) {
            Some(account) => self.account(account)?.mqtt.as_ref(),
            None => self.webhook(lane),
        }
    }
}

impl AccountView {
    /// Where its events go: its webhooks, and its MQTT broker.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Arc<WebhookView>> {
        self.webhooks.iter().chain(&self.mqtt)
    }
}

impl WebhookView {
    /// An account's MQTT broker: to the queue of what is owed it is a webhook like any other.
    pub(super) fn of_mqtt(account: &Account) -> Option<Arc<Self>> {
        let mqtt = account.mqtt.as_deref()?;
        let id = format!("{MQTT_LANE}{}", account.id);
        let all = || vec![EventFilter("message.*".into())];
        let webhook = Webhook {
            id: None,
            url: id.clone(),
            style: CallbackStyle::Webhook,
            secret: None,
            events: if mqtt.events.is_empty() { all() } else { mqtt.events.clone() },
            enabled: true,
        };
        Some(Arc::new(Self {
            id: id.into(),
            account: account.id.as_str().into(),
            webhook,
            secret: None,
            answers: None,
        }))
    }

    /// An inbound rule's own webhook, with the rule's id. It stays while the rule is disabled, for what
    /// the rule took before.
    pub(super) fn of_rule(rule: &Inbound) -> Option<(Name, Arc<Self>)> {
        let hook = rule.webhook.as_deref()?;
        let events = vec![EventFilter("message.received".into())];
        let webhook = Webhook {
            id: None,
            url: hook.url.clone(),
            style: hook.style,
            secret: hook.secret.clone(),
            events,
            enabled: true,
        };
        let view = Self {
            id: format!("{RULE_LANE}{}", rule.id).into(),
            account: rule.account.as_str().into(),
            secret: hook.secret.as_ref().and_then(|s| s.reveal().ok()).map(Arc::from),
            webhook,
            answers: hook.replies().then(|| AnswerRules {
                rule: rule.id.as_str().into(),
                limit: rule.reply_limit,
                max_parts: hook.max_parts.map(|parts| u8::try_from(parts).unwrap_or(u8::MAX)),
                headers: hook.kannel_headers,
            }),
        };
        Some((rule.id.as_str().into(), Arc::new(view)))
    }
}
