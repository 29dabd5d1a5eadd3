//! The seam between code that makes calls and the policy it makes them through.
//!
//! Owns the two traits. What policies, contexts and pointers do for them is `callers.rs`.

use std::borrow::Cow;
use std::future::Future;

use super::attempt::Attempt;
use crate::outcome::call_error::CallError;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;
#[cfg(doc)]
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::retry_notice::{NoRetryHook, RetryHook};
use crate::policy::settings::CallSettings;

/// What code makes blocking calls of `Result<T, E>` through: a [`Policy`], or the `RecordingPolicy`
/// and `FakePolicy` of redress-testing. For code that is to be tested with any of them; the methods
/// are the policy's.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{Caller, Policy};
/// use redress::testing::FakePolicy;
///
/// struct Greeter<P> {
///     policy: P,
/// }
///
/// impl<P: Caller<String, io::Error>> Greeter<P> {
///     fn greeting(&self) -> String {
///         let read = self.policy.operation("read_name").deadline(Duration::from_secs(1));
///         let name = read.call(|| std::fs::read_to_string("/no/such/file"));
///         name.map_or("hello, whoever you are".into(), |name| format!("hello, {name}"))
///     }
/// }
///
/// let real = Greeter { policy: Policy::builder().build()? };
/// assert_eq!(real.greeting(), "hello, whoever you are");
///
/// let fake = Greeter { policy: FakePolicy::new().always_value("Ada".to_string()) };
/// assert_eq!(fake.greeting(), "hello, Ada");
/// assert_eq!(fake.policy.calls()[0].operation.as_deref(), Some("read_name"));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// Where a type parameter is too much, `Box<dyn Caller<T, E>>` and `Arc<dyn Caller<T, E>>` are
/// callers too. So is a [`CallContext`] of any of them: what a caller within it sets comes before
/// what it sets, and observers, aborts and deadlines of both hold.
pub trait Caller<T, E> {
    /// Runs the operation with these settings and tells everything about it; the one method to
    /// write.
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> RetryOutcome<T, E>;

    /// The same turned into a `Result`.
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        self.execute_in(settings, on_retry, operation).into_result()
    }

    /// [`Policy::execute`].
    fn execute(&self, mut operation: impl FnMut() -> Result<T, E>) -> RetryOutcome<T, E>
    where
        Self: Sized,
    {
        self.execute_in(&CallSettings::default(), &NoRetryHook::new(), &mut |_| operation())
    }

    /// [`Policy::execute_with`].
    fn execute_with(&self, mut operation: impl FnMut(Attempt) -> Result<T, E>) -> RetryOutcome<T, E>
    where
        Self: Sized,
    {
        self.execute_in(&CallSettings::default(), &NoRetryHook::new(), &mut operation)
    }

    /// [`Policy::call`].
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call(&self, mut operation: impl FnMut() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        Self: Sized,
    {
        self.call_in(&CallSettings::default(), &NoRetryHook::new(), &mut |_| operation())
    }

    /// [`Policy::call_with`].
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call_with(&self, mut operation: impl FnMut(Attempt) -> Result<T, E>) -> Result<T, CallError<E>>
    where
        Self: Sized,
    {
        self.call_in(&CallSettings::default(), &NoRetryHook::new(), &mut operation)
    }

    /// [`Policy::context`]: settings for single calls, which is a caller itself.
    fn context(&self) -> CallContext<'_, Self>
    where
        Self: Sized,
    {
        CallContext::of(self)
    }

    /// [`Policy::operation`]: [`context`](Self::context) with a name for the operation.
    fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self>
    where
        Self: Sized,
    {
        CallContext::of(self).operation(name)
    }
}

/// [`Caller`] for asynchronous operations: the same methods, awaited.
///
/// Its futures are `Send`, so that code generic over it can be spawned, and the operations' have to
/// be. For operations that are not, take the real [`AsyncPolicy`].
pub trait AsyncCaller<T: Send, E: Send>: Sync {
    /// Runs the operation with these settings and tells everything about it; the one method to
    /// write.
    fn execute_in<F, Fut, N>(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &N,
        operation: F,
    ) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        N: RetryHook<E> + Sync;

    /// The same turned into a `Result`.
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
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
        async move { self.execute_in(settings, on_retry, operation).await.into_result() }
    }

    /// [`AsyncPolicy::execute`].
    fn execute<F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.execute_with(move |_| operation())
    }

    /// [`AsyncPolicy::execute_with`].
    fn execute_with<F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move { self.execute_in(&CallSettings::default(), &NoRetryHook::new(), operation).await }
    }

    /// [`AsyncPolicy::call`].
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call<F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.call_with(move |_| operation())
    }

    /// [`AsyncPolicy::call_with`].
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call_with<F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move { self.call_in(&CallSettings::default(), &NoRetryHook::new(), operation).await }
    }

    /// [`AsyncPolicy::context`]: settings for single calls, which is a caller itself.
    fn context(&self) -> CallContext<'_, Self>
    where
        Self: Sized,
    {
        CallContext::of(self)
    }

    /// [`AsyncPolicy::operation`]: [`context`](Self::context) with a name for the operation.
    fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self>
    where
        Self: Sized,
    {
        CallContext::of(self).operation(name)
    }
}
