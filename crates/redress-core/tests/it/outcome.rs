//! The outcome that `execute` returns: every accessor, for every kind of end.

use std::future::pending;

use redress_core::driver::NoTimer;
use redress_core::error::Failure;
use redress_core::policy::RetryBuilder;
use redress_core::{
    AsyncPolicy, CallContext, CallError, Cause, Classification, ErrorClass, Policy, Retry, RetryOutcome, StopReason,
    error_classifier, fixed,
};
use redress_testing::VirtualClock;

use crate::lab::{Answer, ByClass, Failed, GOOD, Subject, failing, fails, on_every_driver, script, secs, succeeding};

type Outcome = RetryOutcome<Answer, Failed>;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(2))).max_attempts(3)
}

/// The results of all accessors.
#[derive(Debug, PartialEq)]
struct Says {
    value: Option<Answer>,
    stop_reason: Option<StopReason>,
    attempts: u32,
    elapsed: u64,
    last_class: Option<ErrorClass>,
    cause: Option<Cause>,
    last_failure: Option<Failure<Answer, Failed>>,
}

/// Looks at the outcomes of two equal calls, by reference and by value.
#[track_caller]
fn check(expected: &Says, execute: impl Fn() -> Outcome) {
    let outcome = execute();
    let says = Says {
        value: outcome.value().copied(),
        stop_reason: outcome.stop_reason(),
        attempts: outcome.attempts(),
        elapsed: outcome.elapsed().as_secs(),
        last_class: outcome.last_class(),
        cause: outcome.cause(),
        last_failure: outcome.last_failure().cloned(),
    };
    assert_eq!(says, *expected);
    assert_eq!(outcome.is_ok(), expected.stop_reason.is_none());
    assert_eq!(outcome.last_error(), expected.last_failure.as_ref().and_then(Failure::error));
    assert_eq!(outcome.last_result(), expected.last_failure.as_ref().and_then(Failure::result));
    assert_eq!((outcome.next_delay(), outcome.rejection().is_some(), outcome.abort_error()), (None, false, None));

    assert_eq!(outcome.last_value().copied(), execute().into_last_value().ok());
    let class = outcome.last_classification().map(Classification::class);
    assert_eq!(class, outcome.last_class().filter(|_| !outcome.is_ok()));

    assert_eq!(execute().into_value(), expected.value);
    assert_eq!(execute().into_last_failure(), expected.last_failure);
    match execute().into_result() {
        Ok(value) => assert_eq!(Some(value), expected.value),
        Err(error) => {
            assert_eq!(Some(error.stop_reason()), expected.stop_reason);
            assert_eq!((error.attempts(), error.last_class()), (expected.attempts, expected.last_class));
        }
    }
}

/// backon 242, ihrwein/backoff 63, reqwest-middleware 159: the caller cannot see whether a success
/// took retries, or why a call stopped.
#[test]
fn an_outcome_tells_everything() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        let success = Says {
            value: Some(Answer::Good),
            stop_reason: None,
            attempts: 1,
            elapsed: 0,
            last_class: None,
            cause: None,
            last_failure: None,
        };
        let execute = |policy: &Subject, make: &dyn Fn() -> crate::lab::Steps| policy.execute(&make());
        check(&success, || execute(&policy, &succeeding));
        // Of a success after retries nothing is left of the failures.
        let late = Says { attempts: 3, elapsed: 4, ..success };
        let two_failures = || script([fails(ErrorClass::Transient), Ok(Answer::Bad(ErrorClass::RateLimit)), GOOD]);
        check(&late, || execute(&policy, &two_failures));

        let by_error = Says {
            value: None,
            stop_reason: Some(StopReason::MaxAttempts),
            attempts: 3,
            elapsed: 4,
            last_class: Some(ErrorClass::Transient),
            cause: Some(Cause::Error),
            last_failure: Some(Failure::Error(Failed::Of(ErrorClass::Transient))),
        };
        check(&by_error, || execute(&policy, &|| failing(ErrorClass::Transient)));

        let by_value = Says {
            stop_reason: Some(StopReason::NonRetryableClass),
            attempts: 2,
            elapsed: 2,
            last_class: Some(ErrorClass::Auth),
            cause: Some(Cause::Result),
            last_failure: Some(Failure::Result(Answer::Bad(ErrorClass::Auth))),
            ..by_error
        };
        let value_last = || script([fails(ErrorClass::Transient), Ok(Answer::Bad(ErrorClass::Auth))]);
        check(&by_value, || execute(&policy, &value_last));
    });
}

#[test]
fn a_timeout_is_a_failure_without_error_or_value() {
    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    let policy = builder.retry(retry().max_attempts(1)).attempt_timeout(secs(5)).build().expect("valid");
    let expected = Says {
        value: None,
        stop_reason: Some(StopReason::MaxAttempts),
        attempts: 1,
        elapsed: 5,
        last_class: Some(ErrorClass::Transient),
        cause: Some(Cause::Timeout),
        last_failure: Some(Failure::Timeout),
    };
    let execute = || clock.block_on(policy.execute(pending::<Result<Answer, Failed>>));
    check(&expected, execute);
    let Err(CallError::Exhausted(exhausted)) = execute().into_result() else {
        panic!("there is no error to hand back")
    };
    assert_eq!(exhausted.cause, Some(Cause::Timeout));
}

