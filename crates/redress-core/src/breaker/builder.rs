//! The breaker's configuration: fields, defaults and rules.
//!
//! Owns validation and the warnings about what is legal but odd. The running breaker never checks anything again.

use std::borrow::Cow;
use std::time::Duration;

use super::cell::CircuitBreaker;
use crate::budget::cell::MAX_WINDOW_EVENTS;
use crate::classify::class::{ErrorClass, PerClass};
use crate::drive::clock::{Clock, ClockChoice};
use crate::policy::config_error::{Check, ConfigError, ConfigIssue};

/// How a class counts towards opening the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Not at all: the dependency answered.
    Never,
    /// Together with the other classes that count generally.
    Generally,
    /// By itself, with a threshold of its own, and towards nothing else.
    Alone,
}

/// Builds a [`CircuitBreaker`].
///
/// # Defaults
///
/// `failure_threshold` 5, `window` 60 s, `recovery_timeout` 30 s, tripping on
/// [`Transient`](ErrorClass::Transient) and [`ServerError`](ErrorClass::ServerError), no class with a threshold of its own, the
/// policy's clock, no name.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy builder takes it"]
pub struct CircuitBreakerBuilder {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) failure_threshold: u32,
    pub(super) window: Duration,
    pub(super) recovery_timeout: Duration,
    pub(super) trip_on: Vec<ErrorClass>,
    pub(super) class_thresholds: Vec<(ErrorClass, u32)>,
    pub(super) clock: ClockChoice,
}

impl CircuitBreakerBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: None,
            failure_threshold: 5,
            window: Duration::from_secs(60),
            recovery_timeout: Duration::from_secs(30),
            trip_on: vec![ErrorClass::Transient, ErrorClass::ServerError],
            class_thresholds: Vec::new(),
            clock: ClockChoice::default(),
        }
    }

    /// Names the breaker in events, and so in metrics: the dependency it guards, as in `orders-db`. Default: no name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets how many failures within the window open the circuit. Default: 5.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = failures;
        self
    }

    /// Sets how long a failure counts. Default: 60 s. A failure exactly that old no longer does.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how long the circuit stays open before it admits a probe. Default: 30 s.
    pub fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.recovery_timeout = timeout;
        self
    }

    /// Sets the classes whose failures count. Default: `Transient` and `ServerError`. Classes with a
    /// [threshold of their own](Self::class_threshold) count in any case.
    pub fn trip_on(mut self, classes: impl IntoIterator<Item = ErrorClass>) -> Self {
        self.trip_on = classes.into_iter().collect();
        self
    }

    /// Gives a class a threshold of its own: so many of its failures within the window open the circuit, and they
    /// count towards nothing else.
    pub fn class_threshold(mut self, class: ErrorClass, failures: u32) -> Self {
        self.class_thresholds.push((class, failures));
        self
    }

    /// Gives the breaker a clock of its own, which it then uses even when a policy offers it the policy's time.
    /// Default: the policy's clock, or the system's when the breaker is used directly.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = ClockChoice::custom(clock);
        self
    }

    /// The breaker.
    ///
    /// # Errors
    ///
    /// If a threshold is 0 or above 16,777,216, or a duration is zero or longer than 584 years.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        let mut check = Check::default();
        check.threshold("circuit_breaker.failure_threshold", self.failure_threshold);
        check.duration("circuit_breaker.window", self.window);
        check.duration("circuit_breaker.recovery_timeout", self.recovery_timeout);
        for (_, threshold) in &self.class_thresholds {
            check.threshold("circuit_breaker.class_threshold", *threshold);
        }
        check.finish()?;
        Ok(CircuitBreaker::from_builder(self))
    }

    pub(super) fn counts(&self) -> PerClass<Counts> {
        PerClass::from_fn(|class| {
            if self.own_threshold(class).is_some() {
                Counts::Alone
            } else if self.trip_on.contains(&class) {
                Counts::Generally
            } else {
                Counts::Never
            }
        })
    }

    /// The class's own threshold, if it has one; the last one given counts.
    pub(super) fn own_threshold(&self, class: ErrorClass) -> Option<u32> {
        self.class_thresholds.iter().rev().find(|(of, _)| *of == class).map(|(_, threshold)| *threshold)
    }

    pub(super) fn warnings(&self) -> Vec<ConfigIssue> {
        let counts = self.counts();
        let mut warnings = Check::default();
        warnings.that(
            counts.iter().any(|(_, counts)| *counts != Counts::Never),
            "circuit_breaker.trip_on",
            &self.trip_on,
            "name a class, or the circuit can never open",
        );
        let general = counts.iter().any(|(_, counts)| *counts == Counts::Generally);
        warnings.that(
            general || self.class_thresholds.is_empty() || self.trip_on.is_empty(),
            "circuit_breaker.failure_threshold",
            self.failure_threshold,
            "be left out when every class that trips has a threshold of its own: nothing counts towards it",
        );
        warnings.into_issues()
    }
}

impl Check {
    fn threshold(&mut self, field: &'static str, value: u32) {
        self.that(value >= 1, field, value, "be at least 1");
        self.that(value <= MAX_WINDOW_EVENTS, field, value, "be at most 16777216 (128 MiB of window)");
    }
}
