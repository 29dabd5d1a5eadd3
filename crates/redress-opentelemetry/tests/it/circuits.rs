//! The gauge of breakers.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use redress_core::breaker::KeyedBreakers;
use redress_core::policy::KeyedPolicies;
use redress_core::{CircuitBreaker, ErrorClass, Policy};
use redress_opentelemetry::OtelObserver;
use redress_tokio::AsyncPolicy;

use crate::telemetry::{Telemetry, reset};

fn breaker(name: Option<&'static str>) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(30));
    let builder = match name {
        Some(name) => builder.name(name),
        None => builder,
    };
    builder.build().unwrap()
}

/// Returns the state of each breaker, checking that one state is 1 and the others are 0.
fn states(telemetry: &Telemetry) -> BTreeMap<String, String> {
    let mut states: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for point in telemetry.points("redress.circuit.state") {
        assert_eq!((point.kind, &*point.unit), ("gauge", "{circuit}"));
        let label = ["breaker", "operation"].map(|key| point.get(key)).join("|");
        states.entry(label).or_default().push((point.get("circuit.state").to_owned(), point.value));
    }
    let one = |(label, mut values): (String, Vec<(String, f64)>)| {
        values.sort_by(|left, right| left.0.cmp(&right.0));
        let names: Vec<_> = values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["closed", "half_open", "open"], "of {label}");
        let set: Vec<_> = values.iter().filter(|(_, value)| *value == 1.0).collect();
        assert_eq!(set.len(), 1, "of {label}: {values:?}");
        (label, set[0].0.clone())
    };
    states.into_iter().map(one).collect()
}

fn expect<const N: usize>(series: [(&str, &str); N]) -> BTreeMap<String, String> {
    series.into_iter().map(|(label, state)| (label.to_owned(), state.to_owned())).collect()
}

#[test]
fn a_watched_breaker_shows_before_anything_happens_to_it() {
    let telemetry = Telemetry::new();
    let breaker = breaker(Some("users-db"));
    let observer = telemetry.builder().watch(&breaker).build();
    assert_eq!(states(&telemetry), expect([("users-db|", "closed")]));

    // The gauge is right even if a policy without the observer changes the state.
    breaker.try_acquire().unwrap().failure(ErrorClass::ServerError);
    assert_eq!(states(&telemetry), expect([("users-db|", "open")]));
    drop(observer);
}

#[tokio::test(start_paused = true)]
async fn an_unwatched_breaker_shows_from_its_first_event() {
    let telemetry = Telemetry::new();
    let policy = AsyncPolicy::builder()
        .circuit_breaker(breaker(Some("users-db")))
        .observer(telemetry.observer())
        .build()
        .unwrap();
    let load = || policy.operation("load_user");
    load().call(|| async { Ok::<_, io::Error>(()) }).await.unwrap();
    assert!(states(&telemetry).is_empty());

    load().call(|| async { Err::<(), _>(reset()) }).await.unwrap_err();
    assert_eq!(states(&telemetry), expect([("users-db|", "open")]));

    tokio::time::advance(Duration::from_secs(31)).await;
    load()
        .call(|| async {
            assert_eq!(states(&telemetry), expect([("users-db|", "half_open")]));
            Ok::<_, io::Error>(())
        })
        .await
        .unwrap();
    assert_eq!(states(&telemetry), expect([("users-db|", "closed")]));
}

#[test]
fn without_a_name_the_operation_s_is_taken_and_without_that_none() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    for operation in ["load_user", ""] {
        let policy = Policy::builder().circuit_breaker(breaker(None)).observer(observer.clone()).build().unwrap();
        policy.operation(operation).call(|| Err::<(), _>(reset())).unwrap_err();
    }
    assert_eq!(states(&telemetry), expect([("|load_user", "open"), ("|", "open")]));
}

#[test]
fn a_watch_takes_precedence_over_events() {
    let telemetry = Telemetry::new();
    let breaker = breaker(Some("users-db"));
    let observer = telemetry.observer();
    let _watch = observer.watch(&breaker);
    let policy = Policy::builder().circuit_breaker(&breaker).observer(observer).build().unwrap();
    policy.operation("load_user").call(|| Err::<(), _>(reset())).unwrap_err();
    assert_eq!(states(&telemetry), expect([("users-db|", "open")]));
}

#[test]
fn a_breaker_is_watched_no_longer_than_its_watch_lives() {
    let (telemetry, other) = (Telemetry::new(), Telemetry::new());
    let observer = telemetry.observer();
    let (first, second) = (breaker(Some("first")), breaker(Some("second")));
    let watch = observer.watch(&first);
    let _second = observer.watch(&second);
    assert_eq!(states(&telemetry).len(), 2);
    drop(watch);
    assert_eq!(states(&telemetry), expect([("second|", "closed")]));

    // An observer without metrics watches nothing, and a watch may outlive its observer.
    drop(other.builder().metrics(false).build().watch(&first));
    let observer = other.observer();
    let watch = observer.watch(&first);
    drop(observer);
    assert!(states(&other).is_empty(), "the callback kept the observer alive");
    drop(watch);
}

