//! Presets: complete, free of warnings, the same on both drivers, and true to what their tables
//! say: the longest calls fit the deadline, the breaker opens by a share, the budget binds.

use std::future::pending;
use std::time::Duration;

use redress_core::ErrorClass::{Concurrency, RateLimit, Transient};
use redress_core::breaker::{BreakerSpec, CircuitState};
use redress_core::budget::BudgetSpec;
use redress_core::driver::NoTimer;
use redress_core::policy::{PolicyBreaker, PolicySpec, Preset, RetrySpec};
use redress_core::strategy::StrategySpec;
use redress_core::{AsyncPolicy, Budget, ErrorClass, Policy, RetryOutcome, StopReason};
use redress_testing::VirtualClock;

use crate::lab::{Answer, Attempted, ByClass, Failed, GOOD, TICK, fails, millis, secs};

fn retry_of(preset: Preset) -> RetrySpec {
    preset.spec().retry.expect("it retries")
}

fn breaker_of(preset: Preset) -> BreakerSpec {
    match preset.spec().breaker {
        Some(PolicyBreaker::Circuit(breaker)) => breaker,
        other => panic!("{preset}: {other:?}"),
    }
}

fn attempt_timeout_of(preset: Preset) -> Duration {
    preset.spec().attempt_timeout.expect("it has one")
}

fn capacity_of(preset: Preset) -> (f64, f64) {
    match retry_of(preset).budget {
        Some(BudgetSpec::Earned(budget)) => (budget.share, budget.capacity),
        other => panic!("{preset}: {other:?}"),
    }
}

/// A policy of these settings on this clock, which its waits advance.
fn policy(spec: PolicySpec, clock: &VirtualClock) -> Policy<ByClass> {
    let policy = Policy::from_spec(spec).classifier(ByClass).clock(clock.clone());
    policy.sleep_with(clock.sleeper()).build().expect("valid")
}

fn without_breaker(preset: Preset) -> PolicySpec {
    let mut spec = preset.spec();
    spec.breaker = None;
    spec
}

fn once(preset: Preset) -> PolicySpec {
    let mut spec = preset.spec();
    spec.retry = None;
    spec
}

fn execute(policy: &Policy<ByClass>, attempted: &Attempted) -> RetryOutcome<Answer, Failed> {
    policy.execute(|| attempted.clone())
}

/// Calls so often, for what the calls leave behind.
fn repeat(policy: &Policy<ByClass>, times: u32, attempted: &Attempted) {
    for _ in 0..times {
        drop(execute(policy, attempted));
    }
}

#[test]
fn a_preset_is_its_spec_on_both_drivers_and_warns_of_nothing() {
    for preset in Preset::ALL.iter().copied() {
        let blocking = Policy::from_spec(preset.spec()).build().expect("valid");
        let polled = AsyncPolicy::<_, NoTimer>::from_spec(preset.spec()).build().expect("valid");
        assert_eq!((blocking.spec(), polled.spec()), (preset.spec(), preset.spec()), "{preset}");
        assert_eq!((blocking.warnings(), polled.warnings()), (&[][..], &[][..]), "{preset}");
        let parts = Policy::builder().retry(preset.retry()).circuit_breaker(preset.breaker()).build().expect("valid");
        assert_eq!(parts.spec().retry, preset.spec().retry, "{preset}");
        assert_eq!(parts.spec().breaker, preset.spec().breaker, "{preset}");
        assert_eq!(Preset::from_name(preset.as_str()), Some(preset));
    }
    assert_eq!(Preset::from_name("HTTP"), None);
}

#[test]
fn each_function_builds_its_preset() {
    type Polled = AsyncPolicy<redress_core::classify::DefaultClassifier, NoTimer>;
    let rows = [
        (Policy::http(), Polled::http(), Preset::Http),
        (Policy::grpc(), Polled::grpc(), Preset::Grpc),
        (Policy::database(), Polled::database(), Preset::Database),
        (Policy::queue(), Polled::queue(), Preset::Queue),
        (Policy::llm(), Polled::llm(), Preset::Llm),
        (Policy::interactive(), Polled::interactive(), Preset::Interactive),
        (Policy::batch(), Polled::batch(), Preset::Batch),
    ];
    assert_eq!(rows.iter().map(|(_, _, preset)| *preset).collect::<Vec<_>>(), Preset::ALL);
    for (blocking, polled, preset) in rows {
        assert_eq!(blocking.build().expect("valid").spec(), preset.spec(), "{preset}");
        assert_eq!(polled.build().expect("valid").spec(), preset.spec(), "{preset}");
    }
}

