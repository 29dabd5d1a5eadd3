//! The configuration of an observer.

use redress_core::EventName;
use sentry_core::Level;

use crate::names::Names;
use crate::observer::SentryObserver;
use crate::reports::Reports;

/// Builds a [`SentryObserver`]. Returned by [`SentryObserver::builder`].
///
/// ```
/// use redress::EventName;
/// use redress::observe::sentry::SentryObserver;
///
/// let observer = SentryObserver::builder()
///     .capture(EventName::PermanentFail, false)
///     .capture(EventName::CircuitRejected, true)
///     .build();
/// # drop(observer);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SentryObserverBuilder {
    reports: Reports,
    tag_limit: usize,
}

impl Default for SentryObserverBuilder {
    fn default() -> Self {
        Self { reports: Reports::default(), tag_limit: 100 }
    }
}

impl SentryObserverBuilder {
    /// Sets whether the ends of calls are captured. With `true`, those of failed calls are; with
    /// `false`, none. Replaces what [`capture`](Self::capture) has set for
    /// [terminal](EventName::is_terminal) events. Default: `true`.
    ///
    /// Calls that were deferred, aborted, rejected or cancelled did not fail, and are not captured:
    /// a rejection follows an opened circuit, which was captured.
    pub fn capture_terminal(mut self, is_captured: bool) -> Self {
        self.reports.set_terminal_captured(is_captured);
        self
    }

    /// Sets whether events of this name are captured. Default: those of failed calls
    /// ([`capture_terminal`](Self::capture_terminal)), and
    /// [`CircuitOpened`](EventName::CircuitOpened).
    pub fn capture(mut self, event: EventName, is_captured: bool) -> Self {
        self.reports.set_captured(event, is_captured);
        self
    }

    /// Sets whether events leave breadcrumbs: retries, changes of breakers, and ends of calls,
    /// except those that succeed at the first attempt. Default: `true`.
    pub fn breadcrumbs(mut self, are_left: bool) -> Self {
        self.reports.breadcrumbs = are_left;
        self
    }

    /// Sets the level of events of this name, captured or as breadcrumbs. Defaults: `Error` for
    /// failed calls and for a circuit that opens, `Warning` for retries, `Info` for the rest.
    ///
    /// ```
    /// use redress::EventName;
    /// use redress::observe::sentry::SentryObserver;
    /// use sentry::Level;
    ///
    /// let observer = SentryObserver::builder().level(EventName::CircuitOpened, Level::Fatal).build();
    /// # drop(observer);
    /// ```
    pub fn level(mut self, event: EventName, level: Level) -> Self {
        self.reports.set_level(event, level);
        self
    }

    /// Sets how many different values each of the tags for operations, policies, breakers and
    /// details may have. Later ones become `other`, as do names longer than 128 bytes, and share
    /// their fingerprints. Default: 100.
    ///
    /// Operations that look like the path of one request (with a `/`, but neither `{` nor `:`) have
    /// a separate limit of half the size, rounded up, so they cannot displace the names of
    /// operations.
    pub const fn tag_limit(mut self, values: usize) -> Self {
        self.tag_limit = values;
        self
    }

    /// Builds the observer.
    #[must_use]
    pub fn build(self) -> SentryObserver {
        SentryObserver::new_with(self.reports, Names::new(self.tag_limit))
    }
}
