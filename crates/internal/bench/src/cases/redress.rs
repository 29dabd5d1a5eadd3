//! The cases of redress, in every row except those of services.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState};
use redress_core::classify::DefaultClassifier;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{Budget, CircuitBreaker, Classifier, ErrorClass, Policy, Retry, error_classifier, fixed};
use redress_tokio::{AsyncPolicy, TokioTimer};

use super::DEADLINE;
use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat, repeat_while};
use crate::operation::{Alternating, OperationError, OperationResult, fail, finish, poll_once, succeed};

pub(super) const CASES: &[Case] = &[
    case("retry", Blocking, "redress", || blocking(built(plain))).within(41.0),
    case("retry", Async, "redress", || asynchronous(built_async(plain))).within(131.0),
    case("retry-deadline", Blocking, "redress", || blocking(built(timed))).within(75.0),
    case("retry-deadline", Async, "redress", || asynchronous(built_async(timed))).within(165.0),
    case("breaker", Blocking, "redress, permit", permit).within(33.0).keeps(90.0),
    case("breaker", Blocking, "redress, policy", || blocking(breaker_only())).within(46.0).keeps(90.0),
    case("breaker", Async, "redress, policy", || asynchronous(breaker_only_async())).within(136.0).keeps(90.0),
    case("ratio", Blocking, "redress, counting failures", || blocking(built(counting_timed))).keeps(90.0),
    case("ratio", Async, "redress, counting failures", || asynchronous(built_async(counting_timed))).keeps(90.0),
    case("ratio", Blocking, "redress", || blocking(built(ratio_timed))).within(126.0).keeps(90.0),
    case("ratio", Async, "redress", || asynchronous(built_async(ratio_timed))).within(212.0).keeps(90.0),
    case("stack", Blocking, "redress", || blocking(built(stack))).within(46.0),
    case("stack", Async, "redress", || asynchronous(built_async(stack))).within(136.0),
    case("stack-deadline", Blocking, "redress", || blocking(built(stack_timed))).within(80.0),
    case("stack-deadline", Async, "redress", || asynchronous(built_async(stack_timed))).within(170.0),
    case("second-try", Blocking, "redress", second_try).within(305.0),
    case("second-try", Async, "redress", second_try_async).within(380.0),
    case("rejected", Blocking, "redress, policy", rejected).within(190.0),
    case("rejected", Blocking, "redress, permit", permit_refused).within(155.0),
    case("rejected", Async, "redress, policy", rejected_async).within(240.0),
    case("failure-recorded", Blocking, "redress, permit", failure_recorded).within(240.0),
    case("failure-recorded", Blocking, "redress, permit, time given", failure_recorded_at).within(240.0),
    case("budget", Blocking, "redress", withdrawal).within(126.0),
    case("budget", Blocking, "redress, reading the clock", withdrawal_now),
    case("budget", Blocking, "redress, earned by successes", withdrawal_earned),
    case("earned", Blocking, "redress, policy", || blocking(built(earning))).within(67.0).keeps(90.0),
    case("earned", Async, "redress, policy", || asynchronous(built_async(earning))).within(155.0).keeps(90.0),
    case("earned", Blocking, "redress, the deposit alone", deposit).keeps(90.0),
];

const fn case(row: &'static str, kind: Kind, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Redress, kind, name, prepare)
}

type Blocks = PolicyBuilder<DefaultClassifier, redress_core::policy::Blocking>;
type Polls = PolicyBuilder<DefaultClassifier, redress_core::policy::Async<TokioTimer>>;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO))
}

fn plain<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    policy.retry(retry()).no_deadline()
}

/// With the default deadline.
fn timed<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    policy.retry(retry())
}

fn stack<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    stack_timed(policy).no_deadline()
}

/// With the default deadline.
fn stack_timed<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    let budget = Budget::new(100, Duration::from_secs(60)).expect("a valid budget");
    policy.retry(retry().budget(budget)).circuit_breaker(breaker())
}

/// One attempt, a breaker that counts failures, and a deadline.
fn counting_timed<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    policy.circuit_breaker(breaker()).deadline(DEADLINE)
}

/// The same with a breaker that counts successes as well.
fn ratio_timed<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    policy.circuit_breaker(CircuitBreaker::builder().failure_ratio(0.5)).deadline(DEADLINE)
}

/// With a budget that successes pay for.
fn earning<C, K>(policy: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
    let budget = Budget::earned(0.1).build().expect("a valid budget");
    policy.retry(retry().budget(budget)).no_deadline()
}

fn breaker() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(100)
}

fn built(parts: impl FnOnce(Blocks) -> Blocks) -> Policy {
    parts(Policy::builder()).build().expect("a valid policy")
}

fn built_async(parts: impl FnOnce(Polls) -> Polls) -> AsyncPolicy {
    parts(AsyncPolicy::builder()).build().expect("a valid policy")
}

fn breaker_only() -> Policy {
    Policy::builder().circuit_breaker(breaker()).build().expect("a valid policy")
}

fn breaker_only_async() -> AsyncPolicy {
    AsyncPolicy::builder().circuit_breaker(breaker()).build().expect("a valid policy")
}

