//! The hardest cases of attempts, waits, deadlines, budgets and hooks.

use std::time::Duration;

use redress_core::EventName::{
    Aborted, BudgetExhausted, DeadlineExceeded, MaxAttemptsExceeded, Retry, Scheduled, Success,
};
use redress_core::{ErrorClass, EventName, StopReason};

use super::{
    FAILS, TICK, YEAR, attempt, breaker, call, calls, events, policy, reason, retry, secs, seen, timed, timers,
};
use crate::note::What;
use crate::world::{
    AbortIf, Act, Answer, AttemptSpec, Awaited, BeforeSleep, BudgetSpec, CallSpec, Capture, End, Habit, Handler, Hooks,
    OwnDeadline, Pace, PolicySpec, RetrySpec, Sleeper, StrategySpec, TimeoutAs, Times, Way, World,
};

/// A reason, the limits of which the first breaks, and an attempt that breaks them.
fn gates() -> Vec<(StopReason, RetrySpec, AttemptSpec)> {
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
    vec![
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
    ]
}

#[test]
fn the_first_gate_that_says_no_is_the_reason() {
    for (expected, retry, attempt) in gates() {
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
