//! The error of a call: what is in it, what it prints, and how it travels.

use std::error::Error;
use std::fmt;
use std::iter::successors;
use std::num::ParseIntError;
use std::time::Duration;

use redress_core::{
    BoxError, CallError, CircuitBreaker, CircuitOpenError, CircuitState, ErrorClass, Failure, Policy, Retry,
    RetryBuilder, SleepDecision, StopReason, boxed_classifier, error_classifier, fixed,
};

use crate::lab::{Answer, Context, Failed, Lab, Steps, failing, fails, on_every_driver, script, secs, succeeding};

type Called = CallError<Answer, Failed>;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)
}

fn last() -> Failed {
    Failed::Of(ErrorClass::Transient)
}

type Change = for<'a> fn(Context<'a>) -> Context<'a>;
const SAME: Change = |context| context;

fn value_fails() -> Steps {
    Steps::new().forever(|| Ok(Answer::Bad(ErrorClass::Transient)))
}

fn aborts() -> Steps {
    script([fails(ErrorClass::Transient), Err(Failed::Abort)])
}

/// One error of each kind, made anew each time.
struct Kind {
    make: fn(&Lab) -> Called,
    text: &'static str,
    reason: StopReason,
    attempts: u32,
    class: Option<ErrorClass>,
    retry_in: Option<Duration>,
    error: Option<Failed>,
    value: Option<Answer>,
}

fn make(lab: &Lab, retry: RetryBuilder, change: Change, steps: &Steps) -> Called {
    change(lab.retrying(retry).context()).call(steps).expect_err("it fails")
}

fn kinds() -> [Kind; 8] {
    let transient = Some(ErrorClass::Transient);
    let failed = Kind {
        make: |lab| make(lab, retry(), SAME, &failing(ErrorClass::Transient)),
        text: "stopped after 2 attempts: the attempts allowed were used up (MAX_ATTEMPTS_GLOBAL, last failure TRANSIENT)",
        reason: StopReason::MaxAttemptsGlobal,
        attempts: 2,
        class: transient,
        retry_in: None,
        error: Some(last()),
        value: None,
    };
    [
        Kind {
            make: |lab| make(lab, retry(), SAME, &failing(ErrorClass::Auth)),
            text: "stopped after 1 attempt: failures of this class are not retried (NON_RETRYABLE_CLASS, last failure AUTH)",
            reason: StopReason::NonRetryableClass,
            attempts: 1,
            class: Some(ErrorClass::Auth),
            error: Some(Failed::Of(ErrorClass::Auth)),
            ..failed
        },
        Kind { error: Some(last()), ..failed },
        Kind {
            make: |lab| make(lab, retry(), SAME, &value_fails()),
            error: None,
            value: Some(Answer::Bad(ErrorClass::Transient)),
            ..failed
        },
        Kind {
            make: |lab| {
                let defer: Change = |context| context.sleep(|_, _| SleepDecision::Defer);
                make(lab, retry().strategy(fixed(secs(5))), defer, &failing(ErrorClass::Transient))
            },
            text: "stopped after 1 attempt: the retry was deferred (SCHEDULED, last failure TRANSIENT), to be called again in 5s",
            reason: StopReason::Scheduled,
            attempts: 1,
            retry_in: Some(secs(5)),
            error: Some(last()),
            ..failed
        },
        Kind {
            make: |lab| make(lab, retry(), |context| context.abort_if(|| true), &succeeding()),
            text: "stopped after 0 attempts: the call was aborted (ABORTED)",
            reason: StopReason::Aborted,
            attempts: 0,
            class: None,
            error: None,
            ..failed
        },
        Kind {
            make: |lab| make(lab, retry(), SAME, &aborts()),
            text: "stopped after 2 attempts: the call was aborted (ABORTED, last failure TRANSIENT)",
            reason: StopReason::Aborted,
            error: Some(Failed::Abort),
            ..failed
        },
        Kind {
            make: |lab| make(lab, retry(), |context| context.sleep(|_, _| SleepDecision::Abort), &value_fails()),
            text: "stopped after 1 attempt: the call was aborted (ABORTED, last failure TRANSIENT)",
            reason: StopReason::Aborted,
            attempts: 1,
            error: None,
            value: Some(Answer::Bad(ErrorClass::Transient)),
            ..failed
        },
        Kind {
            make: |lab| {
                let policy = lab.policy().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build();
                policy.run(&failing(ErrorClass::Transient));
                lab.clock.advance(secs(10));
                policy.call(&succeeding()).expect_err("rejected")
            },
            text: "circuit breaker is open, next probe in 20s",
            reason: StopReason::CircuitOpen,
            attempts: 0,
            class: None,
            retry_in: Some(secs(20)),
            error: None,
            ..failed
        },
    ]
}

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
            assert_eq!((kind.make)(&lab).into_last_result(), kind.value, "{error}");
            let source = error.source().map(|source| source.downcast_ref::<Failed>().expect("the operation's own"));
            assert_eq!(source, kind.error.as_ref(), "{error}");
        });
    }
}

