//! The circuit breaker used directly: thresholds, windows, recovery, probes and permits.

use std::time::{Duration, Instant};

use redress_core::breaker::{Breaker, CircuitBreakerBuilder, CircuitState, Permit, Report, Transition};
use redress_core::error::CircuitOpenError;
use redress_core::{CircuitBreaker, ErrorClass};
use redress_testing::VirtualClock;

use crate::lab::{TICK, secs};

const WINDOW: Duration = secs(60);
const RECOVERY: Duration = secs(30);

/// A breaker that one failure opens, on this clock.
fn touchy(clock: &VirtualClock) -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(1).window(WINDOW).recovery_timeout(RECOVERY).clock(clock.clone())
}

#[track_caller]
fn fail(breaker: &CircuitBreaker, class: ErrorClass) -> Option<Transition> {
    breaker.try_acquire().expect("it admits the call").failure(class)
}

#[track_caller]
fn opened(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let breaker = builder.build().expect("valid");
    assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
    breaker
}

fn succeed(permit: Permit<'_>) -> Option<Transition> {
    permit.success()
}

/// A breaker whose probe is under way, and the probe.
#[track_caller]
fn probe<'b>(breaker: &'b CircuitBreaker, clock: &VirtualClock) -> Permit<'b> {
    clock.advance(RECOVERY);
    let probe = breaker.try_acquire().expect("the recovery time has passed");
    assert_eq!(probe.transition(), Some(Transition::HalfOpened));
    probe
}

