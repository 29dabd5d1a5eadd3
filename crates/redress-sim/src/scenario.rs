//! [`Scenario`]: the load, the server, the faults, the length of a run and its seed.

use std::time::Duration;

use redress_core::ConfigError;
use redress_core::error::ConfigIssue;

use crate::clients::Clients;
use crate::clock::{Nanos, nanos};
use crate::fault::Fault;
use crate::load::Load;
use crate::report::Report;
use crate::server::Server;
use crate::world::World;

/// The longest run: about 11 days.
const LONGEST: Duration = Duration::from_secs(1_000_000);

/// A course of events that policies are tried on.
///
/// # Defaults
///
/// No faults, a `horizon` of 60 s, and 0 as `seed`.
#[derive(Clone, Debug)]
#[must_use = "a scenario does nothing until it is run"]
pub struct Scenario {
    load: Load,
    server: Server,
    faults: Vec<Fault>,
    horizon: Duration,
    seed: u64,
}

impl Scenario {
    /// Creates a scenario without faults.
    pub const fn new(load: Load, server: Server) -> Self {
        Self { load, server, faults: Vec::new(), horizon: Duration::from_secs(60), seed: 0 }
    }

    /// Adds a fault. Faults may overlap: slow ones multiply.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets the length of the run: whole seconds, from 1 to 1,000,000. Default: 60 s.
    pub const fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Sets the seed of all random choices. Default: 0.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs the scenario with the policies of these clients.
    ///
    /// Blocks the thread until the run is over. A call that runs at the horizon counts as offered,
    /// and neither as good nor as failed.
    ///
    /// # Errors
    ///
    /// Every rule that the scenario breaks, or those that a client's policy breaks.
    pub fn run(&self, clients: Clients<'_>) -> Result<Report, SimulationError> {
        let mut issues = Vec::new();
        self.check(&mut issues);
        clients.issues(&mut issues);
        if !issues.is_empty() {
            return Err(SimulationError::Scenario(issues));
        }
        World::new(self, clients).run()
    }

    fn check(&self, issues: &mut Vec<ConfigIssue>) {
        self.load.issues(issues);
        self.server.issues(issues);
        for fault in &self.faults {
            fault.issues(issues);
        }
        let is_whole = self.horizon.subsec_nanos() == 0;
        if !is_whole || self.horizon.is_zero() || self.horizon > LONGEST {
            issues.push(ConfigIssue::new("scenario.horizon", self.horizon, "be whole seconds, from 1 to 1000000"));
        }
    }

    pub(crate) const fn load(&self) -> &Load {
        &self.load
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(crate) fn horizon_nanos(&self) -> Nanos {
        nanos(self.horizon)
    }

    pub(crate) const fn seed_value(&self) -> u64 {
        self.seed
    }
}

/// Why a simulation did not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The scenario, or the number of clients, breaks these rules.
    #[error("invalid scenario: {}", joined(.0))]
    Scenario(Vec<ConfigIssue>),
    /// The policy of a client is invalid.
    #[error(transparent)]
    Policy(#[from] ConfigError),
}

/// The issues, separated by semicolons.
fn joined(issues: &[ConfigIssue]) -> String {
    issues.iter().map(ConfigIssue::to_string).collect::<Vec<_>>().join("; ")
}
