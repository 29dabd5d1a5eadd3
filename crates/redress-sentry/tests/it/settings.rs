//! Which events are reported, and at which level.

use redress_core::{Event, EventName, Observer};
use redress_sentry::{SentryObserver, SentryObserverBuilder};
use sentry::Level;
use sentry::test::with_captured_events;

use crate::policies::{fail, policy};

/// The names of the events that are captured.
fn captured(settings: SentryObserverBuilder) -> Vec<EventName> {
    let observer = settings.build();
    let is_captured = |name: &EventName| !with_captured_events(|| observer.on_event(&Event::new(*name))).is_empty();
    EventName::ALL.iter().copied().filter(is_captured).collect()
}

const FAILURES: [EventName; 6] = [
    EventName::PermanentFail,
    EventName::DeadlineExceeded,
    EventName::MaxAttemptsExceeded,
    EventName::MaxUnknownAttemptsExceeded,
    EventName::NoStrategyConfigured,
    EventName::BudgetExhausted,
];

#[test]
fn failures_and_opened_circuits_are_captured_by_default() {
    let opened = [EventName::CircuitOpened];
    assert_eq!(captured(SentryObserver::builder()), [&FAILURES[..], &opened].concat());
    assert_eq!(captured(SentryObserver::builder().capture_terminal(false)), opened);
    let rejections_forgotten =
        SentryObserver::builder().capture(EventName::CircuitRejected, true).capture_terminal(true);
    assert_eq!(captured(rejections_forgotten), [&FAILURES[..], &opened].concat());
}

#[test]
fn each_event_can_be_captured_or_not() {
    let none = SentryObserver::builder().capture_terminal(false).capture(EventName::CircuitOpened, false);
    assert_eq!(captured(none.clone()), []);
    for name in EventName::ALL.iter().copied() {
        assert_eq!(captured(none.clone().capture(name, true)), [name]);
    }
}

#[test]
fn levels_by_event() {
    let levels = |settings: SentryObserverBuilder| {
        let observer =
            EventName::ALL.iter().copied().fold(settings, |settings, name| settings.capture(name, true)).build();
        let events = with_captured_events(|| {
            for name in EventName::ALL.iter().copied() {
                observer.on_event(&Event::new(name));
            }
        });
        events.into_iter().map(|event| event.level).collect::<Vec<_>>()
    };
    let expected = |name| match name {
        EventName::Retry | EventName::Nested => Level::Warning,
        EventName::CircuitOpened => Level::Error,
        name if FAILURES.contains(&name) => Level::Error,
        _ => Level::Info,
    };
    assert_eq!(levels(SentryObserver::builder()), EventName::ALL.iter().copied().map(expected).collect::<Vec<_>>());
    let set = EventName::ALL.iter().copied().fold(SentryObserver::builder(), |it, name| it.level(name, Level::Fatal));
    assert_eq!(levels(set), vec![Level::Fatal; EventName::ALL.len()]);
}

#[test]
fn breadcrumbs_can_be_left_out() {
    let events = with_captured_events(|| fail(&policy(SentryObserver::builder().breadcrumbs(false).build()), "load"));
    assert_eq!((events.len(), events[0].breadcrumbs.len()), (1, 0));
}
