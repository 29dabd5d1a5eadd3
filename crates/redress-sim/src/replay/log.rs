//! [`Replay`]: the calls of one policy of a recording, ready to be played.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use redress_core::ErrorClass;
use redress_core::classify::PerClass;
use redress_core::observe::CallOutcome;

use super::attempt::End;
use super::call::RecordedCall;
use super::counts::Counts;
use super::error::ReplayError;
use super::pools::Pools;
use super::recording::{Recording, Unread};
use crate::clock::{Nanos, SECOND};

/// The most periods that counts by time are kept for.
const PERIODS: u64 = 300;

/// When a call begins at the latest, 292 years after the first, so that there is time left for it.
const LATEST: Nanos = Nanos::MAX / 2;

/// Calls that were recorded, to be played under other policies. Made by [`Recording::replay`].
///
/// Each call begins when the log says. All of them share the policy's budget, and those through one
/// breaker share a breaker with the policy's settings. They run through the engine in virtual time:
///
/// - An attempt that the log has ends as it did, after the time that it took, unless the policy's
///   time limits cut it before.
/// - An attempt that the log lacks is drawn from the attempts of the same minute: those of the same
///   operation and breaker if there are ten of them, else those of the same breaker if there are
///   ten, else any. If the minute has none, those of the nearest minute. An attempt that was cut,
///   or dropped, and runs on under this policy, is drawn from those of its minute that took longer;
///   if there are none, it runs until it is cut.
/// - A caller who left, or aborted the call, does so after the same time.
#[derive(Clone, Debug)]
pub struct Replay {
    pub(super) calls: Vec<RecordedCall>,
    pub(super) pools: Pools,
    /// The class of attempts that were cut at their timeout.
    pub(super) timeout: Option<ErrorClass>,
    pub(super) breakers: u32,
    pub(super) recorded: Counts,
    pub(super) facts: Facts,
    pub(super) seed: u64,
    pub(super) runs: Option<u32>,
}

/// What is told of a log beside its counts.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) policy: Option<String>,
    /// When the first and the last call began, in microseconds since the Unix epoch.
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
    pub(crate) period: Nanos,
    pub(crate) periods: usize,
    pub(crate) breakers: usize,
    /// How many calls are of other policies, and their names.
    pub(crate) others: u64,
    pub(crate) other_policies: Vec<String>,
    pub(crate) cut_short: u64,
    pub(crate) deferred: u64,
    pub(crate) unread: Vec<Unread>,
    pub(crate) unread_count: u64,
}

impl Replay {
    pub(super) fn of(mut recording: Recording, policy: Option<&str>) -> Result<Self, ReplayError> {
        if recording.calls.is_empty() {
            return Err(ReplayError::Empty { unread: recording.unread_count() });
        }
        let policies: Vec<(Option<&str>, u64)> = recording.policies().collect();
        let chosen = choose(policy, &policies)?;
        let other_policies: Vec<String> =
            policies.iter().filter(|(name, _)| *name != chosen).map(|(name, _)| named(*name)).collect();
        let policy = chosen.map(str::to_owned);
        let mut calls = std::mem::take(&mut recording.calls);
        let all = calls.len();
        calls.retain(|call| recording.name(call.policy) == policy.as_deref());
        let others = (all - calls.len()) as u64;
        // Stable: calls of one instant stay in the order of the log.
        calls.sort_by_key(|call| call.at_us);
        let from_us = calls.first().map_or(0, |call| call.at_us);
        for call in &mut calls {
            call.begins = (call.at_us - from_us).saturating_mul(1_000).min(LATEST);
        }
        if calls.iter().all(|call| call.attempts.is_empty()) {
            return Err(ReplayError::NoAttempts);
        }
        let length = calls.iter().map(RecordedCall::ends).max().unwrap_or(0) / SECOND + 1;
        let period = length.div_ceil(PERIODS);
        let facts = Facts {
            policy,
            from_us,
            until_us: calls.last().map_or(0, |call| call.at_us),
            period: period.saturating_mul(SECOND),
            periods: length.div_ceil(period) as usize,
            breakers: calls.iter().map(|call| call.breaker).collect::<BTreeSet<_>>().len(),
            others,
            other_policies,
            cut_short: count(&calls, RecordedCall::is_cut_short),
            deferred: count(&calls, |call| call.outcome == CallOutcome::Scheduled),
            unread: recording.unread().to_vec(),
            unread_count: recording.unread_count(),
        };
        Ok(Self {
            pools: Pools::of(&calls),
            timeout: usual_timeout(&calls),
            breakers: calls.iter().map(|call| call.breaker + 1).max().unwrap_or(1),
            recorded: Counts::recorded(&calls, &facts),
            calls,
            facts,
            seed: 0,
            runs: None,
        })
    }

    /// Sets the seed of everything that is drawn. Default: 0.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how often the calls are played, at least once. Default: 100 times, and less often where
    /// that is more than five million calls, down to 20 times.
    #[must_use]
    pub const fn runs(mut self, runs: u32) -> Self {
        self.runs = Some(if runs == 0 { 1 } else { runs });
        self
    }

    /// How many calls are played.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The name of the policy that made the calls.
    #[must_use]
    pub fn recorded_policy(&self) -> Option<&str> {
        self.facts.policy.as_deref()
    }

    /// When the first call began, and after which time the last one did.
    #[must_use]
    pub fn span(&self) -> (SystemTime, Duration) {
        span(self.facts.from_us, self.facts.until_us)
    }

    /// What the log says of its calls.
    #[must_use]
    pub const fn recorded(&self) -> &Counts {
        &self.recorded
    }
}

/// The first of two times since the Unix epoch, in microseconds, and how long the second is after
/// it.
pub(super) fn span(from_us: u64, until_us: u64) -> (SystemTime, Duration) {
    let from = SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(from_us));
    (from.unwrap_or(SystemTime::UNIX_EPOCH), Duration::from_micros(until_us - from_us))
}

/// The policy of this name, or the only one.
fn choose<'p>(policy: Option<&'p str>, policies: &[(Option<&'p str>, u64)]) -> Result<Option<&'p str>, ReplayError> {
    // An empty name counts as none, as in policies.
    let wanted = policy.map(|name| Some(name).filter(|name| !name.is_empty()));
    match (wanted, policies) {
        (Some(wanted), _) if policies.iter().any(|(name, _)| *name == wanted) => Ok(wanted),
        (_, [(only, _)]) => Ok(*only),
        _ => {
            let policies = policies.iter().map(|(name, _)| named(*name)).collect();
            Err(ReplayError::SeveralPolicies { policies })
        }
    }
}

fn named(policy: Option<&str>) -> String {
    policy.map_or_else(|| "(none)".to_owned(), printable)
}

/// A text of a log for a terminal, which must not obey it.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

fn count(calls: &[RecordedCall], which: impl Fn(&RecordedCall) -> bool) -> u64 {
    calls.iter().filter(|call| which(call)).count() as u64
}

/// The class of most attempts that were cut at a timeout; the first in the order of the classes if
/// several have as many. An attempt that the caller's abort cut has no such class.
fn usual_timeout(calls: &[RecordedCall]) -> Option<ErrorClass> {
    let mut counts = PerClass::<u64>::default();
    for call in calls.iter().filter(|call| call.leaves().is_none()) {
        for attempt in &call.attempts {
            if let End::Cut(failure) = attempt.ran.end {
                counts[failure.class] += 1;
            }
        }
    }
    let most = ErrorClass::ALL.iter().copied().rev().max_by_key(|class| counts[*class])?;
    (counts[most] > 0).then_some(most)
}
