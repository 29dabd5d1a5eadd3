//! Deterministic delays and settings without retries.

use std::time::Instant;

use redress_core::error::StatusError;
use redress_core::strategy::{BackoffContext, Strategy};
use redress_core::{Cause, Classification, ErrorClass, Policy, Retry, StopReason};
use redress_testing::{DeterministicStrategy, Script, VirtualClock, assert_outcome, instant_retries, no_retries};

use crate::{reset, secs};

fn delays(strategy: &impl Strategy, attempts: u32) -> Vec<u64> {
    let failure = Classification::new(ErrorClass::Transient);
    let delay = |attempt| strategy.delay(&BackoffContext::new(attempt, &failure, Instant::now())).as_secs();
    (1..=attempts).map(delay).collect()
}

#[test]
fn the_list_is_indexed_by_attempt_and_repeats_its_last() {
    assert_eq!(delays(&DeterministicStrategy::new([secs(3), secs(1)]), 4), [3, 1, 1, 1]);
}

#[test]
fn another_delay_may_follow_the_list() {
    assert_eq!(delays(&DeterministicStrategy::new([secs(3), secs(1)]).otherwise(secs(9)), 4), [3, 1, 9, 9]);
}

#[test]
fn an_empty_list_waits_not_at_all() {
    assert_eq!(delays(&DeterministicStrategy::new([]), 2), [0, 0]);
    assert_eq!(delays(&DeterministicStrategy::new([]).otherwise(secs(2)), 2), [2, 2]);
}

#[test]
fn two_calls_get_the_same_delays() {
    let strategy = DeterministicStrategy::new([secs(3), secs(1)]);
    assert_eq!(delays(&strategy, 2), delays(&strategy, 2));
}

#[test]
fn it_records_the_requests_of_the_engine() {
    let clock = VirtualClock::new();
    let strategy = DeterministicStrategy::new([secs(3), secs(1)]);
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(strategy.clone()).max_attempts(3))
        .deadline(secs(60))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .build()
        .expect("a valid configuration");
    let began = clock.now();
    let script = Script::<(), _>::new().forever(|| Err(StatusError::new(429).with_retry_after(secs(7))));
    let _ = policy.call(script.run());

    let [first, second] = &strategy.calls()[..] else {
        panic!("two requests expected, not {}", strategy.calls().len())
    };
    assert_eq!((first.attempt, first.prev_delay, first.remaining), (1, None, Some(secs(60))));
    assert_eq!((second.attempt, second.prev_delay, second.remaining), (2, Some(secs(3)), Some(secs(53))));
    assert_eq!((second.class(), second.cause), (ErrorClass::RateLimit, Cause::Error));
    assert_eq!(second.classification.retry_after(), Some(secs(7)));
    assert_eq!(second.now - began, secs(7));

    strategy.reset();
    assert!(strategy.calls().is_empty());
    // The hint is longer than the computed delay.
    assert_eq!(clock.slept(), [secs(7); 2]);
}

#[test]
fn instant_retries_wait_for_nothing() {
    assert_eq!(delays(&instant_retries(), 3), [0, 0, 0]);
}

#[test]
fn no_retries_is_one_attempt() {
    assert_eq!(no_retries().max_attempts, 1);
    let policy = Policy::builder().retry(no_retries()).build().expect("a valid configuration");
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());

    let outcome = policy.execute(|| Err::<(), _>(reset()));
    assert_outcome(&outcome).stopped_for(StopReason::MaxAttempts).after_attempts(1);
    let outcome = policy.execute(|| Err::<(), _>(StatusError::new(600)));
    assert_outcome(&outcome).stopped_for(StopReason::MaxUnknownAttempts).after_attempts(1);
    let outcome = policy.execute(|| Err::<(), _>(StatusError::new(401)));
    assert_outcome(&outcome).stopped_for(StopReason::NonRetryableClass).after_attempts(1);
}
