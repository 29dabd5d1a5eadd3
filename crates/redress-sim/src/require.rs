//! [`Requirement`]: what a report must show, such as `recover < 30s`, and the verdict on it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::measure::{Count, Measure, Measured, What};
use crate::outline::Phase;
use crate::report::Report;
use crate::span;

/// What a report must show: a measure, a comparison and a bound.
///
/// | measure | |
/// |---|---|
/// | `recover` | the time of [`recovery`](Report::recovery); "never" is longer than any bound |
/// | `p50`, `p99`, `p99.9` | the [latency](Report::latency) that so many percent of the good calls did not exceed |
/// | `attempts`, `failed`, `open` and the other counts of [`Second`](crate::Second) | the sum; for `open` and `half_open` the most |
/// | `attempts/offered`, `good/offered` | the ratio of two counts |
/// | `success` | short for `good/offered` |
///
/// `peak` before a count or a ratio takes the most of any second. `before`, `during` or `after`
/// behind the measure looks at this [part](Phase) of the run alone. Comparisons are `<`, `<=`, `>`
/// and `>=`. Bounds are durations such as `30s` and `1m30s`, numbers such as `1.3`, or percentages
/// such as `97%`.
///
/// ```
/// use std::time::Duration;
/// use redress::AsyncPolicy;
/// use redress_sim::{Clients, Load, Requirement, Scenario, Server};
///
/// let scenario = Scenario::new(Load::steady(50), Server::new(1, Duration::from_millis(10)));
/// let report = scenario.run(Clients::sharing(1, AsyncPolicy::builder()))?;
/// let required: Requirement = "attempts/offered <= 1".parse()?;
/// let verdict = required.judge(&report);
/// assert!(verdict.holds);
/// assert_eq!(verdict.to_string(), "attempts/offered <= 1: holds, it is 1");
///
/// let error = "atempts < 5".parse::<Requirement>().unwrap_err();
/// assert!(error.to_string().starts_with("requirement `atempts < 5`: no measure `atempts`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    text: String,
    measure: Measure,
    comparison: Comparison,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Time(Duration),
    Number(f64),
}

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requirement `{text}`: {why}")]
pub struct RequirementError {
    text: String,
    why: String,
}

/// Whether a report meets a requirement. `Display` says so with what was measured.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The requirement, as it was written.
    pub requirement: String,
    /// What was measured.
    pub measured: Measured,
    /// Whether the requirement is met. Where there is nothing to measure, it is not.
    pub holds: bool,
}

/// The longest first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 4] =
    [("<=", Comparison::AtMost), (">=", Comparison::AtLeast), ("<", Comparison::Less), (">", Comparison::More)];

impl Requirement {
    /// Compares what the report shows with the bound.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Verdict {
        let measured = self.measure.of(report);
        Verdict { requirement: self.text.clone(), measured, holds: self.is_met_by(measured) }
    }

    pub(crate) const fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Compares what was measured with the bound.
    pub(crate) fn is_met_by(&self, measured: Measured) -> bool {
        let bound = match self.bound {
            Bound::Time(time) => time.as_secs_f64(),
            Bound::Number(number) => number,
        };
        measured.amount().is_some_and(|found| match self.comparison {
            Comparison::Less => found < bound,
            Comparison::AtMost => found <= bound,
            Comparison::More => found > bound,
            Comparison::AtLeast => found >= bound,
        })
    }
}

impl RequirementError {
    pub(crate) fn new(text: &str, why: impl Into<String>) -> Self {
        Self { text: text.to_owned(), why: why.into() }
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        read(text).map_err(|why| RequirementError::new(text, why))
    }
}

fn read(text: &str) -> Result<Requirement, String> {
    let found = COMPARISONS.iter().find_map(|(sign, comparison)| {
        text.split_once(sign).map(|(measure, bound)| (measure.trim(), *comparison, bound.trim()))
    });
    let (measure, comparison, bound) = found.ok_or("it has no comparison: one of <, <=, > and >=")?;
    let measure = read_measure(measure)?;
    let bound = read_bound(&measure.what, bound)?;
    Ok(Requirement { text: text.trim().to_owned(), measure, comparison, bound })
}

fn read_measure(text: &str) -> Result<Measure, String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let is_peak = words.first() == Some(&"peak");
    if is_peak {
        words.remove(0);
    }
    let phase = match words.last() {
        Some(&"before") => Some(Phase::Before),
        Some(&"during") => Some(Phase::During),
        Some(&"after") => Some(Phase::After),
        _ => None,
    };
    if phase.is_some() {
        words.pop();
    }
    let [word] = words[..] else {
        return Err(format!("expected a measure, found `{text}`: {}", known()));
    };
    let what = read_what(word)?;
    match what {
        What::Recovery if phase.is_some() => Err("`recover` is of the whole run".to_owned()),
        What::Recovery | What::Latency(_) if is_peak => Err("`peak` is for counts and ratios".to_owned()),
        _ => Ok(Measure { what, phase, is_peak }),
    }
}

fn read_what(word: &str) -> Result<What, String> {
    let unknown = || format!("no measure `{word}`: {}", known());
    if word == "recover" {
        return Ok(What::Recovery);
    }
    if word == "success" {
        return Ok(What::Ratio(Count::Good, Count::Offered));
    }
    if let Some((count, by)) = word.split_once('/') {
        let [count, by] = [count, by].map(|name| Count::from_name(name).ok_or_else(unknown));
        return Ok(What::Ratio(count?, by?));
    }
    if let Some(count) = Count::from_name(word) {
        return Ok(What::Count(count));
    }
    let percent = word.strip_prefix('p').and_then(read_number).ok_or_else(unknown)?;
    if percent > 100.0 {
        return Err(format!("`{word}` is above p100"));
    }
    Ok(What::Latency(percent / 100.0))
}

fn read_bound(what: &What, text: &str) -> Result<Bound, String> {
    if matches!(what, What::Recovery | What::Latency(_)) {
        return span::parse(text).map(Bound::Time).ok_or_else(|| format!("expected {}, found `{text}`", span::RULE));
    }
    let number = match text.strip_suffix('%') {
        Some(percent) => read_number(percent.trim_end()).map(|percent| percent / 100.0),
        None => read_number(text),
    };
    number.map(Bound::Number).ok_or_else(|| format!("expected a number such as 1.3 or 97%, found `{text}`"))
}

/// A decimal number, without the words and exponents that Rust's numbers may have.
fn read_number(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    if is_plain { text.parse().ok() } else { None }
}

/// The measures, for errors.
fn known() -> String {
    let counts: Vec<&str> = Count::ALL.iter().map(|(name, _)| *name).collect();
    format!(
        "there are recover, success, p50 and other percentiles, {}, and ratios such as attempts/offered",
        counts.join(", ")
    )
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds { "holds" } else { "does not hold" };
        match self.measured {
            Measured::Nothing => write!(f, "{}: {verdict}, there is {}", self.requirement, self.measured),
            measured => write!(f, "{}: {verdict}, it is {measured}", self.requirement),
        }
    }
}
