//! The hooks around attempts: what they receive, how often, and when.

use std::sync::Mutex;
use std::time::Duration;

use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::policy::RetryBuilder;
use redress_core::{
    Cause, CircuitBreaker, Classification, ErrorClass, EventName, Retry, SleepDecision, StopReason, fixed,
};
use redress_testing::Recorder;

use crate::lab::{
    Answer, Context, Counter, Failed, GOOD, Steps, everywhere, failing, fails, on_every_driver, script, secs, stopped,
    succeeding, wherever_time_is_virtual,
};

const DELAY: Duration = secs(3);

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(DELAY)).max_attempts(3)
}

#[test]
fn every_started_attempt_has_one_end_with_its_decision() {
    use AttemptDecision::{Aborted, Fail, Retry as Again, Scheduled, Success};
    type Change = for<'a> fn(Context<'a>) -> Context<'a>;
    type Make = fn() -> Steps;
    let same: Change = |context| context;
    let transient: Make = || failing(ErrorClass::Transient);
    let abort_after_failure: Change = |context| {
        let asked = Counter::default();
        context.abort_if(move || asked.count() == 2)
    };
    let rows: [(Change, Make, &[AttemptDecision], Option<StopReason>); 10] = [
        (same, succeeding, &[Success], None),
        (same, || script([fails(ErrorClass::Transient), GOOD]), &[Again, Success], None),
        (same, transient, &[Again, Again, Fail], Some(StopReason::MaxAttempts)),
        (same, || failing(ErrorClass::Auth), &[Fail], Some(StopReason::NonRetryableClass)),
        (same, || script([Ok(Answer::Bad(ErrorClass::Auth))]), &[Fail], Some(StopReason::NonRetryableClass)),
        (same, || script([fails(ErrorClass::Transient), Err(Failed::Abort)]), &[Again, Aborted], {
            Some(StopReason::Aborted)
        }),
        (
            |context| context.sleep_handler(|_, _| SleepDecision::Defer),
            transient,
            &[Scheduled],
            Some(StopReason::Scheduled),
        ),
        (
            |context| context.sleep_handler(|_, _| SleepDecision::Abort),
            transient,
            &[Aborted],
            Some(StopReason::Aborted),
        ),
        (|context| context.abort_if(|| true), transient, &[], Some(StopReason::Aborted)),
        (abort_after_failure, transient, &[Aborted], Some(StopReason::Aborted)),
    ];
    for (change, steps, decisions, reason) in rows {
        wherever_time_is_virtual(|lab| {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
            assert_eq!(change(policy.context()).run(&steps()).reason, reason);
            assert_eq!(recorder.decisions(), decisions);
            let numbers: Vec<_> = recorder.attempts().iter().map(|attempt| attempt.attempt).collect();
            let expected: Vec<_> = (1..).take(decisions.len()).flat_map(|number| [number, number]).collect();
            assert_eq!(numbers, expected, "a start and an end of each, in turn");
        });
    }
}

#[test]
fn a_rejected_call_has_no_attempt_hooks() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build();
        policy.run(&failing(ErrorClass::Transient));
        let hook = |_: &AttemptContext<'_>| panic!("no attempt was made");
        let context = policy.context().on_attempt_start(hook).on_attempt_end(hook);
        assert_eq!(context.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
    });
}

