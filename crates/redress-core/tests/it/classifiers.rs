//! Classifiers made from closures and other classifiers, and how a policy uses their results.

use std::error::Error;
use std::future::pending;
use std::io;
use std::time::Duration;

use redress_core::classify::{ArcClassifier, OrElse, boxed_classifier, result_classifier, strict_classifier};
use redress_core::driver::NoTimer;
use redress_core::{
    AsyncPolicy, Cause, Classification, Classifier, ErrorClass, Policy, Retry, StopReason, default_classifier,
    error_classifier, fixed,
};
use redress_testing::VirtualClock;

use crate::lab::{ByClass, Failed, secs};

type Attempted = Result<u16, String>;

/// Checks the results of an error classifier for `unsure`, `busy`, other errors, and values.
fn first(result: &Attempted) -> Option<Classification> {
    match result {
        Err(text) if text == "unsure" => Some(ErrorClass::Unknown.into()),
        Err(text) if text == "stop" => Some(Classification::abort()),
        Err(text) if text == "busy" => Some(ErrorClass::RateLimit.into()),
        _ => None,
    }
}

fn second(result: &Attempted) -> Option<ErrorClass> {
    match result {
        Ok(503) => Some(ErrorClass::ServerError),
        Ok(_) => None,
        Err(text) if text == "unrecognised" => None,
        Err(_) => Some(ErrorClass::Concurrency),
    }
}

#[track_caller]
fn check(classifier: &impl Classifier<u16, String>, result: Result<u16, &str>, expected: Option<ErrorClass>) {
    let result = result.map_err(str::to_owned);
    let class = classifier.classify(&result).map(|classification| classification.class());
    assert_eq!(class, expected, "{result:?}");
}

#[test]
fn or_else_asks_the_second_where_the_first_has_no_opinion() {
    let rows = [
        (Err("busy"), Some(ErrorClass::RateLimit)),
        (Err("something else"), Some(ErrorClass::Concurrency)), // the first said None
        (Err("unsure"), Some(ErrorClass::Concurrency)),         // the first said Unknown
        (Err("unrecognised"), None),
        (Ok(503), Some(ErrorClass::ServerError)),
        (Ok(200), None),
    ];
    for (result, expected) in rows {
        check(&OrElse::new(first, second), result, expected);
    }
    let unsure_stands = OrElse::new(first, |_: &Attempted| None::<ErrorClass>);
    check(&unsure_stands, Err("unsure"), Some(ErrorClass::Unknown));
    check(&unsure_stands, Err("unrecognised"), None);
    let three = OrElse::new(|_: &Attempted| None::<ErrorClass>, first).or_else(second);
    check(&three, Err("unsure"), Some(ErrorClass::Concurrency));
}

#[test]
fn or_else_never_falls_through_an_abort() {
    let classifier = OrElse::new(first, |_: &Attempted| -> Option<ErrorClass> { panic!("it is decided") });
    let answer = classifier.classify(&Err("stop".to_owned())).expect("a failure");
    assert!(answer.is_abort());
}

#[test]
fn or_else_keeps_hint_and_details() {
    let hinted = |_: &Attempted| {
        Some(Classification::new(ErrorClass::RateLimit).with_retry_after(secs(9)).with_detail("limit", "tokens"))
    };
    let answer = OrElse::new(|_: &Attempted| Some(ErrorClass::Unknown), hinted).classify(&Ok(1)).expect("a failure");
    assert_eq!((answer.retry_after(), answer.detail("limit")), (Some(secs(9)), Some("tokens")));
}

#[test]
fn error_classifier_looks_at_errors_alone() {
    let classifier = error_classifier(|text: &String| match text.as_str() {
        "busy" => ErrorClass::RateLimit,
        _ => ErrorClass::Unknown,
    });
    check(&classifier, Err("busy"), Some(ErrorClass::RateLimit));
    check(&classifier, Err("?"), Some(ErrorClass::Unknown));
    check(&classifier, Ok(503), None);
    let chained = classifier.or_else(second);
    check(&chained, Err("?"), Some(ErrorClass::Concurrency));
    check(&chained, Ok(503), Some(ErrorClass::ServerError));
}

