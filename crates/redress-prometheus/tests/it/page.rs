//! A strict reader of both text formats.
//!
//! The grammars are those of <https://prometheus.io/docs/instrumenting/exposition_formats/> and of
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>, as far as the page uses them. It
//! panics on everything that a scraper might reject: a stray line, an unknown escape, a duplicate
//! series, a family whose series have different label keys, a sample whose suffix its type does not
//! have.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::Format;

pub(crate) type Labels = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
    /// Keyed by the sample's full name, such as `.._bucket`, and its labels.
    pub(crate) samples: BTreeMap<(String, Labels), Sample>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    /// Its labels, its value, and its time.
    pub(crate) exemplar: Option<(Labels, f64, Option<f64>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) families: BTreeMap<String, Family>,
}

impl Page {
    pub(crate) fn parse(text: &str, format: Format) -> Self {
        let lines = match format {
            Format::OpenMetrics => text.strip_suffix("# EOF\n").expect("the page ends with EOF"),
            Format::Prometheus => text,
        };
        assert!(lines.is_empty() || lines.ends_with('\n'), "the last line does not end");
        let (mut page, mut current) = (Self::default(), String::new());
        for line in lines.split_terminator('\n') {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                let family = Family { help: help.to_owned(), ..Family::default() };
                assert!(page.families.insert(checked_name(name), family).is_none(), "{name} comes twice");
                name.clone_into(&mut current);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let kind = page.about(&current, rest);
                assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{line}");
                page.families.get_mut(&current).unwrap().kind = kind;
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                assert_eq!(format, Format::OpenMetrics, "a comment that says nothing: {line}");
                let unit = page.about(&current, rest);
                assert!(current.ends_with(&format!("_{unit}")), "{current} does not end with its unit");
                page.families.get_mut(&current).unwrap().unit = Some(unit);
            } else {
                let (name, labels, sample) = sample(line, format);
                let family = page.families.get_mut(&current).unwrap_or_else(|| panic!("before any HELP: {line}"));
                let suffix = name.strip_prefix(&*current).unwrap_or_else(|| panic!("{name} below {current}"));
                assert!(suffixes(&family.kind, format).contains(&suffix), "{name} below {current}");
                assert!(sample.exemplar.is_none() || ["_bucket", "_total"].contains(&suffix), "{line}");
                assert!(family.samples.insert((name, labels), sample).is_none(), "twice: {line}");
            }
        }
        page.families.iter().for_each(|(name, family)| family.check(name));
        page
    }

    /// Splits a comment about the current family.
    fn about(&self, current: &str, rest: &str) -> String {
        let (name, what) = rest.split_once(' ').unwrap();
        assert_eq!(name, current, "a comment about another family");
        what.to_owned()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.families.keys().map(String::as_str).collect()
    }

    /// Returns the samples of this name, for each the values of its labels in the order of the
    /// keys, and its value.
    pub(crate) fn samples(&self, name: &str) -> Vec<(String, f64)> {
        let all = self.families.values().flat_map(|family| &family.samples);
        let of_name = all.filter(|((of, _), _)| of == name);
        let line = |((_, labels), sample): (&(String, Labels), &Sample)| {
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (labels.join(" "), sample.value)
        };
        of_name.map(line).collect()
    }

    /// Returns every value of a label in the samples of this name.
    pub(crate) fn values_of(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let all = self.families.values().flat_map(|family| family.samples.keys());
        all.filter(|(of, _)| of == name).filter_map(|(_, labels)| labels.get(label)).map(String::as_str).collect()
    }

    /// Returns the exemplars below the samples of this name.
    pub(crate) fn exemplars(&self, name: &str) -> Vec<&(Labels, f64, Option<f64>)> {
        let all = self.families.values().flat_map(|family| &family.samples);
        all.filter(|((of, _), _)| of == name).filter_map(|(_, sample)| sample.exemplar.as_ref()).collect()
    }
}

impl Family {
    /// Series of one family may differ in label values, but not in label keys.
    fn check(&self, name: &str) {
        assert!(!self.kind.is_empty(), "{name} has no type");
        let keys =
            |labels: &Labels| -> BTreeSet<String> { labels.keys().filter(|key| *key != "le").cloned().collect() };
        let sets: BTreeSet<_> = self.samples.keys().map(|(_, labels)| keys(labels)).collect();
        assert_eq!(sets.len(), 1, "the series of {name} have these sets of labels: {sets:?}");
    }
}

fn suffixes(kind: &str, format: Format) -> &'static [&'static str] {
    match (kind, format) {
        ("counter", Format::OpenMetrics) => &["_total"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        _ => &[""],
    }
}

fn checked_name(name: &str) -> String {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(is_name, "not a name: {name:?}");
    name.to_owned()
}

/// `name{label="value",..} value`, and in OpenMetrics ` # {label="value"} value time`.
fn sample(line: &str, format: Format) -> (String, Labels, Sample) {
    let name_ends = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (labels, rest) = labels(&line[name_ends..], line);
    let rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space: {line}"));
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, exemplar)) => (value, Some(exemplar)),
        None => (rest, None),
    };
    let exemplar = exemplar.map(|exemplar| {
        assert_eq!(format, Format::OpenMetrics, "{line}");
        let (labels, rest) = self::labels(exemplar, line);
        let length: usize = labels.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
        assert!(length <= 128, "the exemplar is too long: {line}");
        let mut numbers = rest.strip_prefix(' ').unwrap().split(' ').map(|number| number.parse().unwrap());
        (labels, numbers.next().unwrap(), numbers.next())
    });
    let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
    (checked_name(&line[..name_ends]), labels, Sample { value, exemplar })
}

/// Splits labels in braces, if there are any, from the text after them.
fn labels<'t>(text: &'t str, line: &str) -> (Labels, &'t str) {
    let mut labels = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    while !rest.starts_with('}') {
        let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        let (value, after) = quoted(after, line);
        assert!(labels.insert(checked_name(key), value).is_none(), "label {key} twice: {line}");
        rest = after.strip_prefix(',').unwrap_or(after);
        assert!(after.starts_with([',', '}']), "labels are not separated: {line}");
    }
    (labels, &rest[1..])
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
