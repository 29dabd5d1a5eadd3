//! Measures nanoseconds per call: the contenders of a row take turns in short batches, and the
//! median of each is its figure.
//!
//! A disturbance of the machine then affects every contender alike, and the medians leave it out.

use std::time::{Duration, Instant};

use crate::case::Batch;

/// Long enough to make the readings of the clock around it negligible; short enough that few
/// batches are interrupted.
const BATCH: Duration = Duration::from_micros(50);

/// How many single calls a round has: with 600 rounds, the 99th percentile has 60 calls above it.
const CALLS_IN_A_ROUND: usize = 10;

const WARM_UP: u64 = 200;

/// The time of one contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Nanoseconds per call, the median of all rounds.
    pub(crate) median: f64,
    /// Half the distance between the quartiles, as a share of the median: the noise of the machine.
    pub(crate) spread: f64,
    /// The 99th percentile of the rounds. Of calls only if each was timed by itself.
    pub(crate) p99: f64,
}

/// Times batches side by side.
pub(crate) fn time(batches: &[Batch], rounds: usize) -> Vec<Timing> {
    let times: Vec<u64> = batches.iter().map(|batch| calls_within(batch, BATCH)).collect();
    in_turns(batches, &times, rounds)
}

/// Times single calls side by side, several in each round. For calls that are long beside a
/// reading of the clock.
pub(crate) fn time_each(batches: &[Batch], rounds: usize) -> Vec<Timing> {
    for batch in batches {
        batch(WARM_UP);
    }
    in_turns(batches, &vec![1; batches.len()], rounds * CALLS_IN_A_ROUND)
}

fn in_turns(batches: &[Batch], times: &[u64], rounds: usize) -> Vec<Timing> {
    let mut samples = vec![Vec::with_capacity(rounds); batches.len()];
    for round in 0..rounds {
        // Each round starts with another contender, so that none always runs on the caches that the
        // same one left.
        for turn in 0..batches.len() {
            let index = (round + turn) % batches.len();
            let took = run(&batches[index], times[index]);
            samples[index].push(took.as_secs_f64() * 1e9 / times[index] as f64);
        }
    }
    samples.into_iter().map(Timing::of).collect()
}

/// Returns the number of calls that take about this long. Also warms up.
pub(crate) fn calls_within(batch: &Batch, limit: Duration) -> u64 {
    let mut times = 16;
    loop {
        let took = run(batch, times);
        if took >= limit {
            let share = limit.as_secs_f64() / took.as_secs_f64();
            return ((times as f64 * share) as u64).max(1);
        }
        times *= 2;
    }
}

fn run(batch: &Batch, times: u64) -> Duration {
    let started = Instant::now();
    batch(times);
    started.elapsed()
}

impl Timing {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples.get((samples.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        let median = at(0.5);
        Self { median, p99: at(0.99), spread: (at(0.75) - at(0.25)) / 2.0 / median }
    }
}
