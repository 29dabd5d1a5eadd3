//! How long each opening lasts: BR10 and BR11.

use std::time::Duration;

use redress_core::breaker::BreakerSpec;

use super::share::{WHOLE, millionths};

/// The openings in a row, and the generator that spreads their waits.
#[derive(Clone, Debug)]
pub(super) struct Openings {
    in_a_row: u32,
    last_wait: Duration,
    closed_at: Duration,
    random: fastrand::Rng,
}

fn nanos(time: u128) -> Duration {
    Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX))
}

impl Openings {
    pub(super) fn new(spec: &BreakerSpec) -> Self {
        let random = fastrand::Rng::with_seed(spec.seed.unwrap_or_default());
        Self { in_a_row: 0, last_wait: Duration::ZERO, closed_at: Duration::ZERO, random }
    }

    /// The circuit closed.
    pub(super) const fn close(&mut self, now: Duration) {
        self.closed_at = now;
    }

    /// The length of an opening that begins now, by a failure with this hint.
    pub(super) fn next(
        &mut self,
        spec: &BreakerSpec,
        was_closed: bool,
        hint: Option<Duration>,
        now: Duration,
    ) -> Duration {
        let has_recovered = was_closed && now.saturating_sub(self.closed_at) >= self.last_wait;
        self.in_a_row = if has_recovered { 1 } else { self.in_a_row + 1 };
        let (least, most) = spread(spec, self.in_a_row);
        let wait = if spec.recovery_jitter == 0.0 { most } else { self.random.u64(least..=most) };
        let wait = capped(spec, Duration::from_nanos(wait));
        let hint = hint.zip(spec.honour_retry_after).map(|(hint, cap)| hint.min(cap));
        self.last_wait = wait.max(hint.unwrap_or_default());
        self.last_wait
    }
}

/// The longest that an opening may last.
pub(super) fn longest(spec: &BreakerSpec) -> Duration {
    let grown = spec.recovery_growth.map_or(spec.recovery_timeout, |growth| growth.max);
    let off = nanos(grown.as_nanos() * millionths(spec.recovery_jitter) / WHOLE);
    capped(spec, nanos((grown + off).as_nanos())).max(spec.honour_retry_after.unwrap_or_default())
}

fn capped(spec: &BreakerSpec, wait: Duration) -> Duration {
    spec.recovery_growth.map_or(wait, |growth| wait.min(growth.max))
}

/// The shortest and the longest wait of the opening with this number in its row, in nanoseconds:
/// the base, multiplied for each opening before it, give or take the jitter.
fn spread(spec: &BreakerSpec, in_a_row: u32) -> (u64, u64) {
    let mut wait = capped(spec, spec.recovery_timeout);
    if let Some(growth) = spec.recovery_growth {
        for _ in 1..in_a_row {
            wait = capped(spec, nanos(wait.as_nanos() * millionths(growth.factor) / WHOLE));
        }
    }
    let wait = wait.as_nanos() as u64;
    let off = (u128::from(wait) * millionths(spec.recovery_jitter) / WHOLE) as u64;
    (wait.saturating_sub(off), wait.saturating_add(off))
}
