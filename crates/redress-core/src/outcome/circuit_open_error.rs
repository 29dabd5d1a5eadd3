//! [`CircuitOpenError`], the rejection of a call by a circuit breaker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::breaker::CircuitState;
use crate::drive::clock::nanos;
use crate::outcome::decision::{Decision, Gate};

/// A breaker's name, shared with its rejections so that they do not allocate.
pub(crate) type BreakerName = Arc<str>;

/// The error of a call that a circuit breaker rejected.
///
/// `Display` prints the breaker's name and state, such as `circuit breaker orders-db is open`. It
/// leaves out the time until the next probe, [`retry_in`](Self::retry_in), so that every rejection
/// has the same text.
///
/// Two rejections are equal if their states, times and breakers are.
#[derive(Clone, Debug, Error)]
pub struct CircuitOpenError {
    state: CircuitState,
    /// Nanoseconds, converted when read: most rejections are never inspected.
    retry_in: Option<u64>,
    breaker: Option<BreakerName>,
    /// The whole wait of which `retry_in` is left, in nanoseconds, if the rejection ended a call
    /// and the breaker tells it; else [`UNKNOWN`].
    open_for: u64,
    is_forced: bool,
}

const UNKNOWN: u64 = u64::MAX;

// Not derived: how long the breaker stays open in all is only for the explanation.
impl PartialEq for CircuitOpenError {
    fn eq(&self, other: &Self) -> bool {
        let of = |rejection: &Self| (rejection.state, rejection.retry_in, rejection.is_forced);
        of(self) == of(other) && self.breaker == other.breaker
    }
}

impl Eq for CircuitOpenError {}

impl CircuitOpenError {
    /// Creates the rejection of an unnamed breaker in this state, with the time until the next
    /// probe, if it is known.
    #[must_use]
    pub const fn new(state: CircuitState, retry_in: Option<Duration>) -> Self {
        let retry_in = match retry_in {
            Some(wait) => Some(nanos(wait)),
            None => None,
        };
        Self::after_nanos(state, retry_in, None)
    }

    pub(crate) fn by_breaker(
        state: CircuitState,
        retry_in: Option<Duration>,
        breaker: Option<BreakerName>,
        decision: Option<Decision>,
    ) -> Self {
        let open_for = decision.and_then(|decision| decision.numbers()).map_or(UNKNOWN, |(limit, _)| limit);
        Self { open_for, ..Self::after_nanos(state, retry_in.map(nanos), breaker) }
    }

    /// Sets how long the breaker stays open in all, in nanoseconds, if each opening lasts the same.
    #[inline]
    pub(crate) fn open_for(mut self, whole: Option<u64>) -> Self {
        self.open_for = whole.unwrap_or(UNKNOWN);
        self
    }

    /// What the breaker compared.
    pub(crate) fn decision(&self) -> Decision {
        match (self.state, self.open_for, self.retry_in) {
            _ if self.is_forced => Decision::bare(Gate::CircuitForcedOpen),
            (CircuitState::HalfOpen, ..) => Decision::bare(Gate::CircuitHalfOpen),
            (_, whole, Some(left)) if whole != UNKNOWN => {
                Decision::compared(Gate::CircuitOpen, whole, whole.saturating_sub(left))
            }
            _ => Decision::bare(Gate::CircuitOpen),
        }
    }

    #[inline]
    pub(crate) const fn after_nanos(state: CircuitState, retry_in: Option<u64>, breaker: Option<BreakerName>) -> Self {
        Self { state, retry_in, breaker, open_for: UNKNOWN, is_forced: false }
    }

    /// Sets the breaker's name.
    #[must_use]
    pub fn by(mut self, breaker: impl Into<Arc<str>>) -> Self {
        self.breaker = Some(breaker.into());
        self
    }

    /// The rejection by a breaker that is forced open.
    #[must_use]
    pub const fn forced(self) -> Self {
        self.forced_if(true)
    }

    pub(crate) const fn forced_if(mut self, is_forced: bool) -> Self {
        self.is_forced = is_forced;
        self
    }

    /// Whether the breaker is [forced open](crate::breaker::Mode::ForcedOpen), rather than by its
    /// rules.
    #[must_use]
    pub const fn is_forced(&self) -> bool {
        self.is_forced
    }

    pub(crate) fn into_breaker(self) -> Option<BreakerName> {
        self.breaker
    }

    /// The breaker's state: open, or half-open with a running probe.
    #[must_use]
    pub const fn state(&self) -> CircuitState {
        self.state
    }

    /// Time until the breaker admits a probe. While a probe is running, the time left of its lease;
    /// `None` if it has no lease.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        self.retry_in.map(Duration::from_nanos)
    }

    /// The breaker's name, if it has one.
    #[must_use]
    pub fn breaker(&self) -> Option<&str> {
        self.breaker.as_deref()
    }
}

impl fmt::Display for CircuitOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit breaker ")?;
        if let Some(name) = self.breaker() {
            write!(f, "{name} ")?;
        }
        f.write_str(match self.state {
            CircuitState::HalfOpen => "is half-open and its probe is under way",
            CircuitState::Open | CircuitState::Closed => "is open",
        })
    }
}
