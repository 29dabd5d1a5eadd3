//! A storm of names: bounded tags, groups and breadcrumbs.

use std::collections::BTreeSet;

use redress_core::{CircuitBreaker, Policy};
use redress_sentry::SentryObserver;
use sentry::protocol::{Context, Event};
use sentry::test::with_captured_events;
use serde_json::json;

use crate::policies::{fail, reset};

fn values<'a>(events: &'a [Event<'_>], tag: &str) -> BTreeSet<&'a str> {
    events.iter().filter_map(|event| event.tags.get(tag).map(String::as_str)).collect()
}

fn storm(observer: &SentryObserver, calls: usize) -> Vec<Event<'static>> {
    with_captured_events(|| {
        for number in 0..calls {
            let policy = Policy::builder()
                .name(format!("policy {number}"))
                .circuit_breaker(CircuitBreaker::builder().name(format!("host {number}")).failure_threshold(1))
                .observer(observer.clone())
                .build()
                .unwrap();
            fail(&policy, &format!("operation {number}"));
            fail(&policy, &format!("GET /orders/{number}"));
        }
    })
}

#[test]
fn tags_and_groups_stay_few_however_many_names_there_are() {
    let events = storm(&SentryObserver::builder().tag_limit(4).build(), 500);
    // Each first call opens its circuit and fails, and each second is rejected.
    assert_eq!(events.len(), 1000);
    for tag in ["redress.operation", "redress.policy", "redress.breaker"] {
        let values = values(&events, tag);
        assert!(values.len() == 5 && values.contains("other"), "{tag}: {values:?}");
    }
    let groups: BTreeSet<String> = events.iter().map(|event| event.fingerprint.join(" ")).collect();
    assert_eq!(groups.len(), 10);
    let messages: BTreeSet<_> = events.iter().map(|event| &event.message).collect();
    assert_eq!(messages.len(), 10);
    assert!(events.iter().all(|event| event.breadcrumbs.len() <= 100), "the client's own limit");
}

#[test]
fn the_default_limit_is_100() {
    assert_eq!(values(&storm(&SentryObserver::new(), 150), "redress.breaker").len(), 101);
}

#[test]
fn paths_do_not_displace_operations() {
    let observer = SentryObserver::builder().tag_limit(2).build();
    let policy = Policy::builder().observer(observer).build().unwrap();
    let events = with_captured_events(|| {
        for number in 0..9 {
            fail(&policy, &format!("GET /orders/{number}"));
        }
        fail(&policy, "load");
    });
    assert_eq!(values(&events, "redress.operation"), ["GET /orders/0", "load", "other"].into());
}

#[test]
fn long_names_are_cut_between_characters_and_are_no_tags() {
    let policy = Policy::builder().observer(SentryObserver::new()).build().unwrap();
    let long = "x".to_owned() + &"é".repeat(10_000);
    let events = with_captured_events(|| {
        let _ = policy.operation(long.clone()).call(|| Err::<(), _>(reset()));
        fail(&policy, "");
    });
    assert_eq!(events[0].tags["redress.operation"], "other");
    let Some(Context::Other(context)) = events[0].contexts.get("redress") else { panic!("{:?}", events[0].contexts) };
    assert_eq!(context["operation"], json!("x".to_owned() + &"é".repeat(63)));
    assert!(!events[1].tags.contains_key("redress.operation"), "an empty name is none");
}
