//! What a sink is asked to do, and how often.

use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redress_core::breaker::KeyedBreakers;
use redress_core::{CircuitBreaker, Policy, Retry, fixed};
use redress_metric_sink::{LabelValue, Metric, MetricObserver, MetricSink, Settings};
use redress_testing::VirtualClock;

use crate::book::Book;

fn observer(settings: Settings) -> (MetricObserver<Book>, Book) {
    let book = Book::default();
    (MetricObserver::new(book.clone(), settings), book)
}

fn reset() -> Result<(), Error> {
    Err(Error::from(ErrorKind::ConnectionReset))
}

#[test]
fn a_call_is_written_in_the_order_of_its_steps_with_labels_in_a_fixed_order() {
    let (observer, book) = observer(Settings::all());
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(2);
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let builder = Policy::builder().name("orders").retry(retry).circuit_breaker(breaker).observer(observer);
    let policy = builder.clock(VirtualClock::new()).build().unwrap();
    let _ = policy.operation("load").call(reset);
    let failed = "class=TRANSIENT cause=exception detail=ConnectionReset";
    let names = "breaker=db policy=orders operation=load";
    let none = "class=none cause=none detail=none stop_reason=none";
    let mut asked = book.asked();
    let expected = [
        "count redress_attempts_total policy=orders operation=load".to_owned(),
        format!("count redress_events_total event=retry {failed} stop_reason=none {names}"),
        "record redress_retry_sleep_seconds class=TRANSIENT policy=orders operation=load: 0ns".to_owned(),
        "count redress_attempts_total policy=orders operation=load".to_owned(),
    ];
    assert_eq!(asked.drain(..4).collect::<Vec<_>>(), expected);
    assert!(asked.iter().all(|entry| !entry.contains(none)), "a failure has a class: {asked:?}");
    assert!(
        asked.contains(
            &"record redress_call_duration_seconds outcome=failure policy=orders operation=load: 0ns".to_owned()
        ),
        "{asked:?}"
    );
}

#[test]
fn the_end_of_a_call_says_why_it_stopped_and_the_type_of_its_error() {
    let mut settings = Settings::all();
    settings.error_type = true;
    let (observer, book) = observer(settings);
    let policy = Policy::builder().retry(Retry::builder().max_attempts(1)).observer(observer).build().unwrap();
    let _ = policy.call(reset);
    let end = "count redress_events_total event=max_attempts_exceeded class=TRANSIENT cause=exception \
               detail=ConnectionReset stop_reason=MAX_ATTEMPTS_GLOBAL breaker=none policy=none operation=none \
               error_type=std::io::error::Error";
    let asked = book.asked();
    assert!(asked.iter().any(|entry| entry == end), "{asked:?}");
}

#[test]
fn a_success_makes_no_series_once_its_names_are_known() {
    let (observer, book) = observer(Settings::all());
    let policy = Policy::builder().name("users").observer(observer).build().unwrap();
    let calls = policy.operation("load");
    calls.call(|| Ok::<_, Error>(())).unwrap();
    let made = book.made();
    calls.call(|| Ok::<_, Error>(())).unwrap();
    assert_eq!(book.made(), made);
    let of_call = "count redress_attempts_total policy=users operation=load";
    assert_eq!(book.asked().iter().filter(|entry| *entry == of_call).count(), 2);
}

#[test]
fn a_metric_that_is_left_out_makes_no_series() {
    let (observer, book) = observer(Settings::only_events(Metric::EVENTS.renamed("mine_total")));
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(1).build().unwrap();
    observer.watch(&breaker);
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    let policy = Policy::builder().retry(retry).circuit_breaker(&breaker).observer(observer).build().unwrap();
    let _ = policy.call(reset);
    let asked = book.asked();
    assert!(!asked.is_empty() && asked.iter().all(|entry| entry.starts_with("count mine_total ")), "{asked:?}");
}

#[test]
fn a_gauge_that_was_never_set_is_not_cleared() {
    let (observer, book) = observer(Settings::all());
    let policy = Policy::builder().circuit_breaker(CircuitBreaker::builder().name("db")).observer(observer.clone());
    policy.build().unwrap().call(|| Ok::<_, Error>(())).unwrap();
    observer.unwatch("db");
    observer.unwatch("unknown");
    assert!(book.asked().iter().all(|entry| !entry.starts_with("clear")));
    observer.watch(&CircuitBreaker::builder().name("db").build().unwrap());
    observer.unwatch("db");
    assert_eq!(book.asked(), ["set redress_circuit_state breaker=db: 0", "clear redress_circuit_state breaker=db"]);
}

