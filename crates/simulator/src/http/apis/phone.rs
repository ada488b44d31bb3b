//! SMS Gateway for Android: `POST /message` on the phone, or below the cloud server's prefix.

use serde_json::json;

use super::super::fields::Asked;
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, text_at};

pub(super) struct Android;

impl Provider for Android {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.basic() == Some((login.user.clone(), login.password.clone()))
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        if asked.path != "/message" || asked.method != "POST" {
            return None;
        }
        let body = asked.json()?;
        let text = body.get("message")?.as_str()?;
        let wanted = body.get("withDeliveryReport").and_then(serde_json::Value::as_bool).unwrap_or(true);
        let to = body.get("phoneNumbers")?.as_array()?.iter();
        let one = |to: &serde_json::Value| {
            Some(Submission {
                to: to.as_str()?.to_owned(),
                text: text.to_owned(),
                // It goes to where the webhooks say.
                receipt_to: wanted.then(String::new),
                ..Submission::default()
            })
        };
        to.map(one).collect()
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let id = all.first().map_or("", |(_, id)| id);
        let recipient = |(one, _): &(Submission, String)| json!({ "phoneNumber": one.to, "state": "Pending" });
        let recipients: Vec<_> = all.iter().map(recipient).collect();
        Told::json(
            202,
            &json!({ "id": id, "state": "Pending", "isHashed": false, "isEncrypted": false, "recipients": recipients }),
        )
    }

    fn refused(&self, why: Refusal) -> Told {
        match why {
            Refusal::Unknown => Told::text(401, ""),
            Refusal::Throttled => Told::json(429, &json!({ "message": "Too many requests" })),
            Refusal::Failed => Told::json(400, &json!({ "message": "Invalid phone number" })),
            Refusal::Unreadable => Told::json(400, &json!({ "message": "message is required" })),
        }
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let mut payload = json!({ "messageId": id, "phoneNumber": submission.to, "simNumber": 1 });
        let event = if delivered {
            payload["deliveredAt"] = json!("2020-01-01T12:00:00.000+00:00");
            "sms:delivered"
        } else {
            payload["failedAt"] = json!("2020-01-01T12:00:00.000+00:00");
            payload["reason"] = json!("RESULT_ERROR_GENERIC_FAILURE");
            "sms:failed"
        };
        Some(Call::json(submission.receipt_to.as_deref()?, &webhook(event, &payload)))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let payload = json!({ "messageId": id, "message": text, "phoneNumber": from, "recipient": to, "simNumber": 1,
            "receivedAt": "2020-01-01T12:00:00.000+00:00" });
        Call::json(url, &webhook("sms:received", &payload))
    }

    fn id(&self, number: u64) -> String {
        format!("PyDmBQZZXYmyxMwED8F{number:010}")
    }

    fn subscribed(&self, asked: &Asked) -> Option<String> {
        let url = text_at(&asked.json()?, "/url");
        (asked.path == "/webhooks" && !url.is_empty()).then_some(url)
    }

    fn other(&self, login: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        if !self.knows(login, asked) {
            return None;
        }
        if asked.path == "/webhooks" && asked.method == "POST" {
            let body = asked.json()?;
            let complete = !text_at(&body, "/url").is_empty() && !text_at(&body, "/event").is_empty();
            return complete.then(|| Told::json(201, &body));
        }
        let id = asked.path.strip_prefix("/message/").filter(|_| asked.method == "GET")?;
        let state = match ended(id)? {
            None => "Sent",
            Some(true) => "Delivered",
            Some(false) => "Failed",
        };
        Some(Told::json(200, &json!({ "id": id, "state": state, "recipients": [] })))
    }
}

fn webhook(event: &str, payload: &serde_json::Value) -> serde_json::Value {
    json!({ "deviceId": "ffffffffceb0b1db0000018e937c815b", "event": event, "id": "Ey6ECgOkVVFjz3CL48B8C",
        "payload": payload, "webhookId": "LreFUt-Z3sSq0JufY9uWB" })
}
