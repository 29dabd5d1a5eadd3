//! The observer, which reports to the current hub.

use std::fmt;
use std::sync::Arc;

use redress_core::{Event, Observer};
use sentry_core::Hub;

use crate::breadcrumb::breadcrumb;
use crate::builder::SentryObserverBuilder;
use crate::issue::issue;
use crate::names::Names;
use crate::reentry;
use crate::reports::Reports;

/// Reports a policy's calls to Sentry: breadcrumbs, and events for calls that fail and circuits
/// that open.
///
/// A handle: clones share one observer and its limits. One observer serves all policies.
///
/// It writes to the hub that is current where the event happens (`Hub::current`), on the thread
/// that runs the call or polls its future. A thread that has no hub yet gets one like that of the
/// main thread, so install the client before starting threads. Tasks that share a thread share its
/// breadcrumbs, unless each has a hub bound to its future (`sentry::SentryFutureExt::bind_hub`).
///
/// The event is captured before its own breadcrumb is added, so it has the breadcrumbs of the
/// retries before it, and later events say that this call failed. Without a client, an event costs
/// the look at the hub.
///
/// The client's hooks and its transport run within the call. A call that such a hook makes is not
/// reported, whichever policy it goes through.
///
/// ```
/// use redress::Policy;
/// use redress::observe::sentry::SentryObserver;
///
/// let policy = Policy::builder().name("orders").observer(SentryObserver::new()).build()?;
/// policy.operation("load_order").call(|| Ok::<_, std::io::Error>(7))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SentryObserver {
    shared: Arc<Shared>,
}

struct Shared {
    reports: Reports,
    names: Names,
}

impl SentryObserver {
    /// Creates an observer with the default settings; see [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SentryObserverBuilder {
        SentryObserverBuilder::default()
    }

    pub(crate) fn new_with(reports: Reports, names: Names) -> Self {
        Self { shared: Arc::new(Shared { reports, names }) }
    }
}

impl Default for SentryObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for SentryObserver {
    fn on_event(&self, event: &Event<'_>) {
        let Shared { reports, names } = &*self.shared;
        let (is_captured, leaves_breadcrumb) = (reports.captures(event.name), reports.leaves_breadcrumb(event));
        if !is_captured && !leaves_breadcrumb {
            return;
        }
        let level = reports.level(event.name);
        let report = |hub: &Arc<Hub>| {
            if is_captured {
                hub.capture_event(issue(event, level, &names.of(event)));
            }
            if leaves_breadcrumb {
                hub.add_breadcrumb(breadcrumb(event, level));
            }
        };
        reentry::once(|| Hub::with_active(report));
    }
}

impl fmt::Debug for SentryObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryObserver").field("reports", &self.shared.reports).finish_non_exhaustive()
    }
}
