//! The configuration of an observer.

use redress_metric_sink::{MetricObserver, Settings};

use crate::facade::Facade;
use crate::names;
use crate::observer::MetricsObserver;

/// Builds a [`MetricsObserver`]. Returned by [`MetricsObserver::builder`].
///
/// ```
/// use redress::Policy;
/// use redress::observe::metrics::MetricsObserver;
///
/// let metrics = MetricsObserver::builder().operation_limit(20).with_error_type().build();
/// let policy = Policy::builder().observer(metrics).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MetricsObserverBuilder {
    settings: Settings,
}

impl MetricsObserverBuilder {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Sets how many different operations get their own series. Later ones share the label `other`,
    /// as do names longer than 128 bytes. Default: 100.
    ///
    /// Each name multiplies the number of series, so a name should identify the kind of call
    /// (`GET /users/{id}`), not one request (`GET /users/42`). If names do vary per request, the
    /// limit keeps the first names apart and the totals correct.
    ///
    /// Names that look like the path of one request (with a `/`, but neither `{` nor `:`) have a
    /// separate limit of half the size, rounded up, so they cannot displace the names of
    /// operations.
    pub const fn operation_limit(mut self, names: usize) -> Self {
        self.settings.operation_limit = names;
        self
    }

    /// Reserves a place for each of these operations in addition to the
    /// [limit](Self::operation_limit).
    ///
    /// ```
    /// use redress::observe::metrics::MetricsObserver;
    ///
    /// let metrics = MetricsObserver::builder().operations(["list_orders", "GET /health"]).build();
    /// ```
    pub fn operations(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.settings.operations.extend(names.into_iter().map(Into::into));
        self
    }

    /// Omits the label `operation` from every metric.
    pub const fn without_operation(mut self) -> Self {
        self.settings.operation = false;
        self
    }

    /// Sets how many different [policies](redress_core::policy::PolicyBuilder::name) get their own
    /// series. Later ones share the label `other`. Default: 100.
    pub const fn policy_limit(mut self, names: usize) -> Self {
        self.settings.policy_limit = names;
        self
    }

    /// Sets how many different breakers get their own series. Later ones share the label `other` in
    /// events, and have no gauge unless they are [watched](MetricsObserver::watch). Default: 100.
    pub const fn breaker_limit(mut self, names: usize) -> Self {
        self.settings.breaker_limit = names;
        self
    }

    /// Sets how many different [details](redress_core::Event::detail) become values of the label
    /// `detail`, such as `503` or `ConnectionReset`. Later ones become `other`. Default: 100.
    pub const fn detail_limit(mut self, details: usize) -> Self {
        self.settings.detail_limit = details;
        self
    }

    /// Adds the label `error_type` to events: the type name of the
    /// [error](redress_core::Event::error_type) that failed the attempt, or `none`. Default:
    /// omitted.
    ///
    /// It has one value for each error type in the program's policies. Error texts are never
    /// labels.
    pub const fn with_error_type(mut self) -> Self {
        self.settings.error_type = true;
        self
    }

    /// Builds the observer and describes its metrics to the installed recorder, as
    /// [`describe`](crate::describe) does.
    #[must_use]
    pub fn build(self) -> MetricsObserver {
        self.settings.metrics().for_each(names::describe_one);
        MetricsObserver::of(MetricObserver::new(Facade, self.settings))
    }
}
