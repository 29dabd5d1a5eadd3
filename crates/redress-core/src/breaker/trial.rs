//! [`Trial`]: how a half-open circuit is judged, and the counts of the present trial.

use super::state::Arrival;

/// The trial of a half-open circuit: how many probes run at a time, and how many results decide.
///
/// The circuit closes after as many answers as there are `passes`, and opens again at the first bad
/// result beyond the `failures`. A call is admitted if a place is free and the trial may still need
/// its result. A probe that ends without a result gives its place back. After five such probes in
/// a row the next one waits a quarter of the recovery time after the one before it, until a probe
/// has a result.
///
/// ```
/// use redress::CircuitBreaker;
/// use redress::breaker::Trial;
///
/// let trial = Trial::new().places(2).passes(3);
/// let breaker = CircuitBreaker::builder().trial(trial).build()?;
/// assert_eq!(breaker.spec().trial, trial);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trial {
    /// How many probes may run at a time. Default: 1.
    pub places: u32,
    /// How many answers close the circuit. Default: 1.
    pub passes: u32,
    /// How many bad results are allowed: one more opens the circuit. Default: 0.
    pub failures: u32,
}

impl Default for Trial {
    fn default() -> Self {
        Self::new()
    }
}

impl Trial {
    /// One place, one pass, no failure allowed: the first result decides.
    #[must_use]
    pub const fn new() -> Self {
        Self { places: 1, passes: 1, failures: 0 }
    }

    /// Sets how many probes may run at a time. At least 1. Default: 1.
    #[must_use]
    pub const fn places(mut self, probes: u32) -> Self {
        self.places = probes;
        self
    }

    /// Sets how many answers close the circuit. At least 1. Default: 1.
    #[must_use]
    pub const fn passes(mut self, answers: u32) -> Self {
        self.passes = answers;
        self
    }

    /// Sets how many bad results are allowed: one more opens the circuit. Default: 0.
    #[must_use]
    pub const fn failures(mut self, allowed: u32) -> Self {
        self.failures = allowed;
        self
    }
}

/// How many probes in a row may be released without a result before the next one has to wait.
///
/// A client that drops every call, by a timeout around it, learns nothing from its probes. Without
/// a pause it would probe a dead dependency at full speed.
pub(super) const FREE_RELEASES: u32 = 5;

/// The part of the open wait for which a trial pauses after too many released probes.
pub(super) const PAUSE_DIVISOR: u64 = 4;

/// The counts of one trial. All but `in_flight` survive a lease that is over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TrialCounts {
    in_flight: u32,
    answers: u32,
    bad: u32,
    /// Probes released since the last result.
    released: u32,
}

/// Whether a trial has room for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// Too many probes were released. The next one waits for the pause.
    Paused,
    /// Every place is taken, or the probes under way suffice.
    Full,
}

impl TrialCounts {
    /// A trial that begins with the probe that opened it.
    pub(super) fn first() -> Self {
        Self { in_flight: 1, ..Self::default() }
    }

    /// A call takes a place.
    pub(super) const fn take(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// The permits that are out are void, and a call takes the first place.
    pub(super) const fn supersede(&mut self) {
        self.in_flight = 1;
    }

    /// A probe was answered. Returns whether the trial is passed.
    pub(super) const fn answer(&mut self, trial: &Trial) -> bool {
        self.leave();
        self.released = 0;
        self.answers = self.answers.saturating_add(1);
        self.answers >= trial.passes
    }

    /// A probe had a bad result. Returns whether the trial allows no more.
    pub(super) const fn fail(&mut self, trial: &Trial) -> bool {
        self.leave();
        self.released = 0;
        self.bad = self.bad.saturating_add(1);
        self.bad > trial.failures
    }

    /// A probe ended without a result.
    pub(super) const fn release(&mut self) {
        self.leave();
        self.released = self.released.saturating_add(1);
    }

    const fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn room(&self, trial: &Trial) -> Room {
        let wanted = u64::from(trial.passes) + u64::from(trial.failures);
        let have = u64::from(self.in_flight) + self.judged();
        if self.in_flight >= trial.places || have >= wanted {
            Room::Full
        } else if self.released >= FREE_RELEASES {
            Room::Paused
        } else {
            Room::Free
        }
    }

    pub(super) fn judged(&self) -> u64 {
        u64::from(self.answers) + u64::from(self.bad)
    }

    pub(super) fn bad(&self) -> u64 {
        u64::from(self.bad)
    }
}

impl Room {
    /// How the room is stored for readers without the lock.
    pub(super) const fn code(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Paused => 1,
            Self::Full => 2,
        }
    }

    pub(super) const fn of_code(code: u64) -> Self {
        match code {
            0 => Self::Free,
            1 => Self::Paused,
            _ => Self::Full,
        }
    }

    /// What a call finds, with this time left of the wait that applies: of the pause, or of the
    /// lease; `None` without a lease.
    pub(super) const fn arrival(self, left: Option<u64>) -> Arrival {
        match (self, left) {
            (Self::Free, _) | (Self::Paused, Some(0)) => Arrival::Room,
            (Self::Full, Some(0)) => Arrival::Due,
            _ => Arrival::Early,
        }
    }
}
