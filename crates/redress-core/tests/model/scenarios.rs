//! The hardest cases, written out, so that they do not depend on how cases are drawn.
//!
//! In each, the engine must agree with the model on every driver. A fact is checked as well, to
//! ensure that the case reaches its corner. The facts are those of the asynchronous driver.

use std::time::Duration;

use redress_core::breaker::{CircuitState, ProbeLease};
use redress_core::{ErrorClass, EventName, StopReason};

use crate::note::{Ending, Hook, HookKind, Note, What};
use crate::play::{differs_anywhere, play};
use crate::world::{
    AbortIf, Act, Answer, AttemptSpec, Awaited, BeforeSleep, BreakerSpec, BudgetSpec, CallSpec, Capture, Driver, End,
    Habit, Handler, Hooks, OwnDeadline, Owner, Pace, PolicySpec, RetrySpec, Sleeper, StrategySpec, TimeoutAs, Times,
    Way, World,
};

const TICK: Duration = Duration::from_nanos(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const FAILS: End = End::Fails(ErrorClass::Transient, None);

const fn attempt(pace: Pace, end: End) -> AttemptSpec {
    AttemptSpec { pace, end }
}

fn calls(script: &[AttemptSpec]) -> CallSpec {
    CallSpec { script: script.to_vec(), ..CallSpec::default() }
}

fn call(pace: Pace, end: End) -> CallSpec {
    calls(&[attempt(pace, end)])
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

/// What was waited for, timeouts of attempts among it.
#[track_caller]
fn timers(world: &World) -> Vec<Duration> {
    let timer = |note: Note| match note.what {
        What::Timer(duration) => Some(duration),
        _ => None,
    };
    seen(world).into_iter().filter_map(timer).collect()
}

fn reason(notes: &[Note], call: usize) -> Option<StopReason> {
    let ended = notes.iter().filter(|note| note.call == call).find_map(|note| match &note.what {
        What::Ended(ending) => Some(&**ending),
        _ => None,
    });
    match ended {
        Some(Ending::Executed(outcome, _)) => outcome.stop_reason,
        other => panic!("call {call} ended as {other:?}"),
    }
}

use EventName::{
    Aborted, BudgetExhausted, Cancelled, CircuitClosed, CircuitHalfOpen, CircuitOpened, CircuitRejected,
    DeadlineExceeded, MaxAttemptsExceeded, Retry, Scheduled, Success,
};

/// Attacks C2, C3, C4, R4.
#[test]
fn a_probe_that_is_cancelled_gives_its_place_to_the_next_call() {
    let world = World {
        policy: policy(None, Some(breaker(1))),
        calls: vec![call(Pace::AtOnce, FAILS), call(Pace::Hangs, FAILS), CallSpec::default(), CallSpec::default()],
        acts: vec![Act::Run(0), Act::Advance(secs(30)), Act::Poll(1), Act::Run(2), Act::Drop(1), Act::Run(3)],
    };
    let before = [MaxAttemptsExceeded, CircuitOpened, CircuitHalfOpen, CircuitRejected];
    assert_eq!(events(&world), [&before[..], &[Cancelled, Success, CircuitClosed]].concat());
}

/// Attacks C3, R4.
#[test]
fn a_probe_that_panics_gives_its_place_to_the_next_call() {
    for (end, ends_as) in [(End::Panics, Cancelled), (End::ClassifierPanics, Cancelled), (End::Aborts, Aborted)] {
        let world = World {
            policy: policy(None, Some(breaker(1))),
            calls: vec![call(Pace::AtOnce, FAILS), call(Pace::AtOnce, end), CallSpec::default()],
            acts: vec![Act::Run(0), Act::Advance(secs(30)), Act::Run(1), Act::Run(2)],
        };
        let expected = [MaxAttemptsExceeded, CircuitOpened, CircuitHalfOpen, ends_as, Success, CircuitClosed];
        assert_eq!(events(&world), expected, "{end:?}");
    }
}

/// Attacks C5, C2.
#[test]
fn a_result_from_before_the_circuit_opened_does_not_settle_the_probe() {
    for late in [End::Good, FAILS, End::Fails(ErrorClass::Auth, None), End::Aborts] {
        let world = World {
            policy: policy(None, Some(breaker(1))),
            calls: vec![
                call(Pace::Yields(1), late),
                call(Pace::AtOnce, FAILS),
                call(Pace::Yields(1), End::Good),
                CallSpec::default(),
            ],
            acts: vec![
                Act::Poll(0),
                Act::Run(1),
                Act::Advance(secs(30)),
                Act::Poll(2),
                Act::Run(0),
                Act::Run(3),
                Act::Run(2),
            ],
        };
        let notes = seen(&world);
        assert_eq!(reason(&notes, 3), Some(StopReason::CircuitOpen), "{late:?}: the probe has its place");
        assert_eq!(events(&world).last(), Some(&CircuitClosed), "{late:?}: by the probe");
    }
}

/// Attacks C5.
#[test]
fn a_late_failure_is_not_counted_in_the_era_after_it() {
    let world = World {
        policy: policy(None, Some(BreakerSpec { window: YEAR, ..breaker(2) })),
        calls: vec![
            call(Pace::Yields(1), FAILS),
            call(Pace::AtOnce, FAILS),
            call(Pace::AtOnce, FAILS),
            CallSpec::default(),
            call(Pace::AtOnce, FAILS),
        ],
        acts: vec![
            Act::Poll(0),
            Act::Run(1),
            Act::Run(2),
            Act::Advance(secs(30)),
            Act::Run(3),
            Act::Run(0),
            Act::Run(4),
        ],
    };
    let opened = events(&world).iter().filter(|name| **name == CircuitOpened).count();
    assert_eq!(opened, 1);
}

/// Attacks C1.
#[test]
fn failures_count_until_they_are_exactly_a_window_old() {
    let failing = || call(Pace::AtOnce, FAILS);
    for (between, opens) in [(secs(10) - TICK, true), (secs(10), false)] {
        let world = World {
            policy: policy(None, Some(breaker(2))),
            calls: vec![failing(), failing()],
            acts: vec![Act::Run(0), Act::Advance(between), Act::Run(1)],
        };
        assert_eq!(events(&world).contains(&CircuitOpened), opens, "{between:?}");
    }
}

#[test]
fn the_first_gate_that_says_no_is_the_reason() {
    let unknown = End::FailsUnclaimed;
    let for_good = End::FailsForGood(ErrorClass::Transient);
    let no_strategy = || RetrySpec {
        strategy: None,
        strategies: vec![(ErrorClass::RateLimit, StrategySpec::Fixed(Duration::ZERO))],
        ..retry(Duration::ZERO)
    };
    let none_left = Some(BudgetSpec { limit: 0, window: YEAR, own_clock: false });
    let cap_of = |class| vec![(class, 0)];
    // Each row breaks the limit it is named after and the one behind it.
    let rows = [
        (
            StopReason::MaxAttemptsPerClass,
            RetrySpec { class_caps: cap_of(ErrorClass::Auth), ..retry(Duration::ZERO) },
            attempt(Pace::AtOnce, End::Bad(ErrorClass::Auth)),
        ),
        (
            StopReason::MaxAttemptsPerClass,
            RetrySpec { class_caps: cap_of(ErrorClass::Unknown), unknown_cap: Some(0), ..retry(Duration::ZERO) },
            attempt(Pace::AtOnce, unknown),
        ),
        (
            StopReason::NonRetryableClass,
            retry(Duration::ZERO),
            attempt(Pace::Busy(secs(10)), End::Bad(ErrorClass::Auth)),
        ),
        (
            StopReason::MaxUnknownAttempts,
            RetrySpec { unknown_cap: Some(0), ..retry(Duration::ZERO) },
            attempt(Pace::Busy(secs(10)), unknown),
        ),
        (StopReason::DeadlineExceeded, no_strategy(), attempt(Pace::Busy(secs(10)), FAILS)),
        (StopReason::NoStrategy, RetrySpec { max_attempts: 1, ..no_strategy() }, attempt(Pace::AtOnce, FAILS)),
        (StopReason::NoStrategy, no_strategy(), attempt(Pace::AtOnce, for_good)),
        (StopReason::MaxAttempts, RetrySpec { max_attempts: 1, ..retry(secs(10)) }, attempt(Pace::AtOnce, for_good)),
        (StopReason::RetryForbidden, retry(secs(10)), attempt(Pace::AtOnce, for_good)),
        (
            StopReason::DeadlineExceeded,
            RetrySpec { budget: none_left, ..retry(secs(10)) },
            attempt(Pace::AtOnce, FAILS),
        ),
        (StopReason::BudgetExhausted, RetrySpec { budget: none_left, ..retry(secs(1)) }, attempt(Pace::AtOnce, FAILS)),
    ];
    for (expected, retry, attempt) in rows {
        let mut world = World { policy: policy(Some(retry), None), calls: vec![calls(&[attempt])], acts: Vec::new() };
        assert_eq!(reason(&seen(&world), 0), Some(expected), "{world:?}");
        world.calls[0].abort_if = Some(AbortIf { habit: Habit::default(), from: Some(2) });
        assert_eq!(reason(&seen(&world), 0), Some(StopReason::Aborted), "{world:?}");
    }
}

/// Attacks R2.
#[test]
fn a_delay_that_ends_at_the_deadline_is_not_begun() {
    for (delay, expected) in [
        (secs(10) - TICK, vec![Retry, Success]),
        (secs(10), vec![DeadlineExceeded]),
        (Duration::MAX, vec![DeadlineExceeded]),
    ] {
        let strategy = Some(StrategySpec::Closure { delays: vec![delay], panics_at: None });
        let budget = Some(BudgetSpec { limit: 1, window: YEAR, own_clock: false });
        let world = World {
            policy: policy(Some(RetrySpec { strategy, budget, ..retry(delay) }), None),
            calls: vec![calls(&[attempt(Pace::AtOnce, FAILS), attempt(Pace::AtOnce, End::Good)])],
            acts: Vec::new(),
        };
        assert_eq!(events(&world), expected, "{delay:?}");
    }
}

/// Attacks R2.
#[test]
fn a_wait_that_a_slow_hook_made_too_long_is_not_begun() {
    let habit = Habit { takes: secs(6), panics_at: None };
    for future in [None, Some(Awaited { waits: TICK, ..Awaited::default() })] {
        let before_sleep = Some(BeforeSleep { habit, future });
        let mut world = World {
            policy: policy(Some(retry(secs(5))), None),
            calls: vec![call(Pace::AtOnce, FAILS)],
            acts: Vec::new(),
        };
        world.calls[0].hooks.before_sleep = before_sleep;
        assert_eq!(events(&world), [Retry, DeadlineExceeded]);
        assert!(!seen(&world).iter().any(|note| matches!(note.what, What::Timer(_))), "nothing was waited for");
    }
}

#[test]
fn the_next_attempt_receives_the_time_left_after_hooks() {
    let mut world = World {
        policy: PolicySpec { times: Times::default(), ..policy(Some(retry(Duration::ZERO)), None) },
        calls: vec![calls(&[attempt(Pace::AtOnce, FAILS), attempt(Pace::AtOnce, End::Good)])],
        acts: Vec::new(),
    };
    world.calls[0].hooks.on_attempt_end = Some(Habit { takes: secs(3), panics_at: None });
    let starts = seen(&world).into_iter().filter_map(|note| match note.what {
        What::Start(_, seen) => Some(seen.elapsed),
        _ => None,
    });
    assert_eq!(starts.collect::<Vec<_>>(), [Duration::ZERO, secs(3)]);
}

/// Attacks B1.
#[test]
fn a_budget_holds_while_the_clock_stands_still_and_at_the_end_of_time() {
    for jump in [Duration::ZERO, YEAR * 100, YEAR * 600] {
        let budget = Some(BudgetSpec { limit: 2, window: TICK, own_clock: false });
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

/// Attacks B1.
#[test]
fn a_deferred_retry_keeps_its_token() {
    let budget = Some(BudgetSpec { limit: 1, window: YEAR, own_clock: false });
    let mut world = World {
        policy: policy(Some(RetrySpec { budget, ..retry(secs(20)) }), None),
        calls: vec![call(Pace::AtOnce, FAILS), call(Pace::AtOnce, FAILS)],
        acts: Vec::new(),
    };
    world.policy.hooks.sleep = Some(Handler { habit: Habit::default(), answers: vec![Answer::Defer] });
    // A handler sees the whole delay, also one that does not fit the deadline.
    assert_eq!(events(&world), [Retry, Scheduled, BudgetExhausted]);
}

/// Attacks R3.
#[test]
fn too_long_a_delay_costs_a_token_only_if_the_handler_defers_it() {
    let budget = Some(BudgetSpec { limit: 1, window: YEAR, own_clock: false });
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
fn a_result_that_is_there_when_its_timeout_strikes_counts() {
    for (takes, expected) in [(secs(5), vec![Success]), (secs(5) + TICK, vec![Retry, Success])] {
        let world = World {
            policy: timed(Some(retry(Duration::ZERO)), None, secs(5)),
            calls: vec![calls(&[attempt(Pace::Waits(takes), End::Good), attempt(Pace::AtOnce, End::Good)])],
            acts: Vec::new(),
        };
        assert_eq!(events(&world), expected, "{takes:?}");
    }
}

/// Attacks R2.
#[test]
fn an_attempts_timeout_shrinks_to_the_time_left() {
    let world = World {
        policy: timed(Some(retry(secs(1))), None, secs(6)),
        calls: vec![call(Pace::Hangs, End::Good)],
        acts: Vec::new(),
    };
    assert_eq!(timers(&world), [secs(6), secs(1), secs(3)]);
    assert_eq!(events(&world), [Retry, DeadlineExceeded]);
}

/// Attacks R2.
#[test]
fn the_earliest_limit_cuts_an_attempt_without_retry() {
    use OwnDeadline::{After, At};
    let cases = [
        (None, 6, MaxAttemptsExceeded),
        (Some(After(secs(7))), 6, MaxAttemptsExceeded),
        (Some(After(secs(4))), 4, DeadlineExceeded),
        (Some(At(secs(8))), 3, DeadlineExceeded),
    ];
    for (deadline, expected, end) in cases {
        let hangs = CallSpec { deadline, ..call(Pace::Hangs, End::Good) };
        let world = World { policy: timed(None, None, secs(6)), calls: vec![hangs], acts: vec![Act::Advance(secs(5))] };
        assert_eq!((timers(&world), events(&world)), (vec![secs(expected)], vec![end]), "{deadline:?}");
    }
}

/// Attacks R2, R4, C2.
#[test]
fn a_call_whose_deadline_has_passed_makes_no_attempt_and_is_no_probe() {
    for deadline in [OwnDeadline::After(Duration::ZERO), OwnDeadline::At(secs(30)), OwnDeadline::At(secs(1))] {
        let late = CallSpec { deadline: Some(deadline), ..CallSpec::default() };
        let world = World {
            policy: policy(None, Some(breaker(1))),
            calls: vec![call(Pace::AtOnce, FAILS), late, CallSpec::default()],
            acts: vec![Act::Run(0), Act::Advance(secs(30)), Act::Run(1), Act::Run(2)],
        };
        let before = [MaxAttemptsExceeded, CircuitOpened, DeadlineExceeded];
        assert_eq!(events(&world), [&before[..], &[CircuitHalfOpen, Success, CircuitClosed]].concat(), "{deadline:?}");
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

/// Attacks C2, C3, C5.
#[test]
fn a_probe_that_is_kept_for_ever_is_superseded() {
    for (lease, waits) in [(ProbeLease::RecoveryTimeout, 30), (ProbeLease::Lasts(secs(4)), 4)] {
        let (early, tick) = (Act::Advance(secs(waits) - TICK), Act::Advance(TICK));
        let world = World {
            policy: policy(None, Some(BreakerSpec { lease, ..breaker(1) })),
            calls: vec![
                call(Pace::AtOnce, FAILS),
                call(Pace::Hangs, FAILS),
                CallSpec::default(),
                call(Pace::Hangs, FAILS),
                CallSpec::default(),
            ],
            acts: vec![
                Act::Run(0),
                Act::Advance(secs(30)),
                Act::Poll(1),
                early,
                Act::Run(2),
                tick,
                Act::Poll(3),
                Act::Drop(1),
                early,
                tick,
                Act::Run(4),
            ],
        };
        let before = [MaxAttemptsExceeded, CircuitOpened, CircuitHalfOpen, CircuitRejected];
        let after = [Cancelled, Success, CircuitClosed, Cancelled];
        assert_eq!(events(&world), [&before[..], &after].concat(), "{lease:?}");
    }
}

/// Attacks C2.
#[test]
fn of_two_calls_at_a_recovered_breaker_one_is_the_probe() {
    let world = World {
        policy: policy(None, Some(breaker(1))),
        calls: vec![call(Pace::AtOnce, FAILS), call(Pace::Yields(2), FAILS), CallSpec::default(), CallSpec::default()],
        acts: vec![Act::Run(0), Act::Advance(secs(30)), Act::Poll(1), Act::Poll(2), Act::Run(1), Act::Poll(3)],
    };
    let notes = seen(&world);
    assert_eq!([2, 3].map(|call| reason(&notes, call)), [Some(StopReason::CircuitOpen); 2]);
    let states: Vec<_> = notes
        .iter()
        .filter_map(|note| match note.what {
            What::State(state, _) => state,
            _ => None,
        })
        .collect();
    use CircuitState::{HalfOpen, Open};
    assert_eq!(states[..6], [Open, Open, HalfOpen, HalfOpen, Open, Open]);
}

/// Attacks R3, R4.
#[test]
fn hooks_that_all_panic_change_nothing() {
    let panics = Habit { takes: Duration::ZERO, panics_at: Some(1) };
    let broken = Awaited { panics: true, ..Awaited::default() };
    let hooks = Hooks {
        observers: vec![panics, panics],
        on_attempt_start: Some(panics),
        on_attempt_end: Some(panics),
        sleep: Some(Handler { habit: panics, answers: vec![Answer::Defer, Answer::Sleep] }),
        before_sleep: Some(BeforeSleep { habit: panics, future: Some(broken) }),
        sleeper: Some(Sleeper { habit: panics, future: broken, ..Sleeper::default() }),
    };
    let mut world = World {
        policy: policy(Some(retry(secs(1))), Some(breaker(1))),
        calls: vec![calls(&[
            attempt(Pace::AtOnce, FAILS),
            attempt(Pace::AtOnce, FAILS),
            attempt(Pace::AtOnce, End::Good),
        ])],
        acts: Vec::new(),
    };
    world.calls[0].hooks = hooks;
    world.calls[0].abort_if = Some(AbortIf { habit: panics, from: None });
    assert_eq!(events(&world), [Retry, Retry, Success]);
}

#[test]
fn a_shared_timeline_has_the_events_of_calls_under_way_at_once_in_order() {
    let mut world = World {
        policy: policy(Some(retry(secs(1))), None),
        calls: vec![call(Pace::Yields(1), FAILS), call(Pace::AtOnce, End::Good)],
        acts: vec![Act::Poll(0), Act::Poll(0), Act::Poll(1)],
    };
    for call in &mut world.calls {
        call.timeline = Capture::Shared;
        call.way = Way::Call;
    }
    let timeline = seen(&world).into_iter().find_map(|note| match note.what {
        What::Timeline(entries) => Some(entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(timeline.as_deref(), Some(&[Retry, Success, Retry, MaxAttemptsExceeded][..]));
}
