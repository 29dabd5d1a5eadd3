//! Exemplars: the trace that a measurement belongs to.

use std::cell::RefCell;
use std::io::Error;
use std::sync::mpsc;
use std::thread;

use redress_core::Policy;
use redress_fixtures::exposition::Format;
use redress_prometheus::PrometheusObserver;

use crate::server::Served;

thread_local! {
    /// Stands for a tracing library's current span.
    static TRACE: RefCell<Option<&'static str>> = const { RefCell::new(None) };
}

fn served() -> Served {
    let current = || TRACE.with_borrow(|id| id.map(|id| ("trace_id", id.to_owned())));
    Served::with(PrometheusObserver::builder().exemplar(current))
}

fn call(served: &Served) {
    let policy = Policy::builder().observer(served.observer.clone()).build().unwrap();
    policy.call(|| Ok::<_, Error>(())).unwrap();
}

fn traced(served: &Served, id: &'static str) {
    TRACE.set(Some(id));
    call(served);
    TRACE.set(None);
}

#[test]
fn counters_and_histograms_have_the_trace_in_openmetrics_alone() {
    let served = served();
    traced(&served, "4bf92f3577b34da6");
    let page = served.scrape(Format::OpenMetrics);
    for (sample, count) in
        [("redress_attempts_total", 1), ("redress_events_total", 1), ("redress_call_duration_seconds_bucket", 1)]
    {
        let exemplars = page.exemplars(sample);
        assert_eq!(exemplars.len(), count, "{sample}");
        let (labels, value, time) = exemplars[0];
        assert_eq!(labels.iter().collect::<Vec<_>>(), [(&"trace_id".to_owned(), &"4bf92f3577b34da6".to_owned())]);
        assert!(*value == 1.0 || sample.ends_with("bucket"), "{sample}: {value}");
        assert!(time.is_some_and(|time| time > 1.0e9), "{sample}: {time:?}");
    }
    served.scrape(Format::Prometheus);
}

#[test]
fn a_call_outside_of_a_trace_counts_and_keeps_the_last_exemplar() {
    let served = served();
    traced(&served, "a");
    traced(&served, "b");
    call(&served);
    let page = served.scrape(Format::OpenMetrics);
    assert_eq!(page.samples("redress_attempts_total")[0].1, 3.0);
    for sample in ["redress_attempts_total", "redress_events_total"] {
        let ids: Vec<&str> = page.exemplars(sample).iter().map(|(labels, ..)| &*labels["trace_id"]).collect();
        assert_eq!(ids, ["b"], "{sample}");
    }
}

#[test]
fn an_exemplar_that_a_scraper_rejects_is_omitted() {
    let long = "x".repeat(128 - "trace_id".len());
    let fits = ("trace_id", long.clone());
    let rejected =
        [("trace_id", long + "y"), ("", "1".to_owned()), ("trace-id", "1".to_owned()), ("1d", "1".to_owned())];
    for exemplar in rejected {
        let served = Served::with(PrometheusObserver::builder().exemplar(move || Some(exemplar.clone())));
        call(&served);
        let page = served.scrape(Format::OpenMetrics);
        assert!(page.exemplars("redress_attempts_total").is_empty());
        assert_eq!(page.samples("redress_attempts_total")[0].1, 1.0);
    }
    let served = Served::with(PrometheusObserver::builder().exemplar(move || Some(fits.clone())));
    call(&served);
    assert_eq!(served.scrape(Format::OpenMetrics).exemplars("redress_attempts_total").len(), 1);
}

#[test]
fn a_closure_that_panics_loses_no_measurement() {
    let served = Served::with(PrometheusObserver::builder().exemplar(|| panic!("no span")));
    call(&served);
    let page = served.scrape(Format::OpenMetrics);
    assert_eq!(page.samples("redress_attempts_total")[0].1, 1.0);
    assert_eq!(page.samples("redress_events_total")[0].1, 1.0);
    assert_eq!(page.samples("redress_call_duration_seconds_count")[0].1, 1.0);
}

/// The closure runs without a lock, so it delays its own call, but no scrape and no other call.
#[test]
fn a_closure_that_blocks_holds_up_no_scrape() {
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let served = Served::with(PrometheusObserver::builder().exemplar(move || {
        if TRACE.with_borrow(Option::is_some) {
            entered.send(()).unwrap();
            // Ends with an error once the sender is dropped.
            let _ = released.lock().unwrap().recv();
        }
        None
    }));
    thread::scope(|scope| {
        scope.spawn(|| traced(&served, "blocked"));
        has_entered.recv().unwrap();
        call(&served);
        assert_eq!(served.scrape(Format::OpenMetrics).samples("redress_attempts_total")[0].1, 1.0);
        drop(release);
    });
    assert_eq!(served.scrape(Format::OpenMetrics).samples("redress_attempts_total")[0].1, 2.0);
}
