//! The simulator through its public API: against the formulas of queueing theory, against what can
//! be counted by hand, and against itself.

mod counts;
mod faults;
mod files;
mod known_results;
mod latencies;
mod loads;
#[cfg(feature = "html")]
mod pages;
mod presets;
mod queueing;
mod recorder;
mod replays;
mod replays_of_a_policy;
mod requirements;
mod seeds;
mod servers;
mod settings;
mod shipped;
mod summaries;

use std::time::Duration;

use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Retry, fixed};
use redress_sim::ClientBuilder;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One attempt, for at most a second.
fn once() -> ClientBuilder {
    AsyncPolicy::builder().attempt_timeout(secs(1)).deadline(secs(60))
}

/// So many attempts, 100 ms apart.
fn attempts(attempts: u32) -> RetryBuilder {
    Retry::builder().max_attempts(attempts).strategy(fixed(millis(100)))
}
