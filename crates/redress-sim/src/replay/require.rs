//! [`ReplayRequirement`]: what a replay must show, such as `success > 99%`, and the verdict on it.

use std::fmt;
use std::str::FromStr;

use super::counts::Counts;
use super::replayed::Replayed;
use crate::measure::{Count, Measure, Measured, What};
use crate::require::{Requirement, RequirementError};

/// What a replay must show: a [`Requirement`] that its whole likely range must meet.
///
/// The measures are `success`, `p50` and other percentiles, the counts `offered`, `good`, `failed`,
/// `rejected` and `attempts`, and ratios of these.
///
/// ```
/// use redress_sim::ReplayRequirement;
///
/// let required: ReplayRequirement = "success > 99%".parse()?;
/// assert_eq!(required.to_string(), "success > 99%");
///
/// let error = "recover < 30s".parse::<ReplayRequirement>().unwrap_err();
/// assert!(error.to_string().starts_with("requirement `recover < 30s`: a replay measures success, "));
/// # Ok::<(), redress_sim::RequirementError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayRequirement(Requirement);

/// Whether a replay meets a requirement. `Display` says so with the range that was measured.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplayVerdict {
    /// The requirement, as it was written.
    pub requirement: String,
    /// The ends of the likely range.
    pub measured: (Measured, Measured),
    /// Whether both ends meet the requirement. Where there is nothing to measure, they do not.
    pub holds: bool,
}

impl ReplayRequirement {
    /// Compares the likely range with the bound.
    #[must_use]
    pub fn judge(&self, replayed: &Replayed) -> ReplayVerdict {
        // What cannot be measured comes first, and so is in the range if it is likely.
        let (low, high) = replayed.likely(|counts| Ordered(measure(self.0.measure(), counts)));
        let holds = [low.0, high.0].iter().all(|measured| self.0.is_met_by(*measured));
        ReplayVerdict { requirement: self.0.to_string(), measured: (low.0, high.0), holds }
    }
}

fn measure(measure: &Measure, counts: &Counts) -> Measured {
    match &measure.what {
        What::Latency(share) => counts.latency(*share).map_or(Measured::Nothing, Measured::Time),
        What::Count(which) => count(*which, counts).map_or(Measured::Nothing, |found| Measured::Number(found as f64)),
        What::Ratio(which, by) => match (count(*which, counts), count(*by, counts)) {
            (Some(found), Some(by)) if by > 0 => Measured::Number(found as f64 / by as f64),
            _ => Measured::Nothing,
        },
        What::Recovery => Measured::Nothing,
    }
}

/// The count of a replay, if it has it.
const fn count(which: Count, counts: &Counts) -> Option<u64> {
    Some(match which {
        Count::Offered => counts.calls,
        Count::Good => counts.good,
        Count::Failed => counts.failed,
        Count::Rejected => counts.rejected,
        Count::Attempts => counts.attempts,
        _ => return None,
    })
}

const fn is_counted(which: Count) -> bool {
    matches!(which, Count::Offered | Count::Good | Count::Failed | Count::Rejected | Count::Attempts)
}

/// What was measured, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ordered(Measured);

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.0.amount().partial_cmp(&other.0.amount())
    }
}

impl FromStr for ReplayRequirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        let requirement: Requirement = text.parse()?;
        let Measure { what, phase, is_peak } = requirement.measure();
        let is_known = match what {
            What::Recovery => false,
            What::Latency(_) => true,
            What::Count(which) => is_counted(*which),
            What::Ratio(which, by) => is_counted(*which) && is_counted(*by),
        };
        if is_known && phase.is_none() && !is_peak {
            return Ok(Self(requirement));
        }
        Err(RequirementError::new(
            text,
            "a replay measures success, p50 and other percentiles, offered, good, failed, rejected, attempts, and ratios \
             of these counts, all of the whole log",
        ))
    }
}

impl fmt::Display for ReplayRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ReplayVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requirement, measured: (low, high), holds } = self;
        let verdict = if *holds { "holds" } else { "does not hold" };
        match (low.to_string(), high.to_string()) {
            _ if *low == Measured::Nothing => write!(f, "{requirement}: {verdict}, there is {low}"),
            (low, high) if low == high => write!(f, "{requirement}: {verdict}, it is {low}"),
            (low, high) => write!(f, "{requirement}: {verdict}, it is {low} to {high}"),
        }
    }
}
