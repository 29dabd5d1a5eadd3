//! The gauge of a breaker through all of its transitions.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use metrics::set_default_local_recorder;
use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, Event, EventName, Observer, Policy};
use redress_metrics::{MetricsObserver, names};
use redress_testing::VirtualClock;

use crate::exporter::Exporter;

const RECOVERY: Duration = Duration::from_secs(30);

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

fn breaker(clock: &VirtualClock) -> CircuitBreaker {
    CircuitBreaker::builder()
        .name("billing")
        .failure_threshold(1)
        .recovery_timeout(RECOVERY)
        .clock(clock.clone())
        .build()
        .unwrap()
}

fn policy(breaker: &CircuitBreaker, observer: &MetricsObserver, clock: &VirtualClock) -> Policy {
    let builder = Policy::builder().circuit_breaker(breaker).observer(observer.clone());
    builder.clock(clock.clone()).build().unwrap()
}

async fn shown(exporter: &Exporter, breaker: &str) -> Option<f64> {
    exporter.scrape().await.value(names::CIRCUIT_STATE, &[("breaker", breaker)])
}

/// Opens the circuit, rejects a call, fails a probe, rejects a call during a probe, and closes,
/// with the breaker `watched` or not.
async fn follows_the_breaker(watched: bool) {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let breaker = breaker(&clock);
    if watched {
        observer.watch(&breaker);
    }
    let policy = policy(&breaker, &observer, &clock);
    let calls = policy.operation("charge");
    let now = || exporter.recorder.handle().render();
    let gauge = |value: u8| format!("redress_circuit_state{{breaker=\"billing\"}} {value}\n");

    calls.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(shown(&exporter, "billing").await, watched.then_some(0.0));
    let _ = calls.call(|| Err::<(), _>(reset()));
    assert_eq!(shown(&exporter, "billing").await, Some(2.0));
    let _ = calls.call(|| Ok::<_, Error>(()));
    assert_eq!(shown(&exporter, "billing").await, Some(2.0), "a rejection changes nothing");

    clock.advance(RECOVERY);
    let _ = calls.call(|| {
        assert!(now().contains(&gauge(1)), "the probe runs");
        let _ = policy.call(|| Ok::<_, Error>(()));
        assert!(now().contains(&gauge(1)), "a call beside the probe is rejected");
        Err::<(), _>(reset())
    });
    assert_eq!(shown(&exporter, "billing").await, Some(2.0), "the probe failed");
    clock.advance(RECOVERY);
    calls.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(shown(&exporter, "billing").await, Some(0.0));

    let page = exporter.scrape().await;
    let gauge = page.family(names::CIRCUIT_STATE);
    let help = "State of the circuit breaker: 0 closed, 1 half-open, 2 open.";
    assert_eq!((gauge.kind.as_str(), gauge.help.as_deref(), gauge.samples.len()), ("gauge", Some(help), 1));
    let event = |event, operation, stop_reason, class| {
        let labels = [
            ("breaker", "billing"),
            ("cause", "none"),
            ("class", class),
            ("event", event),
            ("operation", operation),
            ("stop_reason", stop_reason),
        ];
        page.value(names::EVENTS_TOTAL, &labels)
    };
    assert_eq!(event("circuit_opened", "charge", "none", "TRANSIENT"), Some(2.0));
    assert_eq!(event("circuit_half_open", "charge", "none", "none"), Some(2.0));
    assert_eq!(event("circuit_closed", "charge", "none", "none"), Some(1.0));
    assert_eq!(event("circuit_rejected", "charge", "CIRCUIT_OPEN", "none"), Some(1.0));
    assert_eq!(event("circuit_rejected", "none", "CIRCUIT_OPEN", "none"), Some(1.0));
    assert_eq!(event("success", "charge", "none", "none"), Some(2.0));
    let rejected = [("operation", "charge"), ("outcome", "rejected")];
    assert_eq!(page.value("redress_call_duration_seconds_count", &rejected), Some(1.0));
    assert_eq!(page.value("redress_call_duration_seconds_sum", &rejected), Some(0.0));
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &[("operation", "charge")]), Some(4.0), "rejections make none");
}

#[tokio::test]
async fn the_gauge_follows_what_events_say() {
    follows_the_breaker(false).await;
}

