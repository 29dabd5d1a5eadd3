//! Names and tag values in Datadog's form.

/// The ending that says the unit of durations for Prometheus. Datadog has a field for the unit.
const UNIT: &str = "_seconds";
/// The ending of counters for Prometheus.
const TOTAL: &str = "_total";

/// Returns Datadog's name of a [metric](redress_metric_sink::Metric) of redress: words separated by
/// dots, without the endings that Prometheus expects.
///
/// ```
/// use redress::observe::datadog::metric_name;
/// use redress::observe::metric_sink::Metric;
///
/// assert_eq!(metric_name(&Metric::EVENTS.name), "redress.events");
/// assert_eq!(metric_name(&Metric::CALL_DURATION.name), "redress.call.duration");
/// ```
#[must_use]
pub fn metric_name(name: &str) -> String {
    let name = name.strip_suffix(TOTAL).or_else(|| name.strip_suffix(UNIT)).unwrap_or(name);
    name.replace('_', ".")
}

/// Replaces what ends a tag, a metric or a datagram's line, so that no name can forge another tag
/// or metric.
pub(crate) fn tag_value(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || matches!(c, ',' | '|') { '_' } else { c }).collect()
}
