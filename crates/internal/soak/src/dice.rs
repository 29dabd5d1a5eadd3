//! The random choices of callers, from a generator with a seed, and their probabilities.

use std::time::Duration;

use redress_core::ErrorClass;

/// The random generator of one caller.
#[derive(Debug)]
pub(crate) struct Dice(fastrand::Rng);

/// The work of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) deed: Deed,
    /// The number of times that an asynchronous operation yields.
    pub(crate) yields: u32,
    /// The time that a blocking operation takes, if any.
    pub(crate) nap: Option<Duration>,
}

/// The end of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Succeed,
    /// Returns a value that the classifier counts as a failure.
    BadValue(ErrorClass),
    Fail(ErrorClass),
    Hint(ErrorClass, Duration),
    /// Returns an error that asks to abort.
    Abort,
    /// Returns a value that asks to abort.
    AbortValue,
    Panic,
    /// Returns an error on which the classifier panics.
    SpoilClassifier,
    /// Returns an error on which the strategy panics, if called.
    SpoilStrategy,
    /// Runs until it is cut.
    Hang,
}

/// The way in which a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Call,
    Execute,
}

/// The origin of a call's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    /// No context.
    Policy,
    /// A context shared by all callers.
    Shared,
    /// A context made for this call.
    Own,
}

/// The hint on which strategies panic.
pub(crate) const SPOILER: Duration = Duration::from_nanos(66_666);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A separate generator for a part that makes its own choices.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    pub(crate) fn one_in(&mut self, many: u32) -> bool {
        self.0.u32(0..many) == 0
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0.u32(0..limit)
    }

    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn micros(&mut self, up_to: u64) -> Duration {
        Duration::from_micros(self.0.u64(0..=up_to))
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.usize(0..of.len())]
    }

    pub(crate) fn class(&mut self) -> ErrorClass {
        const NEVER_RETRIED: &[ErrorClass] = &[ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent];
        const RETRIED: &[ErrorClass] = &[
            ErrorClass::Concurrency,
            ErrorClass::RateLimit,
            ErrorClass::ServerError,
            ErrorClass::Transient,
            ErrorClass::Unknown,
        ];
        *if self.one_in(8) { self.pick(NEVER_RETRIED) } else { self.pick(RETRIED) }
    }

    pub(crate) fn way(&mut self) -> Way {
        if self.one_in(2) { Way::Call } else { Way::Execute }
    }

    pub(crate) fn settings(&mut self) -> Settings {
        *self.pick(&[Settings::Policy, Settings::Policy, Settings::Shared, Settings::Own])
    }

    /// Draws the work of an attempt, of which this share fails.
    pub(crate) fn effort(&mut self, failing_percent: u32, may_hang: bool) -> Effort {
        let deed = if self.percent(failing_percent) { self.misdeed(may_hang) } else { Deed::Succeed };
        let yields = if self.one_in(4) { self.below(4) } else { 0 };
        let nap = self.one_in(64).then(|| self.micros(40));
        Effort { deed, yields, nap }
    }

    fn misdeed(&mut self, may_hang: bool) -> Deed {
        match self.below(64) {
            0 => Deed::Panic,
            1 => Deed::SpoilClassifier,
            2 => Deed::SpoilStrategy,
            3 => Deed::Abort,
            4 => Deed::AbortValue,
            5 if may_hang => Deed::Hang,
            6..=12 => Deed::BadValue(self.class()),
            13..=20 => Deed::Hint(self.class(), self.micros(60)),
            _ => Deed::Fail(self.class()),
        }
    }
}
