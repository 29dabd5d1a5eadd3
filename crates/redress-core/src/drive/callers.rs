//! Implements [`Caller`] and [`AsyncCaller`] for policies, contexts, and pointers to them.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use super::attempt::Attempt;
use super::blocking;
use super::call_future::CallFuture;
use super::caller::{AsyncCaller, Caller};
use super::failed_attempt::classify;
use super::finish::{ToOutcome, ToResult};
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::outcome::call_error::CallError;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::retry_notice::{BothHooks, RetryHook};
use crate::policy::settings::CallSettings;

impl<T, E, C: Classifier<T, E>> Caller<T, E> for Policy<C> {
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> RetryOutcome<T, E> {
        let run = |attempt| classify(&self.classifier, operation(attempt));
        blocking::run(self, Some(settings), on_retry, run, ToOutcome)
    }

    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        let run = |attempt| classify(&self.classifier, operation(attempt));
        blocking::run(self, Some(settings), on_retry, run, ToResult)
    }
}

impl<T, E, C, Tm> AsyncCaller<T, E> for AsyncPolicy<C, Tm>
where
    T: Send,
    E: Send,
    C: Classifier<T, E> + Sync,
    Tm: Timer + Sync,
    Tm::Sleep: Send,
{
    fn execute_in<F, Fut, N>(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &N,
        operation: F,
    ) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        CallFuture::new(self, (settings, on_retry), operation, ToOutcome)
    }

    fn call_in<F, Fut, N>(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &N,
        operation: F,
    ) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        CallFuture::new(self, (settings, on_retry), operation, ToResult)
    }
}

/// Merges the settings of a call with those of the context around it.
fn within<'s>(own: &'s CallSettings<'s>, given: &'s CallSettings<'s>) -> Cow<'s, CallSettings<'s>> {
    if given.are_empty() { Cow::Borrowed(own) } else { Cow::Owned(given.over(own)) }
}

impl<T, E, P: Caller<T, E>, N: RetryHook<E>> Caller<T, E> for CallContext<'_, P, N> {
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> RetryOutcome<T, E> {
        let settings = within(&self.settings, settings);
        self.policy.execute_in(&settings, &BothHooks(&self.on_retry, on_retry), operation)
    }

    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        let settings = within(&self.settings, settings);
        self.policy.call_in(&settings, &BothHooks(&self.on_retry, on_retry), operation)
    }
}

impl<T: Send, E: Send, P: AsyncCaller<T, E>, H: RetryHook<E> + Sync> AsyncCaller<T, E> for CallContext<'_, P, H> {
    async fn execute_in<F, Fut, N>(&self, settings: &CallSettings<'_>, on_retry: &N, operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync,
    {
        let settings = within(&self.settings, settings);
        self.policy.execute_in(&settings, &BothHooks(&self.on_retry, on_retry), operation).await
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
        let settings = within(&self.settings, settings);
        self.policy.call_in(&settings, &BothHooks(&self.on_retry, on_retry), operation).await
    }
}

// Pointers forward to the value they point to.
macro_rules! through_pointer {
    ($($pointer:ty),+) => {$(
        impl<T, E, P: Caller<T, E> + ?Sized> Caller<T, E> for $pointer {
            fn execute_in(
                &self,
                settings: &CallSettings<'_>,
                on_retry: &dyn RetryHook<E>,
                operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
            ) -> RetryOutcome<T, E> {
                (**self).execute_in(settings, on_retry, operation)
            }

            fn call_in(
                &self,
                settings: &CallSettings<'_>,
                on_retry: &dyn RetryHook<E>,
                operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
            ) -> Result<T, CallError<E>> {
                (**self).call_in(settings, on_retry, operation)
            }
        }
    )+};
}

through_pointer!(&P, Box<P>, Arc<P>);

macro_rules! async_through_pointer {
    ($($pointer:ty),+) => {$(
        impl<T: Send, E: Send, P: AsyncCaller<T, E> + Send> AsyncCaller<T, E> for $pointer {
            fn execute_in<F, Fut, N>(
                &self,
                settings: &CallSettings<'_>,
                on_retry: &N,
                operation: F,
            ) -> impl Future<Output = RetryOutcome<T, E>> + Send
            where
                F: FnMut(Attempt) -> Fut + Send,
                Fut: Future<Output = Result<T, E>> + Send,
                N: RetryHook<E> + Sync,
            {
                (**self).execute_in(settings, on_retry, operation)
            }

            fn call_in<F, Fut, N>(
                &self,
                settings: &CallSettings<'_>,
                on_retry: &N,
                operation: F,
            ) -> impl Future<Output = Result<T, CallError<E>>> + Send
            where
                F: FnMut(Attempt) -> Fut + Send,
                Fut: Future<Output = Result<T, E>> + Send,
                N: RetryHook<E> + Sync,
            {
                (**self).call_in(settings, on_retry, operation)
            }
        }
    )+};
}

async_through_pointer!(&P, Arc<P>);
