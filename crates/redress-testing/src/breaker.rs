//! A circuit breaker with preset decisions, which counts what calls report to it.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redress_core::ErrorClass;
use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Transition};
use redress_core::error::CircuitOpenError;

use crate::lock::lock;

/// The decision of a [`FakeCircuitBreaker`] on one call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerDecision {
    /// Admits the call; the state does not change.
    Admit,
    /// Admits the call as the probe: the state becomes half-open, and observers are notified.
    Probe,
    /// Admits the call as the probe in place of earlier ones, as if their leases had expired: the
    /// state becomes half-open without notifying observers, and reports and releases of earlier
    /// calls do not change it.
    Supersede,
    /// Rejects the call; the state becomes that of the rejection.
    Reject(CircuitOpenError),
}

impl BreakerDecision {
    /// Returns a rejection by an open circuit that admits a probe after `retry_in`.
    #[must_use]
    pub const fn reject_for(retry_in: Duration) -> Self {
        Self::Reject(CircuitOpenError::new(CircuitState::Open, Some(retry_in)))
    }

    /// Returns a rejection by a half-open circuit, with a running probe whose lease expires after
    /// `retry_in`.
    #[must_use]
    pub const fn reject_beside_probe(retry_in: Duration) -> Self {
        Self::Reject(CircuitOpenError::new(CircuitState::HalfOpen, Some(retry_in)))
    }
}

/// A circuit breaker for tests: it returns preset decisions, and counts what calls report.
///
/// Policies take it in an `Arc`; keep a clone to inspect it afterwards. By default it is closed,
/// admits every call, and no report changes its state.
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
    /// The generations of admissions that were neither reported nor released.
    pending: BTreeSet<u64>,
    /// Admissions with a lower generation are superseded.
    current_from: u64,
}

impl FakeCircuitBreaker {
    /// Creates a closed breaker that admits every call.
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

    /// Sets the initial state. Default: closed.
    #[must_use]
    pub fn starting(self, state: CircuitState) -> Self {
        lock(&self.account).state = state;
        self
    }

    /// Sets the decision once no pushed decision is left. Default:
    /// [`Admit`](BreakerDecision::Admit).
    #[must_use]
    pub fn otherwise(mut self, decision: BreakerDecision) -> Self {
        self.otherwise = decision;
        self
    }

    /// Sets the transition on a success. Default: none.
    #[must_use]
    pub const fn on_success(mut self, transition: Transition) -> Self {
        self.on_success = Some(transition);
        self
    }

    /// Sets the transition on a failure of any class. Default: none.
    #[must_use]
    pub const fn on_failure(mut self, transition: Transition) -> Self {
        self.on_failure = Some(transition);
        self
    }

    /// Adds the decision on one call, after those pushed before.
    pub fn push_decision(&self, decision: BreakerDecision) {
        lock(&self.account).decisions.push_back(decision);
    }

    /// Returns how many calls requested admission.
    #[must_use]
    pub fn admit_calls(&self) -> u64 {
        lock(&self.account).admit_calls
    }

    /// Returns how many successes were reported, including those of superseded calls.
    #[must_use]
    pub fn successes(&self) -> usize {
        lock(&self.account).successes
    }

    /// Returns the class of each reported failure, in order.
    #[must_use]
    pub fn failures(&self) -> Vec<ErrorClass> {
        lock(&self.account).failures.clone()
    }

    /// Returns how many admissions were released without a result: calls that were dropped, aborted
    /// or panicked.
    #[must_use]
    pub fn releases(&self) -> usize {
        lock(&self.account).releases
    }

    /// Returns how many admissions are neither reported nor released. Zero once every call has
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
