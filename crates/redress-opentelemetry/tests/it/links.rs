//! Links from calls to spans of other traces.

use std::io;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use redress_core::{Policy, SleepDecision};
use redress_opentelemetry::linked;

use crate::telemetry::{Telemetry, at_once, is_root, reset};

#[test]
fn a_deferred_call_taken_up_again_is_linked_to_the_first() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().retry(at_once()).observer(telemetry.observer()).build().unwrap();
    let mut first = SpanContext::NONE;
    policy
        .operation("first")
        .sleep_handler(|_, _| SleepDecision::Defer)
        .call(|| {
            first = Context::current().span().span_context().clone();
            Err::<(), _>(reset())
        })
        .unwrap_err();
    {
        let _guard = linked(&Context::new(), first.clone()).attach();
        policy
            .operation("again")
            .call(|| policy.operation("within").call(|| Ok::<_, io::Error>(())).map_err(|_| reset()))
            .unwrap();
    }
    policy.operation("later").call(|| Ok::<_, io::Error>(())).unwrap();

    let again = telemetry.span("again");
    assert!(is_root(&again));
    assert_eq!(again.links.len(), 1);
    assert_eq!(again.links[0].span_context, first);
    assert_eq!(telemetry.span("first").span_context, first);
    assert_eq!(telemetry.span("within").links.len(), 0, "a call within is a child, not a successor");
    assert_eq!(telemetry.span("later").links.len(), 0);
}

#[test]
fn links_add_up_and_invalid_ones_are_ignored() {
    let telemetry = Telemetry::new();
    let policy = Policy::builder().observer(telemetry.observer()).build().unwrap();
    let spans: Vec<_> = (0..2)
        .map(|_| policy.call(|| Ok::<_, io::Error>(Context::current().span().span_context().clone())).unwrap())
        .collect();
    let context = linked(&linked(&Context::new(), spans[0].clone()), SpanContext::NONE);
    let _guard = linked(&context, spans[1].clone()).attach();
    policy.operation("both").call(|| Ok::<_, io::Error>(())).unwrap();
    let linked: Vec<_> = telemetry.span("both").links.iter().map(|link| link.span_context.clone()).collect();
    assert_eq!(linked, spans);
}
