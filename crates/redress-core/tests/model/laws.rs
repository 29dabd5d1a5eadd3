//! The invariants, checked on the engine alone, without the model.
//!
//! Every case has an observer of all events and a breaker that records its permits. Hooks take no
//! time here, so a note has the instant of the event it describes. Attacks R1, R2, R3, R4, B1, C1,
//! C2, C3, C4, C5.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{TestCaseError, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::Config;
use redress_core::breaker::{CircuitState, ProbeLease, Transition};
use redress_core::{EventName, StopReason};

use crate::draw::{crowds, worlds};
use crate::note::{Ending, Hook, HookKind, Note, Told, What};
use crate::play::{Played, play};
use crate::subject::{Line, Posting};
use crate::world::{Driver, Habit, Hooks, OwnDeadline, Owner, Sleeper, World};

type Checked = Result<(), TestCaseError>;

const WATCHER: Hook = Hook { owner: Owner::Policy, kind: HookKind::Observer(0) };

/// 438 years: a breaker's time ends this long after its origin, which is its first instant or up to
/// 146 years before.
const END_OF_TIME: Duration = Duration::from_nanos(u64::MAX - (1 << 62));

fn config() -> Config {
    crate::config(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/regressions/laws.txt"))
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

fn of_call(notes: &[Note], call: usize) -> impl Iterator<Item = &Note> {
    notes.iter().filter(move |note| note.call == call)
}

fn told(note: &Note) -> Option<&Told> {
    match &note.what {
        What::Told(WATCHER, event) => Some(event),
        _ => None,
    }
}

fn attempts_stay_below_the_cap(world: &World, notes: &[Note], call: usize) -> Checked {
    let cap = world.policy.retry.as_ref().map_or(1, |retry| retry.max_attempts);
    let runs = of_call(notes, call).filter_map(|note| match note.what {
        What::Runs { attempt, .. } => Some(attempt),
        _ => None,
    });
    let runs: Vec<_> = runs.collect();
    prop_assert!(runs.len() <= cap as usize, "R1: {} attempts of call {call}, and {cap} allowed", runs.len());
    prop_assert_eq!(&runs, &(1..).take(runs.len()).collect::<Vec<u32>>());
    Ok(())
}

fn nothing_passes_the_deadline(world: &World, notes: &[Note], call: usize) -> Checked {
    let Some(began) = of_call(notes, call).find(|note| note.what == What::Begins) else { return Ok(()) };
    let own = world.calls[call].deadline.map(|deadline| match deadline {
        OwnDeadline::After(time) => began.at.saturating_add(time),
        OwnDeadline::At(at) => at,
    });
    let of_policy = world.policy.times.deadline.map(|deadline| began.at.saturating_add(deadline));
    let Some(deadline) = own.into_iter().chain(of_policy).min() else { return Ok(()) };
    for Note { at, what, .. } in of_call(notes, call) {
        match what {
            What::Runs { .. } => {
                prop_assert!(*at < deadline, "R2: an attempt of call {call} started at {at:?}");
            }
            What::Sleeper(_, delay) => {
                prop_assert!(at.saturating_add(*delay) < deadline, "R2: call {call} waits {delay:?} at {at:?}");
            }
            // A wait, or an attempt's timeout, which may strike at the deadline.
            What::Timer(delay) => {
                prop_assert!(at.saturating_add(*delay) <= deadline, "R2: call {call} waits {delay:?} at {at:?}");
            }
            _ => {}
        }
    }
    Ok(())
}

fn one_end_of_each(notes: &[Note], call: usize) -> Checked {
    let ending = of_call(notes, call).find_map(|note| match &note.what {
        What::Ended(ending) => Some(&**ending),
        _ => None,
    });
    let ends: Vec<_> = of_call(notes, call).filter_map(told).filter(|event| is_terminal(event.name)).collect();
    let has_begun = of_call(notes, call).any(|note| note.what == What::Begins);
    prop_assert_eq!(ends.len(), usize::from(has_begun), "R3: call {}", call);
    let is_cancelled = ends.iter().any(|event| event.name == EventName::Cancelled);
    match ending {
        Some(Ending::Executed(outcome, _)) => {
            let name = outcome.stop_reason.map_or(EventName::Success, StopReason::event);
            prop_assert_eq!(ends[0].name, name, "R3: call {}", call);
            prop_assert_eq!(outcome.is_ok, outcome.stop_reason.is_none());
        }
        Some(Ending::Called(_)) => prop_assert!(!is_cancelled, "R3: call {}", call),
        Some(Ending::Dropped | Ending::Panicked) => prop_assert_eq!(is_cancelled, has_begun, "R3: call {}", call),
        None => prop_assert!(false, "R3: call {} goes on", call),
    }
    the_end_is_reported_before_the_permit_is_released(notes, call)
}

/// Observers receive the end of every call, with its duration, while the call still holds its
/// permit.
fn the_end_is_reported_before_the_permit_is_released(notes: &[Note], call: usize) -> Checked {
    let mut has_ended = false;
    for note in of_call(notes, call) {
        match (&note.what, told(note)) {
            (_, Some(event)) if is_terminal(event.name) => {
                has_ended = true;
                prop_assert_eq!(event.elapsed.is_none(), event.name == EventName::CircuitRejected);
            }
            (What::Report(..) | What::Release, _) => prop_assert!(has_ended, "R3, R4: call {}", call),
            _ => {}
        }
    }
    Ok(())
}

fn is_terminal(name: EventName) -> bool {
    use EventName::{CircuitClosed, CircuitHalfOpen, CircuitOpened, Retry};
    !matches!(name, Retry | CircuitOpened | CircuitHalfOpen | CircuitClosed)
}

fn the_budget_is_kept(world: &World, notes: &[Note]) -> Checked {
    let Some(budget) = world.policy.retry.as_ref().and_then(|retry| retry.budget) else { return Ok(()) };
    let retries = notes.iter().filter(|note| told(note).is_some_and(|event| event.name == EventName::Retry));
    let grants: Vec<_> = retries.map(|note| note.at).collect();
    for (index, last) in grants.iter().enumerate() {
        let in_window = grants[..=index].iter().filter(|granted| last.saturating_sub(**granted) < budget.window);
        let count = in_window.count();
        prop_assert!(count <= budget.limit as usize, "B1: {count} retries in the {:?} up to {last:?}", budget.window);
    }
    Ok(())
}

fn every_permit_comes_back_once(ledger: &[Line]) -> Checked {
    let mut out: BTreeMap<u64, i64> = BTreeMap::new();
    for line in ledger {
        match line.entry {
            Posting::Admitted(admission) => *out.entry(admission.generation).or_default() += 1,
            Posting::Reported(generation, ..) | Posting::Released(generation) => {
                let left = out.entry(generation).or_default();
                *left -= 1;
                prop_assert!(*left >= 0, "R4, C4: a permit of {generation} came back twice");
            }
            Posting::Rejected => {}
        }
    }
    prop_assert!(out.values().all(|left| *left == 0), "R4, C4: permits are still out: {out:?}");
    Ok(())
}

fn the_breaker_keeps_to_its_table(ledger: &[Line]) -> Checked {
    use CircuitState::{Closed, HalfOpen, Open};
    for Line { entry, before, after, .. } in ledger {
        let edge = (*before, *after);
        let holds = match entry {
            Posting::Admitted(admission) => match admission.transition {
                None => matches!(edge, (Closed, Closed) | (HalfOpen, HalfOpen)),
                transition => transition == Some(Transition::HalfOpened) && edge == (Open, HalfOpen),
            },
            Posting::Rejected => matches!(edge, (Open, Open) | (HalfOpen, HalfOpen)),
            Posting::Reported(_, None) | Posting::Released(_) => before == after,
            Posting::Reported(_, Some(Transition::Opened)) => matches!(edge, (Closed | HalfOpen, Open)),
            Posting::Reported(_, Some(Transition::Closed)) => edge == (HalfOpen, Closed),
            Posting::Reported(..) => false,
        };
        prop_assert!(holds, "C1: {entry:?} went from {before:?} to {after:?}");
    }
    Ok(())
}

/// One current probe at a time. The first call after the end of its lease becomes the next probe.
/// Nothing from before the last change of state or the last probe has any effect.
fn one_probe_and_no_ghosts(lease: Option<Duration>, ledger: &[Line]) -> Checked {
    let mut probe: Option<(u64, Duration)> = None;
    let mut present = None;
    for Line { at, entry, before, after } in ledger {
        let is_over = probe.zip(lease).is_some_and(|((_, since), lease)| *at - since >= lease);
        match entry {
            Posting::Admitted(admission) if *after == CircuitState::HalfOpen => {
                // At the end of time every wait is over.
                let may_be = probe.is_none() || is_over || (lease.is_some() && *at >= END_OF_TIME);
                prop_assert!(may_be, "C2: {admission:?} at {at:?} is a probe beside {probe:?}");
                probe = Some((admission.generation, *at));
                present = Some(admission.generation);
            }
            Posting::Admitted(admission) => present = Some(admission.generation),
            Posting::Rejected => prop_assert!(!is_over, "C3: rejected at {at:?} for the sake of {probe:?}"),
            Posting::Reported(generation, ..) | Posting::Released(generation) => {
                let is_present = present == Some(*generation);
                let transition = if let Posting::Reported(_, transition) = entry { *transition } else { None };
                prop_assert!(is_present || (transition.is_none() && before == after), "C5: {entry:?} is from before");
                if probe.is_some_and(|(current, _)| current == *generation) {
                    probe = None;
                    present = None;
                } else if transition.is_some() {
                    present = None;
                }
            }
        }
    }
    prop_assert_eq!(probe, None, "C3: the probe's place was not given back");
    Ok(())
}

/// After all calls have ended and the recovery time has passed again, a call is admitted, unless
/// the end of time is reached.
fn the_breaker_is_not_wedged(notes: &[Note]) -> Checked {
    let last = notes.iter().find(|note| note.what == What::Readmits(false));
    let stuck = last.filter(|note| note.at < END_OF_TIME);
    prop_assert!(stuck.is_none(), "C3: no call is admitted any more");
    Ok(())
}

fn check(world: &World, driver: Driver) -> Checked {
    let Played { subject: notes, ledger, .. } = play(world, driver);
    for call in 0..world.calls.len() {
        attempts_stay_below_the_cap(world, &notes, call)?;
        nothing_passes_the_deadline(world, &notes, call)?;
        one_end_of_each(&notes, call)?;
    }
    the_budget_is_kept(world, &notes)?;
    every_permit_comes_back_once(&ledger)?;
    the_breaker_keeps_to_its_table(&ledger)?;
    let lease = world.policy.breaker.as_ref().and_then(|breaker| match breaker.lease {
        ProbeLease::RecoveryTimeout => Some(breaker.recovery),
        ProbeLease::Lasts(lease) => Some(lease),
        _ => None,
    });
    one_probe_and_no_ghosts(lease, &ledger)?;
    the_breaker_is_not_wedged(&notes)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_laws_hold_in_every_case(world in worlds()) {
        let world = watched(world);
        for driver in [Driver::Blocking, Driver::Bare, Driver::Async] {
            check(&world, driver)?;
        }
    }

    #[test]
    fn the_laws_hold_for_calls_under_way_at_once(world in crowds()) {
        check(&watched(world), Driver::Async)?;
    }
}
