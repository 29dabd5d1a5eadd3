//! Cases that the tests of the core do not state, written out, so that they do not depend on how
//! cases are drawn: the end of time, and hooks beside budgets and timeouts.
//!
//! In each, the engine must agree with the model on every driver. A fact is checked as well, to
//! ensure that the case reaches its corner. The facts are those of the asynchronous driver.

use std::time::Duration;

use redress_core::EventName::{
    Aborted, BudgetExhausted, CircuitClosed, CircuitHalfOpen, CircuitOpened, DeadlineExceeded, MaxAttemptsExceeded,
    Retry, Scheduled, Success,
};
use redress_core::breaker::ProbeLease;
use redress_core::{ErrorClass, EventName};

use super::differs_anywhere;
use crate::note::{Hook, HookKind, Note, What};
use crate::play::play;
use crate::world::{
    Act, Answer, AttemptSpec, BreakerSpec, BudgetSpec, CallSpec, Driver, End, Habit, Handler, Hooks, Owner, Pace,
    PolicySpec, RetrySpec, StrategySpec, TimeoutAs, Times, World,
};

const TICK: Duration = Duration::from_nanos(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const FAILS: End = End::Fails(ErrorClass::Transient, None);

fn call(pace: Pace, end: End) -> CallSpec {
    CallSpec { script: vec![AttemptSpec { pace, end }], ..CallSpec::default() }
}

/// Retries after so long.
fn retry(delay: Duration) -> RetrySpec {
    RetrySpec { strategy: Some(StrategySpec::Fixed(delay)), ..RetrySpec::default() }
}

/// Opens at this many failures within ten seconds, for thirty.
fn breaker(threshold: u32) -> BreakerSpec {
    BreakerSpec {
        threshold,
        window: secs(10),
        recovery: secs(30),
        lease: ProbeLease::RecoveryTimeout,
        trip_on: vec![ErrorClass::Transient],
        class_thresholds: Vec::new(),
        own_clock: false,
        is_watched: true,
        more: None,
    }
}

/// A policy with an observer; with retry, ten seconds in all.
fn policy(retry: Option<RetrySpec>, breaker: Option<BreakerSpec>) -> PolicySpec {
    let hooks = Hooks { observers: vec![Habit::default()], ..Hooks::default() };
    let times = Times { deadline: retry.as_ref().map(|_| secs(10)), ..Times::default() };
    PolicySpec { retry, times, breaker, hooks, ..PolicySpec::default() }
}

/// The same with this timeout of attempts.
fn timed(retry: Option<RetrySpec>, breaker: Option<BreakerSpec>, attempt_timeout: Duration) -> PolicySpec {
    let policy = policy(retry, breaker);
    PolicySpec { times: Times { attempt_timeout: Some(attempt_timeout), ..policy.times }, ..policy }
}

/// What was seen of the case, which no driver plays differently from the model.
#[track_caller]
fn seen(world: &World) -> Vec<Note> {
    let difference = differs_anywhere(world);
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    play(world, Driver::Async).subject
}

/// The names of the events.
#[track_caller]
fn events(world: &World) -> Vec<EventName> {
    let watcher = Hook { owner: Owner::Policy, kind: HookKind::Observer(0) };
    let told = |note: Note| match note.what {
        What::Told(hook, event) if hook == watcher => Some(event.name),
        _ => None,
    };
    seen(world).into_iter().filter_map(told).collect()
}

/// Attacks B1.
#[test]
fn a_budget_holds_while_the_clock_stands_still_and_at_the_end_of_time() {
    for jump in [Duration::ZERO, YEAR * 100, YEAR * 600] {
        let budget = Some(BudgetSpec { limit: 2, window: TICK, own_clock: false, earned: None });
        let mut world = World {
            policy: PolicySpec {
                times: Times::default(),
                ..policy(Some(RetrySpec { budget, max_attempts: 9, ..retry(Duration::ZERO) }), None)
            },
            calls: vec![call(Pace::AtOnce, FAILS), call(Pace::AtOnce, FAILS)],
            acts: vec![Act::Run(0), Act::Advance(jump), Act::Advance(jump)],
        };
        let again: &[EventName] = if jump.is_zero() { &[] } else { &[Retry, Retry] };
        let expected = [&[Retry, Retry, BudgetExhausted], again, &[BudgetExhausted]].concat();
        assert_eq!(events(&world), expected, "{jump:?}");
        world.calls.truncate(1);
        world.acts = vec![Act::Advance(jump)];
        assert_eq!(events(&world), [Retry, Retry, BudgetExhausted], "{jump:?}");
    }
}

/// Attacks C1, C3.
#[test]
fn a_breaker_still_opens_and_recovers_after_a_jump_of_centuries() {
    let failing = || call(Pace::AtOnce, FAILS);
    for jump in [YEAR * 100, YEAR * 600] {
        let world = World {
            policy: policy(None, Some(breaker(2))),
            calls: vec![failing(), failing(), failing(), CallSpec::default()],
            acts: vec![Act::Run(0), Act::Advance(jump), Act::Run(1), Act::Run(2), Act::Advance(jump), Act::Run(3)],
        };
        let expected =
            [[MaxAttemptsExceeded; 3].to_vec(), vec![CircuitOpened, CircuitHalfOpen, Success, CircuitClosed]];
        assert_eq!(events(&world), expected.concat(), "{jump:?}");
    }
}

/// Attacks R3.
#[test]
fn too_long_a_delay_costs_a_token_only_if_the_handler_defers_it() {
    let budget = Some(BudgetSpec { limit: 1, window: YEAR, own_clock: false, earned: None });
    let mut world = World {
        policy: policy(Some(RetrySpec { budget, ..retry(secs(10)) }), None),
        calls: vec![call(Pace::AtOnce, FAILS)],
        acts: Vec::new(),
    };
    for (answer, expected, left) in [
        (Answer::Sleep, vec![DeadlineExceeded], 1),
        (Answer::Abort, vec![Aborted], 1),
        (Answer::Defer, vec![Retry, Scheduled], 0),
    ] {
        world.policy.hooks.sleep = Some(Handler { habit: Habit::default(), answers: vec![answer] });
        assert_eq!(events(&world), expected, "{answer:?}");
        let notes = seen(&world);
        assert!(notes.iter().any(|note| note.what == What::State(None, Some(left))), "{answer:?}");
        let asked = notes.iter().filter(|note| matches!(note.what, What::Handler(..))).count();
        assert_eq!(asked, 1, "{answer:?}");
    }
}

#[test]
fn a_timeout_may_be_an_abort() {
    let mut world = World {
        policy: timed(Some(retry(secs(1))), Some(breaker(1)), secs(1)),
        calls: vec![call(Pace::Hangs, End::Good)],
        acts: Vec::new(),
    };
    world.policy.timeout_as = TimeoutAs::Abort;
    assert_eq!(events(&world), [Aborted]);
}
