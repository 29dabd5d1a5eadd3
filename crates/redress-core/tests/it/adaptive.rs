//! The adaptive strategy: its multiplier, its window, and the results it is notified of.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::strategy::{Adaptive, BackoffContext, Feedback, Fixed, Strategy, adaptive};
use redress_core::{Classification, ErrorClass, Retry, fixed, retry_after_or};
use redress_testing::VirtualClock;

use crate::lab::{
    Failed, GOOD, Lab, TICK, everywhere, failing, fails, ok_after, script, secs, stopped, succeeding,
    wherever_time_is_virtual,
};

const FAILED: Feedback = Feedback::Failure(ErrorClass::Transient);

fn delay(strategy: &impl Strategy, now: Instant) -> Duration {
    let failure = Classification::new(ErrorClass::Transient);
    strategy.delay(&BackoffContext::new(1, &failure, now))
}

fn learn(strategy: &impl Strategy, successes: usize, failures: usize, now: Instant) {
    (0..successes).for_each(|_| strategy.learn(Feedback::Success, now));
    (0..failures).for_each(|_| strategy.learn(FAILED, now));
}

/// The fallback's delay is a hundred seconds, so that the multiplier shows in percent.
fn percent() -> Adaptive<Fixed> {
    adaptive(fixed(secs(100)))
}

#[test]
fn the_multiplier_rises_with_the_rate_of_failures() {
    // Successes and failures, and the multiplier in percent.
    type Make = fn() -> Adaptive<Fixed>;
    type Points = &'static [(usize, usize, u64)];
    let rows: [(Make, Points); 5] = [
        // Up to a tenth is tolerated; from there, linear up to 5 at 1.
        (percent, &[(0, 0, 100), (1, 0, 100), (9, 1, 100), (19, 1, 100), (9, 11, 300), (0, 1, 500), (0, 9, 500)]),
        (|| percent().target_success(0.5), &[(1, 1, 100), (1, 3, 300), (3, 1, 100), (0, 1, 500)]),
        (|| percent().target_success(1.0), &[(1, 0, 100), (3, 1, 200), (1, 1, 300), (0, 1, 500)]),
        (|| percent().target_success(0.5).max_multiplier(3.0), &[(1, 1, 100), (1, 3, 200), (0, 1, 300)]),
        (
            || percent().target_success(0.5).min_multiplier(2.0).max_multiplier(4.0),
            &[(0, 0, 200), (1, 1, 200), (1, 3, 300), (0, 1, 400)],
        ),
    ];
    for (make, points) in rows {
        for (successes, failures, expected) in points {
            let (strategy, now) = (make(), Instant::now());
            learn(&strategy, *successes, *failures, now);
            let delay = delay(&strategy, now).as_secs_f64();
            let expected = *expected as f64;
            assert!((delay - expected).abs() < 1e-6, "{successes} good, {failures} bad: {delay}, not {expected}");
        }
    }
}

#[test]
fn a_multiplier_of_one_leaves_the_delay_exact() {
    let odd = Duration::new(123_456_789_012, 345_678_901);
    assert_eq!(delay(&adaptive(fixed(odd)), Instant::now()), odd);
}

#[test]
fn a_stretched_delay_saturates() {
    let strategy = adaptive(fixed(Duration::MAX));
    let now = Instant::now();
    learn(&strategy, 0, 1, now);
    assert_eq!(delay(&strategy, now), Duration::MAX);
}

#[test]
fn a_result_one_window_old_no_longer_counts() {
    for (window, strategy) in [(secs(60), percent()), (secs(5), percent().window(secs(5)))] {
        let now = Instant::now();
        learn(&strategy, 0, 1, now);
        assert_eq!(delay(&strategy, now + window - TICK), secs(500));
        assert_eq!(delay(&strategy, now + window), secs(100));
    }
}

#[test]
fn results_leave_one_by_one() {
    let strategy = percent().target_success(0.5);
    let now = Instant::now();
    learn(&strategy, 0, 1, now);
    learn(&strategy, 1, 0, now + secs(30));
    assert_eq!(delay(&strategy, now + secs(59)), secs(100), "one of two failed");
    learn(&strategy, 0, 1, now + secs(59));
    assert_eq!(delay(&strategy, now + secs(60)), secs(100), "the first failure has left");
    assert_eq!(delay(&strategy, now + secs(90)), secs(500), "the success has left");
}

