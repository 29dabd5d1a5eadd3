//! The sizes of a call, a breaker and a budget.
//!
//! A boxed future is small itself, so its memory on the heap is listed beside its size.

use std::future::{Future, pending};
use std::hint::black_box;
use std::mem::size_of_val;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use failsafe::{CircuitBreaker as _, Config, backoff, failure_policy};
use recloser::Recloser;
use redress_core::{Budget, CircuitBreaker, ErrorClass, Retry, decorrelated_jitter};
use redress_tokio::AsyncPolicy;
use tokio::time::{Sleep, sleep, timeout};
use tokio_retry2::RetryError;
use tokio_retry2::strategy::ExponentialBackoff;
use tower::retry::budget::TpsBudget;
use tower::timeout::Timeout;
use tower::{BoxError, Layer as _, Service as _, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};
use tower_resilience::retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::operation::{OperationError, OperationResult, fail, finish, succeed};

/// The memory of one value, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// The value itself.
    pub(crate) itself: usize,
    /// On the heap, after it has been made, or polled for the first time.
    pub(crate) heap: usize,
    /// On the heap, after use.
    pub(crate) used: Option<usize>,
    pub(crate) reach: Option<usize>,
}

impl Size {
    pub(crate) const fn total(&self) -> usize {
        self.itself + self.heap
    }

    const fn within(mut self, reach: usize) -> Self {
        self.reach = Some(reach);
        self
    }
}

const ATTEMPT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);

/// The most that redress may add to the operation's future.
const OVERHEAD: usize = 215;

/// The size of a waiting operation that has a connection and a buffer.
async fn operation() -> OperationResult {
    let buffer = black_box([0_u8; 256]);
    pending::<()>().await;
    black_box(&buffer);
    succeed()
}

/// The operation with a timeout, for the crates that have none.
async fn attempt() -> OperationResult {
    timeout(ATTEMPT, operation()).await.unwrap_or(Err(OperationError::TimedOut))
}

/// The future of the operation, then the futures that retry it, with a timeout for each attempt and
/// growing delays.
pub(crate) fn futures() -> Vec<Size> {
    let bare = waiting("the operation", operation);
    let reach = bare.itself + OVERHEAD;
    let retried = AsyncPolicy::builder().retry(retry()).attempt_timeout(ATTEMPT).build().expect("a valid policy");
    let guarded = AsyncPolicy::builder()
        .attempt_timeout(ATTEMPT)
        .retry(retry().budget(Budget::new(100, MINUTE).expect("a valid budget")))
        .circuit_breaker(CircuitBreaker::builder())
        .build()
        .expect("a valid policy");
    let transient = || async { attempt().await.map_err(RetryError::transient) };
    let layered = tower::retry::Retry::new(Growing(5), Timeout::new(service_fn(async |()| operation().await), ATTEMPT));
    let limited = TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build();
    let resilient = RetryLayer::builder()
        .max_attempts(6)
        .exponential_backoff(Duration::from_millis(100))
        .build()
        .layer(limited.layer(service_fn(async |()| operation().await)));
    vec![
        bare,
        waiting("redress: retry", || retried.call(operation)).within(reach),
        waiting("redress: retry, breaker, budget", || guarded.call(operation)).within(reach),
        waiting("backon, each attempt in tokio's timeout", || attempt.retry(ExponentialBuilder::new()).into_future()),
        waiting("tokio-retry2, each attempt in tokio's timeout", || {
            tokio_retry2::Retry::spawn(ExponentialBackoff::from_millis(100).take(5), transient)
        }),
        waiting("tower: retry over timeout", || layered.clone().call(())),
        waiting("tower-resilience: retry over time limiter", || resilient.clone().call(())),
    ]
}

fn retry() -> redress_core::policy::RetryBuilder {
    Retry::builder().strategy(decorrelated_jitter())
}

/// A policy for tower that waits for its delay on tokio's timer.
#[derive(Clone)]
struct Growing(u32);

