//! [`Progress`]: how far a run is.

use std::time::Duration;

/// How far a run is, for a progress bar. Handed to the closure of
/// [`Scenario::run_watched`](crate::Scenario::run_watched).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The time simulated so far, in whole seconds.
    pub simulated: Duration,
    /// The length of the run.
    pub horizon: Duration,
    /// The events taken so far.
    pub events: u64,
}
