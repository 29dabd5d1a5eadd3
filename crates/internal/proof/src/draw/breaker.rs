//! Reads breakers and their modes.

use std::time::Duration;

use redress_core::breaker::{Mode, ProbeLease, Ramp, Trial};

use super::{class, limit, short, time};
use crate::bytes::Bytes;
use crate::world::{BreakerSpec, MoreRules};

/// A span of a breaker, up to the longest one that it counts.
fn span(bytes: &mut Bytes<'_>) -> Duration {
    if bytes.below(16) == 15 { Duration::from_nanos(u64::MAX) } else { limit(bytes) }
}

/// Every second breaker has rules beside its thresholds.
pub(crate) fn breaker(bytes: &mut Bytes<'_>) -> BreakerSpec {
    BreakerSpec {
        more: bytes.maybe(5, more_rules),
        threshold: 1 + u32::from(bytes.below(3)),
        window: span(bytes),
        recovery: span(bytes),
        lease: match bytes.below(5) {
            0 | 1 => ProbeLease::RecoveryTimeout,
            2 | 3 => ProbeLease::Lasts(span(bytes)),
            _ => ProbeLease::Endless,
        },
        trip_on: bytes.several(4, class),
        class_thresholds: bytes.several(3, |bytes| (class(bytes), 1 + u32::from(bytes.below(2)))),
        own_clock: bytes.flag(),
        is_watched: bytes.flag(),
    }
}

pub(super) fn more_rules(bytes: &mut Bytes<'_>) -> MoreRules {
    MoreRules {
        keeps_threshold: bytes.flag(),
        ratio: bytes.maybe(5, |bytes| (bytes.one_of(&[0.5, 0.3, 1.0, 1.0 / 3.0]), 1 + u32::from(bytes.below(4)))),
        in_a_row: bytes.maybe(4, |bytes| 1 + u32::from(bytes.below(3))),
        slow_call: bytes.maybe(4, short),
        growth: bytes.maybe(4, |bytes| (bytes.one_of(&[2.0, 1.0, 1.5]), time(bytes))),
        jitter: if bytes.often(3) { bytes.one_of(&[0.2, 1.0]) } else { 0.0 },
        honours: bytes.maybe(4, limit),
        opens_at: bytes.maybe(8, short),
        trial: trial(bytes),
        ramp: bytes.maybe(3, |bytes| Ramp::new(limit(bytes), bytes.one_of(&[0.5, 0.0, 0.25]))),
        judges_attempts: bytes.flag(),
    }
}

fn trial(bytes: &mut Bytes<'_>) -> Trial {
    let (places, passes, failures) = (bytes.below(3), bytes.below(3), bytes.below(2));
    Trial::new().places(1 + u32::from(places)).passes(1 + u32::from(passes)).failures(failures.into())
}

/// Most often the mode in which a breaker decides.
pub(crate) fn mode(bytes: &mut Bytes<'_>) -> Mode {
    bytes.one_of(&[Mode::Enforcing, Mode::Watching, Mode::Enforcing, Mode::ForcedOpen, Mode::ForcedClosed])
}
