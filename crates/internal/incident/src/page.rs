//! Reads the metrics page, and computes from two scrapes what Prometheus would.
//!
//! Parses only as much of the text format as this page uses.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page(Vec<Series>);

#[derive(Clone, Debug)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(Series::read).collect())
    }

    /// The sum of the series of this name with these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.matching(name, labels).map(|series| series.value as u64).sum()
    }

    /// The sums of the series of this name with these labels, by another label.
    pub(crate) fn sums_by(&self, by: &str, name: &str, labels: &[(&str, &str)]) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for series in self.matching(name, labels) {
            let key = series.labels.get(by).cloned().unwrap_or_default();
            *sums.entry(key).or_default() += series.value as u64;
        }
        sums
    }

    fn matching<'p>(&'p self, name: &'p str, labels: &'p [(&str, &str)]) -> impl Iterator<Item = &'p Series> {
        let has = |series: &Series, (key, value): &(&str, &str)| series.labels.get(*key).is_some_and(|it| it == value);
        self.0.iter().filter(move |series| series.name == name && labels.iter().all(|label| has(series, label)))
    }
}

impl Series {
    /// `name{label="value",..} 7`. No label of this page has a quote or a comma in it.
    fn read(line: &str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
        let labels = pairs.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect();
        Some(Self { name: name.to_owned(), labels, value: value.parse().ok()? })
    }
}
