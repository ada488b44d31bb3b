//! A submission of which anything may be left open: what a batch's defaults are, and its messages
//! until the defaults are under them.

use std::collections::BTreeMap;

use model::Submission;
use model::form;
use model::message::{Ingress, ReceiptWish};
use model::submission::{BinarySubmission, EncodingChoice, TlvSubmission};
use serde::Deserialize;

/// The fields of [`Submission`], all optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a message as an object")]
pub(super) struct Draft {
    to: Option<String>,
    from: Option<String>,
    text: Option<String>,
    #[serde(default, deserialize_with = "form::object_or_null")]
    binary: Option<BinarySubmission>,
    #[serde(default, deserialize_with = "form::word_or_null")]
    encoding: Option<EncodingChoice>,
    transliterate: Option<bool>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    max_parts: Option<u32>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    class: Option<u32>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    priority: Option<u32>,
    send_at: Option<String>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    validity_seconds: Option<u64>,
    #[serde(default, deserialize_with = "form::word_or_null")]
    receipt: Option<ReceiptWish>,
    client_ref: Option<String>,
    supersede_key: Option<String>,
    ignore_quiet_hours: Option<bool>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    callback_url: Option<String>,
    route: Option<String>,
    connector: Option<String>,
    #[serde(default, deserialize_with = "form::objects_or_null")]
    tlvs: Option<Vec<TlvSubmission>>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    protocol_id: Option<u32>,
    service_type: Option<String>,
    reply_path: Option<bool>,
    replace_if_present: Option<bool>,
}

impl Draft {
    /// Does it say to whom it goes?
    pub(super) fn names_recipient(&self) -> bool {
        self.to.is_some()
    }

    /// This draft with `defaults` where it is open. Tags of both are joined; the draft's win.
    pub(super) fn over(mut self, defaults: &Draft) -> Submission {
        for (key, value) in &defaults.tags {
            if !self.tags.contains_key(key) {
                self.tags.insert(key.clone(), value.clone());
            }
        }
        macro_rules! fill {
            ($($field:ident),*) => {
                $(if self.$field.is_none() {
                    self.$field.clone_from(&defaults.$field);
                })*
            };
        }
        // A message that brings its own content takes no default for the other form of it.
        if self.text.is_none() && self.binary.is_none() {
            fill!(text, binary);
        }
        fill!(to, from, encoding, transliterate, max_parts, class, priority, send_at, validity_seconds);
        fill!(receipt, client_ref, supersede_key, ignore_quiet_hours, callback_url, route, connector, tlvs);
        fill!(protocol_id, service_type, reply_path, replace_if_present);
        self.into()
    }
}

impl From<Draft> for Submission {
    fn from(draft: Draft) -> Self {
        Self {
            to: draft.to.unwrap_or_default(),
            from: draft.from,
            text: draft.text,
            binary: draft.binary,
            encoding: draft.encoding.unwrap_or_default(),
            transliterate: draft.transliterate.unwrap_or_default(),
            max_parts: draft.max_parts,
            class: draft.class,
            priority: draft.priority,
            send_at: draft.send_at,
            validity_seconds: draft.validity_seconds,
            receipt: draft.receipt.unwrap_or_default(),
            client_ref: draft.client_ref,
            supersede_key: draft.supersede_key,
            ignore_quiet_hours: draft.ignore_quiet_hours.unwrap_or_default(),
            tags: draft.tags,
            callback_url: draft.callback_url,
            route: draft.route,
            connector: draft.connector,
            tlvs: draft.tlvs.unwrap_or_default(),
            protocol_id: draft.protocol_id,
            service_type: draft.service_type,
            reply_path: draft.reply_path.unwrap_or_default(),
            replace_if_present: draft.replace_if_present.unwrap_or_default(),
            priority_flag: None,
            ingress: Ingress::Http,
            dialect: None,
            decided: None,
        }
    }
}
