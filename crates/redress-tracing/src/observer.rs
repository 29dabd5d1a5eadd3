//! The observer, which starts a span and a per-call observer for each call.

use std::sync::Arc;

use redress_core::observe::{CallObserver, CallStart};
use redress_core::{Event, Observer};
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::call::Call;
use crate::emit::span;
use crate::levels::{Levels, TracingObserverBuilder};

/// Reports a policy's calls through [`tracing`]: a span for each call, and events in it.
///
/// A handle: clones share one observer. It works through the
/// [per-call observer](Observer::on_call_start) that the policy requests for each call;
/// [`on_event`](Observer::on_event) alone does nothing.
///
/// A call's span starts with the call as a child of the current span, and ends with it. It is
/// entered while the operation runs: for a blocking attempt as a whole, for an asynchronous one
/// during each poll. Spans of calls that interleave on one thread are therefore never nested in one
/// another. Between attempts the span is not current.
///
/// Without a subscriber, or if the subscriber enables none of the configured levels, a call costs
/// one atomic load.
///
/// ```
/// use std::io;
/// use redress::Policy;
/// use redress::observe::tracing::TracingObserver;
///
/// let policy = Policy::builder().observer(TracingObserver::new()).build()?;
/// policy.operation("load_user").call(|| Ok::<_, io::Error>("ada"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TracingObserver {
    levels: Arc<Levels>,
    most_severe: Option<Level>,
}

impl TracingObserver {
    /// Creates an observer with the default levels; see [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the default levels.
    pub fn builder() -> TracingObserverBuilder {
        TracingObserverBuilder::default()
    }

    pub(crate) fn new_with(levels: Levels) -> Self {
        Self { most_severe: levels.most_severe(), levels: Arc::new(levels) }
    }
}

impl Default for TracingObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for TracingObserver {
    /// Does nothing: the per-call observer from [`on_call_start`](Observer::on_call_start) reports
    /// events in the call's span.
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        self.most_severe.filter(|level| *level <= LevelFilter::current())?;
        let span = span(self.levels.span, call);
        Some(Box::new(Call::new(Arc::clone(&self.levels), span)))
    }
}
