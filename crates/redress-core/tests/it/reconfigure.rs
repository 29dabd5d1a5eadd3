//! Breakers and budgets that are reconfigured in place, and the policies that hold them.
//!
//! Attacks B1, B2, C10.

use std::time::Duration;

use redress_core::breaker::{BreakerSpec, CircuitState, KeyedBreakers, Mode, Seen, Transition, TripRule};
use redress_core::budget::{BudgetSpec, EarnedBudgetSpec, Priority};
use redress_core::error::ConfigIssue;
use redress_core::policy::{Blocking, PolicyBuilder};
use redress_core::{Budget, CircuitBreaker, ErrorClass, Policy, Retry, StopReason};
use redress_testing::VirtualClock;

use crate::lab::{Answer, ByClass, Failed, TICK, millis, secs};

fn breaker(clock: &VirtualClock, threshold: u32) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_threshold(threshold).recovery_timeout(secs(30));
    builder.clock(clock.clone()).build().expect("valid")
}

fn change(breaker: &CircuitBreaker, change: impl FnOnce(&mut BreakerSpec)) {
    let mut spec = breaker.spec();
    change(&mut spec);
    breaker.reconfigure(spec).expect("valid");
}

fn fail(breaker: &CircuitBreaker) -> Option<Transition> {
    breaker.try_acquire().expect("admitted").failure(ErrorClass::ServerError)
}

#[test]
fn a_new_threshold_holds_at_once_and_for_every_handle() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 5);
    let other = breaker.clone();
    assert_eq!((fail(&breaker), fail(&breaker)), (None, None));
    change(&breaker, |spec| spec.failure_threshold = Some(2));
    assert_eq!(other.spec().threshold(), Some(2));
    assert_eq!((fail(&other), fail(&other)), (None, Some(Transition::Opened)), "the former failures are forgotten");
}

#[test]
fn the_same_configuration_changes_nothing() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 2);
    let permit = breaker.try_acquire().expect("closed");
    fail(&breaker);
    change(&breaker, |_| ());
    assert_eq!(permit.failure(ErrorClass::ServerError), Some(Transition::Opened));
}

#[test]
fn results_of_calls_from_before_are_ignored() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 2);
    let before = breaker.try_acquire().expect("closed");
    change(&breaker, |spec| spec.failure_threshold = Some(1));
    assert_eq!(before.failure(ErrorClass::ServerError), None);
    assert_eq!(fail(&breaker), Some(Transition::Opened));
}

#[test]
fn an_open_circuit_stays_open_for_the_wait_that_it_began() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 1);
    fail(&breaker);
    clock.advance(secs(10));
    change(&breaker, |spec| spec.recovery_timeout = secs(5));
    let rejection = breaker.try_acquire().expect_err("open");
    assert_eq!((rejection.state(), rejection.retry_in()), (CircuitState::Open, Some(secs(20))));
    clock.advance(secs(20));
    assert_eq!(fail(&breaker), Some(Transition::Opened), "the probe");
    assert_eq!(breaker.try_acquire().expect_err("open").retry_in(), Some(secs(5)));
}

#[test]
fn a_trial_begins_again_by_the_new_rules() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 1);
    fail(&breaker);
    clock.advance(secs(30));
    let probe = breaker.try_acquire().expect("a probe");
    assert!(breaker.try_acquire().is_err(), "there is one place");
    change(&breaker, |spec| spec.trial = spec.trial.passes(2));
    assert_eq!(probe.success(), None, "it is void");
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert_eq!(breaker.try_acquire().expect("a probe").success(), None);
    assert_eq!(breaker.try_acquire().expect("a probe").success(), Some(Transition::Closed));
}

#[test]
fn a_ramp_goes_on_as_it_began_even_if_new_ones_are_none() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(1)).ramp(secs(100), 0.5);
    let breaker = breaker.clock(clock.clone()).build().expect("valid");
    fail(&breaker);
    clock.advance(secs(1));
    assert_eq!(breaker.try_acquire().expect("a probe").success(), None);
    change(&breaker, |spec| spec.ramp = None);
    let admitted = (0..100).filter(|_| breaker.try_acquire().is_ok()).count();
    assert_eq!((admitted, breaker.state()), (50, CircuitState::HalfOpen));
    clock.advance(secs(100));
    assert_eq!(breaker.try_acquire().expect("admitted").transition(), Some(Transition::Closed));
}

#[test]
fn the_mode_stays() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 1);
    breaker.set_mode(Mode::ForcedOpen);
    change(&breaker, |spec| spec.failure_threshold = Some(3));
    assert_eq!(breaker.mode(), Mode::ForcedOpen);
    assert!(breaker.try_acquire().expect_err("forced").is_forced());
}

