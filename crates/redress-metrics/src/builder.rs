//! What an observer writes, and how many names it takes in.
//!
//! Owns the settings and their defaults. None of them can be wrong.

use metrics::with_recorder;

use crate::names;
use crate::observer::MetricsObserver;
use crate::series::{Extras, Metrics};

/// How many names of operations, of policies and of breakers, and how many details each become
/// labels unless said otherwise.
const DEFAULT_LIMIT: usize = 100;

/// Builds a [`MetricsObserver`]. Made by [`MetricsObserver::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MetricsObserverBuilder {
    pub(crate) metrics: Metrics,
    pub(crate) extras: Extras,
    pub(crate) operations: Vec<String>,
    pub(crate) operation_limit: usize,
    pub(crate) policy_limit: usize,
    pub(crate) breaker_limit: usize,
    pub(crate) detail_limit: usize,
}

impl MetricsObserverBuilder {
    pub(crate) const fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            extras: Extras { operation: true, error_type: false },
            operations: Vec::new(),
            operation_limit: DEFAULT_LIMIT,
            policy_limit: DEFAULT_LIMIT,
            breaker_limit: DEFAULT_LIMIT,
            detail_limit: DEFAULT_LIMIT,
        }
    }

    /// How many different operations get series of their own. Those that come later share the label
    /// `other`, and so do names of more than 128 bytes. Default: 100.
    ///
    /// Each name multiplies the number of series, so a name should say what kind of call it is
    /// (`GET /users/{id}`) and not which one (`GET /users/42`). The limit is what happens when it
    /// does not: the first names keep their numbers, and the sums stay right.
    ///
    /// Names that look like the path of one request, with a `/` and with neither `{` nor `:`, have
    /// as many places to themselves. So no number of paths takes the place of an operation that has
    /// a name.
    pub const fn operation_limit(mut self, names: usize) -> Self {
        self.operation_limit = names;
        self
    }

    /// Keeps a place for each of these operations, besides the [limit](Self::operation_limit),
    /// however many others come first.
    ///
    /// ```
    /// use redress::observe::metrics::MetricsObserver;
    ///
    /// let metrics = MetricsObserver::builder().operations(["list_orders", "GET /health"]).build();
    /// ```
    pub fn operations(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.operations.extend(names.into_iter().map(Into::into));
        self
    }

    /// Leaves the label `operation` out everywhere.
    pub const fn without_operation(mut self) -> Self {
        self.extras.operation = false;
        // Then all of them have the same series, and there is nothing to tell apart. What is
        // declared stays unused.
        self.operation_limit = 0;
        self
    }

    /// How many different [policies](redress_core::policy::PolicyBuilder::name) get series of their
    /// own. Those that come later share the label `other`. Default: 100.
    pub const fn policy_limit(mut self, names: usize) -> Self {
        self.policy_limit = names;
        self
    }

    /// How many different breakers get series of their own. Events of those that come later have
    /// the label `other`, and they have no gauge, unless they are
    /// [watched](MetricsObserver::watch). Default: 100.
    pub const fn breaker_limit(mut self, names: usize) -> Self {
        self.breaker_limit = names;
        self
    }

    /// Sets how many different [details](redress_core::Event::detail) become values of the label
    /// `detail`, such as `503` or `ConnectionReset`. Later ones become `other`. Default: 100.
    pub const fn detail_limit(mut self, details: usize) -> Self {
        self.detail_limit = details;
        self
    }

    /// Adds the label `error_type` to the events: the type name of the
    /// [error](redress_core::Event::error_type) that failed the attempt, or `none`. Default: left
    /// out.
    ///
    /// There are as many values as types of errors in the program's policies. An error's text never
    /// is a label.
    pub const fn with_error_type(mut self) -> Self {
        self.extras.error_type = true;
        self
    }

    /// The observer. Describes its metrics to the recorder, as [`describe`](crate::describe) does.
    #[must_use]
    pub fn build(self) -> MetricsObserver {
        if self.metrics.states.is_some() {
            names::describe();
        } else {
            with_recorder(|recorder| {
                names::describe_events(recorder, self.metrics.events.clone());
                if let Some(sleeps) = self.metrics.sleeps.clone() {
                    names::describe_sleep(recorder, sleeps);
                }
            });
        }
        MetricsObserver::from_builder(self)
    }
}
