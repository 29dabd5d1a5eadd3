//! What can be measured on a report, by name: times, counts and ratios, of the whole run or of a
//! part.

use std::fmt;
use std::time::Duration;

use redress_core::observe::Readable;

use crate::outline::Phase;
use crate::report::Report;
use crate::second::Second;

/// Something to measure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    pub(crate) what: What,
    /// The whole run, if none.
    pub(crate) phase: Option<Phase>,
    /// The most of any second, instead of the sum.
    pub(crate) is_peak: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Recovery,
    /// The time that this share of the good calls did not exceed.
    Latency(f64),
    Count(Count),
    Ratio(Count, Count),
}

/// A count of [`Second`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Offered,
    Good,
    Failed,
    Rejected,
    Attempts,
    Unheard,
    Dropped,
    Refused,
    Limited,
    Reset,
    Open,
    HalfOpen,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Measured {
    /// A time.
    Time(Duration),
    /// The calls never recovered.
    Never,
    /// A count, or a ratio of two.
    Number(f64),
    /// There is nothing to measure: no call succeeded, or the divisor is zero.
    Nothing,
}

impl Count {
    pub(crate) const ALL: [(&'static str, Self); 12] = [
        ("offered", Self::Offered),
        ("good", Self::Good),
        ("failed", Self::Failed),
        ("rejected", Self::Rejected),
        ("attempts", Self::Attempts),
        ("unheard", Self::Unheard),
        ("dropped", Self::Dropped),
        ("refused", Self::Refused),
        ("limited", Self::Limited),
        ("reset", Self::Reset),
        ("open", Self::Open),
        ("half_open", Self::HalfOpen),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(other, _)| *other == name).map(|(_, count)| *count)
    }

    const fn of(self, second: &Second) -> u64 {
        match self {
            Self::Offered => second.offered,
            Self::Good => second.good,
            Self::Failed => second.failed,
            Self::Rejected => second.rejected,
            Self::Attempts => second.attempts,
            Self::Unheard => second.unheard,
            Self::Dropped => second.dropped,
            Self::Refused => second.refused,
            Self::Limited => second.limited,
            Self::Reset => second.reset,
            Self::Open => second.open,
            Self::HalfOpen => second.half_open,
        }
    }
}

impl Measure {
    pub(crate) fn of(&self, report: &Report) -> Measured {
        let seconds = self.phase.map_or_else(|| 0..report.seconds().len(), |phase| report.phase(phase));
        match &self.what {
            What::Recovery => report.recovery().map_or(Measured::Never, Measured::Time),
            What::Latency(share) => report.latency(*share, seconds).map_or(Measured::Nothing, Measured::Time),
            What::Count(count) if self.is_peak => {
                let most = report.seconds()[seconds].iter().map(|second| count.of(second)).max();
                Measured::Number(most.unwrap_or(0) as f64)
            }
            What::Count(count) => Measured::Number(count.of(&report.sum(seconds)) as f64),
            What::Ratio(count, by) if self.is_peak => {
                let ratios = report.seconds()[seconds].iter().filter_map(|second| ratio(second, *count, *by));
                ratios.max_by(f64::total_cmp).map_or(Measured::Nothing, Measured::Number)
            }
            What::Ratio(count, by) => {
                ratio(&report.sum(seconds), *count, *by).map_or(Measured::Nothing, Measured::Number)
            }
        }
    }
}

impl Measured {
    /// As a number, in seconds if it is a time. `None` if there is nothing to measure.
    pub(crate) fn amount(self) -> Option<f64> {
        match self {
            Self::Time(time) => Some(time.as_secs_f64()),
            Self::Never => Some(f64::INFINITY),
            Self::Number(number) => Some(number),
            Self::Nothing => None,
        }
    }
}

fn ratio(second: &Second, count: Count, by: Count) -> Option<f64> {
    let divisor = by.of(second);
    (divisor > 0).then(|| count.of(second) as f64 / divisor as f64)
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{}", Readable(*time)),
            Self::Never => f.write_str("never"),
            Self::Number(number) if number.fract() == 0.0 => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:.4}"),
            Self::Nothing => f.write_str("nothing to measure"),
        }
    }
}