fn transient() -> impl Classifier<u64, OperationError> + Send + Sync {
    error_classifier(|_: &OperationError| ErrorClass::Transient)
}

fn blocking(policy: Policy) -> Batch {
    assert_eq!(policy.call(succeed).ok(), succeed().ok());
    repeat(move || black_box(&policy).call(succeed))
}

fn asynchronous(policy: AsyncPolicy) -> Batch {
    assert_eq!(finish(policy.call(async || succeed())).ok(), succeed().ok());
    repeat(move || poll_once(black_box(&policy).call(|| async { succeed() })))
}

fn permit() -> Batch {
    let breaker = breaker().build().expect("a valid breaker");
    assert_eq!(with_permit(&breaker, succeed), succeed());
    repeat(move || with_permit(black_box(&breaker), succeed))
}

/// A call through the bare breaker.
#[inline(always)]
fn with_permit(breaker: &CircuitBreaker, operation: impl Fn() -> OperationResult) -> OperationResult {
    let Ok(permit) = breaker.try_acquire() else { return Err(OperationError::TimedOut) };
    let result = operation();
    match result {
        Ok(_) => permit.success(),
        Err(_) => permit.failure(ErrorClass::Transient),
    };
    result
}

fn second_try() -> Batch {
    let policy = plain(Policy::builder().classifier(transient())).build().expect("a valid policy");
    let operation = Alternating::default();
    assert_eq!(policy.execute(|| operation.run()).attempts(), 2);
    repeat(move || black_box(&policy).call(|| operation.run()))
}

fn second_try_async() -> Batch {
    let policy = plain(AsyncPolicy::builder().classifier(transient())).build().expect("a valid policy");
    let operation = Alternating::default();
    assert_eq!(finish(policy.execute(async || operation.run())).attempts(), 2);
    repeat(move || poll_once(black_box(&policy).call(|| async { operation.run() })))
}

/// A breaker that one failure opened for longer than any run takes.
fn open_breaker() -> CircuitBreaker {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(86_400));
    let breaker = breaker.build().expect("a valid breaker");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    breaker
}

fn rejected() -> Batch {
    let policy = plain(Policy::builder()).circuit_breaker(open_breaker()).build().expect("a valid policy");
    assert!(policy.call(succeed).is_err());
    repeat(move || black_box(&policy).call(succeed))
}

fn rejected_async() -> Batch {
    let policy = plain(AsyncPolicy::builder()).circuit_breaker(open_breaker());
    let policy: AsyncPolicy = policy.build().expect("a valid policy");
    assert!(finish(policy.call(async || succeed())).is_err());
    repeat(move || poll_once(black_box(&policy).call(|| async { succeed() })))
}

fn permit_refused() -> Batch {
    let breaker = open_breaker();
    assert_eq!(with_permit(&breaker, succeed), Err(OperationError::TimedOut));
    repeat(move || with_permit(black_box(&breaker), succeed))
}

fn failure_recorded() -> Batch {
    // The window holds fewer failures than the threshold, so the breaker records each and stays
    // closed.
    let breaker = breaker().window(Duration::from_nanos(500)).build().expect("a valid breaker");
    repeat_while(breaker, |breaker| with_permit(breaker, fail), |breaker| breaker.state() == CircuitState::Closed)
}

fn failure_recorded_at() -> Batch {
    let (start, seconds) = (Instant::now(), AtomicU64::new(0));
    let fail_at = move |breaker: &CircuitBreaker| {
        // A second apart, so that the hundredth failure never falls into the same minute as the
        // first.
        let second = seconds.load(Ordering::Relaxed);
        seconds.store(second + 1, Ordering::Relaxed);
        let now = start + Duration::from_secs(second);
        let permit = breaker.try_acquire();
        let result = fail();
        (result, permit.map(|permit| permit.failure_at(ErrorClass::Transient, now)))
    };
    let breaker = breaker().build().expect("a valid breaker");
    repeat_while(breaker, fail_at, |breaker| breaker.state() == CircuitState::Closed)
}

/// The number of withdrawals for one reading of the clock, which makes the cost of the reading
/// negligible.
const WITHDRAWALS: u64 = 256;

fn withdrawal() -> Batch {
    // The window is so short that the budget grants every withdrawal of two threads.
    let budget = Budget::new(1024, Duration::from_micros(1)).expect("a valid budget");
    Box::new(move |times| {
        let mut left = times;
        while left > 0 {
            let now = Instant::now();
            let turn = left.min(WITHDRAWALS);
            for _ in 0..turn {
                black_box(black_box(&budget).consume_at(black_box(now), 1));
            }
            left -= turn;
        }
    })
}

fn withdrawal_now() -> Batch {
    let budget = Budget::new(1024, Duration::from_micros(1)).expect("a valid budget");
    repeat(move || black_box(&budget).consume())
}

fn withdrawal_earned() -> Batch {
    // More tokens than any run withdraws.
    let budget = Budget::earned(0.1).capacity(1e9).build().expect("a valid budget");
    let now = Instant::now();
    repeat(move || black_box(&budget).consume_at(black_box(now), 1))
}

fn deposit() -> Batch {
    let budget = Budget::earned(0.1).build().expect("a valid budget");
    repeat(move || black_box(&budget).deposit())
}
