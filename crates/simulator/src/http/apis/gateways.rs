//! Other gateways: Kannel's smsbox, Jasmin, Ozeki, and a plain GET.

use super::super::fields::{Asked, field};
use super::{Call, FromPhone, Login, Provider, Refusal, Submission, Told, dashed_id, hex_id};

pub(super) struct Kannel;
pub(super) struct Jasmin;
pub(super) struct Ozeki;
pub(super) struct Get;

fn of_query(asked: &Asked, [from, to, text]: [&str; 3]) -> Option<Submission> {
    let param = |name| asked.param(name).map(str::to_owned);
    let to = param(to).filter(|to| !to.is_empty())?;
    Some(Submission { from: param(from).unwrap_or_default(), to, text: param(text)?, ..Submission::default() })
}

impl Provider for Kannel {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.path == "/cgi-bin/sendsms"
            && asked.param("username") == Some(&login.user)
            && asked.param("password") == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let receipt_to = asked.param("dlr-url").map(str::to_owned);
        Some(vec![Submission { receipt_to, ..of_query(asked, ["from", "to", "text"])? }])
    }

    fn taken(&self, _: &[(Submission, String)]) -> Told {
        Told::text(202, "0: Accepted for delivery")
    }

    fn refused(&self, why: Refusal) -> Told {
        match why {
            Refusal::Unknown => Told::text(403, "Authorization failed for sendsms"),
            Refusal::Throttled => Told::text(503, "Temporal failure, try again later."),
            Refusal::Failed => Told::text(403, "Not routable. Do not try again."),
            Refusal::Unreadable => Told::text(400, "Missing receiver number, rejected"),
        }
    }

    fn receipt(&self, _: &Login, submission: &Submission, _: &str, delivered: bool) -> Option<Call> {
        let (kind, answer) = if delivered { ("1", "") } else { ("2", "NACK%2F27") };
        let url = submission.receipt_to.as_deref()?.replace("%d", kind).replace("%A", answer);
        Some(Call::get(&url, &[]))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        Call::get(url, &[("from", message.from), ("to", message.to), ("text", message.text)])
    }
}

impl Provider for Jasmin {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        let form = asked.form();
        asked.path == "/send"
            && field(&form, "username") == Some(&login.user)
            && field(&form, "password") == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let form = asked.form();
        let text = |name| field(&form, name).map(str::to_owned);
        let receipt_to = text("dlr-url").filter(|_| field(&form, "dlr") == Some("yes"));
        let content = text("content").or_else(|| text("hex-content"))?;
        let from = text("from").unwrap_or_default();
        Some(vec![Submission { from, to: text("to")?, text: content, receipt_to, ..Submission::default() }])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        Told::text(200, format!("Success \"{}\"", all.first().map_or("", |(_, id)| id)))
    }

    fn refused(&self, why: Refusal) -> Told {
        match why {
            Refusal::Unknown => Told::text(403, "Error \"Authentication failure for username:nobody\""),
            Refusal::Throttled => Told::text(403, "Error \"User throughput exceeded\""),
            Refusal::Failed => Told::text(400, "Error \"Argument [to] has an invalid value: [x].\""),
            Refusal::Unreadable => Told::text(400, "Error \"Mandatory argument [to] is not found.\""),
        }
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let status = if delivered { "DELIVRD" } else { "UNDELIV" };
        let err = if delivered { "000" } else { "027" };
        let pairs = [
            ("id", id),
            ("id_smsc", "2567"),
            ("level", "2"),
            ("message_status", status),
            ("connector", "c"),
            ("sub", "001"),
            ("dlvrd", "001"),
            ("subdate", "2001011200"),
            ("donedate", "2001011200"),
            ("err", err),
            ("text", ""),
        ];
        Some(Call { wants: "ACK/Jasmin", ..Call::form(submission.receipt_to.as_deref()?, &pairs) })
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        let hex: String = message.text.bytes().map(|octet| format!("{octet:02x}")).collect();
        let pairs = [
            ("id", message.id),
            ("from", message.from),
            ("to", message.to),
            ("origin-connector", "c"),
            ("content", message.text),
            ("binary", &hex),
            ("coding", "0"),
        ];
        Call { wants: "ACK/Jasmin", ..Call::form(url, &pairs) }
    }

    fn id(&self, number: u64) -> String {
        dashed_id(number)
    }
}

impl Provider for Ozeki {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.path == "/api"
            && asked.param("username") == Some(&login.user)
            && asked.param("password") == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        let right = asked.param("action") == Some("sendmessage") && asked.param("messagetype") == Some("SMS:TEXT");
        right.then(|| of_query(asked, ["originator", "recipient", "messagedata"]))?.map(|one| vec![one])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        let (to, id) = all.first().map_or(("", ""), |(one, id)| (&one.to, id));
        report(0, "Message accepted for delivery", id, to)
    }

    fn refused(&self, why: Refusal) -> Told {
        match why {
            Refusal::Unknown => report(2, "Invalid username or password", "", ""),
            Refusal::Throttled => Told { retry_after: Some(1), ..Told::text(503, "") },
            Refusal::Failed => report(1, "No route", "", ""),
            Refusal::Unreadable => report(1, "The recipient is missing", "", ""),
        }
    }

    fn receipt(&self, _: &Login, _: &Submission, _: &str, _: bool) -> Option<Call> {
        None
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        Call::get(url, &[("sender", message.from), ("receiver", message.to), ("msg", message.text)])
    }

    fn id(&self, number: u64) -> String {
        format!("{number:08X}")
    }
}

fn report(code: u32, text: &str, id: &str, to: &str) -> Told {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><response><action>sendmessage</action><data><acceptreport>\
         <statuscode>{code}</statuscode><statusmessage>{text}</statusmessage><messageid>{id}</messageid>\
         <recipient>{to}</recipient></acceptreport></data></response>"
    );
    Told { status: 200, kind: "application/xml", body, retry_after: None }
}

impl Provider for Get {
    fn knows(&self, login: &Login, asked: &Asked) -> bool {
        asked.param("user") == Some(&login.user) && asked.param("password") == Some(&login.password)
    }

    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>> {
        of_query(asked, ["from", "to", "text"]).map(|one| vec![one])
    }

    fn taken(&self, all: &[(Submission, String)]) -> Told {
        Told::text(200, all.first().map_or("", |(_, id)| id))
    }

    fn refused(&self, why: Refusal) -> Told {
        match why {
            Refusal::Unknown => Told::text(401, "who are you?"),
            Refusal::Throttled => Told { retry_after: Some(1), ..Told::text(429, "slow down") },
            Refusal::Failed | Refusal::Unreadable => Told::text(400, "no"),
        }
    }

    fn receipt(&self, _: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call> {
        let status = if delivered { "DELIVRD" } else { "UNDELIV" };
        Some(Call::get(submission.receipt_to.as_deref()?, &[("id", id), ("status", status)]))
    }

    fn incoming(&self, _: &Login, url: &str, message: &FromPhone<'_>) -> Call {
        Call::get(url, &[("from", message.from), ("to", message.to), ("text", message.text)])
    }

    fn id(&self, number: u64) -> String {
        hex_id(number)
    }
}
