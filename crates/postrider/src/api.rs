//! The HTTP API of a running gateway, as the command line's own client.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use ureq::Agent;

use crate::config::{Sources, load};
use crate::instance::running;
use crate::outcome::{Failure, Outcome};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which gateway is asked, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The API's address, such as http://127.0.0.1:8080; without, that of the gateway on this machine
    #[arg(long, env = "POSTRIDER_URL")]
    url: Option<String>,
    /// The token to show
    #[arg(long, env = "POSTRIDER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    sources: Sources,
}

/// A client of one gateway.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    url: String,
    authorization: String,
}

impl Target {
    /// The client.
    pub fn api(&self) -> Outcome<Api> {
        let token = self.token.as_deref().ok_or_else(|| {
            Failure::failed("a token is needed: --token or POSTRIDER_TOKEN; `postrider token create` makes one")
        })?;
        let url = match &self.url {
            Some(url) => url.clone(),
            None => {
                let data = load(&self.sources)?.data_directory();
                let gateway = running(&data).ok_or_else(|| {
                    Failure::failed(format_args!(
                        "no gateway runs on {}; start one with `postrider serve`, or say which with --url or --data",
                        data.display()
                    ))
                })?;
                format!("{}://{}", if gateway.tls { "https" } else { "http" }, gateway.http)
            }
        };
        Ok(Api::new(&url, token))
    }
}

impl Api {
    /// A client that shows `token`.
    pub fn new(url: &str, token: &str) -> Self {
        let agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
        Self {
            agent: agent.into(),
            url: url.trim_end_matches('/').to_owned(),
            authorization: format!("Bearer {token}"),
        }
    }

    /// Reads what is at a path. Blocks.
    pub fn get(&self, path: &str) -> Outcome<Value> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("authorization", &self.authorization);
        self.answer(request.call())
    }

    /// Posts to a path. Blocks.
    pub fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("authorization", &self.authorization);
        self.answer(request.send_json(body))
    }

    /// The same for what may take longer than answers do. Blocks.
    pub fn post_and_wait(&self, path: &str, body: &Value, longest: Duration) -> Outcome<Value> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("authorization", &self.authorization);
        let request = request.config().timeout_global(Some(longest)).build();
        self.answer(request.send_json(body))
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Outcome<Value> {
        let mut answer =
            answer.map_err(|error| Failure::failed(format_args!("{} does not answer: {error}", self.url)))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string()?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        Err(Failure::failed(problem(status.as_u16(), &body)))
    }
}

/// A problem (RFC 9457) in words.
fn problem(status: u16, body: &Value) -> String {
    let text = |key: &str| body[key].as_str();
    let mut told = match (text("title"), text("detail")) {
        (Some(title), Some(detail)) if title != detail => format!("{title}: {detail}"),
        (title, detail) => title.or(detail).unwrap_or("the gateway refused it").to_owned(),
    };
    for fault in body["errors"].as_array().into_iter().flatten() {
        let pointer = fault["pointer"].as_str().unwrap_or_default().trim_start_matches('/');
        told += &format!("; {pointer}: {}", fault["detail"].as_str().unwrap_or_default());
    }
    format!("{told} ({}, HTTP {status})", text("code").unwrap_or("no code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_with_every_fault() {
        let body = serde_json::json!({
            "title": "Invalid", "detail": "1 field is wrong", "code": "invalid",
            "errors": [{ "pointer": "/to", "detail": "is no number" }],
        });
        assert_eq!(problem(422, &body), "Invalid: 1 field is wrong; to: is no number (invalid, HTTP 422)");
        assert_eq!(problem(502, &Value::Null), "the gateway refused it (no code, HTTP 502)");
    }
}
