//! The phases of a half-open circuit: the trial, BR12 and BR13, and the ramp, BR14.

use std::time::Duration;

use redress_core::breaker::{BreakerSpec, Ramp, Trial};

use super::share::{WHOLE, millionths};
use crate::doubt::Wait;

/// So many probes in a row may be released before a trial pauses.
const FREE_RELEASES: u32 = 10;

/// A trial: its probes under way, its results, and the waits that began with its last admission.
#[derive(Clone, Debug)]
pub(super) struct Testing {
    pub(super) running: u32,
    pub(super) answers: u32,
    pub(super) bad: u32,
    /// Released since the last result.
    pub(super) released: u32,
    pub(super) lease: Option<Wait>,
    pub(super) pause: Wait,
}

/// What a call finds in a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Free,
    /// For the first call after the end of all leases, the place of a silent probe.
    Superseded,
    /// None, for this long if that is known.
    None(Option<Duration>),
}

impl Testing {
    /// A trial in which nothing has happened yet.
    pub(super) const fn new(lease: Option<Wait>, pause: Wait) -> Self {
        Self { running: 0, answers: 0, bad: 0, released: 0, lease, pause }
    }

    pub(super) fn place(&mut self, trial: &Trial, now: Duration) -> Place {
        let needed = u64::from(trial.passes) + u64::from(trial.failures);
        let had = u64::from(self.running) + u64::from(self.answers) + u64::from(self.bad);
        if self.running >= trial.places || had >= needed {
            let left = self.lease.as_mut().map(|lease| lease.left(now));
            return if left == Some(Duration::ZERO) { Place::Superseded } else { Place::None(left) };
        }
        if self.released >= FREE_RELEASES {
            let left = self.pause.left(now);
            return if left.is_zero() { Place::Free } else { Place::None(Some(left)) };
        }
        Place::Free
    }

    /// Whether too many probes were released, and a place is free.
    pub(super) fn is_pausing(&self, trial: &Trial) -> bool {
        let needed = u64::from(trial.passes) + u64::from(trial.failures);
        let had = u64::from(self.running) + u64::from(self.answers) + u64::from(self.bad);
        self.running < trial.places && had < needed && self.released >= FREE_RELEASES
    }

    /// A probe ended without a result.
    pub(super) fn release(&mut self) {
        self.running = self.running.saturating_sub(1);
        self.released += 1;
        self.lease.iter_mut().for_each(Wait::forget_doubt);
        self.pause.forget_doubt();
    }

    /// A probe has a result.
    pub(super) const fn judge(&mut self, is_bad: bool) {
        self.running = self.running.saturating_sub(1);
        self.released = 0;
        if is_bad {
            self.bad += 1;
        } else {
            self.answers += 1;
        }
    }
}

/// A ramp: its wait, and how many calls arrived and were admitted.
#[derive(Clone, Debug)]
pub(super) struct Ramping {
    pub(super) wait: Wait,
    pub(super) arrived: u64,
    pub(super) admitted: u64,
}

impl Ramping {
    /// Whether a call that arrives with this much of the ramp left keeps to the share.
    pub(super) fn admits(&mut self, ramp: &Ramp, left: Duration) -> bool {
        self.arrived += 1;
        let (from, length) = (millionths(ramp.from), ramp.length.as_nanos());
        let gone = length - left.as_nanos().min(length);
        let share = from + (WHOLE - from) * gone / length;
        let admits = (u128::from(self.admitted) + 1) * WHOLE <= share * u128::from(self.arrived);
        self.admitted += u64::from(admits);
        admits
    }
}

/// A wait of a trial that begins now: the lease, if there is one, and the pause.
pub(super) fn waits(spec: &BreakerSpec, now: Duration, end: Duration) -> (Option<Wait>, Wait) {
    let wait = |length| Wait::new(now, length, length, end);
    (spec.lease().map(wait), wait(spec.recovery_timeout / 4))
}
