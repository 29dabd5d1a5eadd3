//! What events say of a failure besides its class: the error that decided, and one detail.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::error::{RateLimitError, StatusError};
use redress_core::observe::AttemptContext;
use redress_core::{
    Cause, CircuitBreaker, Classification, Classifier, ErrorClass, Event, EventName, Observer, Policy,
    default_classifier, error_classifier,
};
use redress_testing::VirtualClock;

#[derive(Debug, thiserror::Error)]
#[error("the store failed")]
struct StoreError(#[source] Box<dyn Error + Send + Sync>);

#[derive(Clone, Default)]
struct Journal {
    events: Arc<Mutex<Vec<Event<'static>>>>,
    attempts: Arc<Mutex<Vec<AttemptContext<'static>>>>,
}

impl Observer for Journal {
    fn on_event(&self, event: &Event<'_>) {
        self.events.lock().expect("whole").push(event.clone().into_owned());
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.attempts.lock().expect("whole").push(attempt.clone().into_owned());
    }
}

/// What the only attempt of a call that fails with this error tells: type and detail, twice the
/// same.
fn told<E: Error + Send + Sync + 'static>(error: E) -> (&'static str, Option<String>) {
    let journal = Journal::default();
    let policy = Policy::builder().observer(journal.clone()).build().expect("valid");
    let mut error = Some(error);
    assert!(policy.call(|| Err::<(), _>(StoreError(error.take().expect("one attempt").into()))).is_err());
    let event = journal.events.lock().expect("whole").pop().expect("told");
    let attempt = journal.attempts.lock().expect("whole").pop().expect("told");
    assert_eq!((attempt.error_type, attempt.detail()), (event.error_type, event.detail()));
    (event.error_type.expect("an error"), event.detail().map(str::to_owned))
}

#[test]
fn events_name_the_error_that_decided_and_what_it_was() {
    let name = std::any::type_name::<io::Error>;
    let detail = |detail: &str| Some(detail.to_owned());
    assert_eq!(told(io::Error::from(ErrorKind::ConnectionReset)), (name(), detail("ConnectionReset")));
    assert_eq!(told(io::Error::from(ErrorKind::TimedOut)), (name(), detail("TimedOut")));
    let lookup = io::Error::other("failed to lookup address information: Name or service not known");
    assert_eq!(told(lookup).1, None, "of kind `Other`, so another library's");
    assert_eq!(told(StatusError::new(503)), (std::any::type_name::<StatusError>(), detail("503")));
    let limited = RateLimitError::new("slow down").with_source(io::Error::from(ErrorKind::ConnectionReset));
    assert_eq!(told(limited), (std::any::type_name::<RateLimitError>(), None), "the marker decided");
    assert_eq!(told("7".parse::<bool>().expect_err("a digit")).0, std::any::type_name::<StoreError>());
}

#[test]
fn only_the_first_of_the_known_details_is_reported() {
    let detail = |classification: Classification, cause| {
        let mut event = Event::new(EventName::Retry);
        event.classification = Some(std::borrow::Cow::Owned(classification));
        event.cause = Some(cause);
        event.detail().map(str::to_owned)
    };
    let plain = || Classification::new(ErrorClass::Transient);
    let unknown = || plain().with_detail("vendor", "E42");
    assert_eq!(detail(unknown(), Cause::Error), None);
    assert_eq!(detail(unknown(), Cause::Timeout).as_deref(), Some("timeout"));
    for (keys, expected) in [
        (&["io", "http2", "grpc", "status"][..], "status"),
        (&["io", "http2", "grpc"], "grpc"),
        (&["io", "http2"], "http2"),
        (&["io"], "io"),
        (&["io", "sqlstate", "sqlite"], "sqlite"),
        (&["io", "sqlstate", "mssql"], "mssql"),
        (&["io", "sqlstate", "mysql"], "mysql"),
        (&["io", "sqlstate"], "sqlstate"),
    ] {
        let all = keys.iter().fold(unknown(), |classification, key| classification.with_detail(*key, *key));
        assert_eq!(detail(all, Cause::Timeout).as_deref(), Some(expected));
    }
    let empty = plain().with_detail("status", "").with_detail("io", "TimedOut");
    assert_eq!(detail(empty, Cause::Error).as_deref(), Some("TimedOut"));
}

#[test]
fn a_detail_is_kept_once_and_the_io_kind_may_be_said_otherwise() {
    let reset = || default_classifier().classify_error(&io::Error::from(ErrorKind::ConnectionReset));
    let details = |of: &Classification| of.details().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    assert_eq!(details(&reset()), ["io=ConnectionReset"]);
    assert_eq!(details(&reset().with_detail("io", "ConnectionReset")), ["io=ConnectionReset"]);
    assert_eq!(details(&reset().with_detail("io", "Reset")), ["io=Reset"]);
    let plain = Classification::new(ErrorClass::Transient);
    assert_eq!(reset(), plain.clone().with_detail("io", "ConnectionReset"), "who decided is not compared");
    assert_ne!(reset(), plain);
    let twice = plain.with_detail("retry_forbidden", "body".to_owned()).forbid_retry("body");
    assert_eq!(twice.retry_forbidden(), Some("body"));
}

#[test]
fn a_classifier_that_hands_an_error_on_tells_of_that_error() {
    let classifier = error_classifier(|error: &StoreError| default_classifier().classify_error(&*error.0));
    let failed = Err::<(), _>(StoreError(io::Error::from(ErrorKind::BrokenPipe).into()));
    let found = classifier.classify(&failed).expect("a failure");
    assert_eq!(found.detail("io"), Some("BrokenPipe"));
}

#[test]
fn a_rejection_says_when_the_next_probe_is() {
    let (clock, journal) = (VirtualClock::new(), Journal::default());
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(30));
    let breaker = breaker.probe_lease(Duration::from_secs(7)).clock(clock.clone());
    let policy = Policy::builder().circuit_breaker(breaker).clock(clock.clone()).observer(journal.clone());
    let policy = policy.build().expect("valid");
    let ok = || Ok::<_, io::Error>(());
    assert!(policy.call(|| Err::<(), _>(io::Error::from(ErrorKind::ConnectionReset))).is_err());
    clock.advance(Duration::from_secs(10));
    assert!(policy.call(ok).is_err());
    clock.advance(Duration::from_secs(20));
    policy
        .call(|| {
            clock.advance(Duration::from_secs(2));
            assert!(policy.call(ok).is_err());
            Ok::<_, io::Error>(())
        })
        .expect("a probe");
    let events = journal.events.lock().expect("whole");
    let rejected = events.iter().filter(|event| event.name == EventName::CircuitRejected);
    let waits: Vec<_> = rejected.map(|event| (event.state, event.retry_in.map(|wait| wait.as_secs()))).collect();
    assert_eq!(waits, [(Some(CircuitState::Open), Some(20)), (Some(CircuitState::HalfOpen), Some(5))]);
    assert!(events.iter().all(|event| event.retry_in.is_none() || event.name == EventName::CircuitRejected));
}
