//! The methods that every observer over a [`MetricSink`](crate::MetricSink) and its builder have,
//! with their documentation, for the crates that wrap [`MetricObserver`](crate::MetricObserver).

/// Writes the setters of a builder that keeps its [`Settings`](crate::Settings) in a field.
///
/// ```
/// use redress::observe::metric_sink::{Settings, builder_methods};
///
/// /// Builds an observer.
/// pub struct Builder {
///     settings: Settings,
/// }
///
/// builder_methods!(Builder, settings);
///
/// let builder = Builder { settings: Settings::all() }.operation_limit(20).without_operation();
/// assert_eq!(builder.settings.operation_limit, 20);
/// ```
#[macro_export]
macro_rules! builder_methods {
    ($builder:ty, $settings:ident) => {
        impl $builder {
            /// Sets how many different operations get their own series. Later ones share the label
            /// `other`, as do names longer than 128 bytes. Default: 100.
            ///
            /// Each name multiplies the number of series, so a name should identify the kind of
            /// call (`GET /users/{id}`), not one request (`GET /users/42`). If names do vary per
            /// request, the limit keeps the first names apart and the totals correct.
            ///
            /// Names that look like the path of one request (with a `/`, but neither `{` nor `:`)
            /// have a separate limit of half the size, rounded up, so they cannot displace the
            /// names of operations.
            pub const fn operation_limit(mut self, names: usize) -> Self {
                self.$settings.operation_limit = names;
                self
            }

            /// Reserves a place for each of these operations in addition to the
            /// [limit](Self::operation_limit): `.operations(["list_orders", "GET /health"])`.
            pub fn operations(
                mut self,
                names: impl ::core::iter::IntoIterator<Item: ::core::convert::Into<::std::string::String>>,
            ) -> Self {
                self.$settings.operations.extend(names.into_iter().map(::core::convert::Into::into));
                self
            }

            /// Omits the label `operation` from every metric.
            pub const fn without_operation(mut self) -> Self {
                self.$settings.operation = false;
                self
            }

            /// Sets how many different policies get their own series. Later ones share the label
            /// `other`. Default: 100.
            pub const fn policy_limit(mut self, names: usize) -> Self {
                self.$settings.policy_limit = names;
                self
            }

            /// Sets how many different breakers get their own series. Later ones share the label
            /// `other` in events, and have no gauge unless they are watched. Default: 100.
            pub const fn breaker_limit(mut self, names: usize) -> Self {
                self.$settings.breaker_limit = names;
                self
            }

            /// Sets how many different details of failures become values of the label `detail`,
            /// such as `503` or `ConnectionReset`. Later ones become `other`. Default: 100.
            pub const fn detail_limit(mut self, details: usize) -> Self {
                self.$settings.detail_limit = details;
                self
            }

            /// Adds the label `error_type` to events: the type name of the error that failed the
            /// attempt, or `none`. Default: omitted.
            ///
            /// It has one value for each error type in the program's policies. Error texts are
            /// never labels.
            pub const fn with_error_type(mut self) -> Self {
                self.$settings.error_type = true;
                self
            }
        }
    };
}

