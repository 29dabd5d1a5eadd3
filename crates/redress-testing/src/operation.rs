//! A closure as an operation that is polled.
//!
//! Owns the box each attempt's future is kept in. Integrations that must not box write their own `PollOperation`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use redress_core::Attempt;
use redress_core::driver::PollOperation;

/// An [`PollOperation`] that makes a future for each attempt, as the closures given to `call` do. Made by [`operation_fn`].
pub struct OperationFn<F, Fut> {
    make: F,
    running: Option<Pin<Box<Fut>>>,
}

/// The operation of a [`PollCall`](redress_core::driver::PollCall) as a closure, for tests of policies and drivers.
///
/// ```
/// use std::io;
/// use redress::AsyncPolicy;
/// use redress::driver::InstantTimer;
/// use redress::testing::{VirtualClock, operation_fn};
///
/// let policy = AsyncPolicy::builder().timer(InstantTimer).build()?;
/// let operation = operation_fn(|_| async { Ok::<_, io::Error>(7) });
/// let outcome = VirtualClock::new().block_on(policy.poll_call().run(operation));
/// assert_eq!(outcome.into_value(), Some(7));
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub const fn operation_fn<F, Fut>(make: F) -> OperationFn<F, Fut>
where
    F: FnMut(Attempt) -> Fut,
{
    OperationFn { make, running: None }
}

impl<T, E, F, Fut> PollOperation<T, E> for OperationFn<F, Fut>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    fn start(&mut self, attempt: Attempt) {
        self.running = Some(Box::pin((self.make)(attempt)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.running.as_mut().map_or(Poll::Pending, |running| running.as_mut().poll(cx))
    }

    fn stop(&mut self) {
        self.running = None;
    }
}

impl<F, Fut> fmt::Debug for OperationFn<F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationFn").field("is_running", &self.running.is_some()).finish_non_exhaustive()
    }
}
