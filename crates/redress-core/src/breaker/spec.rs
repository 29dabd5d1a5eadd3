//! A breaker's configuration as plain data, with its defaults and a text for people. `builder.rs`
//! validates it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::ramp::Ramp;
use super::trial::Trial;
use crate::classify::class::ErrorClass;
use crate::outcome::readable_duration::Readable;

/// The configuration of a [`CircuitBreaker`](crate::CircuitBreaker): input of
/// [`from_spec`](crate::CircuitBreaker::from_spec), and returned by
/// [`spec`](crate::CircuitBreaker::spec).
///
/// The values are not validated until [`build`](crate::breaker::CircuitBreakerBuilder::build). The
/// clock is not included.
///
/// ```
/// use std::time::Duration;
/// use redress::CircuitBreaker;
/// use redress::breaker::BreakerSpec;
///
/// let mut spec = BreakerSpec::default();
/// spec.name = Some("orders-db".into());
/// spec.recovery_timeout = Duration::from_secs(10);
/// let breaker = CircuitBreaker::from_spec(spec.clone()).build()?;
/// assert_eq!(breaker.spec(), spec);
/// assert_eq!(
///     spec.to_string(),
///     "breaker orders-db: opens at 5 failures in 1 min (TRANSIENT, SERVER_ERROR), \
///      probes after 10 s, supersedes a silent probe after 10 s"
/// );
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerSpec {
    /// The name in events. Default: none.
    pub name: Option<Cow<'static, str>>,
    /// How many failures within the window open the circuit. `None` is the default: 5, or no such
    /// rule if `failure_ratio` or `consecutive_failures` is set.
    pub failure_threshold: Option<u32>,
    /// Which share of the calls within the window opens the circuit when it is bad, between 0 and
    /// 1. Default: none.
    pub failure_ratio: Option<f64>,
    /// How many calls the ratio needs. Default: 20.
    pub min_calls: u32,
    /// How many bad results in a row open the circuit. Default: none.
    pub consecutive_failures: Option<u32>,
    /// How long a result counts. `None` is the default: 60 s, or 30 s if `failure_ratio` is set.
    pub window: Option<Duration>,
    /// How long an attempt may take before its answer, or its drop, is bad. Default: none.
    pub slow_call: Option<Duration>,
    /// How long the circuit stays open before it admits a probe. Default: 30 s.
    pub recovery_timeout: Duration,
    /// How the open wait grows with openings in a row. Default: not at all.
    pub recovery_growth: Option<RecoveryGrowth>,
    /// By which part the open wait is longer or shorter at random, between 0 and 1. Default: 0.
    pub recovery_jitter: f64,
    /// The seed of the jitter. Default: none, so it differs in each run.
    pub seed: Option<u64>,
    /// The longest hint that the open wait honours. Default: none, so it honours no hint.
    pub honour_retry_after: Option<Duration>,
    /// The least hint that opens the circuit at once. Default: none.
    pub open_on_retry_after: Option<Duration>,
    /// How a half-open circuit is judged. Default: one place, one pass, no failure allowed.
    pub trial: Trial,
    /// How long a probe keeps its place. Default: as long as the recovery timeout.
    pub probe_lease: ProbeLease,
    /// The ramp after a passed trial. Default: none.
    pub ramp: Option<Ramp>,
    /// The classes whose failures count towards every rule but the class thresholds. Default:
    /// `Transient` and `ServerError`.
    pub trip_on: Vec<ErrorClass>,
    /// The classes with a separate threshold. If a class occurs twice, the last entry counts.
    /// Default: none.
    pub class_thresholds: Vec<(ErrorClass, u32)>,
}

/// How the open wait grows with openings in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecoveryGrowth {
    /// By what each wait is multiplied for the next one.
    pub factor: f64,
    /// The longest open wait, jitter included.
    pub max: Duration,
}

impl RecoveryGrowth {
    /// Growth by this factor up to this wait.
    #[must_use]
    pub const fn new(factor: f64, max: Duration) -> Self {
        Self { factor, max }
    }
}

/// How long a probe keeps its place before the next call supersedes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeLease {
    /// As long as the recovery timeout.
    #[default]
    RecoveryTimeout,
    /// For this long.
    Lasts(Duration),
    /// Without a limit: the next probe is admitted after a present one has ended.
    Endless,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        Self {
            name: None,
            failure_threshold: None,
            failure_ratio: None,
            min_calls: 20,
            consecutive_failures: None,
            window: None,
            slow_call: None,
            recovery_timeout: Duration::from_secs(30),
            recovery_growth: None,
            recovery_jitter: 0.0,
            seed: None,
            honour_retry_after: None,
            open_on_retry_after: None,
            trial: Trial::new(),
            probe_lease: ProbeLease::default(),
            ramp: None,
            trip_on: vec![ErrorClass::Transient, ErrorClass::ServerError],
            class_thresholds: Vec::new(),
        }
    }
}