#[test]
fn result_classifier_looks_at_values_alone() {
    let classifier = result_classifier(|status: &u16| (*status == 503).then_some(ErrorClass::ServerError));
    check(&classifier, Ok(503), Some(ErrorClass::ServerError));
    check(&classifier, Ok(200), None);
    check(&classifier, Err("busy"), None);
    let chained = classifier.or_else(first);
    check(&chained, Err("busy"), Some(ErrorClass::RateLimit));
    check(&chained, Ok(200), None);
}

#[test]
fn the_default_classifiers_can_be_first_of_a_chain() {
    let unknown = || io::Error::other("no idea");
    let rate_limit = |_: &io::Result<()>| Some(ErrorClass::RateLimit);
    for strict_or_not in [default_classifier(), strict_classifier()] {
        let chained = strict_or_not.or_else(rate_limit);
        assert_eq!(chained.classify(&Err(unknown())).map(|found| found.class()), Some(ErrorClass::RateLimit));
        let timed_out = chained.classify(&Err(io::ErrorKind::TimedOut.into()));
        assert_eq!(timed_out.map(|found| found.class()), Some(ErrorClass::Transient));
    }
    type Boxed = Box<dyn Error + Send + Sync>;
    let chained = boxed_classifier().or_else(|_: &Result<(), Boxed>| Some(ErrorClass::RateLimit));
    assert_eq!(chained.classify(&Err(unknown().into())).map(|found| found.class()), Some(ErrorClass::RateLimit));
}

#[test]
fn boxed_classifier_reads_what_is_in_the_box() {
    type Boxed = Box<dyn Error + Send + Sync>;
    let rows: [(Boxed, ErrorClass); 3] = [
        (io::Error::from(io::ErrorKind::ConnectionReset).into(), ErrorClass::Transient),
        (redress_core::error::StatusError::new(429).into(), ErrorClass::RateLimit),
        ("only a text".into(), ErrorClass::Unknown),
    ];
    for (error, expected) in rows {
        let text = error.to_string();
        let answer = boxed_classifier().classify(&Err::<(), _>(error)).expect("a failure");
        assert_eq!(answer.class(), expected, "{text}");
    }
    assert!(boxed_classifier().classify(&Ok::<_, Boxed>(())).is_none());
    let policy = Policy::builder().classifier(boxed_classifier()).build().expect("valid");
    assert!(policy.execute(|| Err::<(), Boxed>("boxed".into())).last_class() == Some(ErrorClass::Unknown));
}

/// A struct field can name its type.
struct Client {
    policy: Policy<ArcClassifier<u16, String>>,
}

#[test]
fn arc_classifier_can_be_written_down_and_shared() {
    let classifier = ArcClassifier::new(OrElse::new(first, second));
    check(&classifier, Err("busy"), Some(ErrorClass::RateLimit));
    check(&classifier.clone(), Ok(503), Some(ErrorClass::ServerError));
    let policy = Policy::builder().classifier(classifier).build().expect("valid");
    let outcome = Client { policy }.policy.execute(|| Ok(503));
    assert_eq!((outcome.last_class(), outcome.cause()), (Some(ErrorClass::ServerError), Some(Cause::Result)));
}

/// Says that timeouts are the server's fault.
#[derive(Clone, Copy)]
struct Blames;

impl<T, E> Classifier<T, E> for Blames {
    fn classify(&self, _: &Result<T, E>) -> Option<Classification> {
        None
    }

    fn classify_timeout(&self) -> Option<Classification> {
        Some(Classification::new(ErrorClass::ServerError).with_retry_after(secs(5)))
    }
}

