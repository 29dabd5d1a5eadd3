//! The policies of the tests, in virtual time.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{CircuitBreaker, Policy, Retry, fixed};
use redress_sentry::SentryObserver;
use redress_testing::VirtualClock;

pub(crate) fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// Three attempts, 250 ms apart.
pub(crate) fn policy(observer: SentryObserver) -> Policy {
    let clock = VirtualClock::new();
    Policy::builder()
        .name("orders")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(250))).max_attempts(3))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(observer)
        .build()
        .unwrap()
}

/// One attempt, and a breaker that opens at the first failure.
pub(crate) fn fragile(observer: SentryObserver) -> Policy {
    Policy::builder()
        .name("orders")
        .circuit_breaker(CircuitBreaker::builder().name("orders-db").failure_threshold(1))
        .observer(observer)
        .build()
        .unwrap()
}

/// Calls an operation that always fails.
pub(crate) fn fail(policy: &Policy, operation: &str) {
    let _ = policy.operation(operation.to_owned()).call(|| Err::<(), _>(reset()));
}
