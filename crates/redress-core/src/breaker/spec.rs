//! A breaker's configuration as plain data, with its defaults and a text for people. `builder.rs`
//! validates it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

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
/// assert_eq!(breaker.spec(), &spec);
/// assert_eq!(
///     spec.to_string(),
///     "breaker orders-db: opens at 5 failures in 1 min (TRANSIENT, SERVER_ERROR), \
///      probes after 10 s, supersedes a silent probe after 10 s"
/// );
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSpec {
    /// The name in events. Default: none.
    pub name: Option<Cow<'static, str>>,
    /// How many failures within the window open the circuit. Default: 5.
    pub failure_threshold: u32,
    /// How long a failure counts. Default: 60 s.
    pub window: Duration,
    /// How long the circuit stays open before it admits a probe. Default: 30 s.
    pub recovery_timeout: Duration,
    /// How long a probe keeps its place. Default: as long as the recovery timeout.
    pub probe_lease: ProbeLease,
    /// The classes whose failures count towards `failure_threshold`. Default: `Transient` and
    /// `ServerError`.
    pub trip_on: Vec<ErrorClass>,
    /// The classes with a separate threshold. If a class occurs twice, the last entry counts.
    /// Default: none.
    pub class_thresholds: Vec<(ErrorClass, u32)>,
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
    /// Without a limit: the next probe is admitted after the present one has ended.
    Endless,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        Self {
            name: None,
            failure_threshold: 5,
            window: Duration::from_secs(60),
            recovery_timeout: Duration::from_secs(30),
            probe_lease: ProbeLease::default(),
            trip_on: vec![ErrorClass::Transient, ErrorClass::ServerError],
            class_thresholds: Vec::new(),
        }
    }
}

impl BreakerSpec {
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
        let mut lead = "opens at";
        if let [first, others @ ..] = &names[..] {
            write!(f, "{lead} {} failures in {} ({first}", self.failure_threshold, Readable(self.window))?;
            others.iter().try_for_each(|class| write!(f, ", {class}"))?;
            f.write_str(")")?;
            lead = " or";
        }
        for class in ErrorClass::ALL.iter().copied() {
            if let Some(threshold) = self.own_threshold(class) {
                write!(f, "{lead} {threshold} {class} in {}", Readable(self.window))?;
                lead = " or";
            }
        }
        if lead == "opens at" { f.write_str("never opens") } else { Ok(()) }
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
        write!(f, ", probes after {}, ", Readable(self.recovery_timeout))?;
        match self.lease() {
            Some(lease) => write!(f, "supersedes a silent probe after {}", Readable(lease)),
            None => f.write_str("never supersedes a probe"),
        }
    }
}
