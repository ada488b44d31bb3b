//! MTN SMS over MADAPI: `POST /v3/sms/messages/sms/outbound`, or `/v2/messages/sms/outbound`.

use serde_json::json;

use super::super::fields::{Asked, field};
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, dashed_id, text_at};

/// The token that is given out.
const TOKEN: &str = "dJ9tGj2Ae1cYdRbP5zX0";

pub(super) struct Mtn {
    pub(super) version: u8,
}

impl Mtn {
    fn sends_to(&self) -> &'static str {
        if self.version == 3 { "/v3/sms/messages/sms/outbound" } else { "/v2/messages/sms/outbound" }
    }
}

impl Provider for Mtn {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        // The way with the API key alone is taken, too, where no token comes.
        asked.bearer().map_or(asked.header("x-api-key") == login.user, |token| token == TOKEN)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        if asked.path != self.sends_to() {
            return None;
        }
        let body = asked.json()?;
        let correlator = if self.version == 3 { "/clientCorrelatorId" } else { "/clientCorrelator" };
        let own_id = Some(text_at(&body, correlator)).filter(|id| (1..=36).contains(&id.len()))?;
        if self.version == 3 && text_at(&body, "/serviceCode").is_empty() {
            return None;
        }
        let wanted = body.get("requestDeliveryReceipt").and_then(serde_json::Value::as_bool).unwrap_or_default();
        let text = body.get("message")?.as_str()?;
        let to = body.get("receiverAddress")?.as_array()?.iter();
        let one = |to: &serde_json::Value| {
            Some(Submission {
                from: text_at(&body, "/senderAddress"),
                to: to.as_str().filter(|to| !to.starts_with('+'))?.to_owned(),
                text: text.to_owned(),
                // It goes to where the subscription says.
                receipt_to: wanted.then(String::new),
                own_id: own_id.clone(),
            })
        };
        to.map(one).collect()
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let id = all.first().map_or("", |(_, id)| id);
        match self.version {
            3 => Told::json(
                200,
                &json!({ "statusCode": "0000", "statusMessage": "Success", "transactionId": id,
                    "data": { "status": "PENDING" } }),
            ),
            _ => {
                let correlator = all.first().map_or("", |(submission, _)| &submission.own_id);
                let data = json!({ "requestId": id, "clientCorrelator": correlator });
                let answer =
                    json!({ "statusCode": "0000", "statusMessage": "Created", "transactionId": id, "data": data });
                Told::json(201, &answer)
            }
        }
    }

    fn refused(&self, why: Refusal) -> Told {
        let (status, code, message) = match why {
            Refusal::Unknown => (401, "4000", "Access token is invalid"),
            Refusal::Throttled => (429, "1013", "Rate limit exceeded"),
            Refusal::Failed => (400, "5000", "Invalid recipient"),
            Refusal::Unreadable => (400, "5001", "Malformed request"),
        };
        Told::json(
            status,
            &json!({ "statusCode": code, "statusMessage": message, "supportMessage": message,
                "timestamp": "2020-01-01T12:00:00", "path": self.sends_to(), "method": "POST" }),
        )
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        if self.version != 3 {
            return None;
        }
        let status = if delivered { "DELIVERED" } else { "UNDELIVERED" };
        let report = json!({ "clientCorrelatorId": submission.own_id, "deliveryStatus": status, "details": "",
            "completedDate": "2020-01-01 12:00:00", "id": id, "error": if delivered { "000" } else { "027" },
            "senderAddress": submission.from, "receiverAddress": submission.to, "submittedDate": "2020-01-01 12:00:00" });
        Some(Call::json(submission.receipt_to.as_deref()?, &report))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let FromPhone { from, to, text, id } = message;
        let digits = |number: &str| number.trim_start_matches('+').to_owned();
        let (at, from, to) = ("2020-01-01T12:00:00", digits(from), digits(to));
        let mut told =
            json!({ "dateTime": at, "registrationId": to, "message": text, "senderAddress": from, "messageID": id });
        if self.version == 3 {
            told["registrationId"] = "1".into();
            told["receiverAddress"] = to.into();
        }
        Call::json(url, &told)
    }

    fn id(&self, number: u64) -> String {
        dashed_id(number)
    }

    fn gives_token(&self, asked: &Asked) -> bool {
        asked.path == "/v1/oauth/access_token"
    }

    fn token(&self) -> Option<&'static str> {
        Some(TOKEN)
    }

    fn polled(&self, asked: &Asked) -> bool {
        let path = asked.path.strip_prefix("/v2/messages/sms/inbound/registrations/");
        path.is_some_and(|rest| rest.ends_with("/messages"))
    }

    fn is_polled(&self) -> bool {
        self.version == 2
    }

    fn subscribed(&self, asked: &Asked) -> Option<String> {
        let url = text_at(&asked.json()?, "/deliveryReportUrl");
        (asked.path == "/v3/sms/messages/sms/subscription" && !url.is_empty()).then_some(url)
    }

    fn other(&self, login: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        if self.gives_token(asked) {
            let form = asked.form();
            let good = asked.param("grant_type") == Some("client_credentials")
                && field(&form, "client_id") == Some(&login.user)
                && field(&form, "client_secret") == Some(&login.password);
            return Some(match good {
                true => Told::json(
                    200,
                    &json!({ "access_token": TOKEN, "token_type": "BearerToken", "expires_in": "3599", "status": "approved" }),
                ),
                false => Told::json(
                    401,
                    &json!({ "ErrorCode": "invalid_client", "Error": "Client credentials are invalid" }),
                ),
            });
        }
        if !self.knows(login, asked) {
            return None;
        }
        if asked.path == "/v3/sms/messages/sms/subscription" {
            let body = asked.json()?;
            let complete = !text_at(&body, "/serviceCode").is_empty() && !text_at(&body, "/callbackUrl").is_empty();
            return Some(match complete {
                true => Told::json(
                    201,
                    &json!({ "statusCode": "0000", "statusMessage": "Created", "data": { "subscriptionId": "1" } }),
                ),
                false => self.refused(Refusal::Unreadable),
            });
        }
        let rest = asked.path.strip_prefix("/v2/messages/sms/outbound/")?.strip_suffix("/deliveryStatus")?;
        let (_, id) = rest.split_once('/')?;
        let status = match ended(id)? {
            None => "MessageWaiting",
            Some(true) => "DeliveredToTerminal",
            Some(false) => "DeliveryImpossible",
        };
        let of_phone = json!({ "receiverAddress": "2340000000000", "status": status });
        let told = json!({ "requestId": id, "deliveryStatus": [of_phone] });
        Some(Told::json(200, &json!({ "statusCode": "0000", "statusMessage": "Successful", "data": told })))
    }
}
