//! A policy that answers what it was told to.
//!
//! Owns the answers. Classifies nothing, retries nothing, and waits for nothing.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use redress_core::error::Failure;
use redress_core::policy::{CallSettings, Deadline, RetryHook};
use redress_core::{AsyncCaller, Attempt, CallError, Caller, ErrorClass, RetryOutcome, StopReason};

use crate::lock::lock;
use crate::record::{CallRecord, ExecuteRecord, Records};

/// A stub of a policy: it answers without running the operation, or runs it once if it was told
/// nothing.
///
/// It makes calls through [`Caller`] and [`AsyncCaller`]. A pushed outcome answers one call; then
/// comes what is answered [`always`](Self::always), if that is set; then the operation runs, once.
/// A handle: clones share the answers and the record, so keep one and give a clone to the code
/// under test.
///
/// Outcomes are made by [`RetryOutcome::from_value`] and [`RetryOutcome::from_failure`], or by a
/// real policy: one around a [`FakeCircuitBreaker`](crate::FakeCircuitBreaker) makes rejections.
///
/// ```
/// use std::io;
/// use redress::{ErrorClass, RetryOutcome, StopReason};
/// use redress::error::Failure;
/// use redress::Caller;
/// use redress::testing::FakePolicy;
///
/// let policy = FakePolicy::<u32, io::Error>::new().always_value(7);
/// let error = io::Error::from(io::ErrorKind::TimedOut);
/// policy.push_outcome(RetryOutcome::from_failure(
///     StopReason::DeadlineExceeded,
///     3,
///     ErrorClass::Transient,
///     Failure::Error(error),
/// ));
///
/// let failed = policy.call(|| unreachable!("a fake does not run the operation")).unwrap_err();
/// assert_eq!(failed.stop_reason(), StopReason::DeadlineExceeded);
/// assert_eq!(policy.call(|| unreachable!("nor now")).unwrap(), 7);
/// assert_eq!(policy.calls().len(), 2);
/// ```
pub struct FakePolicy<T, E> {
    answers: Arc<Answers<T, E>>,
    records: Records,
}

struct Answers<T, E> {
    once: Mutex<VecDeque<RetryOutcome<T, E>>>,
    always: Mutex<Option<Arc<Always<T, E>>>>,
}

type Always<T, E> = dyn Fn() -> RetryOutcome<T, E> + Send + Sync;

impl<T, E> FakePolicy<T, E> {
    /// A fake that runs every operation once. A failure of it ends the call as
    /// [`MaxAttempts`](StopReason::MaxAttempts), with the class [`Unknown`](ErrorClass::Unknown):
    /// nothing classifies it.
    #[must_use]
    pub fn new() -> Self {
        let answers = Answers { once: Mutex::default(), always: Mutex::default() };
        Self { answers: Arc::new(answers), records: Records::default() }
    }

    /// Sets what answers every call for which no outcome was pushed.
    #[must_use]
    pub fn always(self, answer: impl Fn() -> RetryOutcome<T, E> + Send + Sync + 'static) -> Self {
        *lock(&self.answers.always) = Some(Arc::new(answer));
        self
    }

    /// Answers every call for which no outcome was pushed with this value, as a success of the
    /// first attempt.
    #[must_use]
    pub fn always_value(self, value: T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.always(move || RetryOutcome::from_value(value.clone()))
    }

    /// Answers every call for which no outcome was pushed with this error, as if the operation had
    /// run once and failed with it.
    #[must_use]
    pub fn always_error(self, error: E) -> Self
    where
        E: Clone + Send + Sync + 'static,
    {
        self.always(move || once(Err(error.clone())))
    }

    /// Answers one call with `outcome`, after the calls that earlier ones are for.
    pub fn push_outcome(&self, outcome: RetryOutcome<T, E>) {
        lock(&self.answers.once).push_back(outcome);
    }

    /// Every finished `call`, in the order in which they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.records.calls()
    }

    /// Every finished `execute`, in the order in which they ended.
    #[must_use]
    pub fn executions(&self) -> Vec<ExecuteRecord> {
        self.records.executions()
    }

    /// Forgets the calls so far; the answers stay.
    pub fn clear(&self) {
        self.records.clear();
    }

    /// What was configured for the next call.
    fn answer(&self) -> Option<RetryOutcome<T, E>> {
        let pushed = lock(&self.answers.once).pop_front();
        pushed.or_else(|| {
            let always = lock(&self.answers.always).clone();
            always.map(|answer| answer())
        })
    }

    fn outcome(&self, settings: &CallSettings<'_>, operation: &mut Operation<'_, T, E>) -> RetryOutcome<T, E> {
        self.answer().unwrap_or_else(|| once(operation(only_attempt(settings))))
    }
}

type Operation<'o, T, E> = dyn FnMut(Attempt) -> Result<T, E> + 'o;

/// The attempt of an operation that runs once, with what the call has left.
fn only_attempt(settings: &CallSettings<'_>) -> Attempt {
    let time_left = match settings.deadline() {
        Some(Deadline::After(time)) => Some(time),
        Some(Deadline::At(instant)) => Some(instant.saturating_duration_since(Instant::now())),
        _ => None,
    };
    Attempt::new(1, time_left)
}

/// The outcome of an operation that ran once.
fn once<T, E>(result: Result<T, E>) -> RetryOutcome<T, E> {
    match result {
        Ok(value) => RetryOutcome::from_value(value),
        Err(error) => {
            let failure = Failure::Error(error);
            RetryOutcome::from_failure(StopReason::MaxAttempts, 1, ErrorClass::Unknown, failure)
        }
    }
}

impl<T, E> Caller<T, E> for FakePolicy<T, E> {
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        _: &dyn RetryHook<E>,
        operation: &mut Operation<'_, T, E>,
    ) -> RetryOutcome<T, E> {
        let outcome = self.outcome(settings, operation);
        self.records.add_execution(settings, &outcome);
        outcome
    }

    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        _: &dyn RetryHook<E>,
        operation: &mut Operation<'_, T, E>,
    ) -> Result<T, CallError<E>> {
        let outcome = self.outcome(settings, operation);
        self.records.add_call(settings, &outcome);
        outcome.into_result()
    }
}

impl<T: Send, E: Send> FakePolicy<T, E> {
    async fn async_outcome<F, Fut>(&self, settings: &CallSettings<'_>, mut operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        match self.answer() {
            Some(outcome) => outcome,
            None => once(operation(only_attempt(settings)).await),
        }
    }
}

impl<T: Send, E: Send> AsyncCaller<T, E> for FakePolicy<T, E> {
    async fn execute_in<F, Fut, N>(&self, settings: &CallSettings<'_>, _: &N, operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        let outcome = self.async_outcome(settings, operation).await;
        self.records.add_execution(settings, &outcome);
        outcome
    }

    async fn call_in<F, Fut, N>(&self, settings: &CallSettings<'_>, _: &N, operation: F) -> Result<T, CallError<E>>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        let outcome = self.async_outcome(settings, operation).await;
        self.records.add_call(settings, &outcome);
        outcome.into_result()
    }
}

impl<T, E> Clone for FakePolicy<T, E> {
    fn clone(&self) -> Self {
        Self { answers: Arc::clone(&self.answers), records: self.records.clone() }
    }
}

impl<T, E> Default for FakePolicy<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E> fmt::Debug for FakePolicy<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakePolicy")
            .field("outcomes_left", &lock(&self.answers.once).len())
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}
