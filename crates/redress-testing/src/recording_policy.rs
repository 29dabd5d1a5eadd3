//! A wrapper that records the calls made through a policy.

use std::borrow::Cow;
use std::future::Future;

use redress_core::policy::{CallSettings, RetryHook};
use redress_core::{AsyncCaller, Attempt, CallContext, CallError, Caller, RetryOutcome};

use crate::record::{CallRecord, ExecuteRecord, Records};

/// Wraps a policy and records every completed call made through it.
///
/// It implements [`Caller`] around a `Policy`, and [`AsyncCaller`] around an `AsyncPolicy`. A
/// handle: clones share the record, so keep one and pass a clone to the code under test. A call
/// that panics, or whose future is dropped, is not recorded.
///
/// If the code under test takes a `Policy`, give the policy a [`Recorder`](crate::Recorder)
/// instead.
///
/// ```
/// use std::io;
/// use redress::{Policy, Retry, StopReason};
/// use redress::Caller;
/// use redress::testing::{RecordingPolicy, no_retries};
///
/// let policy = RecordingPolicy::new(Policy::builder().retry(no_retries()).build()?);
/// let _ = policy.operation("ping").call(|| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)));
///
/// let record = &policy.calls()[0];
/// assert_eq!(record.operation.as_deref(), Some("ping"));
/// assert_eq!(record.stop_reason, Some(StopReason::MaxAttempts));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordingPolicy<P> {
    policy: P,
    records: Records,
}

impl<P> RecordingPolicy<P> {
    /// Wraps `policy`.
    pub fn new(policy: P) -> Self {
        Self { policy, records: Records::default() }
    }

    /// Returns the wrapped policy. Calls made directly on it are not recorded.
    #[must_use]
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// Returns settings for one call, as `Policy::context` does.
    pub fn context(&self) -> CallContext<'_, Self> {
        CallContext::of(self)
    }

    /// Returns [`context`](Self::context) with a name for the operation.
    pub fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self> {
        self.context().operation(name)
    }

    /// Returns every finished `call`, in the order of completion.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.records.calls()
    }

    /// Returns every finished `execute`, in the order of completion.
    #[must_use]
    pub fn executions(&self) -> Vec<ExecuteRecord> {
        self.records.executions()
    }

    /// Clears the records.
    pub fn clear(&self) {
        self.records.clear();
    }
}

impl<T, E, P: Caller<T, E>> Caller<T, E> for RecordingPolicy<P> {
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> RetryOutcome<T, E> {
        let outcome = self.policy.execute_in(settings, on_retry, operation);
        self.records.add_execution(settings, &outcome);
        outcome
    }

    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        // Uses `execute_in`, because a success of `call_in` does not contain the number of
        // attempts.
        let outcome = self.policy.execute_in(settings, on_retry, operation);
        self.records.add_call(settings, &outcome);
        outcome.into_result()
    }
}

impl<T: Send, E: Send, P: AsyncCaller<T, E>> AsyncCaller<T, E> for RecordingPolicy<P> {
    async fn execute_in<F, Fut, N>(&self, settings: &CallSettings<'_>, on_retry: &N, operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        let outcome = self.policy.execute_in(settings, on_retry, operation).await;
        self.records.add_execution(settings, &outcome);
        outcome
    }

    async fn call_in<F, Fut, N>(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &N,
        operation: F,
    ) -> Result<T, CallError<E>>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        let outcome = self.policy.execute_in(settings, on_retry, operation).await;
        self.records.add_call(settings, &outcome);
        outcome.into_result()
    }
}
