//! The table for each minute: two scrapes of the metrics page, and the difference between them.

use std::collections::BTreeMap;

use crate::caller::Caller;
use crate::page::Page;

pub(crate) const DEPENDENCIES: [&str; 3] = ["inventory", "payments", "orders-db"];

const CALLS: &str = "redress_call_duration_seconds_count";
const EVENTS: &str = "redress_events_total";
const STATES: [&str; 3] = ["closed", "half-open", "OPEN"];

/// The last scrape.
#[derive(Debug, Default)]
pub(crate) struct Minutes {
    minute: u32,
    last: Page,
}

impl Minutes {
    /// Scrapes the page, and prints the changes of the last minute.
    pub(crate) async fn tell(&mut self, caller: &Caller) -> anyhow::Result<()> {
        let page = Page::read(&caller.metrics().await?);
        self.minute += 1;
        println!("\n== minute {} ==", self.minute);
        println!(
            "{:<10} {:>6} {:>5} {:>7} {:>9} {:>8}  {:<10} how attempts failed",
            "", "calls", "ok", "failed", "rejected", "retries", "circuit"
        );
        for name in DEPENDENCIES {
            println!("{}", self.line(&page, name));
        }
        let answers = caller.take_answers();
        println!(
            "callers were answered {}\n",
            listed(answers.iter().map(|(status, count)| (status.to_string(), *count)))
        );
        self.last = page;
        Ok(())
    }

    fn line(&self, page: &Page, name: &str) -> String {
        let since = |metric, labels: &[_]| page.sum(metric, labels) - self.last.sum(metric, labels);
        let ended = |outcome| since(CALLS, &[("policy", name), ("outcome", outcome)]);
        let calls = since(CALLS, &[("policy", name)]);
        let retries = since(EVENTS, &[("policy", name), ("event", "retry")]);
        let state = page.sum("redress_circuit_state", &[("breaker", name)]) as usize;
        let (ok, failed, rejected) = (ended("success"), ended("failure"), ended("rejected"));
        let circuit = STATES.get(state).unwrap_or(&"?");
        let failures = listed(self.failures(page, name).into_iter());
        format!("{name:<10} {calls:>6} {ok:>5} {failed:>7} {rejected:>9} {retries:>8}  {circuit:<10} {failures}")
            .trim_end()
            .to_owned()
    }

    /// Failed attempts by cause. An opening of the breaker also has a cause, and is left out.
    fn failures(&self, page: &Page, name: &str) -> BTreeMap<String, u64> {
        let by_detail = |page: &Page| {
            let mut sums = page.sums_by("detail", EVENTS, &[("policy", name)]);
            sums.remove("none");
            sums
        };
        let before = by_detail(&self.last);
        let since = by_detail(page).into_iter().map(|(detail, sum)| (sum - before.get(&detail).unwrap_or(&0), detail));
        since.filter(|(count, _)| *count > 0).map(|(count, detail)| (detail, count)).collect()
    }
}

/// `503 x 12, timeout x 3`.
fn listed(counts: impl Iterator<Item = (String, u64)>) -> String {
    counts.map(|(what, count)| format!("{what} x {count}")).collect::<Vec<_>>().join(", ")
}
