//! Blocking calls of a [`CallContext`]: the methods of [`Policy`], with the settings of the
//! context.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::Attempt;
use super::blocking::run;
use super::detached::detached;
use super::failed_attempt::{FailedAttempt, classify};
use super::finish::{Finish, ToOutcome, ToResult};
use crate::classify::classifier::Classifier;
use crate::outcome::call_error::CallError;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;
use crate::policy::hooks::Sleeper;
use crate::policy::policies::Policy;
use crate::policy::retry_notice::RetryHook;

impl<'a, C, N> CallContext<'a, Policy<C>, N> {
    /// Replaces `std::thread::sleep` between attempts. Also called for zero delays. If it panics,
    /// the thread sleeps instead. Replaces the policy's sleeper.
    pub fn sleep_with(self, sleeper: impl Fn(Duration) + Send + Sync + 'a) -> Self {
        self.set_sleeper(Sleeper::Blocking(Arc::new(sleeper)))
    }

    /// Like [`Policy::call`], with these settings. Panics under the same conditions.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::call`].
    pub fn call<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: FnMut() -> Result<T, E>,
    {
        self.call_with(|_| operation())
    }

    /// Like [`Policy::call_with`], with these settings. Panics under the same conditions.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::call`].
    pub fn call_with<T, E, F>(&self, mut operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        let classifier = &self.policy.classifier;
        self.run(|attempt| classify(classifier, operation(attempt)), ToResult)
    }

    /// Like [`Policy::call_detached`], with these settings.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::call`].
    ///
    /// # Panics
    ///
    /// See [`Policy::call_detached`].
    pub fn call_detached<T, E, F>(&self, operation: F) -> Result<T, CallError<E>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.run(detached(self.policy, Some(&self.settings), operation), ToResult)
    }

    /// Like [`Policy::execute`], with these settings. Panics under the same conditions.
    pub fn execute<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: FnMut() -> Result<T, E>,
    {
        self.execute_with(|_| operation())
    }

    /// Like [`Policy::execute_with`], with these settings. Panics under the same conditions.
    pub fn execute_with<T, E, F>(&self, mut operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: FnMut(Attempt) -> Result<T, E>,
    {
        let classifier = &self.policy.classifier;
        self.run(|attempt| classify(classifier, operation(attempt)), ToOutcome)
    }

    /// Like [`Policy::execute_detached`], with these settings.
    ///
    /// # Panics
    ///
    /// See [`Policy::call_detached`].
    pub fn execute_detached<T, E, F>(&self, operation: F) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.run(detached(self.policy, Some(&self.settings), operation), ToOutcome)
    }

    #[inline(always)]
    fn run<T, E, F: Finish<T, E>>(
        &self,
        run_attempt: impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>,
        finish: F,
    ) -> F::Output
    where
        N: RetryHook<E>,
    {
        run(self.policy, Some(&self.settings), &self.on_retry, run_attempt, finish)
    }
}
