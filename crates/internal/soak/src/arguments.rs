//! The command line.
//!
//! Owns the defaults. Decides nothing else.

use std::time::Duration;

/// Hammers shared policies and checks that nothing is lost, doubled, leaked or stuck.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
pub(crate) struct Arguments {
    /// How long the storm lasts, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,

    /// How many threads call the blocking policies.
    #[arg(long, default_value_t = 6)]
    pub(crate) threads: usize,

    /// How many tasks call the asynchronous policies.
    #[arg(long, default_value_t = 64)]
    pub(crate) tasks: usize,

    /// What the callers draw; drawn itself if not given, and printed.
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// Seconds between two lines of report.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) report_every: u64,
}

impl Arguments {
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(crate) fn interval(&self) -> Duration {
        Duration::from_secs(self.report_every)
    }
}
