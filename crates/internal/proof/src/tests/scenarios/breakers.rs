//! The hardest cases of breakers.

use std::time::Duration;

use redress_core::EventName::{
    Aborted, Cancelled, CircuitClosed, CircuitHalfOpen, CircuitOpened, CircuitRejected, DeadlineExceeded,
    MaxAttemptsExceeded, Success,
};
use redress_core::breaker::{CircuitState, ProbeLease};
use redress_core::{ErrorClass, StopReason};

use super::{FAILS, TICK, YEAR, breaker, call, events, policy, reason, secs, seen};
use crate::note::What;
use crate::world::{Act, BreakerSpec, CallSpec, End, OwnDeadline, Pace, World};

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
