//! Calls with and without retries: the span, its fields and parent, and its events.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{Classification, Classifier, ErrorClass, Policy, Retry, SleepDecision, fixed};
use redress_testing::VirtualClock;
use redress_tracing::{ATTEMPT_TARGET, CALL_TARGET, SPAN_NAME, TracingObserver};
use tracing::{Level, info_span};

use crate::capture::{Capture, Seen};

fn reset() -> Error {
    Error::new(ErrorKind::ConnectionReset, "password=hunter2")
}

/// Three attempts, half a second apart, on a virtual clock.
fn policy(clock: &VirtualClock) -> Policy {
    Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(500))).max_attempts(3))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(TracingObserver::new())
        .build()
        .unwrap()
}

#[test]
fn a_call_that_fails_after_retries() {
    let (capture, _guard) = Capture::install();
    let outer = info_span!("outer").entered();
    let _ = policy(&VirtualClock::new()).operation("load").call(|| Err::<(), _>(reset()));
    drop(outer);

    let call = capture.call();
    assert_eq!((call.what.as_str(), call.target.as_str(), call.level), (SPAN_NAME, CALL_TARGET, Level::INFO));
    assert_eq!(
        call.line(),
        "INFO redress::call attempts=3 cause=exception class=TRANSIENT details=io=ConnectionReset operation=load outcome=failure \
         stop_reason=MAX_ATTEMPTS_GLOBAL"
    );
    assert_eq!(call.field("elapsed_seconds"), Some("1.0"));
    assert!(call.is_closed);
    assert_eq!(capture.ancestors(&call)[0].what, "outer");

    let events = capture.events();
    let lines: Vec<_> = events.iter().map(Seen::line).collect();
    let failed = "cause=exception class=TRANSIENT";
    let detail = "details=io=ConnectionReset";
    let kind = "error_type=std::io::error::Error";
    let ended = |attempt: u8, decision: &str| {
        format!("TRACE redress::attempt attempt={attempt} {failed} decision={decision} {detail} {kind} operation=load")
    };
    let retry = |attempt: u8| {
        format!(
            "INFO redress::attempt attempt={attempt} {failed} {detail} {kind} event=retry operation=load sleep_seconds=0.5"
        )
    };
    let end = format!(
        "WARN redress::call attempt=3 {failed} {detail} {kind} event=max_attempts_exceeded operation=load \
         stop_reason=MAX_ATTEMPTS_GLOBAL"
    );
    let expected = [retry(1), ended(1, "retry"), retry(2), ended(2, "retry"), end, ended(3, "raise")];
    let mut sorted = (lines, expected.to_vec());
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1);
    for event in &events {
        assert_eq!(capture.ancestors(event)[0].what, SPAN_NAME, "{event:?}");
    }
    assert!(!format!("{:?}", capture.all()).contains("hunter2"), "error texts are not recorded");
}

#[test]
fn a_success_says_little_and_a_recovery_more() {
    let (capture, _guard) = Capture::install();
    let policy = policy(&VirtualClock::new());
    policy.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(capture.call().line(), "INFO redress::call attempts=1 outcome=success");
    let events = capture.events();
    assert!(events.iter().all(|event| event.level == Level::TRACE), "{events:?}");
    assert_eq!(events.iter().filter(|event| event.target == CALL_TARGET).count(), 1);

    let mut failures = 1;
    let second_time = || {
        failures -= 1;
        if failures < 0 { Ok(()) } else { Err(reset()) }
    };
    policy.call(second_time).unwrap();
    let recovery = capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap();
    assert_eq!((recovery.level, recovery.field("attempt")), (Level::DEBUG, Some("2")));
    assert_eq!(recovery.field("class"), None);
}

#[test]
fn details_of_the_classification_are_recorded() {
    let (capture, _guard) = Capture::install();
    let clock = VirtualClock::new();
    let classify = |_: &Result<(), Error>| {
        let found = Classification::new(ErrorClass::RateLimit).with_retry_after(Duration::from_millis(1500));
        Some(found.with_detail("vendor_code", "SlowDown").with_detail("zone", "a\nb"))
    };
    let policy = Policy::builder().classifier(classify).observer(TracingObserver::new()).clock(clock).build().unwrap();
    let deferred = policy.operation("put").sleep_handler(|_, _| SleepDecision::Defer).call(|| Ok::<_, Error>(()));
    assert!(deferred.is_err());
    let end = capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap();
    assert_eq!(end.field("details"), Some("vendor_code=SlowDown zone=a\nb"));
    assert_eq!(end.field("retry_after_seconds"), Some("1.5"));
    assert_eq!(end.field("cause"), Some("result"));
    assert_eq!(end.field("error_type"), None);
}

