//! Infobip: `POST /sms/2/text/advanced`.

use serde_json::{Value, json};

use super::super::fields::Asked;
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, dashed_id, text_at};

pub(super) struct Infobip;

impl Provider for Infobip {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.path == "/sms/2/text/advanced" && asked.header("authorization") == format!("App {}", login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let body = asked.json()?;
        let mut all = Vec::new();
        for message in body.get("messages")?.as_array()? {
            for destination in message.get("destinations")?.as_array()? {
                let receipt_to = Some(text_at(message, "/notifyUrl")).filter(|url| !url.is_empty());
                all.push(Submission {
                    from: text_at(message, "/from"),
                    to: destination.get("to")?.as_str()?.to_owned(),
                    text: message.get("text")?.as_str()?.to_owned(),
                    receipt_to,
                    ..Submission::default()
                });
            }
        }
        (!all.is_empty()).then_some(all)
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let one = |(submission, id): &(Submission, String)| {
            json!({ "messageId": id, "to": submission.to, "status": { "groupId": 1, "groupName": "PENDING", "id": 26,
                "name": "PENDING_ACCEPTED", "description": "Message sent to next instance" } })
        };
        let messages: Vec<Value> = all.iter().map(one).collect();
        Told::json(200, &json!({ "bulkId": "2034072219640523072", "messages": messages }))
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, id, text) = match why {
            Refusal::Unknown => (401, "UNAUTHORIZED", "Invalid login details"),
            Refusal::Throttled => (429, "TOO_MANY_REQUESTS", "Too many requests"),
            Refusal::Failed => (400, "BAD_REQUEST", "Bad Request"),
            Refusal::Unreadable => (400, "BAD_REQUEST", "Bad Request"),
        };
        Told::json(status, &json!({ "requestError": { "serviceException": { "messageId": id, "text": text } } }))
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let (status, error) = if delivered {
            (
                json!({ "groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET",
                    "description": "Message delivered to handset" }),
                json!({ "groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": false }),
            )
        } else {
            (
                json!({ "groupId": 2, "groupName": "UNDELIVERABLE", "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED",
                    "description": "Message sent not delivered" }),
                json!({ "groupId": 1, "groupName": "HANDSET_ERRORS", "id": 27, "name": "EC_ABSENT_SUBSCRIBER",
                    "permanent": false }),
            )
        };
        let result = json!({ "bulkId": "2034072219640523072", "messageId": id, "to": submission.to, "smsCount": 1,
            "sentAt": "2020-01-01T12:00:00.000+0000", "doneAt": "2020-01-01T12:00:01.000+0000",
            "price": { "pricePerMessage": 0.01, "currency": "EUR" }, "status": status, "error": error });
        Some(Call::json(submission.receipt_to.as_deref()?, &json!({ "results": [result] })))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        let result = json!({ "messageId": id, "from": digits(from), "to": digits(to), "text": text, "cleanText": text,
            "keyword": "", "receivedAt": "2020-01-01T12:00:00.000+0000", "smsCount": 1,
            "price": { "pricePerMessage": 0, "currency": "EUR" }, "callbackData": null });
        Call::json(url, &json!({ "results": [result], "messageCount": 1, "pendingMessageCount": 0 }))
    }

    fn id(&self, number: u64) -> String {
        dashed_id(number)
    }
}
