//! The Python original's two Prometheus hooks, under the same names.

use std::borrow::Cow;

use redress_metric_sink::{Metric, Settings};

use crate::builder::MetricsObserverBuilder;
use crate::observer::MetricsObserver;

/// Returns an observer that counts events in a counter of this name, and writes nothing else.
///
/// The original takes a counter object and labels it with the tags that an event happens to have,
/// which a counter with fixed labels rejects. Here every series has all labels of
/// [`EVENTS_TOTAL`](crate::names::EVENTS_TOTAL).
///
/// ```
/// use redress::Policy;
/// use redress::observe::metrics::prometheus_metric_hook;
///
/// let policy = Policy::builder().observer(prometheus_metric_hook("billing_retry_events_total")).build()?;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub fn prometheus_metric_hook(counter: impl Into<Cow<'static, str>>) -> MetricsObserver {
    hooks(counter.into(), None)
}

/// Returns an observer that counts events in the counter `events`, and records the waits before
/// retries, in seconds, in the histogram `retry_sleep_seconds`.
///
/// The labels are those of [`EVENTS_TOTAL`](crate::names::EVENTS_TOTAL) and
/// [`RETRY_SLEEP_SECONDS`](crate::names::RETRY_SLEEP_SECONDS).
///
/// ```
/// use redress::Policy;
/// use redress::observe::metrics::prometheus_hooks;
///
/// let observer = prometheus_hooks("billing_retry_events_total", "billing_retry_sleep_seconds");
/// let policy = Policy::builder().observer(observer).build()?;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub fn prometheus_hooks(
    events: impl Into<Cow<'static, str>>,
    retry_sleep_seconds: impl Into<Cow<'static, str>>,
) -> MetricsObserver {
    hooks(events.into(), Some(retry_sleep_seconds.into()))
}

fn hooks(events: Cow<'static, str>, sleeps: Option<Cow<'static, str>>) -> MetricsObserver {
    let mut settings = Settings::only_events(Metric::EVENTS.renamed(events));
    settings.sleeps = sleeps.map(|name| Metric::RETRY_SLEEP.renamed(name));
    MetricsObserverBuilder::new(settings).build()
}
