//! Links from calls to spans other than their parents.

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext};

/// The spans to link the calls of a context to.
#[derive(Clone, Default)]
struct Links(Vec<SpanContext>);

/// Returns `context` with a link: the spans of calls made in it are linked to `span`, in addition
/// to being children of the span of `context`.
///
/// Use it for a call that continues another one in a different trace, such as a deferred retry
/// ([`Scheduled`]) that a queue redelivers, or one call on behalf of several requests. Repeated
/// links add up. Nested calls inside the operation are not linked: they are children of the call.
/// An invalid `span` is ignored.
///
/// ```
/// use std::io;
/// use opentelemetry::Context;
/// use opentelemetry::trace::{SpanContext, TraceContextExt};
/// use redress::Policy;
/// use redress::observe::opentelemetry::{OtelObserver, linked};
///
/// let policy = Policy::builder().observer(OtelObserver::new()).build()?;
/// // In the operation of the first call, to send along with the message:
/// let first: SpanContext = Context::current().span().span_context().clone();
/// // Where the message is redelivered:
/// let _guard = linked(&Context::current(), first).attach();
/// policy.operation("send_invoice").call(|| Ok::<_, io::Error>(())).unwrap();
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// [`Scheduled`]: redress_core::StopReason::Scheduled
#[must_use = "the context has no effect until it is attached or passed to a future"]
pub fn linked(context: &Context, span: SpanContext) -> Context {
    let mut links = context.get::<Links>().cloned().unwrap_or_default();
    if span.is_valid() {
        links.0.push(span);
    }
    context.with_value(links)
}

/// Returns the links for a call made in `context`, and the context for its operation.
pub(crate) fn take_links(context: Context) -> (Vec<Link>, Context) {
    match context.get::<Links>() {
        Some(Links(spans)) => {
            let links = spans.iter().cloned().map(Link::with_context).collect();
            (links, context.with_value(Links::default()))
        }
        None => (Vec::new(), context),
    }
}
