//! Checks that a call allocates nothing, in each way that a call can end, unless a timeline or
//! hooks are set.
//!
//! Counts with the allocator of `allocation-counter`, for the calling thread alone. Each case
//! checks that the call ended as intended.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::classify::DefaultClassifier;
use redress_core::driver::Timer;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, Classifier, ErrorClass, Policy, Retry, StopReason, decorrelated_jitter,
    error_classifier, fixed,
};
use redress_tower::PolicyLayer;
use tower::{Layer as _, Service};

const MINUTE: Duration = Duration::from_secs(60);

/// The error of the scripted operations.
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
    type Sleep = Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        panic!("a wait of {duration:?} on a path that has none")
    }
}

struct Path {
    name: &'static str,
    /// The results of the operation, attempt by attempt; the last one repeats.
    script: &'static [Answer],
    retry: fn() -> RetryBuilder,
    is_endless: bool,
    breaker: fn() -> CircuitBreaker,
    /// Why the call stops; `None` for a success.
    end: Option<StopReason>,
}

const PATHS: &[Path] = &[
    Path { name: "success", script: &[Ok(7)], retry: jittered, is_endless: true, breaker: closed, end: None },
    Path {
        name: "success with a deadline",
        script: &[Ok(7)],
        retry: at_once,
        is_endless: false,
        breaker: closed,
        end: None,
    },
    Path {
        name: "success of the third attempt",
        script: &[Err(Failure::Busy), Err(Failure::Busy), Ok(7)],
        retry: at_once,
        is_endless: false,
        breaker: closed,
        end: None,
    },
    Path {
        name: "rejection by an open breaker",
        script: &[Ok(7)],
        retry: at_once,
        is_endless: false,
        breaker: open,
        end: Some(StopReason::CircuitOpen),
    },
    Path {
        name: "stop at a failure that is not retried",
        script: &[Err(Failure::Gone)],
        retry: at_once,
        is_endless: false,
        breaker: closed,
        end: Some(StopReason::NonRetryableClass),
    },
    Path {
        name: "stop at the last attempt",
        script: &[Err(Failure::Busy)],
        retry: at_once,
        is_endless: false,
        breaker: closed,
        end: Some(StopReason::MaxAttempts),
    },
    Path {
        name: "stop at a delay that does not fit the deadline",
        script: &[Err(Failure::Busy)],
        retry: || Retry::builder().strategy(fixed(MINUTE)),
        is_endless: false,
        breaker: closed,
        end: Some(StopReason::DeadlineExceeded),
    },
    Path {
        name: "stop at an empty budget",
        script: &[Err(Failure::Busy)],
        retry: || at_once().budget(Budget::new(0, MINUTE).expect("a valid budget")),
        is_endless: false,
        breaker: closed,
        end: Some(StopReason::BudgetExhausted),
    },
];

fn at_once() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO))
}

fn jittered() -> RetryBuilder {
    Retry::builder().strategy(decorrelated_jitter())
}

fn closed() -> CircuitBreaker {
    CircuitBreaker::builder().failure_threshold(1_000).build().expect("a valid breaker")
}

fn open() -> CircuitBreaker {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("a valid breaker");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    breaker
}

fn busy_is_transient() -> impl Classifier<u64, Failure> + Clone {
    error_classifier(|failure: &Failure| match failure {
        Failure::Busy => ErrorClass::Transient,
        Failure::Gone => ErrorClass::Permanent,
    })
}

fn guarded<C, K>(policy: PolicyBuilder<C, K>, path: &Path) -> PolicyBuilder<impl Classifier<u64, Failure> + Clone, K> {
    let policy = policy.retry((path.retry)()).circuit_breaker((path.breaker)()).classifier(busy_is_transient());
    if path.is_endless { policy.no_deadline() } else { policy }
}

impl Path {
    /// A scripted operation for one call.
    fn operation(&self) -> impl FnMut() -> Answer {
        let mut answers = self.script.iter();
        let mut answer = self.script[0];
        move || {
            answer = answers.next().copied().unwrap_or(answer);
            answer
        }
    }
}

