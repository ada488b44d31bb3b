//! Answers that are no success: RFC 9457 problems, each with a code of the [`catalogue`].

pub mod catalogue;
mod refusals;

use std::borrow::Cow;

use hyper::StatusCode;
use model::submission::Fault;
use serde::Serialize;
use serde_json::value::RawValue;

pub use catalogue::Entry;
pub(crate) use refusals::of_refusal;

/// The content type of problems (RFC 9457 §3).
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem on its way to the client.
#[derive(Debug)]
pub struct Problem {
    /// What kind of problem.
    pub entry: &'static Entry,
    /// More about this one.
    pub detail: Option<Cow<'static, str>>,
    /// What is wrong where.
    pub errors: Vec<Fault>,
    /// The `Allow` header of a 405.
    pub allow: Option<&'static str>,
    /// Seconds after which to try again, where they are known better than the catalogue has them.
    pub retry_after: Option<u32>,
    /// What was taken of a batch before, as JSON.
    pub batch: Option<Box<RawValue>>,
}

/// A problem as it is written (RFC 9457 §3.1).
#[derive(Serialize)]
struct Body<'a> {
    r#type: Url,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// The problem's page, relative to the API's own address.
struct Url(&'static str);

impl Serialize for Url {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/docs/errors#{}", self.0))
    }
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(entry: &'static Entry) -> Self {
        Self { entry, detail: None, errors: Vec::new(), allow: None, retry_after: None, batch: None }
    }

    /// With more about this one.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With what was taken of a batch before, as JSON.
    #[must_use]
    pub fn of_batch(mut self, taken: String) -> Self {
        self.batch = RawValue::from_string(taken).ok();
        self
    }

    /// With one thing that is wrong.
    #[must_use]
    pub fn fault(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(Fault::new(pointer, detail));
        self
    }

    /// With these things that are wrong.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.errors = faults;
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The problem as JSON; without a request id it is part of another answer.
    #[must_use]
    pub fn to_json(&self, request_id: Option<&str>) -> String {
        let body = Body {
            r#type: Url(self.entry.code),
            title: self.entry.title,
            status: self.entry.status,
            code: self.entry.code,
            detail: self.detail.as_deref(),
            errors: &self.errors,
            retryable: self.entry.retry_after.is_some(),
            batch: self.batch.as_deref(),
            request_id,
        };
        serde_json::to_string(&body).expect("strings and numbers are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_as_rfc_9457_says() {
        let problem = Problem::new(&catalogue::INVALID).detail("1 field is wrong").fault("/to", "is empty");
        assert_eq!(
            problem.to_json(Some("r1")),
            r#"{"type":"/docs/errors#invalid","title":"Fields are wrong","status":422,"code":"invalid","detail":"1 field is wrong","errors":[{"pointer":"/to","detail":"is empty"}],"retryable":false,"request_id":"r1"}"#
        );
        let plain = Problem::new(&catalogue::DRAINING).to_json(None);
        assert!(plain.ends_with(r#""code":"draining","retryable":true}"#), "{plain}");
    }
}
