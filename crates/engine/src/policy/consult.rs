//! What is accepted goes by the policy service of its account.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use model::{Submission, Timestamp};

use crate::accept::Refusal;
use crate::access::Caller;
use crate::admit;
use crate::engine::Engine;
use crate::policy::Asking;
use crate::world::AccountView;

/// Messages of one request that are asked about at a time; some calls are left for others.
const TOGETHER_MAX: usize = 48;
/// For how long messages of one request are asked about: it has to be answered in its own time.
const TOGETHER_FOR: Duration = Duration::from_secs(15);

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
        self.decided(&caller.account, submission, now, Asking::Message { until: None }).await
    }

    async fn decided(
        &self,
        account: &AccountView,
        submission: Submission,
        now: Timestamp,
        asking: Asking,
    ) -> Result<Submission, Refusal> {
        let Some(policy) = &account.policy else { return Ok(submission) };
        let Some(asked) = self.ask_policy(account, &submission, now, asking).await else { return Ok(submission) };
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

    /// Some of them are asked about at a time, and for so long.
    async fn consulted_all(
        &self,
        account: &AccountView,
        submissions: impl IntoIterator<Item = Result<Submission, Refusal>>,
        now: Timestamp,
    ) -> Vec<Result<Submission, Refusal>> {
        let asking = Asking::Message { until: Some(tokio::time::Instant::now() + TOGETHER_FOR) };
        let questions = submissions.into_iter().enumerate().map(|(place, submission)| async move {
            let decided = match submission {
                Ok(submission) => self.decided(account, submission, now, asking).await,
                Err(refusal) => Err(refusal),
            };
            (place, decided)
        });
        let mut all: Vec<_> = stream::iter(questions).buffer_unordered(TOGETHER_MAX).collect().await;
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, decided)| decided).collect()
    }
}
