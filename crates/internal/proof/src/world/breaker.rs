//! The breaker of a case.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{ProbeLease, Ramp, RecoveryGrowth, Trial};

#[derive(Clone, Debug)]
pub(crate) struct BreakerSpec {
    pub(crate) threshold: u32,
    pub(crate) window: Duration,
    pub(crate) recovery: Duration,
    pub(crate) lease: ProbeLease,
    pub(crate) trip_on: Vec<ErrorClass>,
    pub(crate) class_thresholds: Vec<(ErrorClass, u32)>,
    pub(crate) own_clock: bool,
    /// Whether the policy meets it behind the `Breaker` trait, where every admission, report and
    /// release is noted.
    pub(crate) is_watched: bool,
    pub(crate) more: Option<MoreRules>,
}

/// The rules beside thresholds, and how the circuit recovers.
#[derive(Clone, Debug)]
pub(crate) struct MoreRules {
    /// Whether the threshold is set as well.
    pub(crate) keeps_threshold: bool,
    /// The share, and how many calls it needs.
    pub(crate) ratio: Option<(f64, u32)>,
    pub(crate) in_a_row: Option<u32>,
    pub(crate) slow_call: Option<Duration>,
    /// The factor, and by how much the longest wait exceeds the first.
    pub(crate) growth: Option<(f64, Duration)>,
    pub(crate) jitter: f64,
    pub(crate) honours: Option<Duration>,
    pub(crate) opens_at: Option<Duration>,
    pub(crate) trial: Trial,
    pub(crate) ramp: Option<Ramp>,
    pub(crate) judges_attempts: bool,
}

/// The longest span that a breaker counts.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

/// The shortest window of a ratio here. The numbers of shorter slices wrap within the centuries
/// that a case may take.
const LEAST_RATIO_WINDOW: Duration = Duration::from_secs(1);

impl BreakerSpec {
    /// The same as the library's configuration.
    pub(crate) fn spec(&self) -> redress_core::breaker::BreakerSpec {
        let mut spec = redress_core::breaker::BreakerSpec::default();
        spec.failure_threshold = Some(self.threshold);
        spec.window = Some(self.window);
        spec.recovery_timeout = self.recovery;
        spec.probe_lease = self.lease;
        spec.trip_on.clone_from(&self.trip_on);
        spec.class_thresholds.clone_from(&self.class_thresholds);
        let Some(more) = &self.more else { return spec };
        spec.failure_threshold = spec.failure_threshold.filter(|_| more.keeps_threshold);
        if let Some((share, calls)) = more.ratio {
            (spec.failure_ratio, spec.min_calls) = (Some(share), calls);
            spec.window = Some(self.window.max(LEAST_RATIO_WINDOW));
        }
        spec.consecutive_failures = more.in_a_row;
        spec.slow_call = more.slow_call;
        spec.recovery_growth = more
            .growth
            .map(|(factor, more)| RecoveryGrowth::new(factor, self.recovery.saturating_add(more).min(LONGEST)));
        (spec.recovery_jitter, spec.seed) = (more.jitter, Some(7));
        (spec.honour_retry_after, spec.open_on_retry_after) = (more.honours, more.opens_at);
        (spec.trial, spec.ramp) = (more.trial, more.ramp);
        spec
    }

    pub(crate) fn judges_attempts(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.judges_attempts)
    }

    pub(crate) fn has_ratio(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.ratio.is_some())
    }

    /// Whether the time that attempts take matters to it.
    pub(crate) fn times_attempts(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.slow_call.is_some())
    }
}