#[test]
fn what_is_set_afterwards_wins() {
    let few = Budget::earned(0.1).capacity(0.5).build().expect("valid");
    let built = Policy::http()
        .name("orders")
        .deadline(secs(7))
        .attempt_timeout(secs(2))
        .retry(Preset::Http.retry().max_attempts(2).budget(few.clone()))
        .circuit_breaker(Preset::Http.breaker().name("orders-http").min_calls(50))
        .build()
        .expect("valid");
    let mut expected = Preset::Http.spec();
    expected.name = Some("orders".into());
    (expected.deadline, expected.attempt_timeout) = (Some(secs(7)), Some(secs(2)));
    let mut retry = retry_of(Preset::Http);
    (retry.max_attempts, retry.budget) = (2, Some(few.spec()));
    let mut breaker = breaker_of(Preset::Http);
    (breaker.name, breaker.min_calls) = (Some("orders-http".into()), 50);
    (expected.retry, expected.breaker) = (Some(retry), Some(PolicyBreaker::Circuit(breaker)));
    assert_eq!(built.spec(), expected);
    assert_eq!(built.warnings(), []);

    let unlimited = Policy::database().no_attempt_timeout().no_deadline().build().expect("valid").spec();
    assert_eq!((unlimited.attempt_timeout, unlimited.deadline), (None, None));
    assert_eq!(unlimited.retry, Preset::Database.spec().retry);
}

#[test]
fn each_call_of_a_function_makes_a_new_budget_and_breaker() {
    let [one, other] = [Policy::http(), Policy::http()]
        .map(|policy| policy.classifier(ByClass).sleep_with(|_| {}).build().expect("valid"));
    repeat(&one, 30, &fails(Transient));
    assert_eq!(one.circuit_state(), Some(CircuitState::Open));
    assert_eq!(one.budget().expect("it has one").remaining(), 0);
    assert_eq!(other.circuit_state(), Some(CircuitState::Closed));
    assert_eq!(other.budget().expect("it has one").remaining(), 2);
}

/// The longest wait after the `k`-th failure, counted from 1.
fn longest_wait(strategy: &StrategySpec, k: u32) -> Duration {
    match strategy {
        StrategySpec::DecorrelatedJitter { base, max, .. } => (*base * 3_u32.pow(k)).min(*max),
        StrategySpec::Exponential { base, max, factor: 2.0, .. } => (*base * 2_u32.pow(k - 1)).min(*max),
        other => panic!("{other}"),
    }
}

/// How many attempts a call makes that all hang: a timeout is `Transient`.
fn attempts_that_hang(retry: &RetrySpec) -> u32 {
    retry.max_retries_for[Transient].map_or(retry.max_attempts, |retries| retries + 1)
}

#[test]
fn all_attempts_that_hang_and_their_longest_waits_fit_the_deadline() {
    for preset in Preset::ALL.iter().copied() {
        let retry = retry_of(preset);
        let strategy = retry.strategy.as_ref().expect("it has one");
        let attempts = attempts_that_hang(&retry);
        let waits: Duration = (1..attempts).map(|k| longest_wait(strategy, k)).sum();
        let longest = attempt_timeout_of(preset) * attempts + waits;
        let deadline = preset.spec().deadline.expect("it has one");
        assert!(longest <= deadline && longest * 10 >= deadline * 8, "{preset}: {longest:?} of {deadline:?}");
        for _ in 0..50 {
            let clock = VirtualClock::new();
            let policy = AsyncPolicy::<_, NoTimer>::from_spec(preset.spec()).timer(clock.timer());
            let policy = policy.classifier(ByClass).build().expect("valid");
            let hung = clock.block_on(policy.execute(pending::<Attempted>));
            assert_eq!(hung.attempts(), attempts, "{preset}");
            assert!(hung.elapsed() <= longest, "{preset}: {:?}", hung.elapsed());
            assert_ne!(hung.stop_reason(), Some(StopReason::DeadlineExceeded), "{preset}");
        }
    }
}

#[test]
fn a_full_budget_holds_the_retries_of_one_call() {
    for preset in Preset::ALL.iter().copied() {
        let (_, capacity) = capacity_of(preset);
        assert!(capacity >= f64::from(retry_of(preset).max_attempts - 1), "{preset}: {capacity}");
    }
}

/// A success that took longer than the window would not count, and a probe that takes longer than
/// its lease would be superseded.
#[test]
fn the_window_and_the_lease_are_longer_than_an_attempt() {
    for preset in Preset::ALL.iter().copied() {
        let (breaker, attempt) = (breaker_of(preset), attempt_timeout_of(preset));
        assert!(breaker.window() > attempt, "{preset}");
        assert!(breaker.lease().expect("it has one") > attempt, "{preset}");
    }
}

#[test]
fn a_breaker_opens_at_half_of_twenty_calls_and_not_at_five_of_a_thousand() {
    for preset in Preset::ALL.iter().copied() {
        let clock = VirtualClock::new();
        let (busy, bad) = (policy(once(preset), &clock), fails(Transient));
        for call in 0..1000 {
            repeat(&busy, 1, if call % 200 == 0 { &bad } else { &GOOD });
            clock.advance(millis(20));
        }
        assert_eq!(busy.circuit_state(), Some(CircuitState::Closed), "{preset}: five of a thousand");

        let dead = policy(once(preset), &clock);
        repeat(&dead, 10, &GOOD);
        repeat(&dead, 9, &fails(Transient));
        assert_eq!(dead.circuit_state(), Some(CircuitState::Closed), "{preset}: nine of nineteen");
        repeat(&dead, 1, &fails(Transient));
        assert_eq!(dead.circuit_state(), Some(CircuitState::Open), "{preset}: ten of twenty");
    }
}