#[test]
fn what_the_classifier_made_of_the_last_failure_is_there() {
    let busy = |failed: &Failed| match failed {
        Failed::Abort => Classification::abort(),
        Failed::Of(class) | Failed::Hinted(class, _) => {
            Classification::new(*class).with_retry_after(secs(7)).with_detail("status", "503")
        }
    };
    let policy = Policy::builder().classifier(error_classifier(busy)).build().expect("a valid policy");
    let outcome = policy.execute(|| Err::<(), _>(Failed::Of(ErrorClass::ServerError)));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!((failure.retry_after(), failure.detail("status")), (Some(secs(7)), Some("503")));

    // An error that aborts is no failure.
    let aborted = policy.execute(|| Err::<(), _>(Failed::Abort));
    assert!(aborted.last_classification().is_none() && aborted.last_value().is_none());
    let stub: Outcome = RetryOutcome::from_failure(StopReason::MaxAttempts, 3, ErrorClass::RateLimit, Failure::Timeout);
    assert_eq!(stub.last_classification().map(Classification::class), Some(ErrorClass::RateLimit));
}

#[test]
fn settings_within_others_hold_beside_them() {
    use redress_core::AbortHandle;
    use redress_testing::Recorder;

    let clock = VirtualClock::new();
    let policy = Policy::builder().clock(clock.clone()).retry(retry()).no_deadline().sleep_with(clock.sleeper());
    let policy = policy.classifier(ByClass).build().expect("a valid policy");
    let (outer_heard, inner_heard, shutdown) = (Recorder::new(), Recorder::new(), AbortHandle::new());
    let outer =
        CallContext::new().operation("outer").deadline(secs(3)).abort_on(&shutdown).observer(outer_heard.clone());
    let within = |inner: CallContext<'_, Policy<ByClass>>| {
        let limited = inner.within(outer.settings());
        limited.execute(|| Err::<Answer, _>(Failed::Of(ErrorClass::Transient)))
    };

    let longer = within(policy.context().deadline(secs(100)).observer(inner_heard.clone()));
    assert_eq!((longer.stop_reason(), longer.attempts()), (Some(StopReason::DeadlineExceeded), 2));
    assert_eq!(longer.summary().operation(), Some("outer"));
    assert_eq!(outer_heard.event_names(), inner_heard.event_names());

    let named = within(policy.operation("inner").deadline(secs(1)));
    assert_eq!((named.attempts(), named.summary().operation()), (1, Some("inner")));

    shutdown.abort();
    assert_eq!(within(policy.context().abort_on(&AbortHandle::new())).attempts(), 0);
}

#[test]
fn elapsed_is_the_time_of_this_call() {
    on_every_driver(|lab| {
        let policy = lab.policy().retry(retry()).no_deadline().build();
        for _ in 0..2 {
            lab.clock.advance(secs(100));
            let slow = script([]).after(&lab.clock, secs(3)).err(Failed::Of(ErrorClass::Transient));
            let outcome = policy.execute(&slow.after(&lab.clock, secs(1)).ok(Answer::Good));
            assert_eq!(outcome.elapsed(), secs(3 + 2 + 1));
        }
    });
}

#[test]
fn an_outcome_can_be_made_for_a_stub() {
    let made: RetryOutcome<u32, Failed> = RetryOutcome::from_value(7);
    assert_eq!((made.is_ok(), made.value(), made.attempts()), (true, Some(&7), 1));
    let failure = Failure::Error(Failed::Abort);
    let made: RetryOutcome<u32, Failed> =
        RetryOutcome::from_failure(StopReason::BudgetExhausted, 3, ErrorClass::RateLimit, failure);
    assert_eq!((made.is_ok(), made.stop_reason()), (false, Some(StopReason::BudgetExhausted)));
    assert_eq!((made.attempts(), made.last_class()), (3, Some(ErrorClass::RateLimit)));
    assert_eq!((made.cause(), made.last_error()), (Some(Cause::Error), Some(&Failed::Abort)));
    let error = made.into_result().expect_err("a failure");
    assert_eq!((error.stop_reason(), error.into_error()), (StopReason::BudgetExhausted, Some(Failed::Abort)));
}

#[test]
fn a_failure_is_one_of_three() {
    type Row = (Failure<u32, &'static str>, Cause, &'static str, Option<&'static str>, Option<u32>);
    let rows: [Row; 3] = [
        (Failure::Error("bad"), Cause::Error, "exception", Some("bad"), None),
        (Failure::Result(7), Cause::Result, "result", None, Some(7)),
        (Failure::Timeout, Cause::Timeout, "timeout", None, None),
    ];
    for (failure, cause, name, error, result) in rows {
        assert_eq!(failure.cause(), cause);
        assert_eq!((cause.as_str(), cause.to_string().as_str()), (name, name));
        assert_eq!((failure.error().copied(), failure.result().copied()), (error, result));
        assert_eq!((failure.clone().into_error(), failure.clone().into_result()), (error, result));
        assert_eq!(failure.map_error(str::len).into_error(), error.map(str::len));
    }
}
