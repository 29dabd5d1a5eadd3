//! The seam between code that makes calls and the policy it makes them through.
//!
//! Owns the two traits, and what a real policy does for them. Knows no fake.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::classify::classifier::Classifier;
use crate::drive::timer::Timer;
use crate::outcome::call_error::CallError;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::policies::{AsyncPolicy, Policy};

/// What code makes blocking calls of `Result<T, E>` through: a [`Policy`], or the `RecordingPolicy` and `FakePolicy` of
/// redress-testing. For code that is to be tested with any of them; the methods are the policy's.
///
/// ```
/// use std::io;
/// use redress::{Caller, Policy};
/// use redress::testing::FakePolicy;
///
/// struct Greeter<P> {
///     policy: P,
/// }
///
/// impl<P: Caller<String, io::Error>> Greeter<P> {
///     fn greeting(&self) -> String {
///         let name = self.policy.operation("read_name").call(|| std::fs::read_to_string("/no/such/file"));
///         name.map_or("hello, whoever you are".into(), |name| format!("hello, {name}"))
///     }
/// }
///
/// let real = Greeter { policy: Policy::builder().build()? };
/// assert_eq!(real.greeting(), "hello, whoever you are");
///
/// let fake = Greeter { policy: FakePolicy::new().always_value("Ada".to_string()) };
/// assert_eq!(fake.greeting(), "hello, Ada");
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// Where a type parameter is too much, `Box<dyn Caller<T, E>>` and `Arc<dyn Caller<T, E>>` are callers too.
pub trait Caller<T, E> {
    /// Runs the operation under this name, if there is one, and tells everything about it.
    fn execute_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> RetryOutcome<T, E>;

    /// The same turned into a `Result`.
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.execute_as(name, operation).into_result()
    }

    /// [`Policy::execute`].
    fn execute(&self, mut operation: impl FnMut() -> Result<T, E>) -> RetryOutcome<T, E>
    where
        Self: Sized,
    {
        self.execute_as(None, &mut operation)
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
        self.call_as(None, &mut operation)
    }

    /// The same caller with a name for the operation, like [`Policy::operation`].
    fn operation<'a>(&'a self, name: &'a str) -> NamedCaller<'a, Self, T, E>
    where
        Self: Sized,
    {
        NamedCaller::new(self, name)
    }
}

/// [`Caller`] for asynchronous operations: the same methods, awaited.
///
/// Its futures are `Send`, so that code generic over it can be spawned, and the operations' have to be. For operations
/// that are not, take the real [`AsyncPolicy`].
pub trait AsyncCaller<T: Send, E: Send>: Sync {
    /// Runs the operation under this name, if there is one, and tells everything about it.
    fn execute_as<F, Fut>(&self, name: Option<&str>, operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send;

    /// The same turned into a `Result`.
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call_as<F, Fut>(&self, name: Option<&str>, operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        async move { self.execute_as(name, operation).await.into_result() }
    }

    /// [`AsyncPolicy::execute`].
    fn execute<F, Fut>(&self, operation: F) -> impl Future<Output = RetryOutcome<T, E>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.execute_as(None, operation)
    }

