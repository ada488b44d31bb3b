//! Sinch: `POST /xms/v1/{service plan}/batches`.

use serde_json::json;

use super::super::fields::Asked;
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, text_at};

pub(super) struct Sinch;

impl Provider for Sinch {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        let path = format!("/xms/v1/{}/batches", login.user);
        asked.path.starts_with(&path) && asked.bearer() == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let body = asked.json()?;
        let wanted = matches!(&*text_at(&body, "/delivery_report"), "per_recipient" | "per_recipient_final");
        let receipt_to = Some(text_at(&body, "/callback_url")).filter(|url| wanted && !url.is_empty());
        let text = body.get("body")?.as_str()?;
        let to = body.get("to")?.as_array()?.iter().map(|to| to.as_str().map(str::to_owned));
        let one = |to| Submission {
            from: text_at(&body, "/from"),
            to,
            text: text.to_owned(),
            receipt_to: receipt_to.clone(),
            ..Submission::default()
        };
        to.map(|to| to.map(one)).collect()
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let Some((submission, id)) = all.first() else { return self.refused(Refusal::Unreadable) };
        let to: Vec<&str> = all.iter().map(|(submission, _)| submission.to.as_str()).collect();
        Told::json(
            201,
            &json!({ "id": id, "to": to, "from": submission.from, "canceled": false, "type": "mt_text",
            "body": submission.text, "created_at": "2020-01-01T12:00:00.000Z", "modified_at": "2020-01-01T12:00:00.000Z",
            "delivery_report": "per_recipient", "flash_message": false }),
        )
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, code, text) = match why {
            Refusal::Unknown => return Told::text(401, ""),
            Refusal::Throttled => return Told::text(429, ""),
            Refusal::Failed => (403, "missing_callback_url", "The request is not allowed"),
            Refusal::Unreadable => (400, "syntax_constraint_violation", "to: is missing"),
        };
        Told::json(status, &json!({ "code": code, "text": text }))
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let report = report(id, &submission.to, Some(delivered));
        Some(Call::json(submission.receipt_to.as_deref()?, &report))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        Call::json(
            url,
            &json!({ "type": "mo_text", "id": id, "from": digits(from), "to": digits(to), "body": text,
                "operator_id": "35000", "received_at": "2020-01-01T12:00:00.000Z" }),
        )
    }

    fn id(&self, number: u64) -> String {
        format!("01FC66621XXXXX{number:012}")
    }

    fn other(&self, login: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        let path = asked.path.strip_prefix(&format!("/xms/v1/{}/batches/", login.user))?;
        let (id, to) = path.split_once("/delivery_report/").filter(|_| asked.method == "GET")?;
        Some(Told::json(200, &report(id, to, ended(id)?)))
    }
}

fn report(id: &str, to: &str, delivered: Option<bool>) -> serde_json::Value {
    let (code, status) = match delivered {
        None => (401, "Dispatched"),
        Some(true) => (0, "Delivered"),
        Some(false) => (406, "Failed"),
    };
    json!({ "type": "recipient_delivery_report_sms", "batch_id": id, "recipient": to, "code": code, "status": status,
        "at": "2020-01-01T12:00:00.000Z", "operator_status_at": "2020-01-01T12:00:00.000Z" })
}
