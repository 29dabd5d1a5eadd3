//! The cases of redress around a tower service, to compare with the layers of tower and
//! tower-resilience.

use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::CircuitBreakerBuilder;
use redress_core::classify::DefaultClassifier;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{Budget, CircuitBreaker, Classifier, ErrorClass, Retry, error_classifier, fixed};
use redress_tokio::{AsyncPolicy, TokioTimer};
use redress_tower::PolicyLayer;
use tower::{Layer as _, service_fn};

use super::tower::{call, calls, service};
use crate::case::Kind::Async;
use crate::case::{Batch, Case, Who};
use crate::operation::{Alternating, OperationError, fail, succeed};

pub(super) const CASES: &[Case] = &[
    case("retry", || succeeding(plain())).within(260.0),
    case("retry-deadline", || succeeding(timed())),
    case("breaker", breaker).within(260.0).keeps(70.0),
    case("stack", || succeeding(stack())).within(260.0),
    case("stack-deadline", || succeeding(stack_timed())),
    case("second-try", second_try).within(690.0),
    case("rejected", rejected).within(340.0),
    case("failure-recorded", failure),
];

const fn case(row: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Redress, Async, "redress-tower", prepare)
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(6)
}

fn plain() -> AsyncPolicy {
    AsyncPolicy::builder().retry(retry()).no_deadline().build().expect("a valid policy")
}

/// With the default deadline.
fn timed() -> AsyncPolicy {
    AsyncPolicy::builder().retry(retry()).build().expect("a valid policy")
}

fn closing() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(100)
}

fn stack() -> AsyncPolicy {
    guarded().no_deadline().build().expect("a valid policy")
}

/// With the default deadline.
fn stack_timed() -> AsyncPolicy {
    guarded().build().expect("a valid policy")
}

fn guarded() -> PolicyBuilder<DefaultClassifier, redress_core::policy::Async<TokioTimer>> {
    let budget = Budget::new(100, Duration::from_secs(60)).expect("a valid budget");
    AsyncPolicy::builder().retry(retry().budget(budget)).circuit_breaker(closing())
}

fn transient() -> impl Classifier<u64, OperationError> + Clone + Send + Sync {
    error_classifier(|_: &OperationError| ErrorClass::Transient)
}

fn succeeding(policy: AsyncPolicy) -> Batch {
    let mut guarded = PolicyLayer::new(policy).layer(service());
    assert_eq!(call(&mut guarded).ok(), succeed().ok());
    calls(guarded)
}

fn breaker() -> Batch {
    let policy: AsyncPolicy = AsyncPolicy::builder().circuit_breaker(closing()).build().expect("a valid policy");
    let mut guarded = PolicyLayer::once(policy).layer(service());
    assert_eq!(call(&mut guarded).ok(), succeed().ok());
    calls(guarded)
}

fn second_try() -> Batch {
    let operation = Arc::new(Alternating::default());
    let service = service_fn(move |()| {
        let result = operation.run();
        async move { result }
    });
    let policy =
        AsyncPolicy::builder().classifier(transient()).retry(retry()).no_deadline().build().expect("a valid policy");
    let mut guarded = PolicyLayer::new(policy).layer(service);
    assert_eq!(call(&mut guarded).ok(), succeed().ok());
    calls(guarded)
}

fn rejected() -> Batch {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(86_400));
    let breaker = breaker.build().expect("a valid breaker");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    let policy = AsyncPolicy::builder().retry(retry()).no_deadline().circuit_breaker(breaker);
    let policy: AsyncPolicy = policy.build().expect("a valid policy");
    let mut guarded = PolicyLayer::new(policy).layer(service());
    assert!(call(&mut guarded).is_err());
    calls(guarded)
}

fn failure() -> Batch {
    // The window holds fewer failures than the threshold, so the breaker records each and stays
    // closed.
    let breaker = closing().window(Duration::from_nanos(500));
    let policy = AsyncPolicy::builder().classifier(transient()).circuit_breaker(breaker);
    let policy = policy.build().expect("a valid policy");
    let failing = service_fn(async |()| fail());
    let mut guarded = PolicyLayer::once(policy).layer(failing);
    assert!(call(&mut guarded).is_err_and(|error| error.into_error().is_some()));
    calls(guarded)
}