    /// [`AsyncPolicy::call`].
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_result`].
    fn call<F, Fut>(&self, operation: F) -> impl Future<Output = Result<T, CallError<E>>> + Send
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.call_as(None, operation)
    }

    /// The same caller with a name for the operation, like [`AsyncPolicy::operation`].
    fn operation<'a>(&'a self, name: &'a str) -> NamedCaller<'a, Self, T, E>
    where
        Self: Sized,
    {
        NamedCaller::new(self, name)
    }
}

/// A caller with a name for the operation. Made by [`Caller::operation`] and [`AsyncCaller::operation`].
#[must_use = "a named caller does nothing until it makes a call"]
pub struct NamedCaller<'a, P, T, E> {
    caller: &'a P,
    name: &'a str,
    /// What `operation` was asked for, so that the compiler knows which of a policy's many callers it is.
    operation: PhantomData<fn() -> Result<T, E>>,
}

impl<'a, P, T, E> NamedCaller<'a, P, T, E> {
    const fn new(caller: &'a P, name: &'a str) -> Self {
        Self { caller, name, operation: PhantomData }
    }
}

impl<P: fmt::Debug, T, E> fmt::Debug for NamedCaller<'_, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedCaller").field("name", &self.name).field("caller", self.caller).finish()
    }
}

impl<T, E, P: Caller<T, E>> Caller<T, E> for NamedCaller<'_, P, T, E> {
    fn execute_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> RetryOutcome<T, E> {
        self.caller.execute_as(name.or(Some(self.name)), operation)
    }

    fn call_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.caller.call_as(name.or(Some(self.name)), operation)
    }
}

impl<T: Send, E: Send, P: AsyncCaller<T, E>> AsyncCaller<T, E> for NamedCaller<'_, P, T, E> {
    async fn execute_as<F, Fut>(&self, name: Option<&str>, operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.caller.execute_as(name.or(Some(self.name)), operation).await
    }

    async fn call_as<F, Fut>(&self, name: Option<&str>, operation: F) -> Result<T, CallError<E>>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.caller.call_as(name.or(Some(self.name)), operation).await
    }
}

impl<T, E, C: Classifier<T, E>> Caller<T, E> for Policy<C> {
    fn execute_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> RetryOutcome<T, E> {
        match name {
            Some(name) => Self::operation(self, name).execute(operation),
            None => Self::execute(self, operation),
        }
    }

    fn call_as(&self, name: Option<&str>, operation: &mut dyn FnMut() -> Result<T, E>) -> Result<T, CallError<E>> {
        match name {
            Some(name) => Self::operation(self, name).call(operation),
            None => Self::call(self, operation),
        }
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
    async fn execute_as<F, Fut>(&self, name: Option<&str>, operation: F) -> RetryOutcome<T, E>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        match name {
            Some(name) => Self::operation(self, name).execute(operation).await,
            None => Self::execute(self, operation).await,
        }
    }

    async fn call_as<F, Fut>(&self, name: Option<&str>, operation: F) -> Result<T, CallError<E>>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        match name {
            Some(name) => Self::operation(self, name).call(operation).await,
            None => Self::call(self, operation).await,
        }
    }
}

// What a pointer points to makes the calls.
macro_rules! through_pointer {
    ($($pointer:ty),+) => {$(
        impl<T, E, P: Caller<T, E> + ?Sized> Caller<T, E> for $pointer {
            fn execute_as(
                &self,
                name: Option<&str>,
                operation: &mut dyn FnMut() -> Result<T, E>,
            ) -> RetryOutcome<T, E> {
                (**self).execute_as(name, operation)
            }

            fn call_as(
                &self,
                name: Option<&str>,
                operation: &mut dyn FnMut() -> Result<T, E>,
            ) -> Result<T, CallError<E>> {
                (**self).call_as(name, operation)
            }
        }
    )+};
}

through_pointer!(&P, Box<P>, Arc<P>);

macro_rules! async_through_pointer {
    ($($pointer:ty),+) => {$(
        impl<T: Send, E: Send, P: AsyncCaller<T, E> + Send> AsyncCaller<T, E> for $pointer {
            fn execute_as<F, Fut>(
                &self,
                name: Option<&str>,
                operation: F,
            ) -> impl Future<Output = RetryOutcome<T, E>> + Send
            where
                F: FnMut() -> Fut + Send,
                Fut: Future<Output = Result<T, E>> + Send,
            {
                (**self).execute_as(name, operation)
            }

            fn call_as<F, Fut>(
                &self,
                name: Option<&str>,
                operation: F,
            ) -> impl Future<Output = Result<T, CallError<E>>> + Send
            where
                F: FnMut() -> Fut + Send,
                Fut: Future<Output = Result<T, E>> + Send,
            {
                (**self).call_as(name, operation)
            }
        }
    )+};
}

async_through_pointer!(&P, Arc<P>);