#[tokio::test]
async fn the_gauge_follows_a_watched_breaker() {
    follows_the_breaker(true).await;
}

/// A call is rejected during a probe, but its thread reports the rejection only after the probe has
/// closed the circuit.
#[tokio::test]
async fn a_rejection_reported_late_does_not_turn_the_gauge_back() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::new();
    let mut event = Event::new(EventName::CircuitClosed);
    (event.state, event.breaker) = (Some(CircuitState::Closed), Some("billing".into()));
    observer.on_event(&event);
    (event.name, event.state) = (EventName::CircuitRejected, Some(CircuitState::HalfOpen));
    observer.on_event(&event);
    assert_eq!(shown(&exporter, "billing").await, Some(0.0));
}

#[tokio::test]
async fn a_watched_breaker_shows_its_state_and_not_that_of_an_event() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let breaker = breaker(&clock);
    observer.watch(&breaker);
    let mut event = Event::new(EventName::CircuitOpened);
    (event.state, event.breaker) = (Some(CircuitState::Open), Some("billing".into()));
    observer.on_event(&event);
    assert_eq!(shown(&exporter, "billing").await, Some(0.0));

    // Changes made directly are not reported until the gauge is refreshed.
    breaker.try_acquire().unwrap().failure(redress_core::ErrorClass::Transient);
    assert_eq!(shown(&exporter, "billing").await, Some(0.0));
    observer.refresh();
    assert_eq!(shown(&exporter, "billing").await, Some(2.0));
}

#[tokio::test]
async fn breakers_are_told_apart_by_name_and_not_by_operation() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::new();
    for name in [Some("a"), Some("b"), None] {
        let builder = CircuitBreaker::builder().failure_threshold(1);
        let builder = if let Some(name) = name { builder.name(name) } else { builder };
        let policy = Policy::builder().circuit_breaker(builder).observer(observer.clone()).build().unwrap();
        if name != Some("b") {
            let _ = policy.operation("op").call(|| Err::<(), _>(reset()));
        }
    }
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker"), ["a", "none"].into());
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "breaker"), ["a", "none"].into());
}

#[tokio::test]
async fn threads_that_change_a_watched_breaker_leave_the_gauge_at_its_state() {
    let exporter = Exporter::start();
    let observer = MetricsObserver::new();
    let clock = VirtualClock::new();
    let breaker = breaker(&clock);
    let policy = policy(&breaker, &observer, &clock);
    for _ in 0..50 {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (policy, observer, breaker, clock) = (&policy, &observer, &breaker, &clock);
                let recorder = &exporter.recorder;
                scope.spawn(move || {
                    let _installed = set_default_local_recorder(recorder);
                    observer.watch(breaker);
                    for call in 0..40 {
                        clock.advance(RECOVERY);
                        let _ = policy.call(|| if call % 4 == thread { Err(reset()) } else { Ok(()) });
                    }
                });
            }
        });
        let expected = match breaker.state() {
            CircuitState::Closed => 0.0,
            CircuitState::HalfOpen => 1.0,
            _ => 2.0,
        };
        assert_eq!(shown(&exporter, "billing").await, Some(expected));
    }
}

#[tokio::test]
async fn an_unwatched_breaker_shows_nothing_until_a_policy_tells_of_it() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let (clock, observer) = (VirtualClock::new(), MetricsObserver::new());
    let breaker = breaker(&clock);
    let policy = policy(&breaker, &observer, &clock);
    observer.unwatch("billing");
    observer.watch(&breaker);
    let _ = policy.call(|| Err::<(), _>(reset()));
    assert_eq!(shown(&exporter, "billing").await, Some(2.0));

    observer.unwatch("another");
    observer.unwatch("billing");
    observer.refresh();
    assert!(shown(&exporter, "billing").await.unwrap().is_nan(), "no alert on an open circuit stays");
    clock.advance(RECOVERY);
    policy.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(shown(&exporter, "billing").await, Some(0.0));

    let unnamed = CircuitBreaker::builder().build().unwrap();
    observer.watch(&unnamed);
    assert_eq!(shown(&exporter, "none").await, Some(0.0));
    observer.unwatch("");
    assert!(shown(&exporter, "none").await.unwrap().is_nan());
}