#[test]
fn the_last_1024_results_count() {
    let strategy = percent().target_success(0.5);
    let now = Instant::now();
    learn(&strategy, 0, 1024, now);
    assert_eq!(delay(&strategy, now), secs(500));
    learn(&strategy, 512, 0, now);
    assert_eq!(delay(&strategy, now), secs(100), "half of what is kept failed");
    learn(&strategy, 512, 0, now);
    learn(&strategy, 0, 512, now);
    assert_eq!(delay(&strategy, now), secs(100));
    learn(&strategy, 0, 1, now);
    assert!(delay(&strategy, now) > secs(100));
}

#[test]
fn a_failing_policy_waits_longer() {
    wherever_time_is_virtual(|lab| {
        let strategy = adaptive(fixed(secs(1))).target_success(0.5);
        let policy = lab.retrying(Retry::builder().strategy(strategy).max_attempts(3));
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(lab.clock.slept(), [secs(5), secs(5)], "each failure is heard before the delay is computed");
        lab.clock.advance(secs(60));
        // Six successes; then the first failure is one of seven, and the second two of eight.
        (0..6).for_each(|_| assert_eq!(policy.run(&succeeding()), ok_after(1)));
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(lab.clock.slept()[2..], [secs(1), secs(1)], "successes at the first attempt are heard");
    });
}

/// Records its notifications. Its delays are zero.
#[derive(Clone, Default)]
struct Listens(Arc<Mutex<Vec<Feedback>>>);

impl Listens {
    #[track_caller]
    fn check(&self, expected: &[Feedback]) {
        assert_eq!(*self.0.lock().expect("whole"), expected);
        self.0.lock().expect("whole").clear();
    }
}

impl Strategy for Listens {
    fn delay(&self, _: &BackoffContext<'_>) -> Duration {
        Duration::ZERO
    }

    fn learns(&self) -> bool {
        true
    }

    fn learn(&self, feedback: Feedback, _: Instant) {
        self.0.lock().expect("whole").push(feedback);
    }
}

/// redress-py R10, adaptive feedback: a strategy that learns is notified of a success only after a
/// failure in the same call, so that a healthy dependency looks unhealthy.
#[test]
fn a_strategy_that_learns_is_notified_of_every_success_once() {
    everywhere(|lab| {
        let listens = Listens::default();
        let policy = lab.retrying(Retry::builder().strategy(listens.clone()).max_attempts(3));
        policy.run(&succeeding());
        listens.check(&[Feedback::Success]);
        policy.run(&script([fails(ErrorClass::Transient), GOOD]));
        listens.check(&[FAILED, Feedback::Success]);
    });
}

#[test]
fn a_strategy_is_notified_of_failures_of_its_classes() {
    everywhere(|lab| {
        let (default, limits) = (Listens::default(), Listens::default());
        let retry = Retry::builder().strategy(default.clone()).strategy_for(ErrorClass::RateLimit, limits.clone());
        let policy = lab.retrying(retry.max_attempts(3).max_unknown_retries(0));
        policy.run(&script([fails(ErrorClass::Transient), fails(ErrorClass::RateLimit), GOOD]));
        default.check(&[FAILED, Feedback::Success]);
        limits.check(&[Feedback::Failure(ErrorClass::RateLimit), Feedback::Success]);
        // The last failure of a call is reported, unless a gate before the strategy ended the call.
        assert_eq!(policy.run(&failing(ErrorClass::Transient)).attempts, 3);
        default.check(&[FAILED, FAILED, FAILED]);
        policy.run(&failing(ErrorClass::Auth));
        policy.run(&failing(ErrorClass::Unknown));
        policy.run(&script([Err(Failed::Abort)]));
        default.check(&[]);
        limits.check(&[]);
    });
}

