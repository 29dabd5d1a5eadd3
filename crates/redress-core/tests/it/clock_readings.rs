//! How often a call reads the clock. The number is deterministic, so a test fixes it instead of a
//! benchmark.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::breaker::{Breaker, Report};
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::PolicyBuilder;
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, Event, Policy, Retry, fixed};
use redress_testing::VirtualClock;

use crate::lab::{ByClass, Counter, GOOD, Steps, fails, script, secs, succeeding};

/// A clock that does not advance and counts its readings. Waits on it end at once.
#[derive(Clone)]
struct Watched {
    now: Instant,
    readings: Counter,
}

impl Watched {
    fn new() -> Self {
        Self { now: Instant::now(), readings: Counter::default() }
    }

    fn read(&self) -> Instant {
        self.readings.note();
        self.now
    }
}

impl Timer for Watched {
    type Sleep = Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        ready(())
    }

    fn now(&self) -> Instant {
        self.read()
    }
}

/// What a call does besides running its operation.
#[derive(Clone, Copy)]
enum Wish {
    Result,
    Outcome,
    /// An observer receives all events.
    Watched,
    /// A handler is called before each wait.
    Steered,
}

/// Whether the call has a deadline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Endless,
    Bounded,
}

impl Time {
    fn limit<K>(self, builder: PolicyBuilder<ByClass, K>) -> PolicyBuilder<ByClass, K> {
        let builder = builder.retry(Retry::builder().strategy(fixed(secs(0))));
        if self == Self::Endless { builder.no_deadline() } else { builder.deadline(secs(60)) }
    }
}

fn ignore(_: &Event<'_>) {}

fn blocking(time: Time, breaker: Option<&CircuitBreaker>, wish: Wish, steps: &Steps) -> u32 {
    let clock = Watched::new();
    let looked = clock.clone();
    let mut policy = time.limit(Policy::builder().classifier(ByClass)).clock(move || looked.read());
    if let Some(breaker) = breaker {
        policy = policy.circuit_breaker(breaker);
    }
    let policy = policy.build().expect("valid");
    match wish {
        Wish::Result => drop(policy.call(steps.run())),
        Wish::Outcome => drop(policy.execute(steps.run())),
        Wish::Watched => drop(policy.context().on_metric(ignore).call(steps.run())),
        Wish::Steered => drop(policy.context().before_sleep(|_, _| ()).call(steps.run())),
    }
    clock.readings.get()
}

fn asynchronous(time: Time, breaker: Option<&CircuitBreaker>, wish: Wish, steps: &Steps) -> u32 {
    let clock = Watched::new();
    let mut policy = time.limit(AsyncPolicy::<_, NoTimer>::builder().timer(clock.clone()).classifier(ByClass));
    if let Some(breaker) = breaker {
        policy = policy.circuit_breaker(breaker);
    }
    let policy = policy.build().expect("valid");
    let executor = VirtualClock::new();
    match wish {
        Wish::Result => drop(executor.block_on(policy.call(steps.run_async()))),
        Wish::Outcome => drop(executor.block_on(policy.execute(steps.run_async()))),
        Wish::Watched => drop(executor.block_on(policy.context().on_metric(ignore).call(steps.run_async()))),
        Wish::Steered => drop(executor.block_on(policy.context().before_sleep(|_, _| ()).call(steps.run_async()))),
    }
    clock.readings.get()
}

#[test]
fn a_call_reads_the_clock_only_when_needed() {
    type Drive = fn(Time, Option<&CircuitBreaker>, Wish, &Steps) -> u32;
    // The time limit, the wish, and the readings of a success at once and of one after a failure.
    let rows: [(Time, Wish, u32, u32); 8] = [
        // A failure is an instant for strategy and budget.
        (Time::Endless, Wish::Result, 0, 1),
        // The deadline counts from the start.
        (Time::Bounded, Wish::Result, 1, 2),
        // Start and end.
        (Time::Endless, Wish::Outcome, 2, 3),
        (Time::Bounded, Wish::Outcome, 2, 3),
        // Observers and hooks take time: the next attempt starts after it.
        (Time::Endless, Wish::Watched, 2, 4),
        // And the deadline is looked at again before the wait.
        (Time::Bounded, Wish::Watched, 2, 5),
        // The breaker is consulted at the start of a call that is steered.
        (Time::Endless, Wish::Steered, 1, 3),
        (Time::Bounded, Wish::Steered, 1, 4),
    ];
    for drive in [blocking as Drive, asynchronous] {
        for breaker in [None, Some(CircuitBreaker::builder().build().expect("valid"))] {
            for (row, (time, wish, at_once, after_a_failure)) in rows.into_iter().enumerate() {
                let readings = [succeeding(), script([fails(ErrorClass::Transient), GOOD])]
                    .map(|steps| drive(time, breaker.as_ref(), wish, &steps));
                assert_eq!(readings, [at_once, after_a_failure], "row {row}, breaker: {}", breaker.is_some());
            }
        }
    }
}

#[test]
fn a_rejection_looks_at_the_clock_once() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    for drive in [blocking, asynchronous] {
        for time in [Time::Endless, Time::Bounded] {
            assert_eq!(drive(time, Some(&breaker), Wish::Result, &succeeding()), 1);
        }
    }
}

#[test]
fn a_success_through_a_closed_breaker_looks_at_no_clock() {
    let clock = Watched::new();
    let looked = clock.clone();
    let breaker = CircuitBreaker::builder().clock(move || looked.read()).build().expect("valid");
    breaker.try_acquire().expect("closed").success();
    let shared: Arc<dyn Breaker> = Arc::new(breaker);
    let admission = shared.admit(clock.now).expect("closed");
    assert_eq!(shared.report(admission, Report::Success, clock.now), None);
    assert_eq!(clock.readings.get(), 0);
}