#[test]
fn a_retry_that_is_forbidden_says_why() {
    let (capture, _guard) = Capture::install();
    let classify =
        |_: &Result<(), Error>| Some(Classification::new(ErrorClass::Transient).forbid_retry("streaming_body"));
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)))
        .classifier(classify)
        .observer(TracingObserver::new())
        .build()
        .unwrap();
    assert!(policy.call(|| Ok::<_, Error>(())).is_err());
    let end = capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap();
    assert_eq!(
        end.line(),
        "WARN redress::call attempt=1 cause=result class=TRANSIENT details=retry_forbidden=streaming_body \
         event=permanent_fail stop_reason=RETRY_FORBIDDEN"
    );
}

#[test]
fn what_the_operation_does_is_below_the_call_and_what_comes_between_attempts_is_not() {
    let (capture, _guard) = Capture::install();
    let clock = VirtualClock::new();
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2))
        .observer(TracingObserver::new())
        .before_sleep(|_, _| tracing::info!("between"))
        .clock(clock)
        .build()
        .unwrap();
    let _ = policy.call(|| {
        info_span!("request").in_scope(|| tracing::info!("inside"));
        Err::<(), _>(reset())
    });
    for request in capture.spans("request") {
        assert_eq!(capture.ancestors(&request)[0].what, SPAN_NAME);
    }
    let of = |what| capture.events().into_iter().filter(move |event| event.what == what).collect::<Vec<_>>();
    assert_eq!((of("inside").len(), of("between").len()), (2, 1));
    assert_eq!(capture.ancestors(&of("inside")[0]).len(), 2);
    assert_eq!(of("between")[0].parent, None);
    assert_eq!(of("attempt ended")[0].target, ATTEMPT_TARGET);
}

#[test]
fn calls_within_calls_nest() {
    let (capture, _guard) = Capture::install();
    let policy = policy(&VirtualClock::new());
    let nested = || policy.operation("inner").call(|| Ok::<_, Error>(())).map_err(|_| reset());
    policy.operation("outer").call(nested).unwrap();
    let calls = capture.spans(SPAN_NAME);
    let parents: Vec<_> = calls.iter().map(|call| (call.field("operation").unwrap(), call.parent)).collect();
    assert_eq!(parents, [("outer", None), ("inner", Some(0))]);
}

/// Returns the level and the message of the end of a call.
fn reported<C: Classifier<(), Error>>(policy: &Policy<C>) -> (Level, String) {
    let (capture, _guard) = Capture::install();
    let _ = policy.call(|| Err::<(), _>(reset()));
    let end = capture.events().into_iter().rfind(|event| event.target == CALL_TARGET).unwrap();
    (end.level, end.what)
}

#[test]
fn sentences_and_levels_follow_the_outcome() {
    let builder = || Policy::builder().clock(VirtualClock::new()).observer(TracingObserver::new());
    let unavailable = |_: &Result<(), Error>| Some(Classification::new(ErrorClass::ServerError));
    let forbidden =
        move |result: &Result<(), Error>| unavailable(result).map(|found| found.forbid_retry("not_idempotent"));
    let once = || Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(1);

    // The level for the POST is that of the GET.
    let retry = || Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let (level, post) = reported(&builder().retry(retry()).classifier(forbidden).build().unwrap());
    assert_eq!((level, post.as_str()), (Level::WARN, "the call failed: it must not be tried again"));
    let (level, get) = reported(&builder().retry(retry()).classifier(unavailable).build().unwrap());
    assert_eq!((level, get.as_str()), (Level::WARN, "the call failed: the attempts allowed were used up"));

    // The policy allows only one attempt.
    for policy in [builder().build().unwrap(), builder().retry(once()).build().unwrap()] {
        let (level, end) = reported(&policy);
        assert_eq!((level, end.as_str()), (Level::WARN, "the call failed: only one attempt is allowed"));
    }

    // The deadline has not passed here: the wait would exceed it.
    let wait = Retry::builder().strategy(fixed(Duration::from_secs(60)));
    let policy = builder().retry(wait).deadline(Duration::from_secs(10)).build().unwrap();
    let (level, end) = reported(&policy);
    assert_eq!(
        (level, end.as_str()),
        (Level::WARN, "the call failed: the deadline leaves no time for another attempt")
    );
}
