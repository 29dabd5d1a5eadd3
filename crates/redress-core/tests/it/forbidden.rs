//! Failures that forbid their retry: when they end a call, what they count and spend, and how the
//! reason is reported.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::convert::Infallible;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::classify::result_classifier;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::BackoffContext;
use redress_core::{
    Budget, CallError, Cause, CircuitBreaker, Classification, ErrorClass, EventName, Policy, Retry, StopReason,
    error_classifier, fixed,
};
use redress_testing::{Recorder, VirtualClock};

use crate::lab::secs;

const WHY: &str = "server_pushback";

/// An error of this class that is not to be retried.
#[derive(Clone, Copy, Debug)]
struct Final(ErrorClass);

fn classify(error: &Final) -> Classification {
    Classification::new(error.0).with_retry_after(secs(1)).forbid_retry(WHY)
}

type Builder = PolicyBuilder<
    redress_core::classify::ErrorClassifier<fn(&Final) -> Classification>,
    redress_core::policy::Blocking,
>;

fn builder() -> Builder {
    Policy::builder().classifier(error_classifier(classify as fn(&Final) -> Classification))
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

#[test]
fn the_call_ends_and_says_why() {
    let recorder = Recorder::new();
    let policy = builder().retry(retry()).observer(recorder.clone()).build().expect("valid");
    let outcome = policy.execute(|| Err::<(), _>(Final(ErrorClass::RateLimit)));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::RetryForbidden), 1));
    assert_eq!((outcome.last_class(), outcome.retry_forbidden()), (Some(ErrorClass::RateLimit), Some(WHY)));
    assert_eq!(outcome.next_delay(), None);
    let [event] = &recorder.events()[..] else { panic!("one event: {:?}", recorder.events()) };
    assert_eq!((event.name, event.stop_reason), (EventName::PermanentFail, Some(StopReason::RetryForbidden)));
    let said = event.classification.as_ref().expect("about a failure");
    assert_eq!((said.retry_forbidden(), said.detail("retry_forbidden")), (Some(WHY), Some(WHY)));
    assert_eq!(said.retry_after(), Some(secs(1)), "the rest of it is as it was");
}

#[test]
fn the_failure_counts_and_no_token_is_spent() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let budget = Budget::new(1, secs(60)).expect("valid");
    let policy = builder().retry(retry().budget(budget.clone())).circuit_breaker(&breaker).build().expect("valid");
    let error = policy.call(|| Err::<(), _>(Final(ErrorClass::ServerError))).unwrap_err();
    assert_eq!((error.stop_reason(), error.retry_forbidden()), (StopReason::RetryForbidden, Some(WHY)));
    let mapped = error.map_error(|Final(class)| class);
    assert_eq!((mapped.retry_forbidden(), mapped.into_error()), (Some(WHY), Some(ErrorClass::ServerError)));
    assert_eq!((breaker.state(), budget.remaining()), (CircuitState::Open, 1));
}

#[test]
fn every_limit_that_ends_the_call_anyway_comes_first() {
    let clock = VirtualClock::new();
    let rows = [
        (retry(), ErrorClass::Permanent, StopReason::NonRetryableClass),
        (retry().max_retries_for(ErrorClass::Transient, 0), ErrorClass::Transient, StopReason::MaxAttemptsPerClass),
        (retry().max_unknown_retries(0), ErrorClass::Unknown, StopReason::MaxUnknownAttempts),
        (
            Retry::builder().strategy_for(ErrorClass::RateLimit, fixed(Duration::ZERO)),
            ErrorClass::Transient,
            StopReason::NoStrategy,
        ),
        (retry().max_attempts(1), ErrorClass::Transient, StopReason::MaxAttempts),
        (retry(), ErrorClass::Transient, StopReason::RetryForbidden),
        // It is not asked how long to wait for what does not happen.
        (retry().strategy(fixed(secs(600))), ErrorClass::Transient, StopReason::RetryForbidden),
    ];
    for (retry, class, reason) in rows {
        let policy = builder().clock(clock.clone()).retry(retry).build().expect("valid");
        let outcome = policy.execute(|| {
            clock.advance(secs(5));
            Err::<(), _>(Final(class))
        });
        assert_eq!(outcome.stop_reason(), Some(reason));
        let says_why = reason == StopReason::RetryForbidden;
        assert_eq!(outcome.retry_forbidden(), says_why.then_some(WHY), "{reason}");
    }
    let late = builder().clock(clock.clone()).retry(retry()).deadline(secs(5)).build().expect("valid");
    let outcome = late.execute(|| {
        clock.advance(secs(5));
        Err::<(), _>(Final(ErrorClass::Transient))
    });
    assert_eq!((outcome.stop_reason(), outcome.retry_forbidden()), (Some(StopReason::DeadlineExceeded), None));
}

