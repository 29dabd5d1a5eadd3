//! [`Caller`] and [`AsyncCaller`], the traits for code that is generic over the policy it calls
//! through. They are implemented in `callers.rs`.

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

/// A policy or a test double for blocking calls that return `Result<T, E>`. Implemented by
/// [`Policy`], and by `RecordingPolicy` and `FakePolicy` of redress-testing. Make code generic over
/// it to test that code without retries. The methods are those of `Policy`.
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
///         name.map_or("hello, stranger".into(), |name| format!("hello, {name}"))
///     }
/// }
///
/// let real = Greeter { policy: Policy::builder().build()? };
/// assert_eq!(real.greeting(), "hello, stranger");
///
/// let fake = Greeter { policy: FakePolicy::new().always_value("Ada".to_string()) };
/// assert_eq!(fake.greeting(), "hello, Ada");
/// assert_eq!(fake.policy.calls()[0].operation.as_deref(), Some("read_name"));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// `Box<dyn Caller<T, E>>` and `Arc<dyn Caller<T, E>>` are callers too, for code without a type
/// parameter. So is a [`CallContext`] of any caller. The settings of a context nested in it take
/// precedence, and observers, aborts and deadlines of both apply.
pub trait Caller<T, E> {
    /// Runs the operation with these settings and returns the full outcome. The one required
    /// method.
    fn execute_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> RetryOutcome<T, E>;

    /// Like [`execute_in`](Self::execute_in), but returns a `Result`.
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
    fn call_in(
        &self,
        settings: &CallSettings<'_>,
        on_retry: &dyn RetryHook<E>,
        operation: &mut dyn FnMut(Attempt) -> Result<T, E>,
    ) -> Result<T, CallError<E>> {
        self.execute_in(settings, on_retry, operation).into_result()
    }

    /// See [`Policy::execute`].
    fn execute(&self, mut operation: impl FnMut() -> Result<T, E>) -> RetryOutcome<T, E>
    where
        Self: Sized,
    {
        self.execute_in(&CallSettings::default(), &NoRetryHook::new(), &mut |_| operation())
    }

    /// See [`Policy::execute_with`].
    fn execute_with(&self, mut operation: impl FnMut(Attempt) -> Result<T, E>) -> RetryOutcome<T, E>
    where
        Self: Sized,
    {
        self.execute_in(&CallSettings::default(), &NoRetryHook::new(), &mut operation)
    }

    /// See [`Policy::call`].
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
    fn call(&self, mut operation: impl FnMut() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        Self: Sized,
    {
        self.call_in(&CallSettings::default(), &NoRetryHook::new(), &mut |_| operation())
    }

    /// See [`Policy::call_with`].
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
    fn call_with(&self, mut operation: impl FnMut(Attempt) -> Result<T, E>) -> Result<T, CallError<E>>
    where
        Self: Sized,
    {
        self.call_in(&CallSettings::default(), &NoRetryHook::new(), &mut operation)
    }

    /// Returns a context, which adds settings to single calls and is a caller itself; see
    /// [`Policy::context`].
    fn context(&self) -> CallContext<'_, Self>
    where
        Self: Sized,
    {
        CallContext::of(self)
    }

    /// Returns a [`context`](Self::context) that names the operation; see [`Policy::operation`].
    fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self>
    where
        Self: Sized,
    {
        CallContext::of(self).operation(name)
    }
}

/// [`Caller`] for asynchronous operations: the same methods, awaited.
///
/// Its futures are `Send`, so that generic code can be spawned, and require the futures of
/// operations to be `Send`. For other operations, use [`AsyncPolicy`] itself.
///
/// ```
/// use std::io;
/// use redress::{AsyncCaller, AsyncPolicy};
/// use redress::testing::{FakePolicy, VirtualClock};
///
/// async fn greeting(policy: &impl AsyncCaller<String, io::Error>) -> String {
///     let read = policy.operation("read_name");
///     let name = read.call(|| async { Ok("Grace".to_string()) }).await;
///     name.map_or("hello, stranger".into(), |name| format!("hello, {name}"))
/// }
///
/// let clock = VirtualClock::new();
/// let real = AsyncPolicy::builder().timer(clock.timer()).build()?;
/// assert_eq!(clock.block_on(greeting(&real)), "hello, Grace");
///
/// let fake = FakePolicy::new().always_value("Ada".to_string());
/// assert_eq!(clock.block_on(greeting(&fake)), "hello, Ada");
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait AsyncCaller<T: Send, E: Send>: Sync {
    /// Runs the operation with these settings and returns the full outcome. The one required
    /// method.
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

    /// Like [`execute_in`](Self::execute_in), but returns a `Result`.
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
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

    /// See [`AsyncPolicy::execute`].
    fn execute<F, Fut>(&self, mut operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.execute_with(move |_| operation())
    }

    /// See [`AsyncPolicy::execute_with`].
    fn execute_with<F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move { self.execute_in(&CallSettings::default(), &NoRetryHook::new(), operation).await }
    }

    /// See [`AsyncPolicy::call`].
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
    fn call<F, Fut>(&self, mut operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.call_with(move |_| operation())
    }

    /// See [`AsyncPolicy::call_with`].
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_result`].
    fn call_with<F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut(Attempt) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move { self.call_in(&CallSettings::default(), &NoRetryHook::new(), operation).await }
    }

    /// Returns a context, which adds settings to single calls and is a caller itself; see
    /// [`AsyncPolicy::context`].
    fn context(&self) -> CallContext<'_, Self>
    where
        Self: Sized,
    {
        CallContext::of(self)
    }

    /// Returns a [`context`](Self::context) that names the operation; see
    /// [`AsyncPolicy::operation`].
    fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self>
    where
        Self: Sized,
    {
        CallContext::of(self).operation(name)
    }
}
