//! A policy that returns preset outcomes.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::error::Failure;
use redress_core::policy::{CallSettings, RetryHook};
use redress_core::{AsyncCaller, Attempt, CallError, Caller, ErrorClass, RetryOutcome, StopReason};

use crate::lock::lock;
use crate::record::{CallRecord, ExecuteRecord, Records};

/// A fake policy: it returns preset outcomes without running the operation, or runs the operation
/// once if none is set.
///
/// It implements [`Caller`] and [`AsyncCaller`]. A pushed outcome is the result of one call; after
/// those, calls get the result of [`always`](Self::always) if it is set; otherwise the operation
/// runs once. A handle: clones share outcomes and records, so keep one and pass a clone to the code
/// under test.
///
/// Create outcomes with [`RetryOutcome::from_value`] and [`RetryOutcome::from_failure`], or with a
/// real policy: one with a [`FakeCircuitBreaker`](crate::FakeCircuitBreaker) produces rejections.
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
    /// Creates a fake that runs every operation once. A failure ends the call with
    /// [`MaxAttempts`](StopReason::MaxAttempts) and the class [`Unknown`](ErrorClass::Unknown),
    /// because a fake has no classifier.
    #[must_use]
    pub fn new() -> Self {
        let answers = Answers { once: Mutex::default(), always: Mutex::default() };
        Self { answers: Arc::new(answers), records: Records::default() }
    }

    /// Sets the outcome of every call for which none was pushed.
    #[must_use]
    pub fn always(self, answer: impl Fn() -> RetryOutcome<T, E> + Send + Sync + 'static) -> Self {
        *lock(&self.answers.always) = Some(Arc::new(answer));
        self
    }

    /// Returns this value from every call for which no outcome was pushed, as a success of the
    /// first attempt.
    #[must_use]
    pub fn always_value(self, value: T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.always(move || RetryOutcome::from_value(value.clone()))
    }

    /// Returns this error from every call for which no outcome was pushed, as if the operation had
    /// run once and failed.
    #[must_use]
    pub fn always_error(self, error: E) -> Self
    where
        E: Clone + Send + Sync + 'static,
    {
        self.always(move || once(Err(error.clone())))
    }

    /// Sets the outcome of one call, after those pushed before.
    pub fn push_outcome(&self, outcome: RetryOutcome<T, E>) {
        lock(&self.answers.once).push_back(outcome);
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

    /// Clears the records; the outcomes stay.
    pub fn clear(&self) {
        self.records.clear();
    }

    /// The preset outcome of the next call, if any.
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

/// The attempt of an operation that runs once, with the call's remaining time.
fn only_attempt(settings: &CallSettings<'_>) -> Attempt {
    Attempt::new(1, settings.deadline().map(|deadline| deadline.left(Duration::ZERO, Instant::now())))
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