/// Asserts that `call` allocates nothing after its first use.
fn assert_none<R>(what: &str, mut call: impl FnMut() -> R) {
    let mut call = || drop(black_box(call()));
    call();
    let counted = allocation_counter::measure(|| (0..10).for_each(|_| call()));
    assert_eq!(counted.count_total, 0, "allocations in ten calls: {what}");
}

fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(black_box(Box::new(7))));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn blocking_calls_allocate_nothing() {
    for path in PATHS {
        let policy = guarded(Policy::builder(), path).build().expect("a valid policy");
        assert_eq!(policy.execute(path.operation()).stop_reason(), path.end, "{}", path.name);
        assert_none(path.name, || policy.call(path.operation()));
        assert_none(path.name, || policy.execute(path.operation()));
    }
}

#[test]
fn async_calls_allocate_nothing() {
    for path in PATHS {
        let policy = AsyncPolicy::<DefaultClassifier, Untouched>::builder();
        let policy = guarded(policy, path).build().expect("a valid policy");
        let operation = || {
            let mut operation = path.operation();
            move || ready(operation())
        };
        assert_eq!(finish(policy.execute(operation())).stop_reason(), path.end, "{}", path.name);
        assert_none(path.name, || finish(policy.call(operation())));
        assert_none(path.name, || finish(policy.execute(operation())));
    }
}

/// The operation as a service. The request holds the script, which restarts with every call.
#[derive(Clone, Copy)]
struct Scripted;

/// The progress of a call, shared between copies.
#[derive(Clone)]
struct Request<'c>(&'static Path, &'c Cell<usize>);

impl Service<Request<'_>> for Scripted {
    type Response = u64;
    type Error = Failure;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Request(path, runs): Request<'_>) -> Ready<Answer> {
        let run = runs.replace(runs.get() + 1);
        ready(path.script[run.min(path.script.len() - 1)])
    }
}

#[test]
fn calls_through_a_service_allocate_nothing() {
    for path in PATHS {
        let policy = AsyncPolicy::<DefaultClassifier, Untouched>::builder();
        let policy = guarded(policy, path).build().expect("a valid policy");
        let runs = Cell::new(0);
        let request = || {
            runs.set(0);
            Request(path, &runs)
        };
        let mut service = PolicyLayer::new(policy).layer(Scripted);
        let ended = finish(service.call(request()));
        assert_eq!(ended.err().map(|error| error.stop_reason()), path.end, "{}", path.name);
        assert_none(path.name, || finish(service.call(request())));
    }
}

/// A clone made for one call shares the handle; one that is called again makes a separate handle.
#[test]
fn a_clone_of_a_service_allocates_once_if_it_is_called_again() {
    let path = &PATHS[0];
    let policy = AsyncPolicy::<DefaultClassifier, Untouched>::builder();
    let policy = guarded(policy, path).build().expect("a valid policy");
    let runs = Cell::new(0);
    let service = PolicyLayer::new(policy).layer(Scripted);
    let mut kept = service.clone();
    let mut allocations = || {
        let call = || drop(black_box(finish(kept.call(Request(path, &runs)))));
        allocation_counter::measure(call).count_total
    };
    assert_eq!([allocations(), allocations(), allocations()], [0, 1, 0]);
}

#[test]
fn a_permit_and_a_withdrawal_allocate_nothing() {
    let (closed, open) = (closed(), open());
    assert_none("success", || closed.try_acquire().expect("closed").success());
    assert_none("failure", || closed.try_acquire().expect("closed").failure(ErrorClass::Transient));
    assert_none("rejection", || open.try_acquire());
    let budget = Budget::new(5, MINUTE).expect("a valid budget");
    assert_none("withdrawals, granted and refused", || budget.consume_at(Instant::now(), 1));
}

#[test]
fn a_lookup_of_a_known_key_allocates_nothing() {
    let policy = Policy::builder().retry(Retry::builder()).build().expect("a valid policy");
    let hosts = policy.keyed(CircuitBreaker::builder()).expect("valid breakers");
    let key = "a.example:443";
    drop(hosts.for_key(key));
    assert_none("a policy", || hosts.for_key(key));
    assert_none("a breaker", || hosts.breakers().for_key(key));
    assert_none("a call", || hosts.for_key(key).call(|| Ok::<_, Failure>(7)));
    assert_eq!(hosts.for_key(key).circuit_state(), hosts.breakers().state(key));
}
