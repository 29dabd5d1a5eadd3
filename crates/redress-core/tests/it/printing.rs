//! The text forms of types: their `Debug` output.

use std::io;

use redress_core::breaker::BreakerSource;
use redress_core::classify::{ArcClassifier, result_classifier};
use redress_core::driver::InstantTimer;
use redress_core::policy::CallSettings;
use redress_core::{
    AbortHandle, AsyncPolicy, CallContext, CircuitBreaker, ErrorClass, Policy, Retry, RetryTimeline, error_classifier,
    fixed,
};
use redress_testing::VirtualClock;

use crate::lab::{ByClass, GOOD, secs};

#[test]
fn classifiers_print_their_kind() {
    assert_eq!(format!("{:?}", error_classifier(|_: &io::Error| ErrorClass::Transient)), "ErrorClassifier { .. }");
    assert_eq!(format!("{:?}", result_classifier(|_: &u8| None::<ErrorClass>)), "ResultClassifier { .. }");
    assert_eq!(format!("{:?}", ArcClassifier::new(ByClass)), "ArcClassifier { .. }");
}

#[test]
fn what_is_configured_shows_in_the_components() {
    let retry = || Retry::builder().strategy(fixed(secs(1))).max_attempts(4).max_unknown_retries(3);
    let breaker = CircuitBreaker::builder().failure_threshold(7);
    let builder = format!("{:?}", Policy::builder().retry(retry()).deadline(secs(9)).circuit_breaker(breaker.clone()));
    for part in ["PolicyBuilder {", "RetrySpec {", "max_attempts: 4", "failure_threshold: Some(7)"] {
        assert!(builder.contains(part), "{part} in {builder}");
    }
    let clocks = [format!("{breaker:?}"), format!("{:?}", breaker.clone().clock(VirtualClock::new()))];
    assert!(clocks[0].contains("system clock") && clocks[1].contains("custom clock"), "{clocks:?}");
    let built = breaker.build().expect("valid");
    assert_eq!(format!("{:?}", BreakerSource::from(&built)), "BreakerSource(breaker)");
}

#[test]
fn what_makes_calls_says_for_whom() {
    let policy = Policy::builder().classifier(ByClass).build().expect("valid");
    let context = format!("{:?}", policy.operation("sync_user"));
    assert!(context.starts_with("CallContext {") && context.contains("sync_user"), "{context}");
    let settings = CallSettings::from(CallContext::new().operation("sync_user").deadline(secs(2)));
    let printed = format!("{settings:?}");
    assert!(printed.contains("sync_user") && printed.contains("After(2s)"), "{printed}");
    assert_eq!(format!("{:?}", AbortHandle::new()), "AbortHandle { is_aborted: false, .. }");
    let polled = AsyncPolicy::<_, InstantTimer>::builder().build().expect("valid");
    assert_eq!(format!("{:?}", polled.poll_call::<(), io::Error>()), "PollCall { .. }");
}

#[test]
fn a_timeline_prints_its_events() {
    let timeline = RetryTimeline::new();
    assert_eq!(format!("{timeline:?}"), "[]");
    let policy = Policy::builder().classifier(ByClass).build().expect("valid");
    assert!(policy.context().capture_timeline_into(&timeline).call(|| GOOD).is_ok());
    let printed = format!("{timeline:?}");
    assert!(printed.starts_with("[TimelineEvent {") && printed.contains("event: Success"), "{printed}");
}
