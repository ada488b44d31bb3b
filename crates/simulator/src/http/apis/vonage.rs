//! Vonage: `POST /sms/json`.

use serde_json::json;

use super::super::fields::{Asked, field};
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, dashed_id};

pub(super) struct Vonage;

impl Provider for Vonage {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        let form = asked.form();
        let is = |name, wanted: &str| field(&form, name) == Some(wanted);
        asked.path == "/sms/json" && is("api_key", &login.user) && is("api_secret", &login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let form = asked.form();
        let text = |name| field(&form, name).map(str::to_owned);
        let to = text("to").filter(|to| to.bytes().all(|b| b.is_ascii_digit()))?;
        let body = match text("type").as_deref() {
            Some("text" | "unicode") => text("text")?,
            Some("binary") => text("body")?,
            _ => return None,
        };
        let wanted = field(&form, "status-report-req") == Some("1");
        let receipt_to = text("callback").filter(|_| wanted);
        Some(vec![Submission { from: text("from")?, to, text: body, receipt_to, ..Submission::default() }])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let one = |(submission, id): &(Submission, String)| {
            json!({ "to": submission.to, "message-id": id, "status": "0", "remaining-balance": "3.14159265",
                "message-price": "0.03330000", "network": "12345" })
        };
        let messages: Vec<_> = all.iter().map(one).collect();
        Told::json(200, &json!({ "message-count": messages.len().to_string(), "messages": messages }))
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, text) = match why {
            Refusal::Unknown => ("4", "Bad Credentials"),
            Refusal::Throttled => ("1", "Throughput Rate Exceeded - please wait [ 250 ] and retry"),
            Refusal::Failed => ("6", "Unroutable message - rejected"),
            Refusal::Unreadable => ("2", "Missing to param"),
        };
        Told::json(200, &json!({ "message-count": "1", "messages": [{ "status": status, "error-text": text }] }))
    }

    fn receipt(&self, login: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let (status, code) = if delivered { ("delivered", "0") } else { ("failed", "6") };
        Some(Call::get(
            submission.receipt_to.as_deref()?,
            &[
                ("msisdn", &submission.to),
                ("to", &submission.from),
                ("network-code", "12345"),
                ("messageId", id),
                ("price", "0.03330000"),
                ("status", status),
                ("scts", "2001011400"),
                ("err-code", code),
                ("api-key", &login.user),
                ("message-timestamp", "2020-01-01 12:00:00 +0000"),
            ],
        ))
    }

    fn incoming(&self, login: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        let keyword = text.split(' ').next().unwrap_or_default().to_uppercase();
        let pairs = [
            ("msisdn", &*digits(from)),
            ("to", &digits(to)),
            ("messageId", id),
            ("text", text),
            ("type", "text"),
            ("keyword", &keyword),
            ("api-key", &login.user),
            ("message-timestamp", "2020-01-01 12:00:00 +0000"),
        ];
        Call::form(url, &pairs)
    }

    fn id(&self, number: u64) -> String {
        dashed_id(number)
    }
}
