//! The operation that every case guards, as small as an operation that may fail can be, and the
//! ways to run it.
//!
//! The compiler can neither inline it into its guard nor guess its result.

use std::fmt;
use std::future::Future;
use std::hint::{black_box, spin_loop};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

/// As wide as `io::Error`, so that a result is passed in two registers, as most results are.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationError {
    Refused,
    TimedOut,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "timed out",
        })
    }
}

impl std::error::Error for OperationError {}

pub(crate) type OperationResult = Result<u64, OperationError>;

/// The bare operation: a call that is not inlined, a test and a result.
#[inline(never)]
fn run(input: u64) -> OperationResult {
    if input == u64::MAX { Err(OperationError::Refused) } else { Ok(input) }
}

/// Runs it on an input that the compiler does not know.
#[inline]
pub(crate) fn succeed() -> OperationResult {
    run(black_box(7))
}

/// Fails at every call.
#[inline]
pub(crate) fn fail() -> OperationResult {
    run(black_box(u64::MAX))
}

/// Fails at every first run and succeeds at every second one.
#[derive(Debug, Default)]
pub(crate) struct Alternating(AtomicU64);

impl Alternating {
    #[inline]
    pub(crate) fn run(&self) -> OperationResult {
        // A load and a store suffice: only one thread runs such a case.
        let runs = self.0.load(Ordering::Relaxed);
        self.0.store(runs + 1, Ordering::Relaxed);
        if runs.is_multiple_of(2) { fail() } else { succeed() }
    }
}

/// Polls a future that never waits, without a runtime. Its output stays in place.
#[inline]
pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_ready(), "the future is pending, but this case must end at its first poll");
    polled
}

/// Polls a future that may have to wait until another thread releases a lock.
#[inline]
pub(crate) fn poll_contended<F: Future>(future: F) -> Poll<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    for _ in 0..1_000_000_000_u32 {
        let polled = future.as_mut().poll(&mut context);
        if polled.is_ready() {
            return polled;
        }
        spin_loop();
    }
    panic!("the future is still pending, but this case must end at once");
}

/// Returns the output of a future that never waits.
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the first poll returned ready"),
    }
}
