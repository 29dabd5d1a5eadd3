//! A circuit breaker with the counts of its transitions, and the test that it passes after the
//! storm.
//!
//! Calls and permits are made elsewhere.

use std::thread;
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState};
use redress_core::{CircuitBreaker, ErrorClass};

use crate::clock::WildClock;
use crate::edges::Edges;
use crate::law::{Law, Laws};

pub(crate) struct Circuit {
    pub(crate) name: &'static str,
    pub(crate) breaker: CircuitBreaker,
    /// The counts of its reported transitions.
    pub(crate) edges: Edges,
    /// Whether all its users report its transitions. Quiet calls do not.
    all_report: bool,
    threshold: u32,
    recovery: Duration,
    clock: Option<&'static WildClock>,
}

impl Circuit {
    pub(crate) fn new(
        name: &'static str,
        builder: CircuitBreakerBuilder,
        (threshold, recovery): (u32, Duration),
        all_report: bool,
        clock: Option<&'static WildClock>,
    ) -> Self {
        let builder = builder.name(name).failure_threshold(threshold).recovery_timeout(recovery);
        let builder = match clock {
            Some(clock) => builder.clock(|| redress_core::driver::Clock::now(clock)),
            None => builder,
        };
        let breaker = builder.build().expect("a valid configuration");
        Self { name, breaker, edges: Edges::default(), all_report, threshold, recovery, clock }
    }

    /// Checks after the storm that it recovers, opens after reported failures, survives a dropped
    /// probe, recovers again, and then opens at exactly its threshold.
    pub(crate) fn settle(&self, laws: &Laws) {
        self.check_edges(laws);
        self.recover(laws);
        self.trip(laws, false);
        self.wait();
        if let Ok(probe) = self.breaker.try_acquire() {
            self.edges.passed(probe.transition());
        }
        self.recover(laws);
        self.trip(laws, true);
        self.recover(laws);
        self.check_edges(laws);
    }

    fn check_edges(&self, laws: &Laws) {
        if self.all_report {
            self.edges.counts().check(laws, self.name, self.breaker.state());
        }
    }

    /// This is the only user left: after the recovery time, the next call is the probe, and its
    /// success closes the circuit.
    fn recover(&self, laws: &Laws) {
        let before = self.breaker.state();
        self.wait();
        let rejection = match self.breaker.try_acquire() {
            Ok(permit) => {
                self.edges.passed(permit.transition());
                self.edges.passed(permit.success());
                None
            }
            Err(rejection) => Some(rejection),
        };
        let after = self.breaker.state();
        laws.require(Law::NoWedge, after == CircuitState::Closed, || {
            format!("{}: {before}, then {after} after a success; rejected: {rejection:?}", self.name)
        });
    }

    /// Reports failures, all at one instant, so that a pause of this thread does not make them
    /// expire. A circuit that has just closed counts from zero; one that was closed before may
    /// still hold some failures.
    fn trip(&self, laws: &Laws, has_just_closed: bool) {
        let now = Instant::now();
        for failures in 1..=self.threshold {
            if let Ok(permit) = self.breaker.try_acquire_at(now) {
                self.edges.passed(permit.transition());
                self.edges.passed(permit.failure_at(ErrorClass::ServerError, now));
            }
            let state = self.breaker.state();
            let must_open = failures == self.threshold;
            let may_open = must_open || !has_just_closed;
            let holds = if state == CircuitState::Open { may_open } else { !must_open };
            laws.require(Law::Edges, holds, || {
                format!("{}: {state} after {failures} failures of {}", self.name, self.threshold)
            });
        }
    }

    fn wait(&self) {
        match self.clock {
            Some(clock) => clock.jump(self.recovery * 2),
            None => thread::sleep(self.recovery + Duration::from_millis(1)),
        }
    }
}
