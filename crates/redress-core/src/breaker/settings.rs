//! [`Settings`], a breaker's configuration as its cell reads it, and [`Base`], what stays for the
//! breaker's life. Keyed breakers share both.

use std::time::Duration;

use super::builder::{CircuitBreakerBuilder, Counts};
use super::opening::OpenWaits;
use super::rules::Rules;
use super::spec::BreakerSpec;
use super::trial::PAUSE_DIVISOR;
use super::word::Traits;
use crate::classify::class::PerClass;
use crate::drive::clock::{ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::policy::config_error::ConfigIssue;

/// A validated configuration. It has no name, so that breakers with different names share it.
pub(super) struct Settings {
    pub(super) spec: BreakerSpec,
    pub(super) warnings: Vec<ConfigIssue>,
    pub(super) counts: PerClass<Counts>,
    pub(super) rules: Rules,
    pub(super) open_waits: OpenWaits,
    /// In ticks.
    pub(super) slow_call: Option<u64>,
    /// How long a probe keeps its place, in ticks; 0 without a limit.
    pub(super) lease: u64,
    /// How far probes are apart once too many were released, in ticks.
    pub(super) pause: u64,
    pub(super) traits: Traits,
}

impl Settings {
    pub(super) fn new(builder: CircuitBreakerBuilder) -> Self {
        let (counts, warnings) = (builder.counts(), builder.warnings());
        let spec = BreakerSpec { name: None, ..builder.spec };
        Self {
            warnings,
            counts,
            rules: Rules::new(&spec),
            open_waits: OpenWaits::new(&spec),
            slow_call: spec.slow_call.map(nanos),
            lease: spec.lease().map_or(0, nanos),
            pause: nanos(spec.recovery_timeout) / PAUSE_DIVISOR,
            traits: Traits::of(&spec),
            spec,
        }
    }

    pub(super) const fn window(&self) -> Duration {
        self.spec.window()
    }
}

/// The parts of a breaker that no new configuration replaces.
pub(super) struct Base {
    pub(super) clock: ClockChoice,
    pub(super) epoch: Epoch,
    /// The breaker is one of many: it allocates what it needs when it first needs it, and has one
    /// stripe for the successes of all threads.
    pub(super) is_small: bool,
}

impl Base {
    pub(super) fn new(clock: ClockChoice, is_small: bool) -> Self {
        Self { clock, epoch: Epoch::default(), is_small }
    }
}
