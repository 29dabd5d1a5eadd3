//! A closure as a manually polled operation. The future of each attempt is boxed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use redress_core::Attempt;
use redress_core::driver::PollOperation;

/// Made by [`operation_fn`].
pub(crate) struct OperationFn<F, Fut> {
    make: F,
    running: Option<Pin<Box<Fut>>>,
}

/// An operation that makes a future for each attempt.
pub(crate) const fn operation_fn<F, Fut>(make: F) -> OperationFn<F, Fut>
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
