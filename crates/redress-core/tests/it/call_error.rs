//! The error of a call: its contents, its text, and its conversions.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::iter::successors;
use std::num::ParseIntError;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::classify::boxed_classifier;
use redress_core::driver::NoTimer;
use redress_core::error::{BoxError, CircuitOpenError};
use redress_core::policy::RetryBuilder;
use redress_core::{
    AsyncPolicy, CallError, Cause, CircuitBreaker, Classification, ErrorClass, Policy, Retry, SleepDecision,
    StopReason, error_classifier, fixed,
};
use redress_testing::VirtualClock;

use crate::lab::{Answer, Context, Failed, Lab, Steps, failing, fails, on_every_driver, script, secs, succeeding};

type Called = CallError<Failed>;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)
}

fn last() -> Failed {
    Failed::Of(ErrorClass::Transient)
}

type MakeSteps = fn() -> Steps;
type Change = for<'a> fn(Context<'a>) -> Context<'a>;
const SAME: Change = |context| context;

fn value_fails() -> Steps {
    Steps::new().forever(|| Ok(Answer::Bad(ErrorClass::Transient)))
}

fn aborts() -> Steps {
    script([fails(ErrorClass::Transient), Err(Failed::Abort)])
}

/// Returns one new error of each kind.
struct Kind {
    make: fn(&Lab) -> Called,
    text: &'static str,
    reason: StopReason,
    attempts: u32,
    class: Option<ErrorClass>,
    retry_in: Option<Duration>,
    error: Option<Failed>,
    cause: Option<Cause>,
}

fn make(lab: &Lab, retry: RetryBuilder, change: Change, steps: &Steps) -> Called {
    change(lab.retrying(retry).context()).call(steps).expect_err("it fails")
}

fn kinds() -> [Kind; 8] {
    let transient = Some(ErrorClass::Transient);
    let failed = Kind {
        make: |lab| make(lab, retry(), SAME, &failing(ErrorClass::Transient)),
        text: "the call failed (transient): the attempts allowed were used up",
        reason: StopReason::MaxAttempts,
        attempts: 2,
        class: transient,
        retry_in: None,
        error: Some(last()),
        cause: Some(Cause::Error),
    };
    [
        Kind {
            make: |lab| make(lab, retry(), SAME, &failing(ErrorClass::Auth)),
            text: "the call failed (not authenticated): failures of this class are not retried",
            reason: StopReason::NonRetryableClass,
            attempts: 1,
            class: Some(ErrorClass::Auth),
            error: Some(Failed::Of(ErrorClass::Auth)),
            ..failed
        },
        Kind { error: Some(last()), ..failed },
        Kind {
            make: |lab| make(lab, retry(), SAME, &value_fails()),
            text: "the call returned a value that counts as a failure (transient): the attempts allowed were used up",
            error: None,
            cause: Some(Cause::Result),
            ..failed
        },
        Kind {
            make: |lab| {
                let defer: Change = |context| context.sleep_handler(|_, _| SleepDecision::Defer);
                make(lab, retry().strategy(fixed(secs(5))), defer, &failing(ErrorClass::Transient))
            },
            text: "the call failed (transient): the retry was deferred",
            reason: StopReason::Scheduled,
            attempts: 1,
            retry_in: Some(secs(5)),
            error: Some(last()),
            ..failed
        },
        Kind {
            make: |lab| make(lab, retry(), |context| context.abort_if(|| true), &succeeding()),
            text: "the call was aborted",
            reason: StopReason::Aborted,
            attempts: 0,
            class: None,
            error: None,
            cause: None,
            ..failed
        },
        Kind {
            make: |lab| make(lab, retry(), SAME, &aborts()),
            text: "the call failed (transient): the call was aborted",
            reason: StopReason::Aborted,
            error: Some(Failed::Abort),
            ..failed
        },
        Kind {
            make: |lab| {
                make(lab, retry(), |context| context.sleep_handler(|_, _| SleepDecision::Abort), &value_fails())
            },
            text: "the call returned a value that counts as a failure (transient): the call was aborted",
            reason: StopReason::Aborted,
            attempts: 1,
            error: None,
            cause: Some(Cause::Result),
            ..failed
        },
        Kind {
            make: |lab| {
                let policy = lab.policy().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build();
                policy.run(&failing(ErrorClass::Transient));
                lab.clock.advance(secs(10));
                policy.call(&succeeding()).expect_err("rejected")
            },
            text: "circuit breaker is open",
            reason: StopReason::CircuitOpen,
            attempts: 0,
            class: None,
            retry_in: Some(secs(20)),
            error: None,
            cause: None,
        },
    ]
}

