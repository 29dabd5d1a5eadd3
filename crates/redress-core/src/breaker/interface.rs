//! The `Breaker` trait, which a policy calls, and the types that a policy accepts as its breaker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::builder::CircuitBreakerBuilder;
use super::cell::CircuitBreaker;
use super::spec::BreakerSpec;
use super::state::{CircuitState, Transition};
use super::trip::Trip;
use crate::classify::class::ErrorClass;
use crate::outcome::circuit_open_error::{BreakerName, CircuitOpenError};
use crate::policy::config_error::{ConfigError, ConfigIssue};
use crate::policy::spec::PolicyBreaker;

/// The raw token of one admitted call, in the [`Breaker`] trait; [`Permit`](super::Permit) is its
/// guard. The policy passes it back to [`report`](Breaker::report) or
/// [`release`](Breaker::release) once, with the same generation and without the transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an admission has to be reported or released"]
pub struct Admission {
    /// The generation of the breaker's state in which the call was admitted. A report from an
    /// earlier generation is ignored.
    pub generation: u64,
    /// The change of state that the admission caused.
    pub transition: Option<Transition>,
}

/// The result of an admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// The call succeeded.
    Success,
    /// The call failed; the class of its last failure.
    Failure(ErrorClass),
    /// The call was answered or dropped later than the breaker tolerates: a bad result. A policy
    /// never sends it; a breaker that was told how long the call took decides for itself.
    Slow,
}

/// The result of an admitted call, with what else a policy knows about it.
///
/// ```
/// use std::time::Duration;
/// use redress::ErrorClass;
/// use redress::breaker::{Report, Seen};
///
/// let seen = Seen::failure(ErrorClass::RateLimit).retry_after(Duration::from_secs(2));
/// assert_eq!(seen.report(), Report::Failure(ErrorClass::RateLimit));
/// assert_eq!(Seen::success().report(), Report::Success);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The class of the failure; `None` for a success.
    pub class: Option<ErrorClass>,
    /// The wait that the dependency asked for with that failure.
    pub hint: Option<Duration>,
    /// How long the last attempt took, if [`times_attempts`](Breaker::times_attempts).
    pub took: Option<Duration>,
}

impl Seen {
    /// A success.
    #[must_use]
    pub const fn success() -> Self {
        Self { class: None, hint: None, took: None }
    }

    /// A failure of this class.
    #[must_use]
    pub const fn failure(class: ErrorClass) -> Self {
        Self { class: Some(class), ..Self::success() }
    }

    /// Sets the wait that the dependency asked for.
    #[must_use]
    pub const fn retry_after(mut self, hint: Duration) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Sets how long the attempt took.
    #[must_use]
    pub const fn took(mut self, time: Duration) -> Self {
        self.took = Some(time);
        self
    }

    /// The result alone.
    #[must_use]
    pub const fn report(&self) -> Report {
        match self.class {
            None => Report::Success,
            Some(class) => Report::Failure(class),
        }
    }
}