#[test]
fn attempt_hooks_see_what_they_are_documented_to_see() {
    wherever_time_is_virtual(|lab| {
        let recorder = Recorder::new();
        let policy = lab.retrying(retry().max_attempts(2));
        let steps = script([]).after(&lab.clock, secs(1)).err(Failed::Hinted(ErrorClass::RateLimit, secs(9)));
        let steps = steps.after(&lab.clock, secs(2)).ok(Answer::Bad(ErrorClass::ServerError));
        policy.operation("sync_user").observer(recorder.clone()).run(&steps);

        let attempts = recorder.attempts();
        let [start_1, end_1, start_2, end_2] = &attempts[..] else { panic!("two attempts: {attempts:?}") };
        for (start, number, elapsed) in [(start_1, 1, secs(0)), (start_2, 2, secs(10))] {
            assert_eq!((start.attempt, start.elapsed), (number, elapsed));
            assert_eq!(start.operation.as_deref(), Some("sync_user"));
            assert_eq!((&start.classification, start.decision, start.stop_reason), (&None, None, None));
            assert_eq!((start.cause, start.delay, start.error_type), (None, None, None));
        }
        assert_eq!((end_1.attempt, end_1.elapsed), (1, secs(1)));
        assert_eq!((end_1.decision, end_1.stop_reason), (Some(AttemptDecision::Retry), None));
        assert_eq!((end_1.cause, end_1.delay), (Some(Cause::Error), Some(secs(9))));
        assert_eq!(end_1.error_type, Some(std::any::type_name::<Failed>()));
        let classification = end_1.classification.as_ref().expect("it failed");
        assert_eq!((classification.class(), classification.retry_after()), (ErrorClass::RateLimit, Some(secs(9))));

        assert_eq!((end_2.attempt, end_2.elapsed), (2, secs(12)));
        assert_eq!(end_2.decision, Some(AttemptDecision::Fail));
        assert_eq!(end_2.stop_reason, Some(StopReason::MaxAttempts));
        assert_eq!((end_2.cause, end_2.delay, end_2.error_type), (Some(Cause::Result), None, None));
        assert_eq!(end_2.classification.as_deref().map(Classification::class), Some(ErrorClass::ServerError));
    });
}

#[test]
fn the_end_of_a_success_has_no_failure_to_show() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.retrying(retry().strategy(fixed(secs(0))));
        policy.context().observer(recorder.clone()).run(&script([fails(ErrorClass::Transient), GOOD]));
        let end = recorder.attempts().pop().expect("it ended");
        assert_eq!((end.attempt, end.decision), (2, Some(AttemptDecision::Success)));
        assert_eq!((end.classification, end.stop_reason), (None, None));
        assert_eq!((end.cause, end.delay, end.error_type), (None, None, None));
    });
}

#[test]
fn a_deferred_attempt_ends_with_the_delay() {
    on_every_driver(|lab| {
        let recorder = Recorder::new();
        let policy = lab.retrying(retry());
        let context = policy.context().observer(recorder.clone()).sleep_handler(|_, _| SleepDecision::Defer);
        let _ = context.execute(&failing(ErrorClass::Transient));
        let end = recorder.attempts().pop().expect("it ended");
        assert_eq!((end.decision, end.delay), (Some(AttemptDecision::Scheduled), Some(DELAY)));
        assert_eq!(end.stop_reason, Some(StopReason::Scheduled));
    });
}

/// The order of all hooks during a retry.
#[test]
fn an_attempt_ends_before_the_wait_and_starts_after_it() {
    wherever_time_is_virtual(|lab| {
        let told = Mutex::new(Vec::new());
        let tell = |what: String| told.lock().expect("whole").push(format!("{} {what}", lab.clock.elapsed().as_secs()));
        let policy = lab.retrying(retry());
        let context = policy
            .context()
            .on_attempt_start(|attempt| tell(format!("start {}", attempt.attempt)))
            .on_attempt_end(|attempt| tell(format!("end {}", attempt.attempt)))
            .on_metric(|event| tell(event.name.to_string()))
            .sleep_handler(|_, _| {
                tell("handler".to_owned());
                SleepDecision::Sleep
            })
            .before_sleep(|_, _| tell("before".to_owned()))
            .sleep_with(|delay| {
                lab.clock.advance(delay);
                tell("waited".to_owned());
            });
        context.run(&script([fails(ErrorClass::Transient), GOOD]));
        let expected = [
            "0 start 1",
            "0 retry",
            "0 handler",
            "0 end 1",
            "0 before",
            "3 waited",
            "3 start 2",
            "3 end 2",
            "3 success",
        ];
        assert_eq!(*told.lock().expect("whole"), expected);
    });
}

#[test]
fn a_policy_without_retry_has_the_same_hooks() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().observer(recorder.clone()).build();
        policy.run(&succeeding());
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(recorder.decisions(), [AttemptDecision::Success, AttemptDecision::Fail]);
        assert_eq!(recorder.event_names(), [EventName::Success, EventName::MaxAttemptsExceeded]);
    });
}