/// tower 794 and tenacity 24: the error comes back in a wrapper, or without its type.
#[test]
fn every_kind_tells_what_it_knows() {
    for kind in kinds() {
        on_every_driver(|lab| {
            let error = (kind.make)(&lab);
            assert_eq!(error.to_string(), kind.text, "it prints its own level and no other");
            assert_eq!((error.stop_reason(), error.attempts()), (kind.reason, kind.attempts), "{error}");
            assert_eq!((error.last_class(), error.retry_in()), (kind.class, kind.retry_in), "{error}");
            assert_eq!(error.error(), kind.error.as_ref(), "{error}");
            assert_eq!((kind.make)(&lab).into_error(), kind.error, "{error}");
            assert_eq!((error.cause(), error.operation()), (kind.cause, None), "{error}");
            let source = error.source().map(|source| source.downcast_ref::<Failed>().expect("the operation's own"));
            assert_eq!(source, kind.error.as_ref(), "{error}");
        });
    }
}

#[test]
fn mapping_the_error_keeps_everything_else() {
    for kind in kinds() {
        on_every_driver(|lab| {
            let mapped: CallError<String> = (kind.make)(&lab).map_error(|error| error.to_string());
            assert_eq!(mapped.to_string(), kind.text);
            assert_eq!((mapped.stop_reason(), mapped.attempts()), (kind.reason, kind.attempts));
            assert_eq!((mapped.last_class(), mapped.retry_in()), (kind.class, kind.retry_in));
            assert_eq!(mapped.error(), kind.error.as_ref().map(ToString::to_string).as_ref());
            assert_eq!(
                (mapped.cause(), mapped.into_error()),
                (kind.cause, kind.error.as_ref().map(ToString::to_string))
            );
        });
    }
}

#[test]
fn the_fields_of_each_kind_can_be_taken_apart() {
    on_every_driver(|lab| {
        let transient = || failing(ErrorClass::Transient);
        let CallError::Failed(failed) = make(&lab, retry(), SAME, &transient()) else { panic!("an error ended it") };
        assert_eq!((failed.stop_reason, failed.attempts), (StopReason::MaxAttempts, 2));
        assert_eq!((&failed.error, failed.last_class), (&last(), Some(ErrorClass::Transient)));
        assert_eq!(failed.to_string(), "the call failed (transient): the attempts allowed were used up");
        assert!(failed.source().is_some_and(<dyn Error>::is::<Failed>));

        let CallError::Exhausted(exhausted) = make(&lab, retry(), SAME, &value_fails()) else { panic!("a value did") };
        assert_eq!((exhausted.cause, exhausted.last_error.as_ref()), (Some(Cause::Result), None));
        assert!(exhausted.source().is_none() && exhausted.retry_in.is_none());

        let CallError::Aborted(aborted) = make(&lab, retry(), SAME, &aborts()) else { panic!("the operation did") };
        assert_eq!(aborted.last_error, Some(last()), "the last failure is kept");
        assert_eq!(aborted.abort_error, Some(Failed::Abort));
        assert_eq!((aborted.attempts, aborted.last_class), (2, Some(ErrorClass::Transient)));
        assert_eq!(aborted.source().map(ToString::to_string), Some(Failed::Abort.to_string()));
    });
}

#[test]
fn a_rejection_is_a_value_of_its_own() {
    let rejection = CircuitOpenError::new(CircuitState::Open, Some(secs(20)));
    assert_eq!((rejection.state(), rejection.retry_in()), (CircuitState::Open, Some(secs(20))));
    assert!(rejection.source().is_none());
}

/// Cannot be printed.
struct Page;

