//! The laws, checked whenever all tasks are blocked until time advances.

use std::sync::Arc;
use std::task::{Context, Waker};

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::Service as _;

use crate::draw::world;
use crate::ledger::{Holder, Ledger, Phase};
use crate::play::play;
use crate::stack::Stack;
use crate::world::{Part, World, millis};

/// Few enough for a debug build to be done in a few seconds, unless `PROPTEST_CASES` says how many.
const CASES: u32 = 500;

fn config() -> Config {
    let config = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { CASES };
    let persistence = FileFailurePersistence::Direct("tests/places/regressions/laws.txt");
    Config { cases, failure_persistence: Some(Box::new(persistence)), max_shrink_iters: 4_000, ..config }
}

proptest! {
    #![proptest_config(config())]

    /// Attacks W1, W2.
    #[test]
    fn no_call_that_waits_or_is_over_keeps_others_out(world in world()) {
        play(world)?;
    }
}

/// The state that the laws check.
pub(crate) struct Seen<'a> {
    pub(crate) world: &'a World,
    pub(crate) ledger: &'a Ledger,
    pub(crate) places: &'a Arc<Semaphore>,
    pub(crate) stack: &'a Stack,
    pub(crate) start: Instant,
}

pub(crate) fn check(seen: &Seen<'_>) -> Result<(), TestCaseError> {
    let phases = seen.ledger.phases();
    idle_calls_hold_nothing(seen, &phases)?;
    every_place_is_booked(seen)?;
    no_attempt_waits_beside_a_free_place(seen, &phases)?;
    idle_calls_leave_the_stack_ready(seen, &phases)
}

/// A call holds a place only during an attempt.
fn idle_calls_hold_nothing(seen: &Seen<'_>, phases: &[Phase]) -> Result<(), TestCaseError> {
    for (call, phase) in phases.iter().enumerate().filter(|(_, phase)| **phase != Phase::Attempting) {
        let held = seen.ledger.held_by(Holder::Call(call));
        prop_assert_eq!(held, 0, "{:?}: call {} is {:?} and holds a place", seen.start.elapsed(), call, phase);
    }
    Ok(())
}

/// Every place that is taken is in use: none was handed to an instance that is not polled. The
/// worker of a buffer, which is tower's, is such an instance while no message comes.
fn every_place_is_booked(seen: &Seen<'_>) -> Result<(), TestCaseError> {
    let taken = seen.world.places - seen.places.available_permits();
    let lost = taken - seen.ledger.held();
    let allowed = usize::from(has_worker_above(seen.world));
    prop_assert!(lost <= allowed, "{:?}: {} places lie unused: {:?}", seen.start.elapsed(), lost, seen.ledger);
    Ok(())
}

/// Work is conserved.
fn no_attempt_waits_beside_a_free_place(seen: &Seen<'_>, phases: &[Phase]) -> Result<(), TestCaseError> {
    let is_outside = |call: &usize| seen.ledger.held_by(Holder::Call(*call)) == 0;
    let mut attempting = (0..phases.len()).filter(|call| phases[*call] == Phase::Attempting);
    if seen.places.available_permits() > 0 && !has_worker_above(seen.world) {
        let outside = attempting.find(is_outside);
        prop_assert_eq!(outside, None, "{:?}: waits beside a free place", seen.start.elapsed());
    }
    Ok(())
}

/// If no attempt runs and the floor is open, a new call passes every queue at once.
fn idle_calls_leave_the_stack_ready(seen: &Seen<'_>, phases: &[Phase]) -> Result<(), TestCaseError> {
    let now = seen.start.elapsed();
    let is_closed = seen.world.closed.iter().any(|&(from, time)| (millis(from)..millis(from + time)).contains(&now));
    if is_closed || phases.contains(&Phase::Attempting) {
        return Ok(());
    }
    let mut newcomer = seen.stack.clone();
    let is_ready = newcomer.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready();
    prop_assert!(is_ready, "{:?}: no attempt is under way, and a newcomer has to wait: {:?}", now, phases);
    Ok(())
}

fn has_worker_above(world: &World) -> bool {
    world.above.iter().any(|part| matches!(part, Part::Buffer(_)))
}
