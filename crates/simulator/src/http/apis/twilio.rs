//! Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::json;

use super::super::fields::{Asked, field};
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, hex_id};

pub(super) struct Twilio;

impl Provider for Twilio {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        let path = format!("/2010-04-01/Accounts/{}/Messages", login.user);
        asked.path.starts_with(&path) && asked.basic() == Some((login.user.clone(), login.password.clone()))
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let form = asked.form();
        let text = |name| field(&form, name).map(str::to_owned);
        let to = text("To").filter(|to| to.starts_with('+'))?;
        let receipt_to = text("StatusCallback");
        Some(vec![Submission { from: text("From")?, to, text: text("Body")?, receipt_to, ..Submission::default() }])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let Some((submission, id)) = all.first() else { return self.refused(Refusal::Unreadable) };
        let message = json!({ "sid": id, "status": "queued", "to": submission.to, "from": submission.from,
            "body": submission.text, "error_code": null, "error_message": null, "num_segments": "1",
            "direction": "outbound-api", "api_version": "2010-04-01" });
        Told::json(201, &message)
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, code, message) = match why {
            Refusal::Unknown => (401, 20003, "Authenticate"),
            Refusal::Throttled => (429, 20429, "Too Many Requests"),
            Refusal::Failed => (400, 21610, "Attempt to send to unsubscribed recipient"),
            Refusal::Unreadable => (400, 21211, "The 'To' number is not a valid phone number."),
        };
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        Told::json(status, &json!({ "code": code, "message": message, "more_info": more, "status": status }))
    }

    fn receipt(&self, login: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let mut pairs = vec![
            ("SmsSid", id),
            ("SmsStatus", if delivered { "delivered" } else { "undelivered" }),
            ("MessageStatus", if delivered { "delivered" } else { "undelivered" }),
            ("To", &submission.to),
            ("MessageSid", id),
            ("AccountSid", &login.user),
            ("From", &submission.from),
            ("ApiVersion", "2010-04-01"),
        ];
        if !delivered {
            pairs.push(("ErrorCode", "30003"));
        }
        Some(signed(login, submission.receipt_to.as_deref()?, &pairs))
    }

    fn incoming(&self, login: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let pairs = [
            ("MessageSid", *id),
            ("SmsSid", id),
            ("SmsStatus", "received"),
            ("AccountSid", &login.user),
            ("From", from),
            ("To", to),
            ("Body", text),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
        ];
        Call { wants: "<Response", ..signed(login, url, &pairs) }
    }

    fn id(&self, number: u64) -> String {
        format!("SM{}", hex_id(number))
    }

    fn other(&self, _: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        let id = asked.path.rsplit('/').next()?.strip_suffix(".json").filter(|_| asked.method == "GET")?;
        let status = match ended(id) {
            None => return Some(Told::json(404, &json!({ "code": 20404, "message": "not found", "status": 404 }))),
            Some(None) => "sent",
            Some(Some(true)) => "delivered",
            Some(Some(false)) => "undelivered",
        };
        Some(Told::json(200, &json!({ "sid": id, "status": status, "error_code": null })))
    }
}

/// `X-Twilio-Signature`: HMAC-SHA1 over the URL and the sorted parameters.
fn signed(login: &Login, url: &str, pairs: &[(&str, &str)]) -> Call {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let over = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, login.password.as_bytes());
    let mut call = Call::form(url, pairs);
    call.headers.push(("x-twilio-signature", STANDARD.encode(hmac::sign(&key, over.as_bytes()))));
    call
}