#[test]
fn the_value_does_not_have_to_be_printable() {
    let policy =
        Policy::builder().classifier(|_: &Result<Page, Failed>| Some(ErrorClass::Auth)).build().expect("valid");
    let unwrapped: Result<Page, CallError<Failed>> = policy.call(|| Ok(Page));
    let text = format!("{:?}", unwrapped.err());
    assert!(text.contains("Exhausted") && text.contains("NonRetryableClass"), "{text}");
}

#[test]
fn a_question_mark_turns_it_into_a_boxed_error() {
    fn caller() -> Result<(), Box<dyn Error + Send + Sync>> {
        let policy = Policy::builder().build()?;
        policy.call(|| "x".parse::<u8>())?;
        Ok(())
    }
    let error = caller().expect_err("no number");
    let called = error.downcast_ref::<CallError<ParseIntError>>().expect("the error of the call");
    assert_eq!(called.attempts(), 1);
    assert!(error.source().is_some_and(<dyn Error>::is::<ParseIntError>));
}

/// Like `anyhow::Error`: not an error itself, but made into one.
#[derive(Debug)]
struct Anyhow(Failed);

impl From<Anyhow> for Box<dyn Error + Send + Sync> {
    fn from(error: Anyhow) -> Self {
        error.0.into()
    }
}

#[test]
fn boxed_makes_an_error_of_what_is_none() {
    let policy = Policy::builder().classifier(error_classifier(|_: &Anyhow| ErrorClass::Auth)).build().expect("valid");
    let boxed: CallError<BoxError> = policy.call(|| Err::<(), _>(Anyhow(Failed::Abort))).expect_err("it fails").boxed();
    let error: &dyn Error = &boxed;
    let source = error.source().expect("the operation's error");
    assert_eq!(source.to_string(), Failed::Abort.to_string());
    assert_eq!(format!("{source:?}"), "Abort", "it shows the error inside");
    let inner = boxed.into_error().expect("it failed with one");
    assert!(inner.as_inner().is::<Failed>());
    assert!(inner.into_inner().downcast::<Failed>().is_ok());

    let policy = Policy::builder().classifier(boxed_classifier()).build().expect("valid");
    type Boxed = Box<dyn Error + Send + Sync>;
    let called = policy.call(|| Err::<(), Boxed>("only a text".into())).expect_err("it fails").boxed();
    assert_eq!(called.source().map(ToString::to_string).as_deref(), Some("only a text"));
}

