//! The laws, applied to a case played in virtual time, on the engine alone, without the model.
//!
//! The case has an observer of all events and a breaker that records its permits. Hooks take no
//! time in it, so a note has the instant of the event it describes.

use std::time::Duration;

use redress_core::observe::AttemptDecision;
use redress_core::{Classification, Event, EventName, StopReason};

use super::call::{Ended, Record};
use super::permits::END_OF_TIME;
use super::{Law, Laws, permits, spending};
use crate::breaker::Reference;
use crate::note::{Ending, Hook, HookKind, Note, Refused, What};
use crate::play::{Played, play};
use crate::world::{Act, BreakerSpec, Capture, Driver, Habit, Hooks, OwnDeadline, Owner, Sleeper, World};

const WATCHER: Hook = Hook { owner: Owner::Policy, kind: HookKind::Observer(0) };

/// Plays the case, watched, on this driver. Returns the breaches, or a difference from the model.
pub(crate) fn broken_by(world: &World, driver: Driver) -> Option<String> {
    let world = watched(world.clone());
    let (played, laws) = (play(&world, driver), Laws::default());
    check(&if driver == Driver::Bare { world.without_delays() } else { world }, &played, &laws);
    let breaches = (!laws.all_hold()).then(|| laws.breaches());
    breaches.or_else(|| played.difference()).map(|breach| format!("{driver:?}, watched:\n{breach}"))
}

fn check(world: &World, Played { subject: notes, ledger, .. }: &Played, laws: &Laws) {
    for call in 0..world.calls.len() {
        let notes: Vec<&Note> = notes.iter().filter(|note| note.call == call).collect();
        check_call(world, &notes, call, laws);
    }
    the_budget_is_kept(world, notes, laws);
    let lease = world.policy.breaker.as_ref().and_then(|breaker| Reference::new(breaker.spec()).lease());
    permits::check(ledger, lease, is_simple(world), laws);
    // After all calls have ended and the recovery time has passed again, a call is admitted, unless
    // the end of time is reached, or something else sets the wait.
    let is_stuck =
        is_simple(world) && notes.iter().any(|note| note.what == What::Readmits(false) && note.at < END_OF_TIME);
    laws.require(Law::NoWedge, !is_stuck, || String::from("no call is admitted any more"));
}

/// Whether there is one probe at a time, and nothing but reports changes the state.
fn is_simple(world: &World) -> bool {
    let has_more = world.policy.breaker.as_ref().is_some_and(|breaker| breaker.more.is_some());
    !has_more && !world.acts.iter().any(|act| matches!(act, Act::Mode(_)))
}

/// The case, watched and with hooks that take no time.
fn watched(mut world: World) -> World {
    if let Some(breaker) = &mut world.policy.breaker {
        breaker.is_watched = true;
    }
    hurry(&mut world.policy.hooks);
    world.policy.hooks.observers.insert(0, Habit::default());
    for call in &mut world.calls {
        hurry(&mut call.hooks);
        if let Some(abort_if) = &mut call.abort_if {
            abort_if.habit.takes = Duration::ZERO;
        }
    }
    world
}

fn hurry(hooks: &mut Hooks) {
    let Hooks { observers, on_attempt_start, on_attempt_end, sleep, before_sleep, sleeper } = hooks;
    let habits = observers.iter_mut().chain(on_attempt_start).chain(on_attempt_end);
    let habits = habits.chain(sleep.as_mut().map(|handler| &mut handler.habit));
    let habits = habits.chain(before_sleep.as_mut().map(|hook| &mut hook.habit));
    let habits = habits.chain(sleeper.as_mut().map(|sleeper| &mut sleeper.habit));
    habits.for_each(|habit| habit.takes = Duration::ZERO);
    if let Some(Sleeper { future, .. }) = sleeper {
        // A sleeper that panics after a while is replaced by a second wait, which may end too late.
        future.panics = false;
    }
}

fn told(note: &Note) -> Option<&Event<'static>> {
    match &note.what {
        What::Told(WATCHER, event) => Some(event),
        _ => None,
    }
}

fn check_call(world: &World, notes: &[&Note], call: usize, laws: &Laws) {
    let ending = notes.iter().find_map(|note| match &note.what {
        What::Ended(ending) => Some(&**ending),
        _ => None,
    });
    laws.require(Law::CallsEnd, ending.is_some(), || format!("call {call} goes on"));
    let (Some(ending), Some(began)) = (ending, notes.iter().find(|note| note.what == What::Begins)) else {
        let is_silent = notes.iter().all(|note| told(note).is_none());
        laws.require(Law::OneTerminal, is_silent, || format!("call {call} has events, and did not begin"));
        return;
    };
    let record = record(world, notes, call, began.at);
    record.check(ended(ending), laws);
    if let (Capture::Fresh, Ending::Executed(outcome, _)) = (world.calls[call].timeline, ending) {
        if let Some(timeline) = &outcome.timeline {
            let entries: Vec<_> = timeline.iter().map(|entry| (entry.event, entry.attempt, entry.elapsed)).collect();
            record.check_timeline(&entries, laws);
        }
    }
    nothing_passes_the_deadline(&record, notes, began.at, laws);
    if !world.policy.breaker.as_ref().is_some_and(BreakerSpec::judges_attempts) {
        the_end_is_reported_before_the_permit_is_released(notes, call, laws);
    }
}

