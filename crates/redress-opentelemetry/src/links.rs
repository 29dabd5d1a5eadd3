//! Links from calls to spans that are not their parents.
//!
//! Owns how a link gets to the calls that are to have it. Does not start spans: that is
//! `call_span.rs`.

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext};

/// The links of the calls begun in a context.
#[derive(Clone, Default)]
struct Links(Vec<SpanContext>);

/// `context` with a link: the spans of calls begun in it are linked to `span`, besides being
/// children of the span of `context`.
///
/// It is for a call that goes on with what another began, in another trace: a deferred retry
/// ([`Scheduled`]) that a queue delivers again, or one call for what several asked. Further links
/// add up. Calls within the operation of such a call are not linked: they are its children. A
/// `span` that is not valid is ignored.
///
/// ```
/// use std::io;
/// use opentelemetry::Context;
/// use opentelemetry::trace::{SpanContext, TraceContextExt};
/// use redress::Policy;
/// use redress::observe::opentelemetry::{OtelObserver, linked};
///
/// let policy = Policy::builder().observer(OtelObserver::new()).build()?;
/// // Within the operation of the first call: sent along with the message.
/// let first: SpanContext = Context::current().span().span_context().clone();
/// // Where the message is delivered again:
/// let _guard = linked(&Context::current(), first).attach();
/// policy.operation("send_invoice").call(|| Ok::<_, io::Error>(())).unwrap();
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// [`Scheduled`]: redress_core::StopReason::Scheduled
#[must_use = "the context has to be attached, or to be the one a future runs with"]
pub fn linked(context: &Context, span: SpanContext) -> Context {
    let mut links = context.get::<Links>().cloned().unwrap_or_default();
    if span.is_valid() {
        links.0.push(span);
    }
    context.with_value(links)
}

/// The links for a call that begins in `context`, and the context that its operation is to run in.
pub(crate) fn take_links(context: Context) -> (Vec<Link>, Context) {
    match context.get::<Links>() {
        Some(Links(spans)) => {
            let links = spans.iter().cloned().map(Link::with_context).collect();
            (links, context.with_value(Links::default()))
        }
        None => (Vec::new(), context),
    }
}
