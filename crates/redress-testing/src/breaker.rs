//! A circuit breaker that does as it is told.
//!
//! Owns the decisions to come and the account of what was reported. Counts no failures, and knows
//! no time.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redress_core::ErrorClass;
use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Transition};
use redress_core::error::CircuitOpenError;

use crate::lock::lock;

/// What a [`FakeCircuitBreaker`] is to say to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerDecision {
    /// Admits it; the state stays as it is.
    Admit,
    /// Admits it as the probe: the state becomes half-open, and observers hear of it.
    Probe,
    /// Admits it as the probe in place of those admitted before, whose leases are over: the state
    /// becomes half-open, no observer hears of it, and what the earlier calls report or release
    /// changes nothing.
    Supersede,
    /// Rejects it; the state becomes the rejection's.
    Reject(CircuitOpenError),
}

impl BreakerDecision {
    /// A rejection by an open circuit that admits a probe after `retry_in`.
    #[must_use]
    pub const fn reject_for(retry_in: Duration) -> Self {
        Self::Reject(CircuitOpenError::new(CircuitState::Open, Some(retry_in)))
    }

    /// A rejection beside a probe whose lease is over after `retry_in`.
    #[must_use]
    pub const fn reject_beside_probe(retry_in: Duration) -> Self {
        Self::Reject(CircuitOpenError::new(CircuitState::HalfOpen, Some(retry_in)))
    }
}

/// A circuit breaker for tests: it answers what it was told to, and keeps account of what it hears.
///
/// Policies take it in an `Arc`; keep one to ask it afterwards. Unless told otherwise it is closed,
/// admits every call, and changes on no report.
///
/// ```
/// use std::io;
/// use std::sync::Arc;
/// use std::time::Duration;
/// use redress::{Policy, StopReason};
/// use redress::testing::{BreakerDecision, FakeCircuitBreaker};
///
/// let breaker = Arc::new(FakeCircuitBreaker::new());
/// breaker.push_decision(BreakerDecision::reject_for(Duration::from_secs(30)));
/// let policy = Policy::builder().circuit_breaker(Arc::clone(&breaker)).build()?;
///
/// let rejected = policy.execute(|| Ok::<_, io::Error>("never run"));
/// assert_eq!(rejected.stop_reason(), Some(StopReason::CircuitOpen));
/// assert!(policy.execute(|| Ok::<_, io::Error>("run")).is_ok());
/// assert_eq!((breaker.admit_calls(), breaker.successes()), (2, 1));
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub struct FakeCircuitBreaker {
    otherwise: BreakerDecision,
    on_success: Option<Transition>,
    on_failure: Option<Transition>,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    state: CircuitState,
    decisions: VecDeque<BreakerDecision>,
    admit_calls: u64,
    successes: usize,
    failures: Vec<ErrorClass>,
    releases: usize,
    /// The generations of the admissions neither reported nor released.
    pending: BTreeSet<u64>,
    /// Admissions of an earlier generation are superseded.
    current_from: u64,
}

impl FakeCircuitBreaker {
    /// A closed breaker that admits every call.
    #[must_use]
    pub fn new() -> Self {
        Self {
            otherwise: BreakerDecision::Admit,
            on_success: None,
            on_failure: None,
            account: Mutex::new(Account {
                state: CircuitState::Closed,
                decisions: VecDeque::new(),
                admit_calls: 0,
                successes: 0,
                failures: Vec::new(),
                releases: 0,
                pending: BTreeSet::new(),
                current_from: 0,
            }),
        }
    }

    /// Sets the state it begins in. Default: closed.
    #[must_use]
    pub fn starting(self, state: CircuitState) -> Self {
        lock(&self.account).state = state;
        self
    }

    /// Sets what it says once no pushed decision is left. Default:
    /// [`Admit`](BreakerDecision::Admit).
    #[must_use]
    pub fn otherwise(mut self, decision: BreakerDecision) -> Self {
        self.otherwise = decision;
        self
    }

    /// Sets the change of state that a success makes. Default: none.
    #[must_use]
    pub const fn on_success(mut self, transition: Transition) -> Self {
        self.on_success = Some(transition);
        self
    }

    /// Sets the change of state that a failure makes, whatever its class. Default: none.
    #[must_use]
    pub const fn on_failure(mut self, transition: Transition) -> Self {
        self.on_failure = Some(transition);
        self
    }

    /// Adds what it says to one call, after the calls that earlier ones are for.
    pub fn push_decision(&self, decision: BreakerDecision) {
        lock(&self.account).decisions.push_back(decision);
    }

    /// How many calls asked to be admitted.
    #[must_use]
    pub fn admit_calls(&self) -> u64 {
        lock(&self.account).admit_calls
    }

    /// How many successes were reported, those of superseded calls among them.
    #[must_use]
    pub fn successes(&self) -> usize {
        lock(&self.account).successes
    }

    /// The class of each failure reported, in order.
    #[must_use]
    pub fn failures(&self) -> Vec<ErrorClass> {
        lock(&self.account).failures.clone()
    }

    /// How many admissions were taken back without a result: dropped, panicked or aborted calls.
    #[must_use]
    pub fn releases(&self) -> usize {
        lock(&self.account).releases
    }

    /// How many admissions are still out, neither reported nor released. Zero once every call has
    /// ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        lock(&self.account).pending.len()
    }
}

impl Account {
    fn admitted(&mut self, transition: Option<Transition>) -> Admission {
        self.change(transition);
        let generation = self.admit_calls;
        self.pending.insert(generation);
        Admission { generation, transition }
    }

    fn change(&mut self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.state = transition.state();
        }
    }
}

impl Breaker for FakeCircuitBreaker {
    fn admit(&self, _: Instant) -> Result<Admission, CircuitOpenError> {
        let mut account = lock(&self.account);
        account.admit_calls += 1;
        match account.decisions.pop_front().unwrap_or_else(|| self.otherwise.clone()) {
            BreakerDecision::Admit => Ok(account.admitted(None)),
            BreakerDecision::Probe => Ok(account.admitted(Some(Transition::HalfOpened))),
            BreakerDecision::Supersede => {
                account.current_from = account.admit_calls;
                account.state = CircuitState::HalfOpen;
                Ok(account.admitted(None))
            }
            BreakerDecision::Reject(rejection) => {
                account.state = rejection.state();
                Err(rejection)
            }
        }
    }

    fn report(&self, admission: Admission, report: Report, _: Instant) -> Option<Transition> {
        let mut account = lock(&self.account);
        account.pending.remove(&admission.generation);
        let transition = match report {
            Report::Success => {
                account.successes += 1;
                self.on_success
            }
            Report::Failure(class) => {
                account.failures.push(class);
                self.on_failure
            }
            _ => None,
        };
        let transition = transition.filter(|_| admission.generation >= account.current_from);
        account.change(transition);
        transition
    }

    fn release(&self, admission: Admission) {
        let mut account = lock(&self.account);
        account.pending.remove(&admission.generation);
        account.releases += 1;
    }

    fn state(&self) -> CircuitState {
        lock(&self.account).state
    }
}

impl Default for FakeCircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FakeCircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.account).fmt(f)
    }
}
