//! Which hub receives what.

use std::sync::Arc;
use std::thread;

use redress_sentry::SentryObserver;
use sentry::test::{TestTransport, with_captured_events};
use sentry::{Client, ClientOptions, Hub, Level};

use crate::policies::{fail, policy};

fn hub(transport: &Arc<TestTransport>) -> Arc<Hub> {
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::clone(transport));
    Arc::new(Hub::new(Some(Arc::new(Client::from(options))), Arc::default()))
}

#[test]
fn the_hub_that_is_current_at_the_event_receives_it() {
    let (one, other) = (TestTransport::new(), TestTransport::new());
    let policy = policy(SentryObserver::new());
    Hub::run(hub(&one), || fail(&policy, "one"));
    Hub::run(hub(&other), || fail(&policy, "other"));
    let messages = |transport: &TestTransport| {
        let events = transport.fetch_and_clear_events();
        events.into_iter().filter_map(|event| event.message).collect::<Vec<_>>()
    };
    assert_eq!(messages(&one), ["one failed: the attempts allowed were used up"]);
    assert_eq!(messages(&other), ["other failed: the attempts allowed were used up"]);
}

#[test]
fn another_thread_reports_to_its_own_hub_which_has_no_client_here() {
    let policy = policy(SentryObserver::new());
    let events = with_captured_events(|| thread::scope(|scope| drop(scope.spawn(|| fail(&policy, "load")).join())));
    assert_eq!(events.len(), 0);
}

#[test]
fn a_thread_that_is_given_the_hub_reports_to_it() {
    let policy = policy(SentryObserver::new());
    let events = with_captured_events(|| {
        let hub = Hub::new_from_top(Hub::current());
        thread::scope(|scope| drop(scope.spawn(|| Hub::run(hub.into(), || fail(&policy, "load"))).join()));
        sentry::capture_message("the end", Level::Info);
    });
    assert_eq!((events.len(), events[0].breadcrumbs.len()), (2, 2));
    assert_eq!(events[1].breadcrumbs.len(), 0, "the hub of the other thread had its own breadcrumbs");
}