impl tower::retry::Policy<(), u64, BoxError> for Growing {
    type Future = Sleep;

    fn retry(&mut self, _: &mut (), result: &mut Result<u64, BoxError>) -> Option<Sleep> {
        result.as_ref().err()?;
        self.0 = self.0.checked_sub(1)?;
        Some(sleep(Duration::from_millis(100)))
    }

    fn clone_request(&mut self, _: &()) -> Option<()> {
        Some(())
    }
}

/// The size of a future, and its memory on the heap while it waits.
fn waiting<F: Future>(name: &'static str, make: impl Fn() -> F) -> Size {
    let mut itself = 0;
    let mut poll = || {
        let future = pin!(make());
        itself = size_of_val(&*future);
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending(), "{name} must wait");
    };
    // The timer makes its own allocation once, before the call is measured.
    poll();
    let heap = allocation_counter::measure(poll).bytes_max;
    Size { name, itself, heap: bytes(heap), used: None, reach: None }
}

/// A breaker that opens at 100 failures, or half of 100 calls, within a minute if it has a window
/// of time. Used means 1,000 calls, 50 of them failures.
pub(crate) fn breakers() -> Vec<Size> {
    let per_minute = || failure_policy::success_rate_over_time_window(0.5, 100, MINUTE, backoff::constant(MINUTE));
    let layer = CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(MINUTE)
        .minimum_number_of_calls(100);
    let layer = layer.build().expect("a valid breaker");
    let service = service_fn(|fails: bool| async move { if fails { fail() } else { succeed() } });
    vec![
        held(
            "redress",
            || CircuitBreaker::builder().failure_threshold(100).window(MINUTE).build().expect("a valid breaker"),
            |breaker, fails| {
                let permit = breaker.try_acquire().expect("closed");
                if fails {
                    permit.failure(ErrorClass::Transient)
                } else {
                    permit.success()
                };
            },
        )
        .within(1024),
        held(
            "recloser",
            || Recloser::custom().closed_len(100).build(),
            |breaker, fails| {
                let _ = breaker.call(|| if fails { fail() } else { succeed() });
            },
        ),
        held(
            "failsafe",
            || Config::new().failure_policy(per_minute()).build(),
            |breaker, fails| {
                let _ = breaker.call(|| if fails { fail() } else { succeed() });
            },
        ),
        held(
            "tower-resilience",
            || layer.layer(service),
            |breaker, fails| {
                let _ = finish(breaker.call(fails));
            },
        ),
    ]
}

/// A budget of 100 in a minute. Used means 100 withdrawals.
pub(crate) fn budgets() -> Vec<Size> {
    use tower::retry::budget::Budget as _;
    vec![
        held(
            "redress",
            || Budget::new(100, MINUTE).expect("a valid budget"),
            |budget, _| {
                black_box(budget.consume());
            },
        ),
        held(
            "tower's TpsBudget",
            || TpsBudget::new(MINUTE, 2, 0.0),
            |budget, _| {
                black_box(budget.withdraw());
            },
        ),
        held(
            "tower-resilience's token bucket",
            || RetryBudgetBuilder::new().token_bucket().max_tokens(100).build().expect("a valid budget"),
            |budget, _| {
                black_box(budget.try_withdraw());
            },
        ),
    ]
}

/// The size of a value, and its memory on the heap before and after use.
fn held<T>(name: &'static str, make: impl Fn() -> T, mut use_once: impl FnMut(&mut T, bool)) -> Size {
    // Allocations that a crate makes once for a thread are not part of the value.
    use_once(&mut make(), false);
    let mut made = None;
    let new = allocation_counter::measure(|| made = Some(make())).bytes_current;
    let mut value = make();
    let more = allocation_counter::measure(|| (0..1_000).for_each(|call| use_once(&mut value, call % 20 == 0)));
    let [heap, used] = [new, new + more.bytes_current].map(|held| bytes(held.max(0).unsigned_abs()));
    Size { name, itself: size_of_val(&value), heap, used: Some(used), reach: None }
}

fn bytes(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
