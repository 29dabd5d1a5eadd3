//! The observer: one span for each call.
//!
//! Owns the span's beginning. Everything after that is the call's own, in `call.rs`.

use std::sync::Arc;

use redress_core::observe::{CallObserver, CallStart};
use redress_core::{Event, Observer};
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::call::Call;
use crate::emit::span;
use crate::levels::{Levels, TracingObserverBuilder};

/// Tells of a policy's calls through [`tracing`]: a span for each call, and events in it.
///
/// A handle: clones are the same observer. It works by what the policy lets it [send
/// along](Observer::on_call_start) with each call; [`on_event`](Observer::on_event) by itself tells
/// nothing.
///
/// A span begins with the call, below the span that is current there, and ends with it. It is
/// entered while the operation runs: for a blocking attempt as a whole, for an asynchronous one at
/// each poll, so spans of calls that take turns on one thread are never below one another. Between
/// attempts it is not current.
///
/// When no subscriber is installed, or none that hears any of the levels, a call costs a look at an
/// atomic.
#[derive(Clone, Debug)]
pub struct TracingObserver {
    levels: Arc<Levels>,
    most_severe: Option<Level>,
}

impl TracingObserver {
    /// An observer with the default levels; see [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// An observer to be configured.
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
    /// Nothing: [`on_call_start`](Observer::on_call_start) sends along who tells it within the
    /// call's span.
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        self.most_severe.filter(|level| *level <= LevelFilter::current())?;
        let span = span(self.levels.span, call);
        Some(Box::new(Call::new(Arc::clone(&self.levels), span)))
    }
}
