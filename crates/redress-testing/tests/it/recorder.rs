//! The events and attempts that a recorder keeps.

use redress_core::error::StatusError;
use redress_core::observe::AttemptDecision;
use redress_core::{Cause, Classification, ErrorClass, EventName, Policy, Retry, StopReason};
use redress_testing::{DeterministicStrategy, Recorder, Script, VirtualClock};

use crate::secs;

fn record() -> Recorder {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(DeterministicStrategy::new([secs(3)])).max_attempts(2))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(recorder.clone())
        .build()
        .expect("a valid configuration");
    let busy = || StatusError::new(503).with_retry_after(secs(1));
    let script = Script::<(), _>::new().err(busy()).after(&clock, secs(2)).err(busy());
    let _ = policy.operation("sync_user").call(script.run());
    recorder
}

#[test]
fn it_keeps_every_event_whole() {
    let recorder = record();
    assert_eq!(recorder.event_names(), [EventName::Retry, EventName::MaxAttemptsExceeded]);
    let [retry, end] = &recorder.events()[..] else { panic!("two events") };
    assert_eq!((retry.attempt, retry.delay), (1, secs(3)));
    assert_eq!(retry.operation.as_deref(), Some("sync_user"));
    assert_eq!(retry.classification.as_deref().and_then(Classification::retry_after), Some(secs(1)));
    assert_eq!((retry.stop_reason, retry.state), (None, None));
    assert_eq!((end.attempt, end.delay), (2, secs(0)));
    assert_eq!(end.class, Some(ErrorClass::ServerError));
    assert_eq!(end.cause, Some(Cause::Error));
    assert_eq!(end.stop_reason, Some(StopReason::MaxAttempts));
    assert!(end.error_type.expect("an error failed it").ends_with("StatusError"));
}

#[test]
fn it_keeps_starts_and_ends_of_attempts() {
    let recorder = record();
    let attempts = recorder.attempts();
    let seen: Vec<_> = attempts.iter().map(|it| (it.attempt, it.elapsed.as_secs(), it.decision)).collect();
    assert_eq!(
        seen,
        [(1, 0, None), (1, 0, Some(AttemptDecision::Retry)), (2, 3, None), (2, 5, Some(AttemptDecision::Fail)),]
    );
    assert_eq!(recorder.decisions(), [AttemptDecision::Retry, AttemptDecision::Fail]);
    assert_eq!((attempts[1].delay, attempts[3].delay), (Some(secs(3)), None));
    assert_eq!(attempts[3].stop_reason, Some(StopReason::MaxAttempts));
    assert_eq!(attempts[3].cause, Some(Cause::Error));
    assert_eq!(attempts[0].operation.as_deref(), Some("sync_user"));
    assert_eq!(attempts[0].classification, None);
    assert_eq!(attempts[1].classification.as_deref().map(Classification::class), Some(ErrorClass::ServerError));
    assert!(attempts[1].error_type.expect("an error failed it").ends_with("StatusError"));
}

#[test]
fn it_forgets_when_told_to() {
    let recorder = record();
    recorder.clone().clear();
    assert!(recorder.events().is_empty() && recorder.attempts().is_empty());
}