#[test]
fn openings_in_a_row_go_on() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(10));
    let breaker = breaker.recovery_growth(2.0, secs(1_000)).clock(clock.clone()).build().expect("valid");
    fail(&breaker);
    change(&breaker, |spec| spec.failure_threshold = Some(2));
    clock.advance(secs(10));
    fail(&breaker);
    assert_eq!(breaker.last_trip().map(|trip| trip.wait), Some(secs(20)));
}

fn issue(field: &str, value: &str) -> (String, String) {
    (field.to_owned(), value.to_owned())
}

fn told(issue: &ConfigIssue) -> (String, String) {
    (issue.field().to_owned(), issue.value().to_string())
}

#[test]
fn what_is_wrong_is_told_and_changes_nothing() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().name("a").clock(clock).build().expect("valid");
    let mut spec = breaker.spec();
    (spec.name, spec.failure_threshold) = (Some("b".into()), Some(0));
    let error = breaker.reconfigure(spec).expect_err("invalid");
    let issues: Vec<_> = error.issues().iter().map(told).collect();
    assert_eq!(issues, [issue("circuit_breaker.name", "\"b\""), issue("circuit_breaker.failure_threshold", "0")]);
    assert_eq!((breaker.name(), breaker.spec().threshold()), (Some("a"), Some(5)));

    let mut nameless = breaker.spec();
    nameless.name = None;
    breaker.reconfigure(nameless).expect("the name may be left out");
    assert_eq!(breaker.spec().name.as_deref(), Some("a"));
}

#[test]
fn warnings_are_those_of_the_present_configuration() {
    let breaker = CircuitBreaker::builder().build().expect("valid");
    assert!(breaker.warnings().is_empty());
    change(&breaker, |spec| spec.trip_on = Vec::new());
    assert_eq!(breaker.warnings().iter().map(ConfigIssue::field).collect::<Vec<_>>(), ["circuit_breaker.trip_on"]);
}

fn policy(breaker: &CircuitBreaker, clock: &VirtualClock) -> PolicyBuilder<ByClass, Blocking> {
    Policy::builder().circuit_breaker(breaker).clock(clock.clone()).classifier(ByClass)
}

fn calls(policy: &Policy<ByClass>, successes: u32, failures: u32) {
    for _ in 0..successes {
        policy.call(|| Ok::<_, Failed>(Answer::Good)).expect("it succeeds");
    }
    for _ in 0..failures {
        let outcome = policy.execute(|| Err::<Answer, _>(Failed::Of(ErrorClass::ServerError)));
        assert_ne!(outcome.stop_reason(), Some(StopReason::CircuitOpen));
    }
}

/// A policy that was built before successes mattered.
#[test]
fn a_policy_counts_successes_for_a_ratio_that_came_later() {
    for with_deadline in [false, true] {
        let clock = VirtualClock::new();
        let breaker = breaker(&clock, 1_000);
        let policy = policy(&breaker, &clock);
        let policy = if with_deadline { policy.deadline(secs(60)) } else { policy.no_deadline() };
        let policy = policy.build().expect("valid");
        calls(&policy, 3, 1);
        change(&breaker, |spec| {
            (spec.failure_threshold, spec.failure_ratio, spec.min_calls) = (None, Some(0.5), 4);
        });
        calls(&policy, 6, 5);
        assert_eq!(breaker.state(), CircuitState::Closed);
        calls(&policy, 0, 1);
        assert_eq!(breaker.last_trip().map(|trip| (trip.rule, trip.bad, trip.calls)), {
            Some((TripRule::Ratio, 6, Some(12)))
        });
    }
}

/// The same for a row, and with a budget that successes pay for.
#[test]
fn a_policy_ends_rows_that_came_later() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 1_000);
    let policy = policy(&breaker, &clock);
    let policy = policy.retry(Retry::builder().max_attempts(1).budget(Budget::earned(0.1).build().expect("valid")));
    let policy = policy.build().expect("valid");
    change(&breaker, |spec| (spec.failure_threshold, spec.consecutive_failures) = (None, Some(3)));
    calls(&policy, 0, 2);
    calls(&policy, 1, 2);
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&policy, 0, 1);
    assert_eq!(breaker.last_trip().map(|trip| trip.rule), Some(TripRule::InARow));
}

#[test]
fn a_policy_times_calls_for_a_limit_that_came_later() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock, 2);
    let policy = policy(&breaker, &clock).build().expect("valid");
    calls(&policy, 1, 1);
    change(&breaker, |spec| spec.slow_call = Some(secs(2)));
    for (took, state) in [(1, CircuitState::Closed), (2, CircuitState::Closed), (3, CircuitState::Open)] {
        let operation = || {
            clock.advance(secs(took));
            Ok::<_, Failed>(Answer::Good)
        };
        policy.call(operation).expect("it succeeds");
        assert_eq!(breaker.state(), state, "after {took} s");
    }
}

