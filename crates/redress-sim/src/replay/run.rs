//! Several runs of a replay: the bounds, and as many as show the likely range.

use fastrand::Rng;
use redress_core::policy::PolicySpec;

use super::counts::Counts;
use super::error::ReplayError;
use super::log::Replay;
use super::operation::Missing;
use super::play::Play;
use super::replayed::Replayed;
use crate::random::SeededThread;

/// How many calls are played at most, unless the runs are set or fewer than [`FEWEST`].
const MOST_CALLS: u64 = 5_000_000;
const MOST: u64 = 100;
/// With fewer, the 5th percentile is the least of them.
const FEWEST: u64 = 20;

/// How far a replay is, for a progress bar. Handed to the closure of [`Replay::run_watched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayProgress {
    /// The calls that have begun, of all runs.
    pub calls: u64,
    /// The calls of all runs.
    pub of: u64,
}

/// How many calls begin between two looks at the progress.
const STRIDE: u64 = 1 << 12;

/// What a run shows.
struct Played {
    counts: Counts,
    /// Whether the policy drew random numbers.
    is_random: bool,
}

impl Replay {
    /// Plays the calls under a policy. Blocks the thread until all runs are over.
    ///
    /// The policy's parts are built from its spec, so its breakers are closed and its budget is
    /// full. Settings of single calls, such as a deadline of their own, are not part of a log.
    ///
    /// If nothing is drawn in a run, by neither the replay nor the policy, it is the only one.
    ///
    /// # Errors
    ///
    /// If the policy breaks a rule.
    pub fn run(&self, policy: &PolicySpec) -> Result<Replayed, ReplayError> {
        self.run_watched(policy, |_| {})
    }

    /// Like [`run`](Self::run), and calls `watch` now and then, for a progress bar.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_watched(
        &self,
        policy: &PolicySpec,
        mut watch: impl FnMut(ReplayProgress),
    ) -> Result<Replayed, ReplayError> {
        let runs = self.runs.map_or_else(|| usual_runs(self.calls.len() as u64), u64::from);
        let of = (runs + 2).saturating_mul(self.calls.len() as u64);
        let mut calls = 0;
        let mut count = || {
            calls += 1;
            if calls % STRIDE == 0 {
                watch(ReplayProgress { calls, of });
            }
        };
        let mut seeds = Rng::with_seed(self.seed);
        let first = self.play(policy, Missing::Drawn, &mut seeds, &mut count)?;
        let is_certain = first.counts.drawn == 0 && !first.is_random;
        if is_certain {
            let bound = first.counts.clone();
            return Ok(Replayed::new(self, vec![first.counts], [bound.clone(), bound]).certain());
        }
        let mut played = vec![first.counts];
        for _ in 1..runs {
            played.push(self.play(policy, Missing::Drawn, &mut seeds, &mut count)?.counts);
        }
        let mut bound = |missing| Ok::<_, ReplayError>(self.play(policy, missing, &mut seeds, &mut count)?.counts);
        let bounds = [bound(Missing::Fail)?, bound(Missing::Succeed)?];
        Ok(Replayed::new(self, played, bounds))
    }

    fn play(
        &self,
        policy: &PolicySpec,
        missing: Missing,
        seeds: &mut Rng,
        watch: impl FnMut(),
    ) -> Result<Played, ReplayError> {
        let (of_the_policy, of_the_draws) = (seeds.u64(..), seeds.u64(..));
        let seeded = SeededThread::new(of_the_policy);
        let counts = Play::new(self, policy, missing, of_the_draws, watch)?.run()?;
        Ok(Played { counts, is_random: seeded.has_drawn() })
    }
}

fn usual_runs(calls: u64) -> u64 {
    (MOST_CALLS / calls.max(1)).clamp(FEWEST, MOST)
}