#[track_caller]
fn check_timeout<C: Classifier<(), Failed>>(classifier: C, expected: ErrorClass) {
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy(fixed(secs(1))).max_attempts(1);
    let builder = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .retry(retry)
        .attempt_timeout(secs(1))
        .classifier(classifier);
    let policy = builder.build().expect("valid");
    let outcome = clock.block_on(policy.execute(pending::<Result<(), Failed>>));
    assert_eq!((outcome.last_class(), outcome.cause()), (Some(expected), Some(Cause::Timeout)));
}

#[test]
fn a_classifier_says_what_a_timeout_means() {
    check_timeout(default_classifier(), ErrorClass::Transient);
    check_timeout(|_: &Result<(), Failed>| None::<ErrorClass>, ErrorClass::Transient);
    check_timeout(Blames, ErrorClass::ServerError);
    check_timeout(ArcClassifier::new(Blames), ErrorClass::ServerError);
    check_timeout(OrElse::new(Blames, default_classifier()), ErrorClass::ServerError);
    check_timeout(OrElse::new(default_classifier(), Blames), ErrorClass::ServerError);
}

#[test]
fn a_value_that_aborts_is_not_lost() {
    let policy =
        Policy::builder().classifier(|_: &Result<u32, Failed>| Some(Classification::abort())).build().expect("valid");
    let outcome = policy.execute(|| Ok(7));
    assert_eq!((outcome.stop_reason(), outcome.last_result()), (Some(StopReason::Aborted), Some(&7)));
    assert!(outcome.abort_error().is_none());
    assert_eq!(outcome.into_last_value().ok(), Some(7));
}

#[test]
fn an_error_that_no_classifier_recognises_is_unknown() {
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_unknown_retries(1))
        .classifier(|_: &Result<(), Failed>| None::<ErrorClass>)
        .build()
        .expect("valid");
    let outcome = policy.execute(|| Err(Failed::Of(ErrorClass::Auth)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxUnknownAttempts));
    assert_eq!((outcome.last_class(), outcome.attempts()), (Some(ErrorClass::Unknown), 2));
    assert!(policy.execute(|| Ok(())).is_ok());
}

#[test]
fn a_closure_may_answer_a_class_or_a_classification() {
    let class = |result: &Result<(), Failed>| result.as_ref().err().map(|_| ErrorClass::RateLimit);
    let classification = |result: &Result<(), Failed>| class(result).map(Classification::new);
    let failed = Err(Failed::Abort);
    assert_eq!(Classifier::classify(&class, &failed), Classifier::classify(&classification, &failed));
}

#[test]
fn one_policy_reads_every_type_that_its_classifier_reads() {
    let policy = Policy::builder().build().expect("valid");
    assert_eq!(policy.call(|| Ok::<_, io::Error>(7)).ok(), Some(7));
    assert_eq!(policy.call(|| "x".parse::<u8>()).expect_err("no number").last_class(), Some(ErrorClass::Unknown));
    let borrowed = String::from("borrowed");
    assert_eq!(policy.call(|| Ok::<_, Failed>(borrowed.as_str())).ok(), Some("borrowed"));
}

#[test]
fn the_classification_carries_what_it_was_given() {
    let plain = Classification::from(ErrorClass::RateLimit);
    assert_eq!((plain.class(), plain.is_abort(), plain.retry_after()), (ErrorClass::RateLimit, false, None));
    assert_eq!((plain.detail("any"), plain.details().count()), (None, 0));
    let rich =
        plain.with_retry_after(secs(3)).with_detail("code", "a").with_detail("limit", "b").with_detail("code", "c");
    assert_eq!((rich.retry_after(), rich.detail("code"), rich.detail("limit")), (Some(secs(3)), Some("c"), Some("b")));
    assert_eq!(rich.details().collect::<Vec<_>>(), [("code", "a"), ("limit", "b"), ("code", "c")]);
    assert!(Classification::abort().is_abort());
    assert_eq!(ByClass.classify(&Err(Failed::Abort)), Some(Classification::abort()));
}
