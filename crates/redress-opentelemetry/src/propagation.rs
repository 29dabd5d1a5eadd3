//! The trace context in headers: of an attempt that is sent, and of a request that came.
//!
//! Owns when a request keeps the context it came with. The format is the global propagator's.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use redress_core::Attempt;

use crate::call_span::contained;

/// Writes the current trace context into the headers of an attempt, so that the server's spans hang
/// under the attempt that asked.
///
/// Give it to the `attempt_headers` of a hyper client, of `HttpProtocol` or of `GrpcLayer`. With
/// [`attempt_spans(true)`](crate::OtelObserverBuilder::attempt_spans) each attempt sends the id of
/// its own span; without them all send that of the call's. It writes the span that is current, so
/// it serves spans of others too, such as those that `tracing-opentelemetry` makes.
///
/// The format is that of the [global propagator](opentelemetry::global::set_text_map_propagator),
/// which writes nothing until one is set: with the SDK's `TraceContextPropagator`, `traceparent`
/// and `tracestate`.
///
/// A context that the request has already stays if it is of another trace: the caller has said
/// where the request belongs. One of the same trace is replaced, as is one that cannot be read,
/// since the attempt's span is nearer to the server. Without a current span, nothing changes. A
/// propagator that panics adds nothing.
///
/// ```
/// use opentelemetry::global;
/// use opentelemetry_sdk::propagation::TraceContextPropagator;
/// use redress::integration::tower::http::HttpProtocol;
/// use redress::observe::opentelemetry::{OtelObserver, inject_context};
///
/// global::set_text_map_propagator(TraceContextPropagator::new());
/// let observer = OtelObserver::builder().attempt_spans(true).build(); // of the policy
/// let protocol = HttpProtocol::new().attempt_headers(inject_context); // of its layer
/// # let _ = (observer, protocol);
/// ```
pub fn inject_context(headers: &mut HeaderMap, attempt: Attempt) {
    let _ = attempt;
    contained(|| {
        let context = Context::current();
        global::get_text_map_propagator(|propagator| {
            if !is_of_another_trace(propagator, headers, &context) {
                propagator.inject_context(&context, &mut Sent(headers));
            }
        });
    });
}

/// The trace context that a request came with: what a server begins its span in, so that it hangs
/// under the attempt that asked.
///
/// It is read by the global propagator, as [`inject_context`] writes it; without one, or without a
/// context in the headers, it is an empty one.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use opentelemetry::global;
/// use opentelemetry::trace::TraceContextExt;
/// use opentelemetry_sdk::propagation::TraceContextPropagator;
/// use redress::observe::opentelemetry::extract_context;
///
/// global::set_text_map_propagator(TraceContextPropagator::new());
/// let mut headers = HeaderMap::new();
/// let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// headers.insert("traceparent", HeaderValue::from_static(caller));
/// let context = extract_context(&headers);
/// assert_eq!(context.span().span_context().span_id().to_string(), "b7ad6b7169203331");
/// ```
#[must_use]
pub fn extract_context(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &Came(headers)))
}

/// Whether the headers name a trace, and another than `context` does.
fn is_of_another_trace(propagator: &dyn TextMapPropagator, headers: &HeaderMap, context: &Context) -> bool {
    let named = propagator.extract_with_context(&Context::new(), &Came(headers));
    let (named, current) = (named.span(), context.span());
    named.span_context().is_valid() && named.span_context().trace_id() != current.span_context().trace_id()
}

struct Sent<'h>(&'h mut HeaderMap);

impl Injector for Sent<'_> {
    fn set(&mut self, key: &str, value: String) {
        let Ok(name) = HeaderName::from_bytes(key.as_bytes()) else { return };
        match HeaderValue::try_from(value) {
            // The SDK's `tracestate` is written without content where there is no state.
            Ok(value) if value.is_empty() => drop(self.0.remove(name)),
            Ok(value) => drop(self.0.insert(name, value)),
            Err(_) => {}
        }
    }
}

struct Came<'h>(&'h HeaderMap);

impl Extractor for Came<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
