//! The cases of tower-resilience: retry, breaker, time limit and budget as layers.

use std::hint::black_box;
use std::time::Duration;

use tower::{Layer as _, Service};
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};
use tower_resilience::retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience::timelimiter::TimeLimiterLayer;

use super::DEADLINE;
use super::tower::{call, calls, service};
use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat};
use crate::operation::{OperationError, fail, finish};

pub(super) const CASES: &[Case] = &[
    case("retry", Async, "tower-resilience", || calls(retry(false).layer(service()))),
    case("retry-deadline", Async, "tower-resilience, time limiter", || {
        calls(time_limit().layer(retry(false).layer(service())))
    }),
    case("breaker", Async, "tower-resilience", || calls(breaker().layer(service()))),
    case("ratio", Async, "tower-resilience, time limiter", || calls(time_limit().layer(breaker().layer(service())))),
    case("stack", Async, "tower-resilience", || calls(retry(true).layer(breaker().layer(service())))),
    case("stack-deadline", Async, "tower-resilience, time limiter", || {
        calls(time_limit().layer(retry(true).layer(breaker().layer(service()))))
    }),
    case("rejected", Async, "tower-resilience", rejected),
    case("failure-recorded", Async, "tower-resilience", failure),
    case("budget", Blocking, "tower-resilience's token bucket", withdrawal),
];

const fn case(row: &'static str, kind: Kind, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, kind, name, prepare)
}

fn retry<E: Send + 'static>(budgeted: bool) -> RetryLayer<(), u64, E> {
    let retry = RetryLayer::builder().max_attempts(6).fixed_backoff(Duration::ZERO);
    if !budgeted {
        return retry.build();
    }
    let budget = RetryBudgetBuilder::new().token_bucket().max_tokens(100).build().expect("a valid budget");
    retry.budget(budget).build()
}

/// With a window of the last 100 calls, since a window of time keeps a record of every call.
fn breaker() -> CircuitBreakerLayer {
    CircuitBreakerLayer::builder().sliding_window_size(100).build().expect("a valid breaker")
}

fn time_limit() -> TimeLimiterLayer {
    TimeLimiterLayer::builder().timeout_duration(DEADLINE).build()
}

fn rejected() -> Batch {
    let layer = CircuitBreakerLayer::builder().wait_duration_in_open(Duration::from_secs(86_400)).build();
    let mut guarded = layer.expect("a valid breaker").layer(service());
    finish(guarded.force_open());
    assert!(call(&mut guarded).is_err());
    calls(guarded)
}

fn failure() -> Batch {
    // The window is short and never holds the minimum number of calls: the breaker records each and
    // stays closed.
    let layer = CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(Duration::from_nanos(500))
        .minimum_number_of_calls(usize::MAX)
        .build();
    let mut guarded = layer.expect("a valid breaker").layer(failing());
    assert!(call(&mut guarded).is_err_and(|error| !error.is_circuit_open()));
    calls(guarded)
}

fn failing() -> impl Service<(), Response = u64, Error = OperationError, Future: Send> + Clone + Send {
    tower::service_fn(async |()| fail())
}

fn withdrawal() -> Batch {
    // More than all the runs withdraw.
    let budget = RetryBudgetBuilder::new().token_bucket().tokens_per_second(1e12).max_tokens(1 << 40);
    let budget = budget.initial_tokens(1 << 40).build().expect("a valid budget");
    assert!(budget.try_withdraw());
    repeat(move || black_box(&budget).try_withdraw())
}
