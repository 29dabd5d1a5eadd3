//! [`SimulationError`]: why a simulation did not run.

use redress_core::ConfigError;
use redress_core::error::ConfigIssue;

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
pub(crate) fn joined(issues: &[ConfigIssue]) -> String {
    issues.iter().map(ConfigIssue::to_string).collect::<Vec<_>>().join("; ")
}
