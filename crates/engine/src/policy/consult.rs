//! What is accepted goes by the policy service of its account.

use std::time::Instant;

use model::{Submission, Timestamp};

use crate::accept::Refusal;
use crate::access::Caller;
use crate::admit;
use crate::engine::Engine;
use crate::world::AccountView;

/// Messages of one request that are asked about at a time.
const TOGETHER_MAX: usize = 32;

impl Engine {
    /// Refuses what comes beyond the account's limits before its policy service is asked about it, if it has
    /// one: what would be refused after that must not hold up others.
    pub(crate) fn worth_asking(&self, caller: &Caller, messages: usize, now: Timestamp) -> Result<(), Refusal> {
        let account = &caller.account;
        if account.policy.is_none() {
            return Ok(());
        }
        let known = admit::known_refusal(account, messages as u64, now, Instant::now());
        known.map_or(Ok(()), Err).inspect_err(|refusal| self.inner.metrics.limited(&account.id, refusal))
    }

    /// A submission as the account's policy service wants it, if it has one. One that would be refused anyway
    /// is given back as it is, and nobody is asked about it.
    pub(crate) async fn consulted(
        &self,
        caller: &Caller,
        submission: Submission,
        now: Timestamp,
    ) -> Result<Submission, Refusal> {
        self.worth_asking(caller, 1, now)?;
        self.decided(&caller.account, submission, now).await
    }

    async fn decided(
        &self,
        account: &AccountView,
        submission: Submission,
        now: Timestamp,
    ) -> Result<Submission, Refusal> {
        let Some(policy) = &account.policy else { return Ok(submission) };
        let Some(asked) = self.ask_policy(account, &submission, now, false).await else { return Ok(submission) };
        self.inner.metrics.policy_asked(&policy.owner, asked.outcome.word(), asked.took);
        policy.followed(&asked, submission)
    }

    /// Submissions that came together, as the account's policy service wants them, if it has one.
    pub(crate) async fn all_consulted<'s>(
        &self,
        caller: &Caller,
        submissions: impl Iterator<Item = Result<Submission, Refusal>> + Send + 's,
        now: Timestamp,
    ) -> Box<dyn Iterator<Item = Result<Submission, Refusal>> + Send + 's> {
        match &caller.account.policy {
            None => Box::new(submissions),
            Some(_) => Box::new(Box::pin(self.consulted_all(&caller.account, submissions, now)).await.into_iter()),
        }
    }

    /// Some of them are asked about at a time.
    async fn consulted_all(
        &self,
        account: &AccountView,
        submissions: impl IntoIterator<Item = Result<Submission, Refusal>>,
        now: Timestamp,
    ) -> Vec<Result<Submission, Refusal>> {
        let (mut all, mut waiting) = (Vec::new(), submissions.into_iter().peekable());
        while waiting.peek().is_some() {
            let some = waiting.by_ref().take(TOGETHER_MAX).map(|submission| async move {
                let submission = submission?;
                self.decided(account, submission, now).await
            });
            all.extend(futures_util::future::join_all(some.collect::<Vec<_>>()).await);
        }
        all
    }
}
