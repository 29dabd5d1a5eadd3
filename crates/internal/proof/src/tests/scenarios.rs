//! The hardest cases, written out, so that they do not depend on how cases are drawn.
//!
//! In each, the engine must agree with the model on every driver. A fact is checked as well, to
//! ensure that the case reaches its corner. The facts are those of the asynchronous driver.

mod breakers;
mod calls;

use std::time::Duration;

use redress_core::breaker::ProbeLease;
use redress_core::{ErrorClass, EventName, StopReason};

use super::differs_anywhere;
use crate::note::{Ending, Hook, HookKind, Note, What};
use crate::play::play;
use crate::world::{
    AttemptSpec, BreakerSpec, CallSpec, Driver, End, Habit, Hooks, Owner, Pace, PolicySpec, RetrySpec, StrategySpec,
    Times, World,
};

pub(super) const TICK: Duration = Duration::from_nanos(1);
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const FAILS: End = End::Fails(ErrorClass::Transient, None);

pub(super) const fn attempt(pace: Pace, end: End) -> AttemptSpec {
    AttemptSpec { pace, end }
}

pub(super) fn calls(script: &[AttemptSpec]) -> CallSpec {
    CallSpec { script: script.to_vec(), ..CallSpec::default() }
}

pub(super) fn call(pace: Pace, end: End) -> CallSpec {
    calls(&[attempt(pace, end)])
}

/// Retries after so long.
pub(super) fn retry(delay: Duration) -> RetrySpec {
    RetrySpec { strategy: Some(StrategySpec::Fixed(delay)), ..RetrySpec::default() }
}

/// Opens at this many failures within ten seconds, for thirty.
pub(super) fn breaker(threshold: u32) -> BreakerSpec {
    BreakerSpec {
        threshold,
        window: secs(10),
        recovery: secs(30),
        lease: ProbeLease::RecoveryTimeout,
        trip_on: vec![ErrorClass::Transient],
        class_thresholds: Vec::new(),
        own_clock: false,
        is_watched: true,
    }
}

/// A policy with an observer; with retry, ten seconds in all.
pub(super) fn policy(retry: Option<RetrySpec>, breaker: Option<BreakerSpec>) -> PolicySpec {
    let hooks = Hooks { observers: vec![Habit::default()], ..Hooks::default() };
    let times = Times { deadline: retry.as_ref().map(|_| secs(10)), ..Times::default() };
    PolicySpec { retry, times, breaker, hooks, ..PolicySpec::default() }
}

/// The same with this timeout of attempts.
pub(super) fn timed(retry: Option<RetrySpec>, breaker: Option<BreakerSpec>, attempt_timeout: Duration) -> PolicySpec {
    let policy = policy(retry, breaker);
    PolicySpec { times: Times { attempt_timeout: Some(attempt_timeout), ..policy.times }, ..policy }
}

/// What was seen of the case, which no driver plays differently from the model.
#[track_caller]
pub(super) fn seen(world: &World) -> Vec<Note> {
    let difference = differs_anywhere(world);
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    play(world, Driver::Async).subject
}

/// The names of the events.
#[track_caller]
pub(super) fn events(world: &World) -> Vec<EventName> {
    let watcher = Hook { owner: Owner::Policy, kind: HookKind::Observer(0) };
    let told = |note: Note| match note.what {
        What::Told(hook, event) if hook == watcher => Some(event.name),
        _ => None,
    };
    seen(world).into_iter().filter_map(told).collect()
}

/// What was waited for, timeouts of attempts among it.
#[track_caller]
pub(super) fn timers(world: &World) -> Vec<Duration> {
    let timer = |note: Note| match note.what {
        What::Timer(duration) => Some(duration),
        _ => None,
    };
    seen(world).into_iter().filter_map(timer).collect()
}

pub(super) fn reason(notes: &[Note], call: usize) -> Option<StopReason> {
    let ended = notes.iter().filter(|note| note.call == call).find_map(|note| match &note.what {
        What::Ended(ending) => Some(&**ending),
        _ => None,
    });
    match ended {
        Some(Ending::Executed(outcome, _)) => outcome.stop_reason,
        other => panic!("call {call} ended as {other:?}"),
    }
}
