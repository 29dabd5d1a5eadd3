//! The builder of a breaker: a method for each field, validation, and warnings about settings that
//! have no effect.

use std::borrow::Cow;
use std::time::Duration;

use super::cell::CircuitBreaker;
use super::spec::{BreakerSpec, ProbeLease};
use crate::budget::cell::MAX_WINDOW_EVENTS;
use crate::classify::class::{ErrorClass, PerClass};
use crate::drive::clock::{Clock, ClockChoice};
use crate::policy::config_error::{Check, ConfigError, ConfigIssue};

/// How failures of a class count towards opening the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// They do not count: the dependency responded.
    Never,
    /// Together with the other classes that count generally, in one window.
    Generally,
    /// Alone, in a separate window with a separate threshold.
    Alone,
}

/// Configures and builds a [`CircuitBreaker`].
///
/// # Defaults
///
/// `failure_threshold` 5, `window` 60 s, `recovery_timeout` 30 s, a probe lease as long as the
/// `recovery_timeout`, trips on [`Transient`](ErrorClass::Transient) and
/// [`ServerError`](ErrorClass::ServerError), no class thresholds, the policy's clock, no name.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, ErrorClass};
///
/// let breaker = CircuitBreaker::builder()
///     .name("orders-db")
///     .failure_threshold(10)
///     .class_threshold(ErrorClass::RateLimit, 50)
///     .recovery_timeout(Duration::from_secs(10))
///     .build()?;
/// assert_eq!(breaker.name(), Some("orders-db"));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy builder takes it"]
pub struct CircuitBreakerBuilder {
    pub(super) spec: BreakerSpec,
    pub(super) clock: ClockChoice,
}

impl CircuitBreakerBuilder {
    pub(super) fn new(spec: BreakerSpec) -> Self {
        Self { spec, clock: ClockChoice::default() }
    }

    /// Sets the name of the breaker in events, metrics and errors: the dependency that it guards,
    /// such as `orders-db`. Default: no name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.spec.name = Some(name.into());
        self
    }

    /// Sets how many failures within the window open the circuit. Between 1 and 16,777,216.
    /// Default: 5.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.spec.failure_threshold = failures;
        self
    }

    /// Sets how long a failure counts. A failure exactly that old does not count. Default: 60 s.
    /// Must not be zero.
    pub fn window(mut self, window: Duration) -> Self {
        self.spec.window = window;
        self
    }

    /// Sets how long the circuit stays open before it admits a probe. Default: 30 s. Must not be
    /// zero.
    pub fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.spec.recovery_timeout = timeout;
        self
    }

    /// Sets how long a probe keeps its place. After that the next call becomes the probe, and the
    /// result of the superseded probe is ignored. Must not be zero. Default: as long as the
    /// [`recovery_timeout`](Self::recovery_timeout).
    ///
    /// Choose a lease longer than any healthy call takes. Otherwise slow but healthy probes are
    /// superseded one after the other.
    pub fn probe_lease(mut self, lease: Duration) -> Self {
        self.spec.probe_lease = ProbeLease::Lasts(lease);
        self
    }

    /// Lets a probe keep its place until it ends. A probe that never ends keeps the circuit
    /// half-open forever. An attempt timeout bounds the probe of an asynchronous or detached call.
    pub fn no_probe_lease(mut self) -> Self {
        self.spec.probe_lease = ProbeLease::Endless;
        self
    }

    /// Sets the classes whose failures count towards the
    /// [`failure_threshold`](Self::failure_threshold). Default: `Transient` and `ServerError`. A
    /// class with a [`class_threshold`](Self::class_threshold) counts only towards that.
    pub fn trip_on(mut self, classes: impl IntoIterator<Item = ErrorClass>) -> Self {
        self.spec.trip_on = classes.into_iter().collect();
        self
    }

    /// Sets a separate threshold for a class: so many of its failures within the window open the
    /// circuit, and they do not count towards the [`failure_threshold`](Self::failure_threshold).
    /// Between 1 and 16,777,216. If called twice for a class, the last call counts. Default: none.
    pub fn class_threshold(mut self, class: ErrorClass, failures: u32) -> Self {
        self.spec.class_thresholds.push((class, failures));
        self
    }

    /// Sets a clock that the breaker uses instead of the policy's. Default: the clock of the
    /// policy, or the system clock if the breaker is used without a policy.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = ClockChoice::custom(clock);
        self
    }

    /// Builds the breaker.
    ///
    /// # Errors
    ///
    /// If a threshold is 0 or above 16,777,216, or if a duration is zero or longer than 584 years.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        let mut check = Check::default();
        self.validate(&mut check);
        check.finish()?;
        Ok(CircuitBreaker::from_builder(self))
    }

    pub(super) fn validate(&self, check: &mut Check) {
        let spec = &self.spec;
        check.threshold("circuit_breaker.failure_threshold", spec.failure_threshold);
        check.duration("circuit_breaker.window", spec.window);
        check.duration("circuit_breaker.recovery_timeout", spec.recovery_timeout);
        if let ProbeLease::Lasts(lease) = spec.probe_lease {
            check.duration("circuit_breaker.probe_lease", lease);
        }
        for (_, threshold) in &spec.class_thresholds {
            check.threshold("circuit_breaker.class_threshold", *threshold);
        }
    }

    pub(super) fn counts(&self) -> PerClass<Counts> {
        PerClass::from_fn(|class| {
            if self.spec.own_threshold(class).is_some() {
                Counts::Alone
            } else if self.spec.trip_on.contains(&class) {
                Counts::Generally
            } else {
                Counts::Never
            }
        })
    }

    pub(super) fn warnings(&self) -> Vec<ConfigIssue> {
        let counts = self.counts();
        let mut warnings = Check::default();
        warnings.that(
            counts.iter().any(|(_, counts)| *counts != Counts::Never),
            "circuit_breaker.trip_on",
            &self.spec.trip_on,
            "name a class, or the circuit can never open",
        );
        let general = counts.iter().any(|(_, counts)| *counts == Counts::Generally);
        warnings.that(
            general || self.spec.class_thresholds.is_empty() || self.spec.trip_on.is_empty(),
            "circuit_breaker.failure_threshold",
            self.spec.failure_threshold,
            "be left out when every class that trips has a separate threshold: nothing counts towards it",
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
