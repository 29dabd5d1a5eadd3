//! [`RetryNotice`], which the typed retry hook receives before each wait, and the types through
//! which a context carries such a hook.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::classify::classification::Classification;
use crate::outcome::failure::Cause;
use crate::outcome::readable_duration::Readable;

/// A failure that is about to be retried, as passed to the hook of
/// [`CallContext::on_retry`](crate::CallContext::on_retry).
///
/// Displays as one line for a log or a terminal: `connection refused; again in 300 ms`.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryNotice<'a, E> {
    /// The operation's error, if it returned one.
    pub error: Option<&'a E>,
    /// What failed: the error, a value that counts as a failure, or the attempt's timeout.
    pub cause: Cause,
    /// How the classifier classified the failure.
    pub classification: &'a Classification,
    /// The attempt that failed, counted from 1.
    pub attempt: u32,
    /// The wait before the next attempt.
    pub wait: Duration,
}

impl<E> Clone for RetryNotice<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for RetryNotice<'_, E> {}

impl<E: fmt::Display> fmt::Display for RetryNotice<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error, self.cause) {
            (Some(error), _) => write!(f, "{error}")?,
            (None, Cause::Timeout) => f.write_str("timed out")?,
            (None, _) => write!(f, "returned a value that counts as {}", self.classification.class())?,
        }
        if self.wait.is_zero() {
            f.write_str("; again at once")
        } else {
            write!(f, "; again in {}", Readable(self.wait))
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A hook that receives errors of type `E` before each wait, or [none](NoRetryHook). A
/// [`Caller`](crate::Caller) passes it on. Created only by
/// [`CallContext::on_retry`](crate::CallContext::on_retry).
pub trait RetryHook<E>: sealed::Sealed {
    /// Called when an attempt failed and will be retried after the wait.
    fn on_retry(&self, notice: &RetryNotice<'_, E>);
}

/// The absence of a typed retry hook.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoRetryHook;

impl NoRetryHook {
    pub(crate) const fn new() -> Self {
        Self
    }
}

impl sealed::Sealed for NoRetryHook {}

impl<E> RetryHook<E> for NoRetryHook {
    #[inline]
    fn on_retry(&self, _: &RetryNotice<'_, E>) {}
}

/// The typed retry hook of a context. Created by
/// [`CallContext::on_retry`](crate::CallContext::on_retry).
pub struct OnRetry<E, H> {
    hook: H,
    error: PhantomData<fn(&E)>,
}

impl<E, H: Fn(&RetryNotice<'_, E>)> OnRetry<E, H> {
    pub(crate) const fn new(hook: H) -> Self {
        Self { hook, error: PhantomData }
    }
}

impl<E, H: Clone> Clone for OnRetry<E, H> {
    fn clone(&self) -> Self {
        Self { hook: self.hook.clone(), error: PhantomData }
    }
}

impl<E, H> fmt::Debug for OnRetry<E, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRetry")
    }
}

impl<E, H> sealed::Sealed for OnRetry<E, H> {}

impl<E, H: Fn(&RetryNotice<'_, E>)> RetryHook<E> for OnRetry<E, H> {
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        (self.hook)(notice);
    }
}

impl<N: sealed::Sealed + ?Sized> sealed::Sealed for &N {}

impl<E, N: RetryHook<E> + ?Sized> RetryHook<E> for &N {
    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        (**self).on_retry(notice);
    }
}

/// The hooks of a context and of the context around it. Both are called.
pub(crate) struct BothHooks<A, B>(pub(crate) A, pub(crate) B);

impl<A, B> sealed::Sealed for BothHooks<A, B> {}

impl<E, A: RetryHook<E>, B: RetryHook<E>> RetryHook<E> for BothHooks<A, B> {
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        crate::policy::hooks::contained(|| self.0.on_retry(notice));
        self.1.on_retry(notice);
    }
}