#[test]
fn the_gauge_of_a_breaker_follows_its_state_by_severity() {
    let (observer, book) = observer(Settings::all());
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().name("db").failure_threshold(1).recovery_timeout(Duration::from_secs(1));
    let policy = Policy::builder().circuit_breaker(breaker).observer(observer).clock(clock.clone()).build().unwrap();
    let _ = policy.call(reset);
    clock.advance(Duration::from_secs(1));
    policy.call(|| Ok::<_, Error>(())).unwrap();
    let states: Vec<_> = book.asked().into_iter().filter(|entry| entry.starts_with("set")).collect();
    assert_eq!(states, ["2", "1", "0"].map(|state| format!("set redress_circuit_state breaker=db: {state}")));
}

/// What was asked about the gauge of a breaker.
fn of_gauge(book: &Book, name: &str) -> Vec<String> {
    let gauge = format!("redress_circuit_state breaker={name}");
    book.asked()
        .into_iter()
        .filter_map(|entry| entry.contains(&gauge).then(|| entry.replace(&gauge, "gauge")))
        .collect()
}

#[test]
fn a_watched_breaker_keeps_its_gauge_beside_a_key_of_its_name() {
    let (observer, book) = observer(Settings::all());
    let open = CircuitBreaker::builder().name("db").failure_threshold(1).build().unwrap();
    observer.watch(&open);
    let keyed = KeyedBreakers::builder(CircuitBreaker::builder().failure_threshold(1)).build().unwrap();
    let closed = keyed.for_key("db").unwrap();
    observer.watch_keyed(&keyed);
    let policy = Policy::builder().circuit_breaker(&open).observer(observer.clone()).build().unwrap();
    let _ = policy.call(reset);
    observer.refresh();
    assert_eq!(of_gauge(&book, "db"), ["set gauge: 0", "set gauge: 2", "set gauge: 2"]);
    drop(closed);
}

#[test]
fn a_breaker_without_a_name_can_be_shown_again() {
    let (observer, book) = observer(Settings::all());
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
    observer.watch(&breaker);
    observer.unwatch("");
    let policy = Policy::builder().circuit_breaker(&breaker).observer(observer).build().unwrap();
    let _ = policy.call(reset);
    assert_eq!(of_gauge(&book, "none"), ["set gauge: 0", "clear gauge", "set gauge: 2"]);
}

/// Panics at every measurement while the switch is on.
#[derive(Default)]
struct Broken(AtomicBool);

impl MetricSink for Broken {
    type Series = ();

    fn series(&self, _: &Metric, _: &[(&'static str, LabelValue)]) {}

    fn count(&self, (): &()) {
        assert!(!self.0.load(Ordering::Relaxed), "broken");
    }

    fn record(&self, (): &(), _: Duration) {
        assert!(!self.0.load(Ordering::Relaxed), "broken");
    }

    fn set(&self, (): &(), _: f64) {
        assert!(!self.0.load(Ordering::Relaxed), "broken");
    }

    fn clear(&self, (): &()) {}
}

#[test]
fn a_sink_that_panics_changes_no_call() {
    let observer = MetricObserver::new(Broken::default(), Settings::all());
    let policy = Policy::builder().circuit_breaker(CircuitBreaker::builder().name("db").failure_threshold(1));
    let policy = policy.observer(observer.clone()).build().unwrap();
    observer.sink().0.store(true, Ordering::Relaxed);
    assert_eq!(policy.call(|| Ok::<_, Error>(7)).unwrap(), 7);
    assert_eq!(policy.call(reset).unwrap_err().to_string(), policy_error());
    observer.sink().0.store(false, Ordering::Relaxed);
    observer.refresh();
}

/// The text of the same failure without an observer.
fn policy_error() -> String {
    let policy = Policy::builder().circuit_breaker(CircuitBreaker::builder().name("db").failure_threshold(1));
    policy.build().unwrap().call(reset).unwrap_err().to_string()
}

#[test]
fn an_observer_prints_its_name_alone() {
    assert_eq!(format!("{:?}", observer(Settings::all()).0), "MetricObserver { .. }");
}
