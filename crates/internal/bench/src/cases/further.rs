//! Calls that fail at every attempt, with five attempts and with ten: the difference is the cost of
//! a further attempt.
//!
//! The pairs are not rows of the report: their instructions are counted and subtracted.

use std::future::ready;
use std::hint::black_box;
use std::time::Duration;

use backon::{BlockingRetryable as _, ConstantBuilder, Retryable as _};
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{Budget, CircuitBreaker, Classifier, ErrorClass, Policy, Retry, error_classifier, fixed};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tower::{Layer as _, service_fn};

use super::tower::{Attempts, call, calls};
use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat};
use crate::operation::{OperationError, fail, finish, poll_once};

/// The same calls with fewer attempts and with more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Further {
    pub(crate) few: Case,
    pub(crate) many: Case,
}

/// The difference in attempts between the two.
pub(crate) const DIFFERENCE: f64 = (MANY - FEW) as f64;

const FEW: u32 = 5;
const MANY: u32 = 10;

pub(crate) const FURTHER: &[Further] = &[
    pair(Who::Redress, Blocking, "redress: retry", blocking::<FEW>, blocking::<MANY>).within(190.0),
    pair(Who::Redress, Blocking, "redress: deadline, budget, breaker", guarded::<FEW>, guarded::<MANY>).within(560.0),
    pair(Who::Redress, Async, "redress: retry", asynchronous::<FEW>, asynchronous::<MANY>),
    pair(
        Who::Redress,
        Async,
        "redress: deadline, budget, breaker",
        guarded_asynchronous::<FEW>,
        guarded_asynchronous::<MANY>,
    ),
    pair(Who::Redress, Async, "redress-tower: retry", service::<FEW>, service::<MANY>),
    pair(Who::Peer, Blocking, "backon", backon::<FEW>, backon::<MANY>),
    pair(Who::Peer, Async, "backon", backon_asynchronous::<FEW>, backon_asynchronous::<MANY>),
    pair(Who::Peer, Async, "tower", tower_retry::<FEW>, tower_retry::<MANY>),
];

const fn pair(who: Who, kind: Kind, name: &'static str, few: fn() -> Batch, many: fn() -> Batch) -> Further {
    Further {
        few: Case::new("five-attempts", who, kind, name, few),
        many: Case::new("ten-attempts", who, kind, name, many),
    }
}

impl Further {
    /// Counts the instructions of one more attempt.
    const fn within(mut self, instructions: f64) -> Self {
        self.many = self.many.within(instructions);
        self
    }
}

fn retry(attempts: u32) -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts)
}

fn transient() -> impl Classifier<u64, OperationError> + Clone + Send + Sync {
    error_classifier(|_: &OperationError| ErrorClass::Transient)
}

/// With the default deadline. The windows of budget and breaker are so short that the budget does
/// not run out and the breaker does not open.
fn everything<C, K>(policy: PolicyBuilder<C, K>, attempts: u32) -> PolicyBuilder<C, K> {
    let budget = Budget::new(1024, Duration::from_micros(1)).expect("a valid budget");
    let breaker = CircuitBreaker::builder().failure_threshold(100).window(Duration::from_nanos(500));
    policy.retry(retry(attempts).budget(budget)).circuit_breaker(breaker)
}

fn blocking<const ATTEMPTS: u32>() -> Batch {
    let policy = Policy::builder().classifier(transient()).retry(retry(ATTEMPTS)).no_deadline();
    failing(policy.build().expect("a valid policy"), ATTEMPTS)
}

fn guarded<const ATTEMPTS: u32>() -> Batch {
    let policy = everything(Policy::builder().classifier(transient()), ATTEMPTS);
    failing(policy.build().expect("a valid policy"), ATTEMPTS)
}

fn failing<C: Classifier<u64, OperationError> + Send + Sync + 'static>(policy: Policy<C>, attempts: u32) -> Batch {
    assert_eq!(policy.execute(fail).attempts(), attempts);
    repeat(move || black_box(&policy).call(fail))
}

fn asynchronous<const ATTEMPTS: u32>() -> Batch {
    let policy = AsyncPolicy::builder().classifier(transient()).retry(retry(ATTEMPTS)).no_deadline();
    failing_asynchronous(policy.build().expect("a valid policy"), ATTEMPTS)
}

fn guarded_asynchronous<const ATTEMPTS: u32>() -> Batch {
    let policy = everything(AsyncPolicy::builder().classifier(transient()), ATTEMPTS);
    failing_asynchronous(policy.build().expect("a valid policy"), ATTEMPTS)
}

fn failing_asynchronous<C>(policy: AsyncPolicy<C>, attempts: u32) -> Batch
where
    C: Classifier<u64, OperationError> + Send + Sync + 'static,
{
    assert_eq!(finish(policy.execute(async || fail())).attempts(), attempts);
    repeat(move || poll_once(black_box(&policy).call(|| async { fail() })))
}

fn service<const ATTEMPTS: u32>() -> Batch {
    let policy = AsyncPolicy::builder().classifier(transient()).retry(retry(ATTEMPTS)).no_deadline();
    let policy = policy.build().expect("a valid policy");
    let mut guarded = PolicyLayer::new(policy).layer(service_fn(async |()| fail()));
    assert!(call(&mut guarded).is_err_and(|error| error.attempts() == ATTEMPTS));
    calls(guarded)
}

fn backoff(attempts: u32) -> ConstantBuilder {
    ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(attempts as usize - 1)
}

fn backon<const ATTEMPTS: u32>() -> Batch {
    let backoff = backoff(ATTEMPTS);
    repeat(move || fail.retry(black_box(&backoff)).call())
}

fn backon_asynchronous<const ATTEMPTS: u32>() -> Batch {
    let backoff = backoff(ATTEMPTS);
    repeat(move || {
        // backon's sleep waits a tick of tokio's timer, even for a delay of zero.
        let retried = (|| async { fail() }).retry(black_box(&backoff)).sleep(|_| ready(()));
        poll_once(retried.into_future())
    })
}

fn tower_retry<const ATTEMPTS: u32>() -> Batch {
    calls(tower::retry::Retry::new(Attempts(ATTEMPTS - 1), service_fn(async |()| fail())))
}