#[test]
fn endless_operations_make_no_endless_series() {
    let telemetry = Telemetry::new();
    let observer = telemetry.builder().spans(false).build();
    let policy = Policy::builder().circuit_breaker(breaker(None)).observer(observer).build().unwrap();
    policy.operation("opens").call(|| Err::<(), _>(reset())).unwrap_err();
    for number in 0..5000 {
        policy.operation(format!("/users/{number}")).call(|| Ok::<_, io::Error>(())).unwrap_err();
    }
    let points = telemetry.points("redress.circuit.state");
    assert_eq!(points.len(), 500 * 3);
    assert!(points.iter().all(|point| point.get("otel.metric.overflow").is_empty()), "more than an SDK keeps");
}

#[test]
fn the_state_from_events_goes_with_the_last_watch() {
    let telemetry = Telemetry::new();
    let breaker = breaker(Some("host-7"));
    let observer = telemetry.observer();
    let (first, second) = (observer.watch(&breaker), observer.watch(&breaker));
    let policy = Policy::builder().circuit_breaker(&breaker).observer(observer).build().unwrap();
    policy.call(|| Err::<(), _>(reset())).unwrap_err();
    drop(first);
    assert_eq!(states(&telemetry), expect([("host-7|", "open")]));
    drop(second);
    assert!(states(&telemetry).is_empty(), "an open circuit of a host that is gone");
    policy.call(|| Ok::<_, io::Error>(())).unwrap_err();
    assert_eq!(states(&telemetry), expect([("host-7|", "open")]), "reported again");
}

#[test]
fn the_watch_that_is_dropped_is_the_one_that_ends() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    let [first, second, third] = ["first", "second", "third"].map(|name| breaker(Some(name)));
    let watches = [observer.watch(&first), observer.watch(&second), observer.watch(&third)];
    let [_first, second, _third] = watches;
    drop(second);
    assert_eq!(states(&telemetry), expect([("first|", "closed"), ("third|", "closed")]));
}

#[test]
fn a_watched_breaker_shows_its_state_beside_an_unwatched_one() {
    let telemetry = Telemetry::new();
    let (observer, watched) = (telemetry.observer(), breaker(Some("watched")));
    let _watch = observer.watch(&watched);
    // The observer receives an event of another breaker with the same name, which is open.
    for name in ["watched", "unwatched"] {
        let builder = Policy::builder().circuit_breaker(breaker(Some(name)));
        let policy = builder.observer(observer.clone()).build().unwrap();
        policy.call(|| Err::<(), _>(reset())).unwrap_err();
    }
    assert_eq!(states(&telemetry), expect([("unwatched|", "open"), ("watched|", "closed")]));
    assert_eq!(telemetry.points("redress.circuit.state").len(), 2 * 3);
}

fn keyed(observer: &OtelObserver, capacity: usize) -> KeyedPolicies<Policy> {
    let policy = Policy::builder().observer(observer.clone()).build().unwrap();
    let settings = CircuitBreaker::builder().failure_threshold(1).window(Duration::from_nanos(1));
    let settings = settings.recovery_timeout(Duration::from_nanos(1));
    policy.keyed(KeyedBreakers::builder(settings).capacity(capacity)).unwrap()
}

#[test]
fn a_keyed_breaker_shows_until_it_is_evicted() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    let hosts = keyed(&observer, 2);
    hosts.for_key("up").call(|| Ok::<_, io::Error>(())).unwrap();
    let watch = observer.watch_keyed(hosts.breakers());
    assert_eq!(states(&telemetry), expect([("up|", "closed")]));

    hosts.for_key("down").call(|| Err::<(), _>(reset())).unwrap_err();
    assert_eq!(states(&telemetry), expect([("down|", "open"), ("up|", "closed")]));
    // It is out of date after two nanoseconds.
    for host in ["new", "newer"] {
        hosts.for_key(host).call(|| Ok::<_, io::Error>(())).unwrap();
    }
    assert_eq!(states(&telemetry), expect([("new|", "closed"), ("newer|", "closed")]));
    drop(watch);
    assert!(states(&telemetry).is_empty());
    hosts.for_key("new").call(|| Err::<(), _>(reset())).unwrap_err();
    assert_eq!(states(&telemetry), expect([("new|", "open")]), "from the event");
}

#[test]
fn of_many_keyed_breakers_those_that_are_not_closed_show() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    let hosts = keyed(&observer, 1_000);
    let _watch = observer.watch_keyed(hosts.breakers());
    for host in 0..400 {
        hosts.for_key(&format!("up-{host}")).call(|| Ok::<_, io::Error>(())).unwrap();
    }
    hosts.for_key("down").call(|| Err::<(), _>(reset())).unwrap_err();
    let states = states(&telemetry);
    assert_eq!((states.len(), states.get("down|").map(String::as_str)), (150, Some("open")));
}

#[test]
fn an_observer_and_its_keyed_breakers_do_not_keep_each_other_alive() {
    let telemetry = Telemetry::new();
    let observer = telemetry.observer();
    let hosts = keyed(&observer, 2);
    let watch = observer.watch_keyed(hosts.breakers());
    hosts.for_key("down").call(|| Err::<(), _>(reset())).unwrap_err();
    let weak = hosts.breakers().downgrade();
    drop(hosts);
    assert!(weak.upgrade().is_none());
    assert!(states(&telemetry).is_empty());
    drop(watch);
}
