//! The builder of a breaker: a method for each field, validation, and warnings about settings that
//! have no effect.

use std::borrow::Cow;
use std::time::Duration;

use super::cell::CircuitBreaker;
use super::ramp::Ramp;
use super::spec::{BreakerSpec, ProbeLease, RecoveryGrowth};
use super::trial::Trial;
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
    /// Default: 5, or no such rule if [`failure_ratio`](Self::failure_ratio) or
    /// [`consecutive_failures`](Self::consecutive_failures) is set.
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.spec.failure_threshold = Some(failures);
        self
    }

    /// Sets how long a result counts. A failure exactly that old does not count. Must not be zero.
    /// Default: 60 s, or 30 s if [`failure_ratio`](Self::failure_ratio) is set.
    pub fn window(mut self, window: Duration) -> Self {
        self.spec.window = Some(window);
        self
    }

    /// Opens the circuit when so large a share of the calls within the window is bad, between 0 and
    /// 1 and more than 0. Default: no such rule.
    ///
    /// The window has sixteen slices: a result counts for at least 15/16 of it, and never longer
    /// than it. A success counts from the start of its call, a bad result from its end. Failures in
    /// a class that does not trip count as calls. Calls that were dropped or aborted count for
    /// nothing, and so do failures of a class with a [`class_threshold`](Self::class_threshold).
    ///
    /// A success is then counted, and a policy without a deadline reads its clock once more for a
    /// call.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::CircuitBreaker;
    ///
    /// let breaker = CircuitBreaker::builder()
    ///     .failure_ratio(0.5)
    ///     .min_calls(20)
    ///     .window(Duration::from_secs(30))
    ///     .build()?;
    /// assert_eq!(breaker.spec().threshold(), None, "the ratio replaces the default threshold");
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn failure_ratio(mut self, share: f64) -> Self {
        self.spec.failure_ratio = Some(share);
        self
    }

    /// Sets how many calls within the window the [`failure_ratio`](Self::failure_ratio) needs. At
    /// least 1. Default: 20, at which a dependency that fails in one of ten calls trips a ratio of
    /// one half in 7 of a million windows.
    pub fn min_calls(mut self, calls: u32) -> Self {
        self.spec.min_calls = calls;
        self
    }

    /// Opens the circuit at so many bad results in a row, in the order of their reports. An answer
    /// ends the row, a dropped or aborted call does not. At least 1. Default: no such rule.
    pub fn consecutive_failures(mut self, failures: u32) -> Self {
        self.spec.consecutive_failures = Some(failures);
        self
    }

    /// Makes an answer bad if its attempt took so long or longer, and the drop of an attempt that
    /// had run so long. Must not be zero. Default: no limit.
    ///
    /// Slow answers count as failures in every rule and in a trial. Drops count because a timeout
    /// around the whole call otherwise hides an outage: every call is dropped before it fails. The
    /// policy then reads the clock at the start and the end of every attempt.
    pub fn slow_call(mut self, after: Duration) -> Self {
        self.spec.slow_call = Some(after);
        self
    }

    /// Multiplies the open wait by `factor` with each opening in a row, up to `max`. The row starts
    /// over once the circuit has stayed closed as long as its last open wait. `factor` must be
    /// between 1 and 1,000, and `max` at least the [`recovery_timeout`](Self::recovery_timeout).
    /// Default: every wait is the same.
    pub fn recovery_growth(mut self, factor: f64, max: Duration) -> Self {
        self.spec.recovery_growth = Some(RecoveryGrowth::new(factor, max));
        self
    }

    /// Makes each open wait longer or shorter at random, by up to this part of it, so that many
    /// clients do not probe at once. Between 0 and 1. The maximum of
    /// [`recovery_growth`](Self::recovery_growth) still holds. Default: 0.
    pub fn recovery_jitter(mut self, part: f64) -> Self {
        self.spec.recovery_jitter = part;
        self
    }

    /// Sets the seed of the [`recovery_jitter`](Self::recovery_jitter), for reproducible waits.
    /// Default: none.
    pub fn seed(mut self, seed: u64) -> Self {
        self.spec.seed = Some(seed);
        self
    }

    /// Keeps the circuit open at least as long as the hint (`Retry-After`) of the failure that
    /// opened it, but because of the hint no longer than `cap`. Must not be zero. Default: hints do
    /// not matter. Five minutes is a good cap: a hint of hours, honoured, is an outage of hours.
    pub fn honour_retry_after(mut self, cap: Duration) -> Self {
        self.spec.honour_retry_after = Some(cap);
        self
    }

    /// Opens the circuit at once, also in a trial, at a failure with a hint (`Retry-After`) of at
    /// least `least`, if its class trips or is [`RateLimit`](ErrorClass::RateLimit). Must not be
    /// zero. Default: no such rule. To wait as long as the hint says, set
    /// [`honour_retry_after`](Self::honour_retry_after) too.
    pub fn open_on_retry_after(mut self, least: Duration) -> Self {
        self.spec.open_on_retry_after = Some(least);
        self
    }

    /// Sets how a half-open circuit is judged: how many probes at a time, how many answers close
    /// it, and how many failures are allowed. Default: the first result of one probe decides.
    pub fn trial(mut self, trial: Trial) -> Self {
        self.spec.trial = trial;
        self
    }

    /// Lets a passed trial lead to a ramp of this length, instead of closing the circuit: it admits
    /// a share of the calls that grows evenly from `from` to 1, and rejects the others. The circuit
    /// is half-open until a call arrives after the ramp. In the ramp it opens by the same rules as
    /// when it is closed. `length` must not be zero, `from` must be between 0 and 1. Default: no
    /// ramp.
    pub fn ramp(mut self, length: Duration, from: f64) -> Self {
        self.spec.ramp = Some(Ramp::new(length, from));
        self
    }

    /// Sets how long the circuit stays open before it admits a probe. Default: 30 s. Must not be
    /// zero.
    pub fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.spec.recovery_timeout = timeout;
        self
    }

    /// Sets how long a probe keeps its place. If no place is free, and for so long no probe was
    /// admitted or reported, the next call becomes a probe, and the results of the probes that it
    /// supersedes are ignored. Must not be zero. Default: as long as the
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
        if let Some(threshold) = spec.threshold() {
            check.threshold("circuit_breaker.failure_threshold", threshold, None);
        }
        check.duration("circuit_breaker.window", spec.window());
        check.duration("circuit_breaker.recovery_timeout", spec.recovery_timeout);
        if let ProbeLease::Lasts(lease) = spec.probe_lease {
            check.duration("circuit_breaker.probe_lease", lease);
        }
        for (class, threshold) in &spec.class_thresholds {
            check.threshold("circuit_breaker.class_threshold", *threshold, Some(*class));
        }
        self.validate_rules(check);
        self.validate_recovery(check);
    }

    fn validate_rules(&self, check: &mut Check) {
        let spec = &self.spec;
        if let Some(share) = spec.failure_ratio {
            // The smallest share that the whole numbers of the comparison tell from none.
            let holds = (0.000_001..=1.0).contains(&share);
            check.that(holds, "circuit_breaker.failure_ratio", share, "be between 0.000001 and 1");
            let window = spec.window();
            check.that(window >= Duration::from_nanos(32), "circuit_breaker.window", window, {
                "be at least 32 ns, for sixteen slices"
            });
        }
        check.that(spec.min_calls >= 1, "circuit_breaker.min_calls", spec.min_calls, "be at least 1");
        if let Some(failures) = spec.consecutive_failures {
            check.that(failures >= 1, "circuit_breaker.consecutive_failures", failures, "be at least 1");
        }
        if let Some(after) = spec.slow_call {
            check.duration("circuit_breaker.slow_call", after);
        }
        if let Some(least) = spec.open_on_retry_after {
            check.duration("circuit_breaker.open_on_retry_after", least);
        }
    }

    fn validate_recovery(&self, check: &mut Check) {
        let spec = &self.spec;
        if let Some(RecoveryGrowth { factor, max }) = spec.recovery_growth {
            let holds = (1.0..=1_000.0).contains(&factor);
            check.that(holds, "circuit_breaker.recovery_growth.factor", factor, "be between 1 and 1000");
            let reaches = max >= spec.recovery_timeout;
            check.beside(
                "circuit_breaker.recovery_timeout",
                reaches,
                "circuit_breaker.recovery_growth.max",
                max,
                "be at least the recovery timeout",
            );
            check.countable("circuit_breaker.recovery_growth.max", max);
        }
        let jitter = spec.recovery_jitter;
        check.that((0.0..=1.0).contains(&jitter), "circuit_breaker.recovery_jitter", jitter, "be between 0 and 1");
        if let Some(cap) = spec.honour_retry_after {
            check.duration("circuit_breaker.honour_retry_after", cap);
        }
        check.that(spec.trial.places >= 1, "circuit_breaker.trial.places", spec.trial.places, "be at least 1");
        check.that(spec.trial.passes >= 1, "circuit_breaker.trial.passes", spec.trial.passes, "be at least 1");
        if let Some(ramp) = spec.ramp {
            check.duration("circuit_breaker.ramp.length", ramp.length);
            let holds = (0.0..=1.0).contains(&ramp.from);
            check.that(holds, "circuit_breaker.ramp.from", ramp.from, "be between 0 and 1");
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
        let spec = &self.spec;
        let opens_otherwise = spec.slow_call.is_some() || spec.open_on_retry_after.is_some();
        warnings.that(
            opens_otherwise || counts.iter().any(|(_, counts)| *counts != Counts::Never),
            "circuit_breaker.trip_on",
            spec.trip_on.clone(),
            "name a class, or the circuit can never open",
        );
        let general = spec.slow_call.is_some() || counts.iter().any(|(_, counts)| *counts == Counts::Generally);
        if let Some(threshold) = spec.threshold() {
            warnings.that(
                general || spec.class_thresholds.is_empty() || spec.trip_on.is_empty(),
                "circuit_breaker.failure_threshold",
                threshold,
                "be left out when every class that trips has a separate threshold: nothing counts towards it",
            );
        }
        warnings.into_issues()
    }
}

impl Check {
    fn threshold(&mut self, field: &'static str, value: u32, class: Option<ErrorClass>) {
        let rules =
            [(value >= 1, "be at least 1"), (value <= MAX_WINDOW_EVENTS, "be at most 16777216 (128 MiB of window)")];
        for (holds, rule) in rules {
            match class {
                Some(class) => self.of_class(class, holds, field, value, rule),
                None => self.that(holds, field, value, rule),
            }
        }
    }
}
