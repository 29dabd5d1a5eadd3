//! Fingerprints, and what never leaves the program.

use std::io::{Error, ErrorKind};

use redress_core::{Classification, ErrorClass, Event, EventName, Observer, Policy, StopReason};
use redress_sentry::SentryObserver;
use sentry::protocol;
use sentry::test::{with_captured_envelopes, with_captured_events};

use crate::policies::{fail, fragile, policy};

const SECRET: &str = "password hunter2 of ada@example.com";

fn fingerprints(events: &[protocol::Event<'_>]) -> Vec<String> {
    events.iter().map(|event| event.fingerprint.join(" | ")).collect()
}

#[test]
fn operation_class_and_stop_reason_make_the_group_of_a_call() {
    let events = with_captured_events(|| {
        let policy = policy(SentryObserver::new());
        for text in ["one", "another"] {
            let _ = policy.operation("load").call(|| Err::<(), _>(Error::new(ErrorKind::ConnectionReset, text)));
        }
        fail(&policy, "store");
        fail(&policy, "");
        let _ = policy.operation("load").call(|| Err::<(), _>(Error::from(ErrorKind::PermissionDenied)));
    });
    assert_eq!(
        fingerprints(&events),
        [
            "redress | load | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | load | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | store | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | orders | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | load | PERMISSION | NON_RETRYABLE_CLASS",
        ]
    );
}

#[test]
fn a_breaker_makes_the_group_of_its_openings() {
    let events = with_captured_events(|| {
        fail(&fragile(SentryObserver::new()), "load");
        fail(&fragile(SentryObserver::new()), "store");
    });
    assert_eq!(
        fingerprints(&events),
        [
            "redress | load | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | orders-db | TRANSIENT | circuit_opened",
            "redress | store | TRANSIENT | MAX_ATTEMPTS_GLOBAL",
            "redress | orders-db | TRANSIENT | circuit_opened",
        ]
    );
}

#[test]
fn events_with_no_names_at_all_have_a_group_each() {
    let observer = SentryObserver::builder().capture(EventName::Cancelled, true).build();
    let events = with_captured_events(|| {
        observer.on_event(&Event::new(EventName::CircuitOpened));
        observer.on_event(&Event::new(EventName::Cancelled));
        let mut deadline = Event::new(EventName::DeadlineExceeded);
        deadline.stop_reason = Some(StopReason::DeadlineExceeded);
        observer.on_event(&deadline);
    });
    assert_eq!(
        fingerprints(&events),
        [
            "redress | none | none | circuit_opened",
            "redress | none | none | cancelled",
            "redress | none | none | DEADLINE_EXCEEDED",
        ]
    );
    let messages: Vec<&str> = events.iter().filter_map(|event| event.message.as_deref()).collect();
    assert_eq!(
        messages,
        ["the circuit opened", "a call: cancelled", "the call failed: the deadline leaves no time for another attempt"]
    );
}

#[test]
fn texts_of_errors_values_and_further_details_are_never_sent() {
    let classifier = |_: &Result<String, Error>| {
        Some(Classification::new(ErrorClass::Transient).with_detail("status", "503").with_detail("note", SECRET))
    };
    let policy = Policy::builder()
        .classifier(redress_core::classifier(classifier))
        .observer(SentryObserver::new())
        .build()
        .unwrap();
    let envelopes = with_captured_envelopes(|| {
        let _ = policy.operation("load").call(|| Err::<String, _>(Error::other(SECRET)));
        let _ = policy.operation("load").call(|| Ok::<_, Error>(SECRET.to_owned()));
    });
    assert_eq!(envelopes.len(), 2);
    for envelope in envelopes {
        let mut sent = Vec::new();
        envelope.to_writer(&mut sent).unwrap();
        let sent = String::from_utf8(sent).unwrap();
        assert!(sent.contains("503") && !sent.contains("hunter2"), "{sent}");
    }
}