/// A circuit breaker as a policy uses it. [`CircuitBreaker`] implements it; implement it for a
/// custom breaker or a fake in tests.
///
/// ```
/// use std::io;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Instant;
/// use redress::breaker::{Admission, Breaker, CircuitState, Report, Transition};
/// use redress::error::CircuitOpenError;
/// use redress::{Policy, StopReason};
///
/// /// Rejects calls while an operator has switched the dependency off.
/// #[derive(Default)]
/// struct Switch(AtomicBool);
///
/// impl Breaker for Switch {
///     fn admit(&self, _: Instant) -> Result<Admission, CircuitOpenError> {
///         match self.state() {
///             CircuitState::Open => Err(CircuitOpenError::new(CircuitState::Open, None)),
///             _ => Ok(Admission { generation: 0, transition: None }),
///         }
///     }
///
///     fn report(&self, _: Admission, _: Report, _: Instant) -> Option<Transition> {
///         None
///     }
///
///     fn release(&self, _: Admission) {}
///
///     fn state(&self) -> CircuitState {
///         if self.0.load(Ordering::Relaxed) { CircuitState::Open } else { CircuitState::Closed }
///     }
/// }
///
/// let switch = Arc::new(Switch::default());
/// let policy = Policy::builder().circuit_breaker(Arc::clone(&switch)).build()?;
/// assert!(policy.call(|| Ok::<_, io::Error>(7)).is_ok());
///
/// switch.0.store(true, Ordering::Relaxed);
/// assert_eq!(policy.execute(|| Ok::<_, io::Error>(7)).stop_reason(), Some(StopReason::CircuitOpen));
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub trait Breaker: Send + Sync {
    /// Admits a call or rejects it.
    ///
    /// # Errors
    ///
    /// If the call must not run.
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError>;

    /// Called with the result of an admitted call. Returns the change of state that it caused.
    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition>;

    /// Called for an admitted call that ends without a result: it was dropped, panicked or was
    /// aborted, or its [`report`](Self::report) panicked. A panic in this method is caught, because
    /// the call may already be unwinding.
    fn release(&self, admission: Admission);

    /// Called instead of [`report`](Self::report) with all that is known about the result. Default:
    /// calls `report`.
    fn report_seen(&self, admission: Admission, seen: Seen, now: Instant) -> Option<Transition> {
        self.report(admission, seen.report(), now)
    }

    /// Called instead of [`release`](Self::release) if the call was dropped, panicked or was
    /// aborted while an attempt was running, and [`times_attempts`](Self::times_attempts) holds:
    /// with the time that the attempt had run. Returns the change of state that it caused. Default:
    /// calls `release`.
    fn release_after(&self, admission: Admission, took: Duration, now: Instant) -> Option<Transition> {
        let _ = (took, now);
        self.release(admission);
        None
    }

    /// The current state.
    fn state(&self) -> CircuitState;

    /// The breaker's name in events. Default: none.
    fn name(&self) -> Option<&str> {
        None
    }

    /// How long from `now` an open circuit stays open before it admits a probe. Called after a
    /// report has opened the circuit, for the event. Default: `None`, for unknown.
    fn open_for(&self, now: Instant) -> Option<Duration> {
        let _ = now;
        None
    }

    /// Whether a call that arrives at `at` may be admitted, as far as is known now. A policy that
    /// judges attempts asks before it waits for a retry. Default: `true`.
    fn admits_by(&self, at: Instant) -> bool {
        let _ = at;
        true
    }

    /// What the breaker saw when it last opened. Called after a report has opened the circuit, for
    /// the event. Default: `None`, for unknown.
    ///
    /// Another thread may open the circuit again in between: the open wait passes, and a probe
    /// fails. The event then tells of that later opening, never of an earlier one.
    fn last_trip(&self) -> Option<Trip> {
        None
    }

    /// Whether the breaker wants to know how long attempts take. Asked once, when the policy is
    /// built, because the policy then reads its clock at the start and end of each attempt.
    /// Default: `false`.
    fn times_attempts(&self) -> bool {
        false
    }
}

/// A breaker or its configuration, converted for a policy's builder.
#[derive(Debug)]
pub struct BreakerSource(Source);

#[expect(clippy::large_enum_variant, reason = "there is one, while a policy is built")]
enum Source {
    Builder(CircuitBreakerBuilder),
    Choice(BreakerChoice),
    /// A custom breaker in a spec, which cannot be built.
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

/// The types that a policy's builder accepts as its breaker: [`CircuitBreakerBuilder`],
/// [`CircuitBreaker`], [`BreakerSpec`], or an `Arc` of another [`Breaker`].
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
    /// Builds the breaker, or returns the one that is built already.
    pub(crate) fn build(self) -> Result<BreakerChoice, ConfigError> {
        match self.0 {
            Source::Builder(builder) => builder.build().map(BreakerChoice::Circuit),
            Source::Choice(choice) => Ok(choice),
            Source::Custom => Err(ConfigError::from(ConfigIssue::new(
                "policy.circuit_breaker",
                "custom",
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

/// The breaker of a policy. An enum, so that a `CircuitBreaker` is reached without an indirect
/// call.
#[derive(Clone)]
pub(crate) enum BreakerChoice {
    Circuit(CircuitBreaker),
    Other(Arc<dyn Breaker>),
}

impl From<CircuitBreaker> for BreakerChoice {
    fn from(breaker: CircuitBreaker) -> Self {
        Self::Circuit(breaker)
    }
}

impl BreakerChoice {
    /// The breaker's name, for an error. The name of a custom breaker is copied.
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
