//! The exporter's page.

use std::ops::Deref;

use redress_fixtures::exposition::{Format, Page as Parsed};
use redress_metrics::names;

pub(crate) struct Page(Parsed);

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        Self(Parsed::parse(text, Format::Prometheus))
    }

    /// Returns the value of the series with exactly these labels. By default, a series of calls has
    /// no policy name, and a series of events has no detail.
    pub(crate) fn value(&self, sample: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is_gauge = [names::CIRCUIT_STATE, names::BUDGET_REMAINING].contains(&sample);
        let no_policy = (!is_gauge).then_some(("policy", "none"));
        let no_detail = (sample == names::EVENTS_TOTAL).then_some(("detail", "none"));
        let labels = no_policy.into_iter().chain(no_detail).chain(labels.iter().copied());
        self.0.value(sample, labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

impl Deref for Page {
    type Target = Parsed;

    fn deref(&self) -> &Parsed {
        &self.0
    }
}
