//! Telnyx: `POST /v2/messages`.

use serde_json::json;

use super::super::fields::Asked;
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, dashed_id, text_at};

pub(super) struct Telnyx;

impl Provider for Telnyx {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.path.starts_with("/v2/messages") && asked.bearer() == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let body = asked.json()?;
        let to = body.get("to")?.as_str().filter(|to| to.starts_with('+'))?.to_owned();
        let text = body.get("text")?.as_str()?.to_owned();
        let receipt_to = Some(text_at(&body, "/webhook_url")).filter(|url| !url.is_empty());
        Some(vec![Submission { from: text_at(&body, "/from"), to, text, receipt_to, ..Submission::default() }])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let Some((submission, id)) = all.first() else { return self.refused(Refusal::Unreadable) };
        Told::json(
            200,
            &json!({ "data": { "record_type": "message", "direction": "outbound", "id": id, "type": "SMS",
            "from": { "phone_number": submission.from }, "text": submission.text, "parts": 1, "errors": [],
            "to": [{ "phone_number": submission.to, "status": "queued" }] } }),
        )
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, code, title) = match why {
            Refusal::Unknown => (401, "10009", "Authentication failed"),
            Refusal::Throttled => (429, "10011", "Too many requests"),
            Refusal::Failed => (400, "40300", "Blocked due to STOP message"),
            Refusal::Unreadable => (400, "40310", "Invalid 'to' address"),
        };
        Told::json(status, &json!({ "errors": [{ "code": code, "title": title, "detail": title }] }))
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let status = if delivered { "delivered" } else { "delivery_failed" };
        let errors = if delivered { json!([]) } else { json!([{ "code": "40008", "title": "Undeliverable" }]) };
        let payload = json!({ "record_type": "message", "direction": "outbound", "id": id, "type": "SMS", "errors": errors,
            "from": { "phone_number": submission.from }, "text": submission.text,
            "to": [{ "phone_number": submission.to, "status": status, "carrier": "T", "line_type": "Wireless" }] });
        Some(Call::json(submission.receipt_to.as_deref()?, &event("message.finalized", &payload)))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let payload = json!({ "record_type": "message", "direction": "inbound", "id": id, "type": "SMS", "text": text,
            "from": { "phone_number": from }, "errors": [],
            "to": [{ "phone_number": to, "status": "webhook_delivered" }] });
        Call::json(url, &event("message.received", &payload))
    }

    fn id(&self, number: u64) -> String {
        dashed_id(number)
    }

    fn other(&self, _: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        let id = asked.path.strip_prefix("/v2/messages/").filter(|_| asked.method == "GET")?;
        let status = match ended(id)? {
            None => "sent",
            Some(true) => "delivered",
            Some(false) => "delivery_failed",
        };
        Some(Told::json(200, &json!({ "data": { "id": id, "to": [{ "status": status }], "errors": [] } })))
    }
}

fn event(kind: &str, payload: &serde_json::Value) -> serde_json::Value {
    json!({ "data": { "event_type": kind, "id": "b301ed3f-1490-491f-995f-6e64e69674d4", "record_type": "event",
        "occurred_at": "2020-01-01T12:00:00.000+00:00", "payload": payload },
        "meta": { "attempt": 1, "delivered_to": "https://example.com/webhooks" } })
}