/// An error and its sources, printed.
fn levels(error: &(dyn Error + 'static)) -> Vec<String> {
    successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect()
}

#[test]
fn a_chain_of_sources_says_each_thing_once() {
    #[derive(Debug)]
    struct Outer(Failed);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let policy = Policy::builder().build().expect("valid");
    let called = policy.call(|| Err::<(), _>(Outer(Failed::Abort))).expect_err("it fails");
    let own = "the call failed (unclassified): the attempts allowed were used up";
    assert_eq!(levels(&called), [own, "outer", "failed: Abort"]);
    let boxed = called.map_error(|error| -> Box<dyn Error + Send + Sync> { error.into() }).boxed();
    assert_eq!(levels(&boxed), [own, "outer", "failed: Abort"]);
}

/// The operation's name, and the other settings of the call.
fn named(context: Context<'_>) -> Context<'_> {
    context.operation("sync_user")
}

#[test]
fn a_named_operation_is_in_the_text_and_in_the_summary() {
    let rows: [(Change, MakeSteps, &str); 3] = [
        (
            named,
            || failing(ErrorClass::ServerError),
            "sync_user failed (server error): the attempts allowed were used up",
        ),
        (
            named,
            || Steps::new().forever(|| Ok(Answer::Bad(ErrorClass::RateLimit))),
            "sync_user returned a value that counts as a failure (rate limited): the attempts allowed were used up",
        ),
        (|context| named(context).abort_if(|| true), succeeding, "sync_user was aborted"),
    ];
    for (change, steps, text) in rows {
        on_every_driver(|lab| {
            let error = make(&lab, retry(), change, &steps());
            assert_eq!((error.to_string().as_str(), error.operation()), (text, Some("sync_user")));
            assert_eq!(error.map_error(|_| Failed::Abort).operation(), Some("sync_user"));
            let outcome = change(lab.retrying(retry()).context()).execute(&steps());
            assert_eq!(
                (outcome.summary().to_string().as_str(), outcome.summary().operation()),
                (text, Some("sync_user"))
            );
        });
    }
    on_every_driver(|lab| {
        let unlabelled = make(&lab, retry(), |context| context.operation(""), &failing(ErrorClass::Auth));
        assert_eq!(unlabelled.operation(), None, "an empty name is none");
        let outcome = named(lab.retrying(retry()).context()).execute(&succeeding());
        assert_eq!(
            (outcome.summary().operation(), outcome.summary().to_string().as_str()),
            (None, "the call succeeded")
        );
    });
}

#[test]
fn a_timeout_says_so() {
    let clock = VirtualClock::new();
    let retry = retry().max_attempts(1);
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .retry(retry)
        .attempt_timeout(secs(2))
        .build()
        .expect("valid");
    let error = clock.block_on(policy.operation("read").call(pending::<Result<(), Failed>>)).expect_err("too slow");
    assert_eq!(error.to_string(), "read timed out (transient): the attempts allowed were used up");
    assert_eq!((error.cause(), error.error()), (Some(Cause::Timeout), None));
    assert!(error.source().is_none());
}

#[test]
fn the_reason_that_forbids_a_retry_is_in_the_text() {
    let forbidden = |_: &Failed| Classification::new(ErrorClass::ServerError).forbid_retry("streaming_body");
    let policy = Policy::builder().classifier(error_classifier(forbidden)).retry(retry()).build().expect("valid");
    let error = policy.call(|| Err::<(), _>(last())).expect_err("it fails");
    assert_eq!(error.to_string(), "the call failed (server error): it must not be tried again (streaming_body)");
}

#[test]
fn a_rejection_names_the_breaker_and_not_the_operation() {
    on_every_driver(|lab| {
        let breaker = CircuitBreaker::builder().failure_threshold(1).name("orders-db");
        let policy = lab.policy().circuit_breaker(breaker).build();
        policy.run(&failing(ErrorClass::Transient));
        let error = named(policy.context()).call(&succeeding()).expect_err("rejected");
        assert_eq!((error.to_string().as_str(), error.operation()), ("circuit breaker orders-db is open", None));
        let outcome = named(policy.context()).execute(&succeeding());
        assert_eq!(outcome.rejection().as_ref().and_then(CircuitOpenError::breaker), Some("orders-db"));
        let summary = outcome.summary();
        assert_eq!((summary.to_string().as_str(), summary.operation()), ("circuit breaker orders-db is open", None));
    });
}

/// Integrations that pass on failed responses rely on this.
#[test]
fn the_last_value_comes_out_and_everything_else_is_the_error() {
    fn bad() -> Result<Answer, Failed> {
        Ok(Answer::Bad(ErrorClass::Transient))
    }
    let rows: [(Change, MakeSteps, Result<Answer, StopReason>); 6] = [
        (SAME, succeeding, Ok(Answer::Good)),
        (SAME, value_fails, Ok(Answer::Bad(ErrorClass::Transient))),
        (
            |context| context.sleep_handler(|_, _| SleepDecision::Abort),
            value_fails,
            Ok(Answer::Bad(ErrorClass::Transient)),
        ),
        (SAME, || script([bad(), fails(ErrorClass::Auth)]), Err(StopReason::NonRetryableClass)),
        (SAME, || script([bad(), Err(Failed::Abort)]), Err(StopReason::Aborted)),
        (|context| context.abort_if(|| true), value_fails, Err(StopReason::Aborted)),
    ];
    for (change, steps, expected) in rows {
        on_every_driver(|lab| {
            let execute = || change(lab.retrying(retry()).context()).execute(&steps());
            let last = execute().into_last_value().map_err(|error| (error.stop_reason(), error.to_string()));
            let whole = execute().into_result().map_err(|error| (error.stop_reason(), error.to_string()));
            assert_eq!(last.as_ref().map_err(|(reason, _)| *reason), expected.as_ref().map_err(|reason| *reason));
            if last.is_err() {
                assert_eq!(last, whole, "it is the error that `call` gives");
            }
        });
    }
}