#[test]
fn a_policy_that_counts_goes_on_when_nothing_is_counted_any_more() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(2).clock(clock.clone()).build();
    let breaker = breaker.expect("valid");
    let policy = policy(&breaker, &clock).build().expect("valid");
    calls(&policy, 3, 1);
    change(&breaker, |spec| (spec.failure_threshold, spec.failure_ratio) = (Some(2), None));
    calls(&policy, 3, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&policy, 3, 1);
    assert_eq!(breaker.last_trip().map(|trip| trip.rule), Some(TripRule::Count));
}

#[test]
fn a_ratio_counts_in_the_new_window() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(2).window(secs(160)).clock(clock.clone());
    let breaker = breaker.build().expect("valid");
    change(&breaker, |spec| spec.window = Some(secs(16)));
    breaker.try_acquire().expect("closed").success();
    clock.advance(secs(15));
    assert_eq!(fail(&breaker), Some(Transition::Opened), "one of two");
    clock.advance(secs(30));
    breaker.try_acquire().expect("a probe").success();
    breaker.try_acquire().expect("closed").success();
    clock.advance(secs(16));
    assert_eq!(fail(&breaker), None, "one of one");
}

/// A ratio of bad results in two calls, on the clock of its callers.
fn ratio(window: u64) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_ratio(0.5).min_calls(2).window(secs(window));
    builder.recovery_timeout(secs(1)).build().expect("valid")
}

/// The callers' clock may be far from the system's, which says nothing about their calls.
#[test]
fn a_longer_window_counts_on_the_clock_of_the_policy() {
    let clock = VirtualClock::new();
    let breaker = ratio(16);
    let policy = policy(&breaker, &clock).build().expect("valid");
    clock.advance(secs(3_600));
    for _ in 0..16 {
        calls(&policy, 1, 0);
        clock.advance(secs(1));
    }
    change(&breaker, |spec| spec.window = Some(secs(160)));
    calls(&policy, 1, 0);
    clock.advance(secs(149));
    calls(&policy, 0, 1);
    assert_eq!(breaker.last_trip().map(|trip| (trip.bad, trip.calls)), Some((1, Some(2))), "one of two");
}

/// The slices of an era begin with its first result, so that a test of an edge is repeatable.
#[test]
fn a_window_after_a_change_is_exact_on_the_clock_of_the_callers() {
    let opened = Some(Transition::Opened);
    for (age, expected) in [(secs(15), opened), (secs(16) - TICK, opened), (secs(16), None)] {
        for changes_mode in [true, false] {
            let (clock, breaker) = (VirtualClock::new(), ratio(if changes_mode { 16 } else { 32 }));
            let permit = || breaker.try_acquire_at(clock.now()).expect("closed");
            clock.advance(millis(3_500));
            permit().report_at(Seen::success(), clock.now());
            if changes_mode {
                breaker.set_mode(Mode::Watching);
                breaker.set_mode(Mode::Enforcing);
            } else {
                change(&breaker, |spec| spec.window = Some(secs(16)));
            }
            clock.advance(millis(700));
            assert_eq!(permit().failure_at(ErrorClass::ServerError, clock.now()), None);
            clock.advance(age);
            let made = permit().failure_at(ErrorClass::ServerError, clock.now());
            assert_eq!(made, expected, "{age:?} later, by a change of mode: {changes_mode}");
        }
    }
}

/// A set with one place, whose breaker has counted a success for its ratio.
fn a_host_with_a_success(clock: &VirtualClock) -> KeyedBreakers {
    let settings = CircuitBreaker::builder().failure_ratio(0.5).min_calls(2);
    let hosts = KeyedBreakers::builder(settings).capacity(1).build().expect("valid");
    let breaker = hosts.for_key_at("a", clock.now()).expect("a place");
    breaker.try_acquire_at(clock.now()).expect("closed").report_at(Seen::success(), clock.now());
    hosts
}

#[test]
fn a_breaker_whose_era_has_no_result_is_blank() {
    let clock = VirtualClock::new();
    let hosts = a_host_with_a_success(&clock);
    assert!(hosts.for_key_at("b", clock.now()).is_none(), "a success counts");
    hosts.for_key_at("a", clock.now()).expect("kept").set_mode(Mode::Watching);
    assert!(hosts.for_key_at("b", clock.now()).is_none(), "it watches");
    hosts.for_key_at("a", clock.now()).expect("kept").set_mode(Mode::Enforcing);
    assert!(hosts.for_key_at("b", clock.now()).is_some(), "nothing counts");
}

