//! A strict reader of the Prometheus text format, version 0.0.4.
//!
//! The grammar is that of <https://prometheus.io/docs/instrumenting/exposition_formats/>. It panics
//! on everything that a scraper might reject: a stray line, an unknown escape, a duplicate series,
//! a metric whose series have different label keys.

use std::collections::{BTreeMap, BTreeSet};

use redress_metrics::names;

pub(crate) type Labels = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: Option<String>,
    pub(crate) kind: String,
    /// Keyed by the sample's full name, such as `.._bucket`, and its labels.
    pub(crate) samples: BTreeMap<(String, Labels), f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) families: BTreeMap<String, Family>,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line does not end");
        let (mut page, mut help, mut current) = (Self::default(), None, None);
        for line in text.split_terminator('\n') {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
                assert!(help.replace((metric_name(name), text.to_owned())).is_none(), "two HELP lines: {line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
                let help = help.take().map(|(of, text)| {
                    assert_eq!(of, name, "HELP is of another metric");
                    text
                });
                let family = Family { help, kind: kind.to_owned(), ..Family::default() };
                assert!(page.families.insert(metric_name(name), family).is_none(), "{name} comes twice");
                current = Some(name.to_owned());
            } else if !line.is_empty() {
                let (name, labels, value) = sample(line);
                let of = current.as_ref().unwrap_or_else(|| panic!("a sample before any TYPE: {line}"));
                assert!(is_part_of(&name, of), "{name} below {of}");
                let family = page.families.get_mut(of).unwrap();
                assert!(family.samples.insert((name, labels), value).is_none(), "twice: {line}");
            }
        }
        page.families.iter().for_each(|(name, family)| family.check(name));
        page
    }

    pub(crate) fn family(&self, name: &str) -> &Family {
        self.families.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.families.keys()))
    }

    /// Returns the value of the series with exactly these labels. By default, a series of calls has
    /// no policy name, and a series of events has no detail.
    pub(crate) fn value(&self, sample: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is_gauge = [names::CIRCUIT_STATE, names::BUDGET_REMAINING].contains(&sample);
        let no_policy = (!is_gauge).then_some(("policy", "none"));
        let no_detail = (sample == names::EVENTS_TOTAL).then_some(("detail", "none"));
        let labels = no_policy.into_iter().chain(no_detail).chain(labels.iter().copied());
        let key = (sample.to_owned(), labels.map(|(k, v)| (k.to_owned(), v.to_owned())).collect());
        self.families.values().find_map(|family| family.samples.get(&key).copied())
    }

    /// Returns every value of a label in a metric.
    pub(crate) fn values_of(&self, metric: &str, label: &str) -> BTreeSet<&str> {
        let samples = self.families.get(metric).into_iter().flat_map(|family| family.samples.keys());
        samples.filter_map(|(_, labels)| labels.get(label)).map(String::as_str).collect()
    }
}

impl Family {
    /// Returns all series as a sorted list of `labels value`, for comparison.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |((name, labels), value): (&(String, Labels), &f64)| {
            let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{name} {} {value}", labels.join(" "))
        };
        self.samples.iter().map(line).collect()
    }

    /// Series of one metric may differ in label values, but not in label keys.
    fn check(&self, name: &str) {
        let keys = |labels: &Labels| -> BTreeSet<String> {
            labels.keys().filter(|key| !["le", "quantile"].contains(&key.as_str())).cloned().collect()
        };
        let sets: BTreeSet<_> = self.samples.keys().map(|(_, labels)| keys(labels)).collect();
        assert!(sets.len() <= 1, "{name} has series with different labels: {sets:?}");
        assert!(!self.samples.is_empty(), "{name} has no series");
    }
}

fn is_part_of(sample: &str, family: &str) -> bool {
    sample.strip_prefix(family).is_some_and(|suffix| ["", "_bucket", "_sum", "_count"].contains(&suffix))
}

fn metric_name(name: &str) -> String {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(is_name, "not a name: {name:?}");
    name.to_owned()
}

/// `name{label="value",..} value`
fn sample(line: &str) -> (String, Labels, f64) {
    let name_ends = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(name_ends);
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
            let (value, after) = quoted(after, line);
            assert!(labels.insert(metric_name(key), value).is_none(), "label {key} twice: {line}");
            rest = after.strip_prefix(',').unwrap_or(after);
            assert!(after.starts_with([',', '}']), "labels are not separated: {line}");
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space: {line}"));
    (metric_name(name), labels, value.parse().unwrap_or_else(|_| panic!("not a number: {line}")))
}

/// Splits a label's value from the text after its closing quote.
fn quoted<'t>(text: &'t str, line: &str) -> (String, &'t str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                other => panic!("unknown escape {other:?}: {line}"),
            },
            _ => value.push(c),
        }
    }
    panic!("the quote is not closed: {line}")
}