/// Writes the methods of an observer that keeps its [`MetricObserver`](crate::MetricObserver) in a
/// field, and implements [`Observer`](redress_core::Observer) and [`Debug`] for it. The last
/// argument says what happens to a gauge that is cleared.
///
/// ```
/// use std::time::Duration;
/// use redress::observe::metric_sink::{LabelValue, Metric, MetricObserver, MetricSink, Settings, observer_methods};
/// use redress::CircuitBreaker;
///
/// /// Prints the gauges.
/// struct Printed;
///
/// impl MetricSink for Printed {
///     type Series = String;
///
///     fn series(&self, metric: &Metric, _: &[(&'static str, LabelValue)]) -> String {
///         metric.name.to_string()
///     }
///
///     fn count(&self, _: &String) {}
///
///     fn record(&self, _: &String, _: Duration) {}
///
///     fn set(&self, series: &String, value: f64) {
///         println!("{series} {value}");
///     }
///
///     fn clear(&self, _: &String) {}
/// }
///
/// /// Prints the gauges of breakers and budgets.
/// #[derive(Clone)]
/// pub struct PrintingObserver {
///     observer: MetricObserver<Printed>,
/// }
///
/// observer_methods!(PrintingObserver, observer, "A cleared gauge is printed no more.");
///
/// let observer = PrintingObserver { observer: MetricObserver::new(Printed, Settings::all()) };
/// observer.watch(&CircuitBreaker::builder().name("billing").build()?);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[macro_export]
macro_rules! observer_methods {
    ($name:ident, $observer:ident, $cleared:literal) => {
        impl $name {
            /// Shows a breaker's state from now on, read from the breaker instead of from events.
            ///
            /// An unwatched breaker has a gauge after its first change of state. A watched one has
            /// it at once, and the gauge is correct even if threads report changes out of order.
            /// Reads are triggered by events of policies with this observer; for a breaker that is
            /// also used directly, call [`refresh`](Self::refresh).
            ///
            /// The observer keeps the breaker alive until it is [unwatched](Self::unwatch).
            /// Watching another breaker of the same name replaces it.
            pub fn watch(&self, breaker: &$crate::core::CircuitBreaker) {
                self.$observer.watch(breaker);
            }

            /// Shows the states of keyed breakers, each under its key.
            ///
            /// A key has a gauge if it has a breaker now, and otherwise after its first change of
            /// state. At most as many names as the builder's `breaker_limit` have one. When a
            /// breaker is evicted, its gauge is cleared, as for [`unwatch`](Self::unwatch). Its
            /// name keeps its place within the limit, so that keys which come and go cannot add
            /// series for ever.
            ///
            /// The observer does not keep the breakers alive.
            pub fn watch_keyed(&self, breakers: &$crate::core::breaker::KeyedBreakers) {
                self.$observer.watch_keyed(breakers);
            }

            /// Stops watching the breaker of this name, releases it, clears its gauge, and forgets
            /// the name, whose place within the builder's `breaker_limit` is free then. Use it for
            /// a breaker that is no longer used, such as that of a removed host. An empty name
            /// stands for the unnamed breaker. Does nothing if the name is not known.
            ///
            /// What its counters and histograms have counted stays: scrapers need a counter to
            /// stay. A program that unwatches one new name after the other adds series without
            /// a limit; [keyed](Self::watch_keyed) breakers do not.
            ///
            #[doc = $cleared]
            /// The next change of state of a breaker of this name sets it again.
            pub fn unwatch(&self, name: &str) {
                self.$observer.unwatch(name);
            }

            /// Shows the retries a budget has left under this name, until it is
            /// [unwatched](Self::unwatch_budget). Watching another budget under the same name
            /// replaces it.
            ///
            /// The gauge is written at each retry, and at each event until the budget is full
            /// again. Tokens return with time, so call [`refresh`](Self::refresh) periodically if
            /// calls are rare.
            pub fn watch_budget(
                &self,
                name: impl ::core::convert::Into<::std::sync::Arc<str>>,
                budget: &$crate::core::Budget,
            ) {
                self.$observer.watch_budget(name, budget);
            }

            /// Stops watching the budget of this name, releases it, and clears its gauge, as for
            /// [`unwatch`](Self::unwatch).
            pub fn unwatch_budget(&self, name: &str) {
                self.$observer.unwatch_budget(name);
            }

            /// Writes the gauges of all watched breakers and budgets. Call it periodically where
            /// gauges fade without a new value, and for breakers and budgets that are used without
            /// a policy.
            pub fn refresh(&self) {
                self.$observer.refresh();
            }
        }

        impl $crate::core::Observer for $name {
            fn on_event(&self, event: &$crate::core::Event<'_>) {
                self.$observer.on_event(event);
            }

            fn on_attempt_start(&self, attempt: &$crate::core::observe::AttemptContext<'_>) {
                self.$observer.on_attempt_start(attempt);
            }

            fn on_attempt_end(&self, attempt: &$crate::core::observe::AttemptContext<'_>) {
                self.$observer.on_attempt_end(attempt);
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
