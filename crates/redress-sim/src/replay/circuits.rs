//! The policy of a run: one budget, and a breaker for each that the log names.

use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::classify::Classifier;
use redress_core::policy::{PolicyBreaker, PolicySpec};
use redress_core::{AsyncPolicy, CircuitBreaker, Classification, ConfigError, ErrorClass};

use crate::clients::ClientBuilder;
use crate::clock::{Nanos, SimTimer};
use crate::exchange::Failure;

pub(crate) type ReplayPolicy = AsyncPolicy<AsRecorded, SimTimer>;

/// The classifier of recorded failures. A timeout has the class that the log's timeouts have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsRecorded {
    pub(crate) timeout: Option<ErrorClass>,
}

impl Classifier<(), Failure> for AsRecorded {
    fn classify(&self, result: &Result<(), Failure>) -> Option<Classification> {
        let failure = result.as_ref().err()?;
        Some(Classification::new(failure.class).with_retry_after(failure.retry_after))
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.timeout.map(Classification::new)
    }
}

pub(crate) struct Circuits {
    /// The policy with the first breaker that is used.
    first: ReplayPolicy,
    is_first_used: bool,
    spec: Option<PolicyBreaker>,
    /// By the breaker's number.
    held: Vec<Option<Held>>,
    open: Nanos,
}

struct Held {
    policy: ReplayPolicy,
    open_since: Option<Nanos>,
}

impl Circuits {
    pub(crate) fn new(
        spec: &PolicySpec,
        timeout: Option<ErrorClass>,
        timer: &SimTimer,
        breakers: u32,
    ) -> Result<Self, ConfigError> {
        let builder: ClientBuilder = AsyncPolicy::from_spec(spec.clone());
        let first = builder.timer(timer.clone()).classifier(AsRecorded { timeout }).build()?;
        let held = std::iter::repeat_with(|| None).take(breakers as usize).collect();
        Ok(Self { first, is_first_used: false, spec: spec.breaker.clone(), held, open: 0 })
    }

    /// The policy of calls through this breaker.
    pub(crate) fn policy(&mut self, breaker: u32) -> Result<&ReplayPolicy, ConfigError> {
        let place = &mut self.held[breaker as usize];
        let held = match place.take() {
            Some(held) => held,
            None => {
                let policy = match &self.spec {
                    Some(PolicyBreaker::Circuit(spec)) if self.is_first_used => {
                        self.first.with_circuit_breaker(CircuitBreaker::from_spec(spec.clone()))?
                    }
                    _ => self.first.clone(),
                };
                self.is_first_used = true;
                Held { policy, open_since: None }
            }
        };
        Ok(&place.insert(held).policy)
    }

    /// Notes the state of a breaker after something happened to it.
    pub(crate) fn note(&mut self, breaker: u32, now: Nanos) {
        let Some(held) = &mut self.held[breaker as usize] else { return };
        let is_open = held.policy.circuit_state() == Some(CircuitState::Open);
        match held.open_since {
            None if is_open => held.open_since = Some(now),
            Some(since) if !is_open => {
                self.open = self.open.saturating_add(now - since);
                held.open_since = None;
            }
            _ => {}
        }
    }

    /// How long circuits were open, until the end of the run.
    pub(crate) fn open_until(&self, end: Nanos) -> Duration {
        let still = self.held.iter().flatten().filter_map(|held| held.open_since);
        let open = still.fold(self.open, |open, since| open.saturating_add(end.saturating_sub(since)));
        Duration::from_nanos(open)
    }
}