#[test]
fn a_nested_strategy_learns_too() {
    let listens = Listens::default();
    let strategies: [Arc<dyn Strategy>; 5] = [
        Arc::new(listens.clone()),
        Arc::new(Arc::new(listens.clone())),
        Arc::new(retry_after_or(listens.clone())),
        Arc::new(adaptive(listens.clone())),
        Arc::new(retry_after_or(adaptive(retry_after_or(Arc::new(listens.clone()))))),
    ];
    everywhere(|lab| {
        for strategy in &strategies {
            let policy = lab.retrying(Retry::builder().strategy(Arc::clone(strategy)));
            policy.run(&succeeding());
            listens.check(&[Feedback::Success]);
            policy.run(&script([fails(ErrorClass::Transient), GOOD]));
            listens.check(&[FAILED, Feedback::Success]);
        }
    });
}

#[test]
fn wrapping_a_strategy_that_does_not_learn_does_not_make_it_learn() {
    assert!(!fixed(secs(1)).learns() && !retry_after_or(fixed(secs(1))).learns());
    assert!(adaptive(fixed(secs(1))).learns() && retry_after_or(percent()).learns());
    assert!(Arc::new(percent()).learns() && !Arc::new(fixed(secs(1))).learns());
}

/// A strategy whose `learns` is `false`.
struct Deaf;

impl Strategy for Deaf {
    fn delay(&self, _: &BackoffContext<'_>) -> Duration {
        Duration::ZERO
    }

    fn learn(&self, feedback: Feedback, _: Instant) {
        panic!("told of {feedback:?}");
    }
}

#[test]
fn a_strategy_that_does_not_learn_is_not_notified() {
    everywhere(|lab| {
        let retry = Retry::builder().strategy(Deaf).strategy_for(ErrorClass::RateLimit, Listens::default());
        lab.retrying(retry).run(&script([fails(ErrorClass::Transient), GOOD]));
    });
}

#[test]
fn two_wrapped_strategies_are_two_learners() {
    everywhere(|lab| {
        let (one, other) = (Listens::default(), Listens::default());
        let retry = Retry::builder()
            .strategy_for(ErrorClass::RateLimit, retry_after_or(one.clone()))
            .strategy_for(ErrorClass::ServerError, retry_after_or(other.clone()));
        lab.retrying(retry).run(&succeeding());
        one.check(&[Feedback::Success]);
        other.check(&[Feedback::Success]);
    });
}

/// A shared object of a built component: the same `Arc` in several places.
#[test]
fn a_shared_strategy_of_a_component_is_notified_of_a_success_once() {
    everywhere(|lab| {
        let listens = Listens::default();
        let shared: Arc<dyn Strategy> = Arc::new(listens.clone());
        let retry = Retry::builder().strategy(Arc::clone(&shared)).strategy_for(ErrorClass::RateLimit, shared);
        check_heard_once(&lab, retry.build().expect("valid").into(), &listens);
    });
}

/// The same through the builder, which takes the `Arc` as a strategy.
#[test]
fn a_shared_strategy_of_a_builder_is_notified_of_a_success_once() {
    everywhere(|lab| {
        let listens = Listens::default();
        let shared = Arc::new(listens.clone());
        let retry = Retry::builder()
            .strategy(Arc::clone(&shared))
            .strategy_for(ErrorClass::RateLimit, Arc::clone(&shared))
            .strategy_for(ErrorClass::ServerError, shared);
        check_heard_once(&lab, retry, &listens);
    });
}

#[track_caller]
fn check_heard_once(lab: &Lab, retry: redress_core::policy::RetryBuilder, listens: &Listens) {
    let policy = lab.retrying(retry.max_attempts(3));
    policy.run(&script([fails(ErrorClass::RateLimit), fails(ErrorClass::Transient), GOOD]));
    listens.check(&[Feedback::Failure(ErrorClass::RateLimit), FAILED, Feedback::Success]);
}

#[test]
fn what_was_learned_is_shared_by_the_calls_of_a_policy_and_by_its_users() {
    let clock = VirtualClock::new();
    let shared = Arc::new(percent());
    learn(&shared, 0, 1, clock.now());
    assert_eq!(delay(&shared, clock.now()), secs(500));
    everywhere(|lab| {
        let shared = Arc::new(adaptive(fixed(Duration::ZERO)));
        let policy = lab.retrying(Retry::builder().strategy(Arc::clone(&shared)).max_attempts(2));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), { stopped(redress_core::StopReason::MaxAttempts, 2) });
        assert!(format!("{shared:?}").contains("failures: 2"), "{shared:?}");
    });
}
