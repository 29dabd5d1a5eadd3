//! The delays that a strategy draws, as a policy waits them in virtual time.

use std::io;

use anyhow::Result;
use redress::strategy::Strategy;
use redress::testing::VirtualClock;
use redress::{Policy, Retry};

/// The delays in seconds of `calls` calls that fail in every attempt, `retries` for each.
pub(crate) fn delays(strategy: impl Strategy + 'static, calls: usize, retries: u32) -> Result<Vec<Vec<f64>>> {
    let clock = VirtualClock::new();
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(strategy).max_attempts(retries.saturating_add(1)))
        .no_deadline()
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .build()?;
    for _ in 0..calls {
        // The call fails; its delays are what is wanted.
        drop(policy.call(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))));
    }
    let waits = clock.slept();
    let of_calls = waits.chunks(usize::try_from(retries)?);
    Ok(of_calls.map(|waits| waits.iter().map(std::time::Duration::as_secs_f64).collect()).collect())
}