#[test]
fn an_error_without_an_error_says_why_as_well() {
    let classifier = result_classifier(|_: &u8| Some(Classification::new(ErrorClass::RateLimit).forbid_retry(WHY)));
    let policy = Policy::builder().classifier(classifier).retry(retry()).build().expect("valid");
    let error = policy.call(|| Ok::<_, Infallible>(7)).unwrap_err();
    assert_eq!((error.stop_reason(), error.retry_forbidden()), (StopReason::RetryForbidden, Some(WHY)));
    let open = policy.call(|| Ok::<_, Infallible>(7)).unwrap_err().map_error(|never| match never {});
    assert_eq!(CallError::<()>::retry_forbidden(&open), Some(WHY));
}

#[test]
fn an_abort_stays_an_abort() {
    let aborted = Classification::abort().forbid_retry(WHY);
    assert_eq!((aborted.is_abort(), aborted.retry_forbidden()), (true, None));
    assert_eq!(aborted, Classification::abort());
}

#[test]
fn the_last_reason_given_counts_and_other_details_are_no_reasons() {
    let twice = Classification::new(ErrorClass::Transient).forbid_retry("first").forbid_retry("second");
    assert_eq!(twice.retry_forbidden(), Some("second"));
    let labelled = Classification::new(ErrorClass::Transient).with_detail("retry_forbidden", "only a label");
    assert_eq!(labelled.retry_forbidden(), None);
    let later = labelled.forbid_retry("said so").with_detail("retry_forbidden", String::from("a label again"));
    assert_eq!(later.retry_forbidden(), Some("said so"));
    let another = later.with_detail("limit", "requests");
    assert_eq!(another.retry_forbidden(), Some("said so"));
}

#[test]
fn what_had_no_effect_is_marked_and_retried_by_its_class_alone() {
    let plain = Classification::new(ErrorClass::Transient);
    assert!(!plain.is_unsent() && !Classification::abort().is_unsent());
    let unsent = plain.clone().with_retry_after(secs(1)).unsent().with_detail("a", "b");
    assert!(unsent.is_unsent() && unsent.retry_after() == Some(secs(1)) && unsent.detail("a") == Some("b"));
    assert_ne!(plain.clone().unsent(), plain);

    for (failure, attempts) in [(plain, 3), (Classification::new(ErrorClass::Permanent), 1)] {
        let classifier = error_classifier(move |_: &Final| failure.clone().unsent());
        let policy = Policy::builder().classifier(classifier).retry(retry()).build().expect("valid");
        assert_eq!(policy.execute(|| Err::<(), _>(Final(ErrorClass::Unknown))).attempts(), attempts);
    }
}

#[test]
fn an_error_that_says_that_time_ran_out_has_the_cause_of_a_timeout() {
    let recorder = Recorder::new();
    let classifier = error_classifier(|error: &Final| Classification::new(error.0).timed_out());
    let policy =
        Policy::builder().classifier(classifier).retry(retry()).observer(recorder.clone()).build().expect("valid");
    let outcome = policy.execute(|| Err::<(), _>(Final(ErrorClass::Transient)));
    assert_eq!((outcome.cause(), outcome.attempts()), (Some(Cause::Timeout), 3));
    assert!(outcome.last_error().is_some(), "the error is kept");
    assert!(recorder.events().iter().all(|event| event.cause == Some(Cause::Timeout)));
    assert!(recorder.events().iter().all(|event| event.error_type.is_some()), "and its type is reported");
}

#[test]
fn a_wait_that_was_ordered_is_the_wait_and_the_backoff_starts_over() {
    let classifier = error_classifier(|order: &Option<Duration>| {
        let failure = Classification::new(ErrorClass::Transient);
        order.map_or(failure.clone(), |wait| failure.with_exact_delay(wait))
    });
    let doubling = |context: &BackoffContext<'_>| context.prev_delay.map_or(secs(2), |delay| 2 * delay);
    let retry = || Retry::builder().strategy(doubling).max_attempts(9);
    let slept = |retry: RetryBuilder| {
        let clock = VirtualClock::new();
        let policy = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).classifier(classifier);
        let policy = policy.retry(retry).no_deadline().build().expect("valid");
        let mut orders = [None, None, Some(secs(0)), None, Some(secs(1)), Some(secs(70)), None].into_iter();
        assert!(policy.call(|| orders.next().map_or(Ok(()), Err)).is_ok());
        clock.slept()
    };
    assert_eq!(slept(retry()), [2, 4, 0, 2, 1, 70, 2].map(secs));
    assert_eq!(slept(retry().max_retry_after(secs(60))), [2, 4, 0, 2, 1, 60, 2].map(secs));
    assert_eq!(slept(retry().ignore_retry_after()), [2, 4, 8, 16, 32, 64, 128].map(secs));
}