impl BreakerSpec {
    /// How many failures within the window open the circuit; `None` without such a rule.
    #[must_use]
    pub const fn threshold(&self) -> Option<u32> {
        match self.failure_threshold {
            None if self.failure_ratio.is_none() && self.consecutive_failures.is_none() => Some(5),
            threshold => threshold,
        }
    }

    /// How long a result counts.
    #[must_use]
    pub const fn window(&self) -> Duration {
        match self.window {
            Some(window) => window,
            None if self.failure_ratio.is_some() => Duration::from_secs(30),
            None => Duration::from_secs(60),
        }
    }

    /// How long each opening lasts, if all last the same.
    pub(crate) fn fixed_open_wait(&self) -> Option<Duration> {
        let varies = self.recovery_growth.is_some()
            || self.recovery_jitter > 0.0
            || self.honour_retry_after.is_some()
            || self.open_on_retry_after.is_some();
        (!varies).then_some(self.recovery_timeout)
    }

    /// How long a probe keeps its place; `None` without a limit.
    #[must_use]
    pub const fn lease(&self) -> Option<Duration> {
        match self.probe_lease {
            ProbeLease::RecoveryTimeout => Some(self.recovery_timeout),
            ProbeLease::Lasts(lease) => Some(lease),
            ProbeLease::Endless => None,
        }
    }

    /// The class's separate threshold, if it has one; the last entry counts.
    pub(super) fn own_threshold(&self, class: ErrorClass) -> Option<u32> {
        self.class_thresholds.iter().rev().find(|(of, _)| *of == class).map(|(_, threshold)| *threshold)
    }

    fn fmt_trips(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.trip_on.iter().filter(|class| self.own_threshold(**class).is_none()).collect();
        let mut rules = Vec::new();
        if !names.is_empty() || self.slow_call.is_some() {
            rules
                .extend(self.threshold().map(|failures| format!("{failures} failures in {}", Readable(self.window()))));
            rules.extend(self.consecutive_failures.map(|failures| format!("{failures} failures in a row")));
            rules.extend(self.failure_ratio.map(|share| {
                format!("{} % of at least {} calls in {}", share * 100.0, self.min_calls, Readable(self.window()))
            }));
        }
        let mut classes = names.iter().map(ToString::to_string).collect::<Vec<_>>();
        classes.extend(self.slow_call.map(|after| format!("calls of {} or longer", Readable(after))));
        if let (Some(last), false) = (rules.last_mut(), classes.is_empty()) {
            *last = format!("{last} ({})", classes.join(", "));
        }
        for class in ErrorClass::ALL.iter().copied() {
            let own = self.own_threshold(class);
            rules.extend(own.map(|threshold| format!("{threshold} {class} in {}", Readable(self.window()))));
        }
        rules.extend(self.open_on_retry_after.map(|least| format!("a hint of at least {}", Readable(least))));
        if rules.is_empty() { f.write_str("never opens") } else { write!(f, "opens at {}", rules.join(" or ")) }
    }

    fn fmt_recovery(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", probes after {}", Readable(self.recovery_timeout))?;
        let growth = self
            .recovery_growth
            .map(|growth| format!("times {} for each opening in a row, up to {}", growth.factor, Readable(growth.max)));
        let jitter = (self.recovery_jitter > 0.0).then(|| format!("give or take {} %", self.recovery_jitter * 100.0));
        let hint = self.honour_retry_after.map(|cap| format!("longer after a hint, up to {}", Readable(cap)));
        let changes: Vec<String> = [growth, jitter, hint].into_iter().flatten().collect();
        if !changes.is_empty() {
            write!(f, " ({})", changes.join("; "))?;
        }
        let Trial { places, passes, failures } = self.trial;
        if self.trial != Trial::new() {
            write!(f, ", {places} at a time: {passes} must pass, {failures} may fail")?;
        }
        if let Some(ramp) = self.ramp {
            write!(f, ", ramps up from {} % in {}", ramp.from * 100.0, Readable(ramp.length))?;
        }
        Ok(())
    }
}

/// Writes one line: what opens the circuit, when it probes, and when a probe is superseded.
impl fmt::Display for BreakerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("breaker")?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        f.write_str(": ")?;
        self.fmt_trips(f)?;
        self.fmt_recovery(f)?;
        f.write_str(", ")?;
        match self.lease() {
            Some(lease) => write!(f, "supersedes a silent probe after {}", Readable(lease)),
            None => f.write_str("never supersedes a probe"),
        }
    }
}
