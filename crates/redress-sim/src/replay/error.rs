//! [`ReplayError`]: why recorded calls are not played.

use redress_core::ConfigError;

/// Why recorded calls are not played under a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// No line is the record of a call.
    #[error("the log has no calls{}", of_unread(*.unread))]
    Empty {
        /// How many lines could not be read.
        unread: u64,
    },
    /// The calls are of several policies, and none has the name that was asked for.
    #[error("the log has calls of several policies: choose one of {}", .policies.join(", "))]
    SeveralPolicies {
        /// Their names; `(none)` for calls of a policy without a name.
        policies: Vec<String>,
    },
    /// The calls have no attempts, such as calls that a breaker rejected, so that nothing says how
    /// the dependency answers.
    #[error("the log's calls have no attempts: nothing says how the dependency answers")]
    NoAttempts,
    /// The policy is invalid.
    #[error(transparent)]
    Policy(#[from] ConfigError),
}

fn of_unread(lines: u64) -> String {
    match lines {
        0 => String::new(),
        1 => ": its only line could not be read".to_owned(),
        lines => format!(": none of its {lines} lines could be read"),
    }
}