#[test]
fn what_a_former_ratio_counted_keeps_no_breaker() {
    let clock = VirtualClock::new();
    let hosts = a_host_with_a_success(&clock);
    hosts.reconfigure(BreakerSpec::default()).expect("valid");
    assert!(hosts.for_key_at("b", clock.now()).is_some(), "nothing counts");
}

#[test]
fn keyed_breakers_are_reconfigured_together() {
    let clock = VirtualClock::new();
    let settings = CircuitBreaker::builder().failure_threshold(5).clock(clock);
    let hosts = KeyedBreakers::builder(settings).capacity(3).build().expect("valid");
    let old = hosts.for_key("old").expect("a place");
    fail(&old);
    let mut spec = BreakerSpec::default();
    spec.failure_threshold = Some(1);
    hosts.reconfigure(spec.clone()).expect("valid");
    let new = hosts.for_key("new").expect("a place");
    for breaker in [&old, &new] {
        assert_eq!(fail(breaker), Some(Transition::Opened));
        assert_eq!(breaker.spec().failure_threshold, Some(1));
    }
    assert_eq!([old.name(), new.name()], [Some("old"), Some("new")]);
    spec.name = Some("old".into());
    let error = hosts.reconfigure(spec).expect_err("a name");
    assert_eq!(error.issues().iter().map(told).collect::<Vec<_>>(), [issue("circuit_breaker.name", "\"old\"")]);
}

/// Attacks B1.
#[test]
fn a_lower_limit_of_a_budget_grants_nothing_until_enough_have_left() {
    let clock = VirtualClock::new();
    let budget = Budget::with_clock(4, secs(10), clock.clone()).expect("valid");
    for _ in 0..4 {
        assert!(budget.consume());
        clock.advance(secs(1));
    }
    let other = budget.clone();
    budget.reconfigure(BudgetSpec::new(2, secs(10))).expect("valid");
    assert_eq!((other.spec(), other.remaining()), (BudgetSpec::new(2, secs(10)), 0));
    clock.advance(secs(7));
    assert!(!other.consume(), "two were granted in the last ten seconds");
    clock.advance(secs(1));
    assert!(other.consume() && !other.consume());
}

/// Attacks B2, B3.
#[test]
fn an_earned_budget_keeps_its_balance_up_to_the_new_capacity() {
    let budget = Budget::earned(0.5).capacity(10.0).build().expect("valid");
    assert!(budget.consume_at(VirtualClock::new().now(), 8));
    budget.deposit();
    budget.deposit();
    let mut spec = EarnedBudgetSpec::new(0.25);
    spec.capacity = 5.0;
    budget.reconfigure(BudgetSpec::Earned(spec.clone())).expect("valid");
    assert_eq!((budget.balance(), budget.capacity()), (3.0, 5.0));
    (0..4).for_each(|_| budget.deposit());
    assert_eq!(budget.balance(), 4.0);
    spec.capacity = 1.5;
    budget.reconfigure(BudgetSpec::Earned(spec)).expect("valid");
    assert_eq!(budget.balance(), 1.5);
}

/// Attacks B4.
#[test]
fn no_more_comes_back_than_was_granted_even_at_a_higher_price() {
    let budget = Budget::earned(0.5).capacity(10.0).build().expect("valid");
    let withdrawn = budget.withdraw(ErrorClass::Transient, Priority::Normal).expect("granted");
    let mut spec = EarnedBudgetSpec::new(0.5);
    (spec.capacity, spec.costs[ErrorClass::Transient]) = (20.0, 4);
    budget.reconfigure(BudgetSpec::Earned(spec)).expect("valid");
    withdrawn.give_back();
    assert_eq!(budget.balance(), 10.0);
}

#[test]
fn a_budget_keeps_its_kind() {
    let (window, earned) = (BudgetSpec::new(3, Duration::from_secs(1)), BudgetSpec::earned(0.1));
    for (from, to, kind) in [(&window, &earned, "earned"), (&earned, &window, "window")] {
        let budget = Budget::from_spec(from.clone()).expect("valid");
        let error = budget.reconfigure(to.clone()).expect_err("another kind");
        assert_eq!(error.issues().iter().map(told).collect::<Vec<_>>(), [issue("budget.kind", kind)]);
        assert_eq!(budget.spec(), *from);
    }
    let budget = Budget::from_spec(window).expect("valid");
    let error = budget.reconfigure(BudgetSpec::new(3, Duration::ZERO)).expect_err("no window");
    assert_eq!(error.issues()[0].field(), "budget.window");
}
