//! A call allocates nothing, whichever way it ends, as long as nobody asked for a timeline or hooks.
//!
//! Counts by the allocator that `allocation-counter` puts in place of the system's, for the calling thread alone. Each
//! case checks that the call did end that way.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::{
    Async, AsyncPolicy, Blocking, Budget, CallError, CircuitBreaker, Classifier, ErrorClass, Policy, PolicyBuilder,
    Retry, RetryBuilder, StopReason, Timer, decorrelated_jitter, default_classifier, error_classifier, fixed,
};

const MINUTE: Duration = Duration::from_secs(60);

/// What the scripted operations fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Busy,
    Gone,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl Error for Failure {}

type Answer = Result<u64, Failure>;

/// A timer for calls that do not wait.
#[derive(Clone, Copy, Debug, Default)]
struct Untouched;

impl Timer for Untouched {
    type Sleep = std::future::Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        panic!("a wait of {duration:?} on a path that has none")
    }
}

/// How a scripted call is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Success,
    Stop(StopReason),
}

struct Path {
    name: &'static str,
    /// What the operation answers, attempt by attempt; the last answer again after that.
    script: &'static [Answer],
    retry: fn() -> RetryBuilder,
    breaker: fn() -> CircuitBreaker,
    end: End,
}

const PATHS: &[Path] = &[
    Path { name: "success", script: &[Ok(7)], retry: endless, breaker: closed, end: End::Success },
    Path { name: "success with a deadline", script: &[Ok(7)], retry: at_once, breaker: closed, end: End::Success },
    Path {
        name: "success of the third attempt",
        script: &[Err(Failure::Busy), Err(Failure::Busy), Ok(7)],
        retry: at_once,
        breaker: closed,
        end: End::Success,
    },
    Path {
        name: "rejection by an open breaker",
        script: &[Ok(7)],
        retry: at_once,
        breaker: open,
        end: End::Stop(StopReason::CircuitOpen),
    },
    Path {
        name: "stop at a failure that is not retried",
        script: &[Err(Failure::Gone)],
        retry: at_once,
        breaker: closed,
        end: End::Stop(StopReason::NonRetryableClass),
    },
    Path {
        name: "stop at the last attempt",
        script: &[Err(Failure::Busy)],
        retry: at_once,
        breaker: closed,
        end: End::Stop(StopReason::MaxAttemptsGlobal),
    },
    Path {
        name: "stop at a delay that does not fit the deadline",
        script: &[Err(Failure::Busy)],
        retry: || Retry::builder().strategy(fixed(MINUTE)),
        breaker: closed,
        end: End::Stop(StopReason::DeadlineExceeded),
    },
    Path {
        name: "stop at an empty budget",
        script: &[Err(Failure::Busy)],
        retry: || at_once().budget(Budget::new(0, MINUTE).expect("a valid budget")),
        breaker: closed,
        end: End::Stop(StopReason::BudgetExhausted),
    },
];

fn at_once() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO))
}

fn endless() -> RetryBuilder {
    Retry::builder().strategy(decorrelated_jitter()).no_deadline()
}

fn closed() -> CircuitBreaker {
    CircuitBreaker::builder().failure_threshold(1_000).build().expect("a valid breaker")
}

fn open() -> CircuitBreaker {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("a valid breaker");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    breaker
}

fn busy_is_transient() -> impl Classifier<u64, Failure> {
    error_classifier(|failure: &Failure| match failure {
        Failure::Busy => ErrorClass::Transient,
        Failure::Gone => ErrorClass::Permanent,
    })
}

fn guarded<C, K>(policy: PolicyBuilder<C, K>, path: &Path) -> PolicyBuilder<impl Classifier<u64, Failure>, K> {
    policy.retry((path.retry)()).circuit_breaker((path.breaker)()).classifier(busy_is_transient())
}

fn allocations(mut call: impl FnMut()) -> u64 {
    // What is allocated once, on first use, is not a call's.
    call();
    allocation_counter::measure(|| (0..10).for_each(|_| call())).count_total
}

fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}
