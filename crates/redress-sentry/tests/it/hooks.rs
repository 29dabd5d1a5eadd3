//! Hooks of the client that panic, block, or call through a policy themselves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use redress_core::StopReason;
use redress_sentry::SentryObserver;
use sentry::test::{with_captured_events, with_captured_events_options};
use sentry::{ClientOptions, Hub, Level};

use crate::policies::{fail, policy, reset};

/// Only reached if a test is about to fail.
const STUCK: Duration = Duration::from_secs(20);

#[test]
fn a_hook_that_panics_changes_nothing_for_the_call() {
    let panics = ClientOptions::new()
        .before_send(|_| panic!("a bug in before_send"))
        .before_breadcrumb(|_| panic!("a bug in before_breadcrumb"));
    let policy = policy(SentryObserver::new());
    let attempts = AtomicU32::new(0);
    let count = || {
        attempts.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(reset())
    };
    let call = || {
        let outcome = policy.operation("load").execute(count);
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::MaxAttempts), 3));
    };
    assert_eq!(with_captured_events_options(call, panics).len(), 0);
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
    let events = with_captured_events(|| fail(&policy, "load"));
    assert_eq!((events.len(), events[0].breadcrumbs.len()), (1, 2), "the observer reports as before");
}

#[test]
fn a_hook_that_blocks_holds_up_its_own_call_alone() {
    let policy = policy(SentryObserver::new());
    let (entered, is_entered): (Sender<()>, Receiver<()>) = channel();
    let (release, is_released): (Sender<()>, Receiver<()>) = channel();
    let (entered, is_released) = (Mutex::new(entered), Mutex::new(is_released));
    let blocks = ClientOptions::new().before_send(move |event| {
        entered.lock().unwrap().send(()).unwrap();
        is_released.lock().unwrap().recv_timeout(STUCK).expect("the other call ends meanwhile");
        Some(event)
    });
    let slow = thread::spawn({
        let policy = policy.clone();
        move || with_captured_events_options(|| fail(&policy, "slow"), blocks).len()
    });
    is_entered.recv_timeout(STUCK).expect("the hook runs");
    assert_eq!(with_captured_events(|| fail(&policy, "quick")).len(), 1);
    release.send(()).unwrap();
    assert_eq!(slow.join().unwrap(), 1);
}

#[test]
fn a_hook_that_calls_through_the_policy_is_not_reported_and_does_not_hang() {
    let policy = policy(SentryObserver::new());
    let calls = |operation: &'static str| {
        let policy = policy.clone();
        move || fail(&policy, operation)
    };
    let (in_send, in_breadcrumb) = (calls("in before_send"), calls("in before_breadcrumb"));
    let options = ClientOptions::new()
        .before_send(move |event| {
            in_send();
            Some(event)
        })
        .before_breadcrumb(move |breadcrumb| {
            in_breadcrumb();
            Some(breadcrumb)
        });
    let events = with_captured_events_options(|| fail(&policy, "load"), options);
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event.tags["redress.operation"], "load");
    assert_eq!(event.breadcrumbs.len(), 2);
}

#[test]
fn without_a_client_nothing_is_reported_and_the_call_is_the_same() {
    Hub::run(Arc::new(Hub::new(None, Arc::default())), || {
        let outcome = policy(SentryObserver::new()).execute(|| Err::<(), _>(reset()));
        assert_eq!(outcome.attempts(), 3);
        assert!(sentry::capture_message("the end", Level::Info).is_nil());
    });
}
