//! Runs scenarios through calls that are polled directly as a `PollCall`.
//!
//! Holds the operation of such a call. The caller says how time passes.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::driver::{PollOperation, Timer};
use redress_core::{AsyncPolicy, Attempt, CallContext, Classifier, RetryOutcome};

use crate::asynchronous::{Integration, run_integrated};
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Like [`run_async`](crate::run_async), with every call polled manually, as a
/// [`PollCall`](redress_core::driver::PollCall).
///
/// # Panics
///
/// As [`run_async`](crate::run_async).
pub async fn run_driven<Tm, P, Fut>(scenario: &Scenario, timer: Tm, pass: P) -> Vec<Trace>
where
    Tm: Timer + Clone + Send + Sync,
    P: Fn(Duration) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send + 'static,
{
    run_integrated(scenario, timer, pass, &Driven).await
}

struct Driven;

impl Integration for Driven {
    async fn execute<C, Tm, T, E, F, Fut>(
        &self,
        context: CallContext<'_, AsyncPolicy<C, Tm>>,
        operation: F,
    ) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E> + Clone,
        Tm: Timer + Clone,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        context.poll_call().run(Polled { make: operation, running: None }).await
    }
}

/// An operation that makes a future for each attempt.
struct Polled<F, Fut> {
    make: F,
    running: Option<Pin<Box<Fut>>>,
}

impl<T, E, F, Fut> PollOperation<T, E> for Polled<F, Fut>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    fn start(&mut self, _: Attempt) {
        self.running = Some(Box::pin((self.make)()));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.running.as_mut().map_or(Poll::Pending, |running| running.as_mut().poll(cx))
    }

    fn stop(&mut self) {
        self.running = None;
    }
}
