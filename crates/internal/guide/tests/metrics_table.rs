//! The table of metrics in `docs/guide/observability.md` is that of the code.

use redress::observe::datadog::metric_name;
use redress::observe::metric_sink::{Metric, MetricKind};

const PAGE: &str = include_str!("../../../../docs/guide/observability.md");

#[test]
fn the_guide_lists_the_metrics_as_they_are() {
    let table = table();
    assert!(PAGE.contains(&table), "the table in docs/guide/observability.md must be:\n\n{table}");
}

fn table() -> String {
    let head = "| metric | in Datadog | kind | labels | meaning |\n|---|---|---|---|---|\n".to_owned();
    let rows = Metric::ALL.iter().map(|metric| {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Histogram => "histogram, seconds",
            MetricKind::Gauge => "gauge",
        };
        let labels: Vec<String> = metric.labels.iter().map(|key| format!("`{key}`")).collect();
        let (datadog, labels) = (metric_name(&metric.name), labels.join(" "));
        format!("| `{}` | `{datadog}` | {kind} | {labels} | {} |\n", metric.name, metric.help)
    });
    head + &rows.collect::<String>() + "\n"
}
