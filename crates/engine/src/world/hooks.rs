//! Webhooks that inbound rules have of their own: looked up as those of accounts are.

use std::sync::Arc;

use model::Name;
use model::resources::{EventFilter, Inbound, Webhook};

use super::{WebhookView, World};
use crate::answers::AnswerRules;

/// What the lanes of inbound rules' own webhooks begin with; the rule's id follows.
pub const RULE_LANE: &str = "rule:";

impl World {
    /// The webhook that an inbound rule has of its own.
    #[must_use]
    pub fn rule_webhook(&self, rule: &str) -> Option<&Arc<WebhookView>> {
        self.rule_webhooks.get(rule)
    }

    /// The webhook whose deliveries wait in this lane.
    pub(crate) fn endpoint(&self, lane: &str) -> Option<&Arc<WebhookView>> {
        match lane.strip_prefix(RULE_LANE) {
            Some(rule) => self.rule_webhook(rule),
            None => self.webhook(lane),
        }
    }
}

impl WebhookView {
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
