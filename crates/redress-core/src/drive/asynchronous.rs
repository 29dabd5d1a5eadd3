//! Asynchronous calls: the methods of [`AsyncPolicy`] and its contexts that return futures.

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
    /// Runs `operation` until it succeeds or the policy stops retrying.
    ///
    /// Nothing happens before the returned future is polled. Each attempt calls `operation`, which
    /// returns a new future. The future may borrow what the closure borrows. It must not mutably
    /// borrow captured state: stable Rust cannot require such a future to be `Send`. Keep the state
    /// in a `Cell` or a lock.
    ///
    /// # Errors
    ///
    /// A [`CallError`] with the operation's last error and the reason why there was no further
    /// attempt.
    ///
    /// # Panics
    ///
    /// If the operation, the classifier, a strategy, the timer, or a custom clock or breaker
    /// panics. The breaker's permit is released. Panics in hooks are caught.
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

    /// Like [`call`](Self::call), but passes the [`Attempt`], its number and time limit, to the
    /// operation.
    ///
    /// # Errors
    ///
    /// See [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// See [`call`](Self::call).
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

    /// Like [`call`](Self::call), but returns the full outcome instead of a `Result`.
    ///
    /// # Panics
    ///
    /// See [`call`](Self::call).
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

    /// Like [`execute`](Self::execute), but passes the [`Attempt`], its number and time limit, to
    /// the operation.
    ///
    /// # Panics
    ///
    /// See [`call`](Self::call).
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
    /// Replaces the timer between attempts. Also called for zero delays. If the sleeper panics, the
    /// timer waits instead. Replaces the policy's sleeper.
    pub fn sleep_with<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_async_sleeper(sleeper)
    }

    /// Sets an asynchronous hook that is awaited before each wait. Replaces the policy's hook.
    pub fn before_sleep_async<Fut>(self, hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_before_sleep_async(hook)
    }

    /// Like [`AsyncPolicy::call`], with these settings; the same panics and cancel safety.
    ///
    /// # Errors
    ///
    /// Those of [`AsyncPolicy::call`].
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

    /// Like [`AsyncPolicy::call_with`], with these settings; the same panics and cancel safety.
    ///
    /// # Errors
    ///
    /// Those of [`AsyncPolicy::call`].
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

    /// Like [`AsyncPolicy::execute`], with these settings; the same panics and cancel safety.
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

    /// Like [`AsyncPolicy::execute_with`], with these settings; the same panics and cancel safety.
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
