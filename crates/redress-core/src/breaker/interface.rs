//! What a policy asks of a breaker, so that tests can put another in its place.
//!
//! Owns the trait and the ways to hand a breaker to a policy. Knows nothing of windows or
//! thresholds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::builder::CircuitBreakerBuilder;
use super::cell::CircuitBreaker;
use super::spec::BreakerSpec;
use super::state::{CircuitState, Transition};
use crate::classify::class::ErrorClass;
use crate::outcome::circuit_open_error::{BreakerName, CircuitOpenError};
use crate::policy::config_error::{ConfigError, ConfigIssue};
use crate::policy::spec::PolicyBreaker;

/// The admission of one call: handed back with the call's result, once, for its generation; the
/// transition is then `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an admission has to be reported or released"]
pub struct Admission {
    /// Which era of the breaker admitted the call. A report from an earlier era is ignored.
    pub generation: u64,
    /// The change of state that admitting the call made.
    pub transition: Option<Transition>,
}

/// The result of an admitted call, as a breaker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// It succeeded.
    Success,
    /// It failed; the class of its last failure.
    Failure(ErrorClass),
}

/// A circuit breaker as a policy uses it. [`CircuitBreaker`] is one; a test may bring its own.
pub trait Breaker: Send + Sync {
    /// Admits a call or rejects it.
    ///
    /// # Errors
    ///
    /// The rejection, if the call must not run.
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError>;

    /// Hears of an admitted call's result; says which change of state it made.
    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition>;

    /// Takes an admission back without a result: the call was dropped, panicked or was aborted, or
    /// its [`report`](Self::report) panicked. A panic in here is caught, since the call may be
    /// unwinding already.
    fn release(&self, admission: Admission);

    /// The state.
    fn state(&self) -> CircuitState;

    /// The name it goes by in events. Default: none.
    fn name(&self) -> Option<&str> {
        None
    }

    /// How long from `now` an open circuit stays open before it admits a probe; asked when a report
    /// has opened it, for the event. Default: not known.
    fn open_for(&self, now: Instant) -> Option<Duration> {
        let _ = now;
        None
    }
}

/// A breaker, or the configuration of one, on its way into a policy.
#[derive(Debug)]
pub struct BreakerSource(Source);

enum Source {
    Builder(CircuitBreakerBuilder),
    Choice(BreakerChoice),
    /// A breaker of the caller's that was only described.
    Custom,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Builder(builder) => builder.fmt(f),
            Self::Choice(_) | Self::Custom => f.write_str("breaker"),
        }
    }
}

/// What a policy's builder takes as its breaker: a [`CircuitBreakerBuilder`], a [`CircuitBreaker`],
/// a [`BreakerSpec`], or an `Arc` of another [`Breaker`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a circuit breaker",
    label = "neither a `CircuitBreaker` nor its builder",
    note = "build one: `.circuit_breaker(CircuitBreaker::builder().failure_threshold(..))`",
    note = "a type that implements `Breaker` is handed over in an `Arc`"
)]
pub trait IntoBreaker: Into<BreakerSource> {}

#[diagnostic::do_not_recommend]
impl<B: Into<BreakerSource>> IntoBreaker for B {}

impl BreakerSource {
    /// The breaker.
    pub(crate) fn build(self) -> Result<BreakerChoice, ConfigError> {
        match self.0 {
            Source::Builder(builder) => builder.build().map(BreakerChoice::Circuit),
            Source::Choice(choice) => Ok(choice),
            Source::Custom => Err(ConfigError::from(ConfigIssue::new(
                "policy.circuit_breaker",
                format_args!("custom"),
                "be given to the builder: a spec cannot build a custom breaker",
            ))),
        }
    }
}

impl From<CircuitBreakerBuilder> for BreakerSource {
    fn from(builder: CircuitBreakerBuilder) -> Self {
        Self(Source::Builder(builder))
    }
}

impl From<BreakerSpec> for BreakerSource {
    fn from(spec: BreakerSpec) -> Self {
        CircuitBreaker::from_spec(spec).into()
    }
}

impl From<PolicyBreaker> for BreakerSource {
    fn from(breaker: PolicyBreaker) -> Self {
        match breaker {
            PolicyBreaker::Circuit(spec) => spec.into(),
            PolicyBreaker::Custom => Self(Source::Custom),
        }
    }
}

impl From<CircuitBreaker> for BreakerSource {
    fn from(breaker: CircuitBreaker) -> Self {
        Self(Source::Choice(BreakerChoice::Circuit(breaker)))
    }
}

impl From<&CircuitBreaker> for BreakerSource {
    fn from(breaker: &CircuitBreaker) -> Self {
        breaker.clone().into()
    }
}

impl<B: Breaker + 'static> From<Arc<B>> for BreakerSource {
    fn from(breaker: Arc<B>) -> Self {
        Self(Source::Choice(BreakerChoice::Other(breaker)))
    }
}

/// The breaker of a policy. An enum, so that the real one is reached without an indirect call.
#[derive(Clone)]
pub(crate) enum BreakerChoice {
    Circuit(CircuitBreaker),
    Other(Arc<dyn Breaker>),
}

impl BreakerChoice {
    /// The breaker's name for an error. Of a breaker that is not ours it is copied.
    pub(crate) fn shared_name(&self) -> Option<BreakerName> {
        match self {
            Self::Circuit(breaker) => breaker.shared_name(),
            Self::Other(breaker) => breaker.name().map(BreakerName::from),
        }
    }

    pub(crate) fn as_dyn(&self) -> &dyn Breaker {
        match self {
            Self::Circuit(breaker) => breaker,
            Self::Other(breaker) => &**breaker,
        }
    }
}
