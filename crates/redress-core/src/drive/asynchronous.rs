//! Calls of an [`AsyncPolicy`] as futures: what `call` and `execute` return.

use std::future::Future;
use std::time::Duration;

use super::attempt::Attempt;
use super::call_future::{CallFuture, NoSettings};
use super::finish::{ToOutcome, ToResult};
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::outcome::call_error::CallError;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;
use crate::policy::policies::AsyncPolicy;
use crate::policy::retry_notice::RetryHook;
use crate::strategy::BackoffContext;

impl<C, Tm> AsyncPolicy<C, Tm> {
    /// Runs `operation`, again if need be, until it succeeds or the policy says stop.
    ///
    /// Nothing happens before the returned future is polled. Each attempt is a future of its own,
    /// made by calling `operation`; it may borrow what the closure borrows, but not the closure's
    /// own state mutably (an `async || ..` that changes what it captured): such a future could not
    /// be told to be `Send`. Put the state behind a `Cell`, a lock, or in what the attempt returns.
    ///
    /// # Errors
    ///
    /// The operation's last error and why there was no further attempt; see [`CallError`].
    ///
    /// # Panics
    ///
    /// If the operation, the classifier, a strategy, or a clock or breaker of your own panics; the
    /// breaker's permit is given back. Hooks that panic do not.
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self, NoSettings, move |_| operation(), ToResult)
    }

    /// [`call`](Self::call) for an operation that wants to know which attempt it is and how much
    /// time it has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self, NoSettings, operation, ToResult)
    }

    /// Runs `operation` as [`call`](Self::call) does and tells everything about it.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self, NoSettings, move |_| operation(), ToOutcome)
    }

    /// [`execute`](Self::execute) for an operation that wants to know which attempt it is and how
    /// much time it has.
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// See [`AsyncPolicy`].
    #[inline]
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self, NoSettings, operation, ToOutcome)
    }
}

impl<'a, C, Tm, N> CallContext<'a, AsyncPolicy<C, Tm>, N> {
    /// Sets what waits instead of the timer between attempts. It is asked to wait zero, too. One
    /// that panics, called or awaited, is replaced by the timer. Replaces the policy's.
    pub fn sleep_with<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_async_sleeper(sleeper)
    }

    /// Sets a hook before each wait that is awaited. Replaces the policy's.
    pub fn before_sleep_async<Fut>(self, hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_before_sleep_async(hook)
    }

    /// [`AsyncPolicy::call`] with these settings; it panics, and may be dropped, like that.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self.policy, self, move |_| operation(), ToResult)
    }

    /// [`AsyncPolicy::call_with`] with these settings; it panics, and may be dropped, like that.
    ///
    /// # Errors
    ///
    /// As [`AsyncPolicy::call`].
    pub fn call_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self.policy, self, operation, ToResult)
    }

    /// [`AsyncPolicy::execute`] with these settings; it panics, and may be dropped, like that.
    pub fn execute<T, E, F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        Tm: Timer,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self.policy, self, move |_| operation(), ToOutcome)
    }

    /// [`AsyncPolicy::execute_with`] with these settings; it panics, and may be dropped, like that.
    pub fn execute_with<T, E, F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        N: RetryHook<E>,
        Tm: Timer,
        F: FnMut(Attempt) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        CallFuture::new(self.policy, self, operation, ToOutcome)
    }
}
