//! The trace context in headers: written for each attempt, and read from a received request.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use redress_core::Attempt;

use crate::call_span::contained;

/// Writes the current trace context into the headers of an attempt, so that the server's span
/// becomes a child of the attempt's span.
///
/// Pass it to the `attempt_headers` of a hyper client, of `HttpProtocol` or of `GrpcLayer`. With
/// [`attempt_spans(true)`](crate::OtelObserverBuilder::attempt_spans) each attempt sends its own
/// span; without them every attempt sends the call's span. It writes the context of the current
/// span even if another crate, such as `tracing-opentelemetry`, made the span.
///
/// The [global propagator](opentelemetry::global::set_text_map_propagator) defines the format:
/// `traceparent` and `tracestate` for the SDK's `TraceContextPropagator`. Until one is set, nothing
/// is written.
///
/// A context already in the request is kept if it belongs to another trace, because the caller
/// chose that trace. A context of the same trace is replaced, because the attempt's span is closer
/// to the server; so is an invalid one. Without a current span, the headers are unchanged. A panic
/// of the propagator is caught, and adds no header.
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

/// Reads the trace context of a received request. A server starts its span in the returned context,
/// so that it becomes a child of the attempt's span.
///
/// The global propagator reads it, in the format that [`inject_context`] writes. Without a
/// propagator, or without a context in the headers, the returned context is empty.
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

/// Whether the headers contain a context of a different trace than `context`.
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
            // The SDK writes an empty `tracestate` if there is no state.
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
