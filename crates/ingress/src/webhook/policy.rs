//! Questions to policy services: one call each, over connections that are kept, to no address that a
//! webhook could not be at, and signed as webhooks are.

use std::sync::{Mutex, PoisonError};

use engine::notify::{AnswerWish, Target};
use engine::{PolicyCall, PolicyCaller};
use model::CallbackStyle;
use tokio::time::Instant;

use super::attempt::{Client, Question};
use super::pool;

/// Most octets of an answer.
const ANSWER_MAX: usize = 16 << 10;

/// Asks policy services for the engine.
#[derive(Debug)]
pub struct PolicyClient {
    client: Client,
    swept: Mutex<Instant>,
}

impl PolicyClient {
    /// With connections of its own: questions don't wait behind webhooks.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, swept: Mutex::new(Instant::now()) }
    }

    fn sweep(&self) {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.elapsed() >= pool::IDLE {
            *swept = Instant::now();
            drop(swept);
            self.client.sweep();
        }
    }
}

#[async_trait::async_trait]
impl PolicyCaller for PolicyClient {
    async fn call(&self, call: PolicyCall) -> Result<Vec<u8>, String> {
        self.sweep();
        let PolicyCall { url, secret, id, now, body, timeout } = call;
        let target = Target { url, style: CallbackStyle::Webhook, secret, answer: AnswerWish::No };
        let question = Question { target: &target, id, payload: &body, now };
        let asked = tokio::time::timeout(timeout, self.client.ask(&question, ANSWER_MAX)).await;
        let (status, answer) = asked.map_err(|_| format!("no answer within {} ms", timeout.as_millis()))??;
        if status.is_success() { Ok(answer) } else { Err(format!("HTTP {}", status.as_u16())) }
    }
}
