//! Models of breakers and budgets that are reconfigured while calls use them.
//!
//! Attacks B1, C3, C5, C6, C10.

use std::time::{Duration, Instant};

use super::{Timeline, at_once, explore};
use crate::breaker::{Admission, Breaker, BreakerSpec, CircuitBreaker, CircuitState, Report, Transition};
use crate::budget::BudgetSpec;
use crate::budget::cell::Budget;
use crate::classify::class::ErrorClass;
use crate::stripes::Thread;

const SERVER: Report = Report::Failure(ErrorClass::ServerError);

fn breaker(failure_threshold: u32) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_threshold(failure_threshold).window(Duration::from_secs(60));
    builder.recovery_timeout(Duration::from_secs(5)).build().expect("valid")
}

fn reconfigures(breaker: &CircuitBreaker, change: impl Fn(&mut BreakerSpec)) -> impl FnOnce() + 'static {
    let (breaker, mut spec) = (breaker.clone(), breaker.spec());
    change(&mut spec);
    move || breaker.reconfigure(spec).expect("valid")
}

fn admit(breaker: &CircuitBreaker, now: Instant) -> Admission {
    breaker.admit(now).expect("admitted")
}

/// Attacks C5, C10.
#[test]
fn a_failure_beside_a_new_threshold_is_judged_by_the_old_one_or_not_at_all() {
    explore("a new threshold beside the failure that reaches the old one", || {
        let (time, breaker) = (Timeline::new(), breaker(2));
        let [first, second] = [0; 2].map(|second| admit(&breaker, time.at(second)));
        assert_eq!(breaker.report(first, SERVER, time.at(0)), None);
        let lower = reconfigures(&breaker, |spec| spec.failure_threshold = Some(1));
        let made = at_once(|| breaker.report(second, SERVER, time.at(1)), vec![lower]);
        assert_eq!(breaker.state() == CircuitState::Open, made == Some(Transition::Opened));
        if made.is_none() {
            let admission = admit(&breaker, time.at(2));
            assert_eq!(breaker.report(admission, SERVER, time.at(2)), Some(Transition::Opened));
        }
    });
}

/// The tally is made by the new configuration, while a call begins.
///
/// Attacks C6, C10.
#[test]
fn a_call_beside_a_new_ratio_counts_if_it_was_admitted_under_it() {
    explore("a new ratio beside a success", || {
        let (time, breaker) = (Timeline::new(), breaker(9));
        let ratio = reconfigures(&breaker, |spec| {
            (spec.failure_threshold, spec.failure_ratio, spec.min_calls) = (None, Some(0.5), 3);
        });
        let call = || {
            let generation = admit(&breaker, time.at(0)).generation;
            breaker.succeed_closed(generation, Some(time.at(0)), Thread::current());
            CircuitBreaker::wants(generation).success
        };
        let counts = at_once(call, vec![ratio]);
        let made = [0; 2].map(|_| breaker.report(admit(&breaker, time.at(1)), SERVER, time.at(1)));
        assert_eq!(made, [None, counts.then_some(Transition::Opened)], "two of three, or two of two");
    });
}

/// Attacks C3.
#[test]
fn a_probe_beside_a_new_configuration_wedges_nothing() {
    explore("a new trial beside a probe", || {
        let (time, breaker) = (Timeline::new(), breaker(1));
        assert_eq!(breaker.report(admit(&breaker, time.at(0)), SERVER, time.at(0)), Some(Transition::Opened));
        let probe = || {
            let probe = breaker.admit(time.at(5)).ok();
            probe.and_then(|probe| breaker.report(probe, Report::Success, time.at(5)))
        };
        let made = at_once(probe, vec![reconfigures(&breaker, |spec| spec.recovery_timeout = Duration::from_secs(9))]);
        assert_eq!(breaker.state() == CircuitState::Closed, made == Some(Transition::Closed));
        let admission = admit(&breaker, time.at(100));
        let _ = breaker.report(admission, Report::Success, time.at(100));
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
}

/// Attacks B1.
#[test]
fn a_lower_limit_beside_withdrawals_holds_from_then_on() {
    explore("a budget of 2 that becomes one of 1, and two callers", || {
        let (time, budget) = (Timeline::new(), Budget::new(2, Duration::from_secs(10)).expect("valid"));
        let takes = |budget: Budget| -> Box<dyn FnOnce()> { Box::new(move || _ = budget.consume_at(time.at(0), 1)) };
        let lowers = |budget: Budget| -> Box<dyn FnOnce()> {
            Box::new(move || budget.reconfigure(BudgetSpec::new(1, Duration::from_secs(10))).expect("valid"))
        };
        let first = at_once(|| budget.consume_at(time.at(0), 1), vec![takes(budget.clone()), lowers(budget.clone())]);
        assert!(first || budget.remaining_at(time.at(0)) == 0);
        assert!(!budget.consume_at(time.at(9), 1), "one is granted by one of the callers");
        assert!(budget.consume_at(time.at(10), 1) && !budget.consume_at(time.at(10), 1));
    });
}
