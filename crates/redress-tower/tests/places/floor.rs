//! The innermost services: the work, scripted by the case, and the bookkeeping right below the
//! limit.

use std::future::{Future, pending};
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use redress_core::error::AbortRetryError;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower::{BoxError, Service};

use crate::ledger::{Held, Holder, Ledger};
use crate::world::{End, World, millis};

/// The panic payload of a case, to tell it from an assertion.
pub(crate) struct Scripted;

type Work = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Does the work of each call by the case's script, and checks that its callers keep tower's
/// contract.
pub(crate) struct Floor {
    world: Arc<World>,
    ledger: Ledger,
    start: Instant,
    asked: Option<Instant>,
    opening: Option<Pin<Box<Sleep>>>,
    is_ready: bool,
    has_failed: bool,
}

impl Floor {
    pub(crate) const fn new(world: Arc<World>, ledger: Ledger, start: Instant) -> Self {
        Self { world, ledger, start, asked: None, opening: None, is_ready: false, has_failed: false }
    }

    fn end(&self, call: usize) -> End {
        let ends = &self.world.calls[call].ends;
        ends[self.ledger.failures(call).min(ends.len() - 1)]
    }

    /// When callers that poll now become ready.
    fn opens(&mut self, end: Option<End>) -> Instant {
        let now = Instant::now();
        let asked = *self.asked.get_or_insert(now);
        let stalled = match end {
            Some(End::StallsInReadiness(time)) => asked + millis(time),
            _ => now,
        };
        let windows =
            self.world.closed.iter().map(|&(from, time)| self.start + millis(from)..self.start + millis(from + time));
        windows.filter(|window| window.contains(&now)).map(|window| window.end).fold(stalled, Instant::max)
    }
}

impl Clone for Floor {
    /// By tower's contract, the original's readiness does not carry over to a clone.
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.world), self.ledger.clone(), self.start)
    }
}

impl Service<usize> for Floor {
    type Response = ();
    type Error = BoxError;
    type Future = Work;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        assert!(!self.has_failed, "an instance that failed to become ready was asked again");
        let end = self.ledger.running().map(|call| self.end(call));
        match end {
            Some(End::FailsInReadiness) => {
                self.has_failed = true;
                return Poll::Ready(Err(reset()));
            }
            Some(End::PanicsInReadiness) => resume_unwind(Box::new(Scripted)),
            _ => {}
        }
        loop {
            let opens = self.opens(end);
            if opens <= Instant::now() {
                self.is_ready = true;
                return Poll::Ready(Ok(()));
            }
            ready!(self.opening.insert(Box::pin(sleep_until(opens))).as_mut().poll(cx));
        }
    }

    fn call(&mut self, call: usize) -> Work {
        assert!(self.is_ready, "called without having been ready");
        (self.is_ready, self.asked) = (false, None);
        match self.end(call) {
            // A panic in the worker of a buffer would end the worker, so it is not tested.
            End::PanicsInCall if self.ledger.running().is_some() => resume_unwind(Box::new(Scripted)),
            end => Box::pin(work(end)),
        }
    }
}

async fn work(end: End) -> Result<(), BoxError> {
    match end {
        End::Succeeds(0) | End::StallsInReadiness(_) => Ok(()),
        End::Succeeds(time) => {
            sleep(millis(time)).await;
            Ok(())
        }
        End::Fails(time) => {
            sleep(millis(time)).await;
            Err(reset())
        }
        End::Aborts => Err(AbortRetryError::new("the case is closed").into()),
        End::StallsInCall => pending().await,
        End::FailsInReadiness | End::PanicsInReadiness | End::PanicsInCall => Err(reset()),
        End::PanicsInPoll(time) => {
            sleep(millis(time)).await;
            resume_unwind(Box::new(Scripted))
        }
    }
}

fn reset() -> BoxError {
    io::Error::from(io::ErrorKind::ConnectionReset).into()
}

/// Records the places of the limit right above it: a request that gets here holds one.
pub(crate) struct Booked<S> {
    inner: S,
    ledger: Ledger,
    held: Option<Held>,
}

impl<S> Booked<S> {
    pub(crate) const fn new(inner: S, ledger: Ledger) -> Self {
        Self { inner, ledger, held: None }
    }
}

impl<S: Clone> Clone for Booked<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.ledger.clone())
    }
}

impl<S: Service<usize>> Service<usize> for Booked<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = BookedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.held.is_none() {
            self.held = Some(self.ledger.hold());
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: usize) -> Self::Future {
        self.held = None;
        let held = self.ledger.hold_for(Holder::Call(call));
        BookedFuture { inner: self.inner.call(call), held }
    }
}

pin_project! {
    /// Work that holds a place of the limit.
    pub(crate) struct BookedFuture<F> {
        #[pin]
        inner: F,
        held: Held,
    }
}

impl<F: Future> Future for BookedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}
