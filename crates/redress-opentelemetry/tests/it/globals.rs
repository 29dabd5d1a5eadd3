//! Global providers: the cost of an observer without them, and its use of them.

use std::io;

use opentelemetry::global;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use redress_core::Policy;
use redress_opentelemetry::OtelObserver;

fn allocations(policy: &Policy, operation: &'static str) -> u64 {
    let named = policy.operation(operation);
    let run = || named.call(|| Ok::<_, io::Error>(())).unwrap();
    run();
    allocation_counter::measure(run).count_total
}

/// A single test, because the providers are shared by the whole process.
#[test]
fn silent_and_cheap_without_providers_and_theirs_with_them() {
    let silent = OtelObserver::new();
    let policy = Policy::builder().observer(silent.clone()).build().unwrap();
    assert_eq!(allocations(&policy, ""), 0);
    assert_eq!(allocations(&policy, "load_user"), 0, "the name is known");

    let spans_only = OtelObserver::builder().metrics(false).build();
    assert_eq!(allocations(&Policy::builder().observer(spans_only).build().unwrap(), "load_user"), 0);

    let exporter = InMemorySpanExporter::default();
    global::set_tracer_provider(SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build());
    policy.operation("before").call(|| Ok::<_, io::Error>(())).unwrap();
    let policy = Policy::builder().observer(OtelObserver::new()).build().unwrap();
    policy.operation("after").call(|| Ok::<_, io::Error>(())).unwrap();

    let spans = exporter.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1, "taken when it is built, and the probe for it is not recorded");
    assert_eq!(spans[0].name, "after");
    assert_eq!(spans[0].instrumentation_scope.name(), "redress");
    assert_eq!(spans[0].instrumentation_scope.version(), Some(env!("CARGO_PKG_VERSION")));
}