#[test]
fn it_opens_at_the_threshold_and_not_before() {
    for threshold in [1, 2, 5] {
        let breaker = touchy(&VirtualClock::new()).failure_threshold(threshold).build().expect("valid");
        for _ in 1..threshold {
            assert_eq!(fail(&breaker, ErrorClass::Transient), None);
            assert_eq!(breaker.state(), CircuitState::Closed);
        }
        assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

/// tower-resilience: with its default window it took 1000 failures to open after 1000 successes,
/// since the window is cumulative since the last transition. resilience4j 1731.
#[test]
fn successes_do_not_make_up_for_failures() {
    let breaker = touchy(&VirtualClock::new()).failure_threshold(2).build().expect("valid");
    assert_eq!(fail(&breaker, ErrorClass::Transient), None);
    for _ in 0..1000 {
        assert_eq!(breaker.try_acquire().expect("closed").success(), None);
    }
    assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
}

#[test]
fn a_failure_one_window_old_no_longer_counts() {
    for (later, expected) in [(WINDOW - TICK, Some(Transition::Opened)), (WINDOW, None), (WINDOW + TICK, None)] {
        let clock = VirtualClock::new();
        let breaker = touchy(&clock).failure_threshold(2).build().expect("valid");
        fail(&breaker, ErrorClass::Transient);
        clock.advance(later);
        assert_eq!(fail(&breaker, ErrorClass::Transient), expected, "{later:?} later");
    }
}

#[test]
fn a_class_threshold_has_the_same_window() {
    for (later, expected) in [(WINDOW - TICK, Some(Transition::Opened)), (WINDOW, None)] {
        let clock = VirtualClock::new();
        let breaker = touchy(&clock).class_threshold(ErrorClass::RateLimit, 2).build().expect("valid");
        fail(&breaker, ErrorClass::RateLimit);
        clock.advance(later);
        assert_eq!(fail(&breaker, ErrorClass::RateLimit), expected, "{later:?} later");
    }
}

#[test]
fn it_probes_when_the_recovery_time_has_passed_and_not_a_tick_before() {
    let clock = VirtualClock::new();
    let breaker = opened(touchy(&clock));
    for (at, retry_in) in [(Duration::ZERO, RECOVERY), (secs(10), secs(20)), (RECOVERY - TICK, TICK)] {
        clock.advance(at - clock.elapsed());
        let rejected = breaker.try_acquire().expect_err("it is open");
        assert_eq!(rejected, CircuitOpenError::new(CircuitState::Open, Some(retry_in)), "at {at:?}");
    }
    clock.advance(TICK);
    assert_eq!(breaker.state(), CircuitState::Open, "no call has arrived yet");
    let probe = breaker.try_acquire().expect("recovered");
    assert_eq!(probe.transition(), Some(Transition::HalfOpened));
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

/// coder 24701 took 429 out of its breaker, web-researcher-mcp 276 wants it to open at once: a rate
/// limit says that the dependency is healthy, unless the policy is configured otherwise.
#[test]
fn the_classes_that_trip_are_those_of_trip_on() {
    use ErrorClass::{Auth, RateLimit, ServerError, Transient, Unknown};
    let clock = VirtualClock::new();
    let rows: [(CircuitBreakerBuilder, &[ErrorClass]); 4] = [
        (touchy(&clock), &[ServerError, Transient]),
        (touchy(&clock).trip_on([Auth, RateLimit]), &[Auth, RateLimit]),
        (touchy(&clock).trip_on([]), &[]),
        (touchy(&clock).trip_on([]).class_threshold(Unknown, 1), &[Unknown]),
    ];
    for (builder, tripping) in rows {
        for &class in ErrorClass::ALL {
            let breaker = builder.clone().build().expect("valid");
            let expected = tripping.contains(&class).then_some(Transition::Opened);
            assert_eq!(fail(&breaker, class), expected, "{class} where {tripping:?} trip");
        }
    }
}

#[test]
fn classes_that_count_generally_count_together() {
    let breaker = touchy(&VirtualClock::new()).failure_threshold(3).build().expect("valid");
    assert_eq!(fail(&breaker, ErrorClass::Transient), None);
    assert_eq!(fail(&breaker, ErrorClass::ServerError), None);
    assert_eq!(fail(&breaker, ErrorClass::RateLimit), None, "it does not count");
    assert_eq!(fail(&breaker, ErrorClass::ServerError), Some(Transition::Opened));
}

#[test]
fn a_class_with_a_threshold_of_its_own_is_judged_by_that_alone() {
    use ErrorClass::{RateLimit, ServerError, Transient};
    // Each row: the failures, and whether the last of them opens the circuit. General threshold 2,
    // Transient's own 3.
    let rows: [(&[ErrorClass], bool); 5] = [
        (&[Transient, Transient], false),
        (&[Transient, Transient, Transient], true),
        (&[Transient, ServerError], false),
        (&[ServerError, Transient, ServerError], true),
        (&[Transient, Transient, ServerError, RateLimit, Transient], true),
    ];
    for (failures, opens) in rows {
        let breaker = touchy(&VirtualClock::new()).failure_threshold(2).class_threshold(Transient, 3);
        let breaker = breaker.build().expect("valid");
        let transitions: Vec<_> = failures.iter().map(|class| fail(&breaker, *class)).collect();
        let (last, before) = transitions.split_last().expect("at least one");
        assert!(before.iter().all(Option::is_none), "{failures:?}: {transitions:?}");
        assert_eq!(*last, opens.then_some(Transition::Opened), "{failures:?}");
    }
}

#[test]
fn a_second_threshold_for_a_class_replaces_the_first() {
    let builder =
        touchy(&VirtualClock::new()).class_threshold(ErrorClass::Auth, 1).class_threshold(ErrorClass::Auth, 2);
    let breaker = builder.build().expect("valid");
    assert_eq!(fail(&breaker, ErrorClass::Auth), None);
    assert_eq!(fail(&breaker, ErrorClass::Auth), Some(Transition::Opened));
}

#[test]
fn the_result_of_the_probe_decides() {
    let settle = |end: fn(Permit<'_>) -> Option<Transition>, expected: Transition| {
        let clock = VirtualClock::new();
        let breaker = opened(touchy(&clock));
        assert_eq!(end(probe(&breaker, &clock)), Some(expected));
        assert_eq!(breaker.state(), expected.state());
        (breaker, clock)
    };
    settle(succeed, Transition::Closed);
    settle(|probe| probe.failure(ErrorClass::Permanent), Transition::Closed);
    settle(|probe| probe.failure(ErrorClass::RateLimit), Transition::Closed);
    settle(|probe| probe.failure(ErrorClass::ServerError), Transition::Opened);

    let (breaker, clock) = settle(|probe| probe.failure(ErrorClass::Transient), Transition::Opened);
    let rejected = breaker.try_acquire().expect_err("open again");
    assert_eq!(rejected.retry_in(), Some(RECOVERY), "the recovery time starts with the probe's failure");
    clock.advance(RECOVERY);
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn a_probe_that_fails_reopens_with_any_threshold() {
    let clock = VirtualClock::new();
    let breaker = touchy(&clock).failure_threshold(2).class_threshold(ErrorClass::RateLimit, 9);
    let breaker = breaker.build().expect("valid");
    for class in [ErrorClass::ServerError, ErrorClass::RateLimit] {
        while breaker.state() == CircuitState::Closed {
            fail(&breaker, ErrorClass::Transient);
        }
        assert_eq!(probe(&breaker, &clock).failure(class), Some(Transition::Opened), "{class}");
    }
}

#[test]
fn one_probe_at_a_time() {
    let clock = VirtualClock::new();
    let breaker = opened(touchy(&clock).no_probe_lease());
    let probe = probe(&breaker, &clock);
    clock.advance(RECOVERY * 9);
    for _ in 0..3 {
        let rejected = breaker.try_acquire().expect_err("a probe is under way");
        assert_eq!(rejected, CircuitOpenError::new(CircuitState::HalfOpen, None));
    }
    assert_eq!(probe.success(), Some(Transition::Closed));
    assert!(breaker.try_acquire().is_ok());
}

/// Attacks C2, C3, C5.
#[test]
fn a_silent_probe_loses_its_place_to_the_next_call_when_its_lease_is_over() {
    type With = fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder;
    let leases: [(With, Duration); 2] =
        [(|builder| builder, RECOVERY), (|builder| builder.probe_lease(secs(7)), secs(7))];
    for (with, lease) in leases {
        let clock = VirtualClock::new();
        let breaker = opened(with(touchy(&clock)));
        let mut kept = vec![probe(&breaker, &clock)];
        for _ in 0..3 {
            for (passes, left) in [(Duration::ZERO, lease), (lease - TICK, TICK)] {
                clock.advance(passes);
                let rejected = breaker.try_acquire().expect_err("the lease runs");
                assert_eq!(rejected, CircuitOpenError::new(CircuitState::HalfOpen, Some(left)));
            }
            clock.advance(TICK);
            assert_eq!(breaker.state(), CircuitState::HalfOpen, "until the next call");
            let next = breaker.try_acquire().expect("the lease is over");
            assert_eq!(next.transition(), None, "it was half-open already");
            kept.push(next);
        }
        let current = kept.pop().expect("there are four");
        let (second, third) = (kept.pop().expect("there are three"), kept.pop().expect("there are two"));
        assert_eq!((second.success(), third.failure(ErrorClass::Transient)), (None, None));
        drop(kept);
        assert!(breaker.try_acquire().is_err(), "what was superseded decides nothing");
        assert_eq!(current.success(), Some(Transition::Closed));
    }
}

#[test]
fn a_lease_begins_with_each_probe() {
    let clock = VirtualClock::new();
    let breaker = opened(touchy(&clock));
    let first = probe(&breaker, &clock);
    clock.advance(secs(20));
    drop(first);
    let _second = breaker.try_acquire().expect("the place is free");
    clock.advance(secs(20));
    assert_eq!(breaker.try_acquire().expect_err("10 s early").retry_in(), Some(secs(10)));
}

/// One reading decades ahead, of a clock that is right before and after it.
///
/// Attacks C3.
#[test]
fn a_wait_that_began_at_a_reading_too_far_ahead_is_given_up() {
    let (clock, far) = (VirtualClock::new(), secs(1_000_000_000));
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(RECOVERY).build().expect("valid");
    let permit = breaker.try_acquire().expect("closed");
    assert_eq!(permit.failure_at(ErrorClass::Transient, clock.now() + far), Some(Transition::Opened));
    for round in [Some(Transition::HalfOpened), None] {
        for (passes, left) in [(Duration::ZERO, RECOVERY), (RECOVERY - TICK, TICK)] {
            clock.advance(passes);
            let rejected = breaker.try_acquire_at(clock.now()).expect_err("not yet");
            assert_eq!(rejected.retry_in(), Some(left), "{round:?}");
        }
        clock.advance(TICK);
        let probe = breaker.try_acquire_at(clock.now()).expect("a whole wait at readings far from the first");
        assert_eq!(probe.transition(), round);
        drop(probe);
        // Another far reading: this time a probe's, which is kept.
        std::mem::forget(breaker.try_acquire_at(clock.now() + far).expect("the place is free"));
    }
}

/// Attacks C1.
#[test]
fn a_late_reading_does_not_end_a_wait() {
    let (early, wait) = (Instant::now(), secs(1));
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(wait).build().expect("valid");
    let opened_at = early + secs(100);
    breaker.try_acquire().expect("closed").failure_at(ErrorClass::Transient, opened_at);
    for (at, left) in [(early, wait), (early + wait - TICK, TICK), (opened_at + wait - TICK, TICK)] {
        assert_eq!(breaker.try_acquire_at(at).expect_err("open").retry_in(), Some(left));
    }
    assert!(breaker.try_acquire_at(opened_at + wait).is_ok());
}

/// Failures months apart are no reason to open, also when the first came at a reading too far
/// ahead.
#[test]
fn a_failure_at_a_reading_too_far_ahead_is_forgotten() {
    let (start, month) = (Instant::now(), secs(30 * 86_400));
    let breaker = CircuitBreaker::builder().failure_threshold(3).window(WINDOW).build().expect("valid");
    let fail_at = |now| breaker.try_acquire_at(now).expect("closed").failure_at(ErrorClass::Transient, now);
    assert_eq!(fail_at(start + month * 120), None, "its first reading");
    assert_eq!(fail_at(start), None);
    assert_eq!(fail_at(start + WINDOW), None, "a window later both are forgotten");
    assert_eq!(fail_at(start + month), None);
    assert_eq!(fail_at(start + month), None);
    assert_eq!(fail_at(start + month), Some(Transition::Opened));
}

#[test]
fn a_dropped_permit_of_a_closed_circuit_counts_for_nothing() {
    let breaker = touchy(&VirtualClock::new()).build().expect("valid");
    drop(breaker.try_acquire().expect("closed"));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_result_of_an_earlier_era_is_ignored() {
    type End = fn(Permit<'_>) -> Option<Transition>;
    type Era = fn(&CircuitBreaker, &VirtualClock);
    let ends: [(&str, End); 4] = [
        ("success", succeed),
        ("failure that trips", |late| late.failure(ErrorClass::Transient)),
        ("failure that does not", |late| late.failure(ErrorClass::Auth)),
        ("drop", |late| {
            drop(late);
            None
        }),
    ];
    let open: Era = |breaker, _| assert_eq!(fail(breaker, ErrorClass::Transient), Some(Transition::Opened));
    let half_open: Era = |breaker, clock| {
        fail(breaker, ErrorClass::Transient);
        drop(probe(breaker, clock));
    };
    let closed_again: Era = |breaker, clock| {
        fail(breaker, ErrorClass::Transient);
        probe(breaker, clock).success();
    };
    for (name, end) in ends {
        for (era, state) in
            [(open, CircuitState::Open), (half_open, CircuitState::HalfOpen), (closed_again, CircuitState::Closed)]
        {
            let clock = VirtualClock::new();
            let breaker = touchy(&clock).build().expect("valid");
            let late = breaker.try_acquire().expect("closed");
            era(&breaker, &clock);
            assert_eq!(end(late), None, "{name} while {state}");
            assert_eq!(breaker.state(), state, "{name} while {state}");
        }

        // While a probe is running, no earlier call may decide the state or free the probe's place.
        let clock = VirtualClock::new();
        let breaker = touchy(&clock).build().expect("valid");
        let of_closed = breaker.try_acquire().expect("closed");
        fail(&breaker, ErrorClass::Transient);
        let probe = probe(&breaker, &clock);
        assert_eq!(end(of_closed), None, "{name}");
        assert!(breaker.try_acquire().is_err(), "{name}: the probe still has its place");
        assert_eq!(probe.success(), Some(Transition::Closed), "{name}");
    }
}

#[test]
fn a_late_failure_is_not_counted() {
    let clock = VirtualClock::new();
    let breaker = touchy(&clock).failure_threshold(2).window(secs(9_999)).build().expect("valid");
    let late = breaker.try_acquire().expect("closed");
    while breaker.state() == CircuitState::Closed {
        fail(&breaker, ErrorClass::Transient);
    }
    probe(&breaker, &clock).success();
    assert_eq!(late.failure(ErrorClass::Transient), None);
    assert_eq!(fail(&breaker, ErrorClass::Transient), None, "the first of this era");
    assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
}

#[test]
fn a_probe_of_an_earlier_era_is_ignored_too() {
    let ends: [fn(&CircuitBreaker, redress_core::breaker::Admission, Instant); 3] = [
        |breaker, late, now| assert_eq!(breaker.report(late, Report::Success, now), None),
        |breaker, late, now| assert_eq!(breaker.report(late, Report::Failure(ErrorClass::Transient), now), None),
        |breaker, late, _| breaker.release(late),
    ];
    for end in ends {
        let clock = VirtualClock::new();
        let breaker = opened(touchy(&clock));
        clock.advance(RECOVERY);
        let first = breaker.admit(clock.now()).expect("the probe");
        breaker.release(first);
        let second = breaker.admit(clock.now()).expect("the next probe");
        end(&breaker, first, clock.now());
        assert!(breaker.try_acquire().is_err(), "the second probe still has its place");
        assert_eq!(breaker.report(second, Report::Success, clock.now()), Some(Transition::Closed));
    }
}

#[test]
fn what_was_counted_is_forgotten_with_every_change() {
    let clock = VirtualClock::new();
    let breaker = touchy(&clock).failure_threshold(2).class_threshold(ErrorClass::RateLimit, 2).window(secs(9_999));
    let breaker = breaker.build().expect("valid");
    fail(&breaker, ErrorClass::RateLimit);
    fail(&breaker, ErrorClass::Transient);
    assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
    probe(&breaker, &clock).success();
    assert_eq!(fail(&breaker, ErrorClass::RateLimit), None);
    assert_eq!(fail(&breaker, ErrorClass::Transient), None);
    assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
}

#[test]
fn clones_are_one_breaker() {
    let clock = VirtualClock::new();
    let breaker = touchy(&clock).build().expect("valid");
    let clone = breaker.clone();
    fail(&breaker, ErrorClass::Transient);
    assert_eq!(clone.state(), CircuitState::Open);
    assert!(clone.try_acquire().is_err());
}

#[test]
fn its_own_clock_is_read_and_not_the_callers() {
    let clock = VirtualClock::new();
    let breaker = opened(touchy(&clock));
    let far = clock.now() + RECOVERY * 9;
    assert!(breaker.try_acquire_at(far).is_err());
    clock.advance(RECOVERY);
    let probe = breaker.try_acquire_at(clock.now() - RECOVERY).expect("recovered, by its own clock");
    probe.failure_at(ErrorClass::Transient, far);
    assert_eq!(breaker.try_acquire().expect_err("open again").retry_in(), Some(RECOVERY));
}

#[test]
fn without_a_clock_of_its_own_the_callers_time_counts() {
    let breaker = CircuitBreaker::builder().failure_threshold(2).window(WINDOW).recovery_timeout(RECOVERY);
    let breaker = breaker.build().expect("valid");
    let start = Instant::now();
    let fail_at = |now| breaker.try_acquire_at(now).expect("closed").failure_at(ErrorClass::Transient, now);
    assert_eq!(fail_at(start), None);
    assert_eq!(fail_at(start + WINDOW), None, "the first does not count any more");
    assert_eq!(fail_at(start + WINDOW + TICK), Some(Transition::Opened));
    let opened_at = start + WINDOW + TICK;
    let rejected = breaker.try_acquire_at(opened_at + RECOVERY - TICK).expect_err("still open");
    assert_eq!(rejected.retry_in(), Some(TICK));
    assert!(breaker.try_acquire_at(opened_at + RECOVERY).is_ok());
}

#[test]
fn a_clock_that_steps_back_stands_still() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(RECOVERY).build().expect("valid");
    let now = clock.now() + secs(100);
    breaker.try_acquire_at(now).expect("closed").failure_at(ErrorClass::Transient, now);
    let rejected = breaker.try_acquire_at(clock.now()).expect_err("open");
    assert_eq!(rejected.retry_in(), Some(RECOVERY));
    assert!(breaker.try_acquire_at(now + RECOVERY).is_ok());
}

#[test]
fn a_rejection_a_tick_before_the_opening_says_no_more_than_the_recovery_time() {
    let start = Instant::now();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(5)).build().expect("valid");
    breaker.try_acquire_at(start).expect("closed").failure_at(ErrorClass::Transient, start + TICK);
    for at in [start, start + TICK] {
        assert_eq!(breaker.try_acquire_at(at).expect_err("open").retry_in(), Some(secs(5)));
    }
}

#[test]
fn the_longest_recovery_saturates() {
    let clock = VirtualClock::new();
    let breaker = opened(touchy(&clock).recovery_timeout(Duration::from_nanos(u64::MAX)));
    clock.advance(secs(1_000_000));
    assert!(breaker.try_acquire().expect_err("open").retry_in() > Some(secs(13_000_000_000)));
}

#[test]
fn it_shows_its_state() {
    let breaker = opened(touchy(&VirtualClock::new()));
    assert_eq!(format!("{breaker:?}"), "CircuitBreaker { state: Open, .. }");
    let rejected = breaker.try_acquire().expect_err("open");
    assert_eq!(rejected.to_string(), "circuit breaker is open");
    let half_open = CircuitOpenError::new(CircuitState::HalfOpen, None);
    assert_eq!(half_open.to_string(), "circuit breaker is half-open and its probe is under way");
    let named = half_open.by("orders-db");
    assert_eq!(named.to_string(), "circuit breaker orders-db is half-open and its probe is under way");
    assert_eq!((named.breaker(), rejected.breaker()), (Some("orders-db"), None));
}

/// The generation is a count, so that an old one never comes again.
///
/// Attacks C5.
#[test]
fn a_result_from_many_trips_ago_decides_nothing() {
    let clock = VirtualClock::new();
    let breaker = touchy(&clock).build().expect("valid");
    let mut stragglers = Vec::new();
    for _ in 0..40 {
        stragglers.push(breaker.try_acquire().expect("closed"));
        assert_eq!(fail(&breaker, ErrorClass::Transient), Some(Transition::Opened));
        assert_eq!(succeed(probe(&breaker, &clock)), Some(Transition::Closed));
    }
    for straggler in stragglers {
        assert_eq!(straggler.failure(ErrorClass::Transient), None);
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}
