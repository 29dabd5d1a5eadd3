//! Models of whole calls that share a policy's breaker and budget.
//!
//! Attacks B1, C2, C3, R3, R4.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::{Probing, Timeline, at_once, explore};
use crate::breaker::{CircuitBreaker, CircuitState};
use crate::budget::cell::Budget;
use crate::classify::class::ErrorClass;
use crate::classify::classifier::{ErrorClassifier, error_classifier};
use crate::drive::timer::{InstantTimer, Timer};
use crate::outcome::event::Event;
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::retry::Retry;
use crate::strategy::fixed;

type ByClass = ErrorClassifier<fn(&ErrorClass) -> ErrorClass>;

fn by_class() -> ByClass {
    error_classifier(|class| *class)
}

/// A breaker that opened 5 seconds before its clock's current instant, so that the next call is the
/// probe.
fn recovered(time: Timeline) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(5));
    let breaker = builder.build().expect("valid");
    breaker.try_acquire_at(time.at(0)).expect("closed").failure_at(ErrorClass::ServerError, time.at(0));
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker
}

/// Each call makes one first attempt and as many retries as the shared budget has tokens for it.
///
/// Attacks B1, R3.
#[test]
fn calls_share_a_budget() {
    explore("three failing calls, two retries among them", || {
        let time = Timeline::new();
        let budget = Budget::new(2, Duration::from_secs(60)).expect("valid");
        let (attempts, terminal) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let told = Arc::clone(&terminal);
        let policy = Policy::builder()
            .classifier(by_class())
            .clock(move || time.at(0))
            .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(9).budget(budget.clone()))
            .observer(move |event: &Event<'_>| {
                told.fetch_add(u32::from(event.name.is_terminal()), Ordering::Relaxed);
            })
            .build()
            .expect("valid");
        let call = || {
            let (policy, attempts) = (policy.clone(), Arc::clone(&attempts));
            move || {
                let result = policy.call(|| {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    Err::<(), _>(ErrorClass::Transient)
                });
                assert!(result.is_err());
            }
        };
        at_once(call(), vec![call(), call()]);
        let counts = [&attempts, &terminal].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counts, [3 + 2, 3]);
        assert_eq!(budget.remaining_at(time.at(0)), 0);
    });
}

/// How the operation ends, in a call that may be the probe.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Succeeds,
    Fails,
    Panics,
    IsDropped,
}

/// The panic payload of an operation. A payload other than a message is not printed.
struct Intended;

/// Makes a call through `breaker` that ends like this. Two calls through a recovered breaker can
/// run at the same time only if both are probes.
fn call(breaker: &CircuitBreaker, time: Timeline, operation: Operation, probing: &Probing) {
    let policy = AsyncPolicy::<_, InstantTimer>::builder()
        .classifier(by_class())
        .timer(At(time))
        .circuit_breaker(breaker)
        .build()
        .expect("valid");
    let attempt = || async {
        probing.alone();
        match operation {
            Operation::Succeeds => Ok(()),
            Operation::Fails => Err(ErrorClass::ServerError),
            Operation::Panics => resume_unwind(Box::new(Intended)),
            Operation::IsDropped => pending().await,
        }
    };
    let mut call = pin!(policy.execute(attempt));
    let mut cx = Context::from_waker(Waker::noop());
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx).is_ready())) {
        if !payload.is::<Intended>() {
            resume_unwind(payload);
        }
    }
}

/// A timer that never waits, at second 5.
#[derive(Clone, Copy)]
struct At(Timeline);

impl Timer for At {
    type Sleep = std::future::Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        std::future::ready(())
    }

    fn now(&self) -> Instant {
        self.0.at(5)
    }
}

/// Attacks C2, C3, R4.
#[test]
fn calls_that_end_in_any_way_leave_a_breaker_that_works() {
    use Operation::{Fails, IsDropped, Panics, Succeeds};
    for (one, other) in
        [(IsDropped, Succeeds), (IsDropped, IsDropped), (IsDropped, Fails), (Panics, Succeeds), (Panics, IsDropped)]
    {
        explore(&format!("calls {one:?} and {other:?}"), move || {
            let time = Timeline::new();
            let (breaker, probing) = (recovered(time), Arc::new(Probing::default()));
            let (theirs, flying) = (breaker.clone(), Arc::clone(&probing));
            at_once(|| call(&breaker, time, one, &probing), vec![move || call(&theirs, time, other, &flying)]);
            let permit = breaker.try_acquire_at(time.at(100)).expect("recovered, and no probe is running");
            permit.success();
            assert_eq!(breaker.state(), CircuitState::Closed);
        });
    }
}