#[test]
fn mapping_the_error_keeps_everything_else() {
    for kind in kinds() {
        on_every_driver(|lab| {
            let mapped: CallError<Answer, String> = (kind.make)(&lab).map_error(|error| error.to_string());
            assert_eq!(mapped.to_string(), kind.text);
            assert_eq!((mapped.stop_reason(), mapped.attempts()), (kind.reason, kind.attempts));
            assert_eq!((mapped.last_class(), mapped.retry_in()), (kind.class, kind.retry_in));
            assert_eq!(mapped.error(), kind.error.as_ref().map(ToString::to_string).as_ref());
            assert_eq!(mapped.into_last_result(), kind.value);
        });
    }
}

#[test]
fn the_fields_of_each_kind_can_be_taken_apart() {
    on_every_driver(|lab| {
        let transient = || failing(ErrorClass::Transient);
        let CallError::Failed(failed) = make(&lab, retry(), SAME, &transient()) else { panic!("an error ended it") };
        assert_eq!((failed.stop_reason, failed.attempts), (StopReason::MaxAttemptsGlobal, 2));
        assert_eq!((&failed.error, failed.last_class), (&last(), Some(ErrorClass::Transient)));
        assert_eq!(
            failed.to_string(),
            "stopped after 2 attempts: the attempts allowed were used up (MAX_ATTEMPTS_GLOBAL, last failure TRANSIENT)"
        );
        assert!(failed.source().is_some_and(<dyn Error>::is::<Failed>));

        let CallError::Exhausted(exhausted) = make(&lab, retry(), SAME, &value_fails()) else { panic!("a value did") };
        assert_eq!(exhausted.last_failure, Some(Failure::Result(Answer::Bad(ErrorClass::Transient))));
        assert!(exhausted.source().is_none() && exhausted.next_sleep.is_none());

        let CallError::Aborted(aborted) = make(&lab, retry(), SAME, &aborts()) else { panic!("the operation did") };
        assert_eq!(aborted.last_failure, Some(Failure::Error(last())), "the last failure is kept");
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
fn debug_asks_nothing_of_the_value() {
    let policy =
        Policy::builder().classifier(|_: &Result<Page, Failed>| Some(ErrorClass::Auth)).build().expect("valid");
    let text = format!("{:?}", policy.call(|| Ok(Page)).err());
    assert!(text.contains("Exhausted") && text.contains("NonRetryableClass"), "{text}");
    assert!(text.contains(&format!("Result(<{}>)", std::any::type_name::<Page>())), "{text}");
    let text = format!("{:?}", policy.call(|| Err(Failed::Abort)).err());
    assert!(text.contains("Failed(FailedError") && text.contains("Abort"), "{text}");
    let aborted = policy.context().abort_if(|| true).call(|| Ok(Page)).err();
    assert!(format!("{aborted:?}").contains("Aborted(AbortedError"), "{aborted:?}");
    let unwrapped: Result<Page, CallError<Page, Failed>> = policy.call(|| Ok(Page));
    assert!(unwrapped.is_err());
}

#[test]
fn a_question_mark_turns_it_into_a_boxed_error() {
    fn caller() -> Result<(), Box<dyn Error + Send + Sync>> {
        let policy = Policy::builder().build()?;
        policy.call(|| "x".parse::<u8>())?;
        Ok(())
    }
    let error = caller().expect_err("no number");
    let called = error.downcast_ref::<CallError<u8, ParseIntError>>().expect("the error of the call");
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
    let boxed: CallError<(), BoxError> = policy.call(|| Err(Anyhow(Failed::Abort))).expect_err("it fails").boxed();
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
    let own = "stopped after 1 attempt: only one attempt is allowed (MAX_ATTEMPTS_GLOBAL, last failure UNKNOWN)";
    assert_eq!(levels(&called), [own, "outer", "failed: Abort"]);
    let boxed = called.map_error(|error| -> Box<dyn Error + Send + Sync> { error.into() }).boxed();
    assert_eq!(levels(&boxed), [own, "outer", "failed: Abort"]);
}

#[test]
fn the_last_value_comes_out_and_everything_else_stays_an_error() {
    on_every_driver(|lab| {
        for kind in kinds() {
            let before = (kind.make)(&lab);
            let (reason, attempts, class) = (before.stop_reason(), before.attempts(), before.last_class());
            match before.try_into_last_result() {
                Ok(value) => assert_eq!(Some(value), kind.value, "{reason}"),
                Err(error) => {
                    assert_eq!(kind.value, None, "{reason}: a value is not to be lost");
                    assert_eq!((error.stop_reason(), error.attempts(), error.last_class()), (reason, attempts, class));
                    assert_eq!((error.to_string().as_str(), error.retry_in()), (kind.text, kind.retry_in));
                    assert_eq!(error.into_error(), kind.error);
                }
            }
        }
    });
}
