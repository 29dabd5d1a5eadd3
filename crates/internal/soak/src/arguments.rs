//! The command line, with its defaults.

use std::time::Duration;

/// Calls shared policies from many threads and tasks, and checks that nothing is lost, doubled,
/// leaked or stuck.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
pub(crate) struct Arguments {
    /// Length of the storm, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,

    /// Number of threads that call the blocking policies.
    #[arg(long, default_value_t = 6)]
    pub(crate) threads: usize,

    /// Number of tasks that call the asynchronous policies.
    #[arg(long, default_value_t = 64)]
    pub(crate) tasks: usize,

    /// Seed of the callers' random choices; random by default, and printed.
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