fn ended(ending: &Ending) -> Ended {
    match ending {
        Ending::Executed(outcome, _) => Ended::Returned(outcome.stop_reason, Some(outcome.attempts)),
        Ending::Called(Ok(_)) => Ended::Returned(None, None),
        Ending::Called(Err(refused)) => match refused {
            Refused::Failed { stop_reason, attempts, .. } | Refused::Exhausted { stop_reason, attempts, .. } => {
                Ended::Returned(Some(*stop_reason), Some(*attempts))
            }
            Refused::Aborted { attempts, .. } => Ended::Returned(Some(StopReason::Aborted), Some(*attempts)),
            Refused::CircuitOpen(..) => Ended::Returned(Some(StopReason::CircuitOpen), Some(0)),
        },
        Ending::Panicked | Ending::Dropped => Ended::Dropped,
    }
}

fn record(world: &World, notes: &[&Note], call: usize, began: Duration) -> Record {
    let own = world.calls[call].deadline.map(|deadline| match deadline {
        OwnDeadline::After(time) => time,
        OwnDeadline::At(at) => at.saturating_sub(began),
    });
    let cap = world.retry(call).map_or(1, |retry| retry.max_attempts);
    let mut record = Record::new(format!("call {call}"), cap, world.times(call).deadline, true);
    record.own_deadline = own;
    let hints = world.retry(call).map(|retry| retry.longest_hint.unwrap_or(Duration::MAX));
    let hints = hints.filter(|_| world.retry(call).is_some_and(|retry| !retry.ignores_hints));
    for Note { what, .. } in notes {
        match what {
            What::Runs { .. } => record.run(),
            What::Told(WATCHER, event) => record.told(event.name),
            What::Start(WATCHER, seen) => record.started(seen.attempt, seen.elapsed),
            What::End(WATCHER, seen) => {
                let wait = seen.sleep.filter(|_| seen.decision == Some(AttemptDecision::Retry));
                let hint = seen.classification.as_ref().and_then(Classification::retry_after);
                let floor = hint.zip(hints).map(|(hint, longest)| hint.min(longest));
                record.ended(seen.elapsed, wait, floor.unwrap_or_default());
            }
            _ => {}
        }
    }
    record
}

/// The same as the record's law, by the clock instead of by what the engine says.
fn nothing_passes_the_deadline(record: &Record, notes: &[&Note], began: Duration, laws: &Laws) {
    let Some(deadline) = record.latest().map(|deadline| began.saturating_add(deadline)) else { return };
    for Note { at, what, .. } in notes {
        let in_time = match what {
            What::Runs { .. } => *at < deadline,
            What::Sleeper(_, delay) => at.saturating_add(*delay) < deadline,
            // A wait, or an attempt's timeout, which may strike at the deadline.
            What::Timer(delay) => at.saturating_add(*delay) <= deadline,
            _ => continue,
        };
        laws.require(Law::InTime, in_time, || format!("{what:?} at {at:?}, deadline {deadline:?}, of {record:?}"));
    }
}

/// Observers receive the end of every call, with its duration, while the call still holds its
/// permit.
fn the_end_is_reported_before_the_permit_is_released(notes: &[&Note], call: usize, laws: &Laws) {
    let mut has_ended = false;
    for note in notes {
        match (&note.what, told(note)) {
            (_, Some(event)) if event.name.is_terminal() => {
                has_ended = true;
                // A breaker's event does not hold the time that the call took.
                let is_timed = event.elapsed.is_some() == (event.name != EventName::CircuitRejected);
                laws.require(Law::OneTerminal, is_timed, || format!("call {call}: {event:?}"));
            }
            (What::Report(..) | What::Release, _) => {
                laws.require(Law::PermitOnce, has_ended, || format!("call {call}: a permit before the end"));
            }
            _ => {}
        }
    }
}

fn the_budget_is_kept(world: &World, notes: &[Note], laws: &Laws) {
    let budget = world.policy.retry.as_ref().and_then(|retry| retry.budget);
    let Some(budget) = budget.filter(|budget| budget.earned.is_none()) else { return };
    let retries = notes.iter().filter(|note| told(note).is_some_and(|event| event.name == EventName::Retry));
    let grants: Vec<u64> = retries.map(|note| nanos(note.at)).collect();
    spending::check_grants(&grants, "the budget", (budget.limit, nanos(budget.window)), laws);
}

/// The virtual clock ends after 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