#[test]
fn three_probes_close_the_circuit_and_each_opening_lasts_longer() {
    for preset in Preset::ALL.iter().copied() {
        let (clock, wait) = (VirtualClock::new(), breaker_of(preset).recovery_timeout);
        let policy = policy(once(preset), &clock);
        repeat(&policy, 20, &fails(Transient));
        clock.advance(wait * 4 / 5 - TICK);
        assert_eq!(execute(&policy, &GOOD).stop_reason(), Some(StopReason::CircuitOpen), "{preset}: jitter 0.2");
        clock.advance(wait * 2 / 5 + TICK);
        repeat(&policy, 1, &GOOD);
        repeat(&policy, 1, &fails(Transient));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open), "{preset}: one failed");

        clock.advance(wait * 8 / 5 - TICK);
        assert_eq!(execute(&policy, &GOOD).stop_reason(), Some(StopReason::CircuitOpen), "{preset}: twice as long");
        clock.advance(wait * 4 / 5 + TICK);
        for _ in 0..2 {
            repeat(&policy, 1, &GOOD);
            assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen), "{preset}");
        }
        repeat(&policy, 1, &GOOD);
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed), "{preset}");
    }
}

#[test]
fn an_opening_lasts_at_most_five_minutes_however_long_the_hint() {
    for preset in Preset::ALL.iter().copied() {
        let clock = VirtualClock::new();
        let policy = policy(once(preset), &clock);
        repeat(&policy, 20, &Err(Failed::Hinted(ErrorClass::ServerError, secs(3600))));
        let rejected = execute(&policy, &GOOD);
        assert_eq!(rejected.retry_in(), Some(secs(300)), "{preset}");
    }
}

#[test]
fn the_retries_of_an_outage_are_the_capacity_and_successes_earn_the_next() {
    for preset in Preset::ALL.iter().copied() {
        let clock = VirtualClock::new();
        let policy = policy(without_breaker(preset), &clock);
        let (share, capacity) = capacity_of(preset);
        let attempts: u32 = (0..1000).map(|_| execute(&policy, &fails(Transient)).attempts()).sum();
        assert_eq!(f64::from(attempts), 1000.0 + capacity, "{preset}");
        repeat(&policy, (1.0 / share) as u32, &GOOD);
        let earned = execute(&policy, &fails(Transient));
        assert_eq!((earned.attempts(), earned.stop_reason()), (2, last_stop(preset)), "{preset}");
    }
}

/// The settings that the tables of the documentation give.
#[test]
fn the_presets_read_so() {
    let text: Vec<_> = Preset::ALL.iter().map(|preset| format!("{preset}: {}\n", preset.spec())).collect();
    let text = text.join("\n");
    assert!(text == include_str!("presets.txt"), "replace presets.txt, and the tables, if this is meant:\n{text}");
}

/// How a call ends that has a single token.
fn last_stop(preset: Preset) -> Option<StopReason> {
    Some(if preset == Preset::Interactive { StopReason::MaxAttempts } else { StopReason::BudgetExhausted })
}

#[test]
fn a_database_repeats_conflicts_often_and_soon_and_other_failures_twice() {
    let clock = VirtualClock::new();
    let database = policy(Preset::Database.spec(), &clock);
    let conflict = execute(&database, &fails(Concurrency));
    assert_eq!((conflict.attempts(), conflict.stop_reason()), (6, Some(StopReason::MaxAttempts)));
    assert!(clock.slept().iter().all(|wait| (millis(10)..=millis(250)).contains(wait)), "{:?}", clock.slept());
    for class in [Transient, ErrorClass::ServerError, RateLimit] {
        let database = policy(Preset::Database.spec(), &VirtualClock::new());
        let failed = execute(&database, &fails(class));
        assert_eq!((failed.attempts(), failed.stop_reason()), (3, Some(StopReason::MaxAttemptsPerClass)), "{class}");
    }
}

/// A hint is waited for where it fits the deadline; else the call ends at once and passes it on.
#[test]
fn a_hint_decides_the_wait_or_ends_the_call() {
    for preset in Preset::ALL.iter().copied() {
        let clock = VirtualClock::new();
        let policy = policy(without_breaker(preset), &clock);
        let ended = execute(&policy, &Err(Failed::Hinted(RateLimit, secs(12))));
        if preset.spec().deadline > Some(secs(12)) {
            let wait = clock.slept()[0];
            assert!((secs(12)..secs(13)).contains(&wait), "{preset}: {wait:?}");
        } else {
            assert_eq!((ended.attempts(), ended.stop_reason()), (1, Some(StopReason::DeadlineExceeded)), "{preset}");
            assert_eq!((ended.retry_in(), clock.slept()), (Some(secs(12)), vec![]), "{preset}");
        }
    }
}
