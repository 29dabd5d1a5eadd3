//! The drawn cases reach every corner. Otherwise a property could hold only because its corner is
//! never drawn.

use std::collections::BTreeMap;

use proptest::prelude::prop_oneof;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use redress_core::breaker::TripRule;
use redress_core::{EventName, StopReason};

use super::{crowds, worlds};
use crate::note::{Ending, What};
use crate::play::play;
use crate::world::Driver;

const CASES: usize = 3000;

/// The same cases every time.
#[test]
fn every_event_and_every_ending_is_drawn() {
    let (mut runner, drawn) = (TestRunner::deterministic(), prop_oneof![worlds(), crowds()]);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..CASES {
        let world = drawn.new_tree(&mut runner).expect("nothing is rejected").current();
        for note in play(&world, Driver::Async).subject {
            let name = match note.what {
                What::Told(_, event) => {
                    if let Some(trip) = event.trip {
                        *seen.entry(trip.rule.as_str()).or_default() += 1;
                    }
                    if event.name == EventName::CircuitRejected && event.attempt > 0 {
                        *seen.entry("shut between attempts").or_default() += 1;
                    }
                    event.name.as_str()
                }
                What::Ended(ending) => match *ending {
                    Ending::Executed(outcome, _) => outcome.stop_reason.map_or("ok", StopReason::as_str),
                    Ending::Called(Ok(_)) => "called",
                    Ending::Called(Err(_)) => "refused",
                    Ending::Panicked => "panicked",
                    Ending::Dropped => "dropped",
                },
                What::Cancelled { .. } => "attempt dropped",
                What::Learns(..) => "learns",
                _ => continue,
            };
            *seen.entry(name).or_default() += 1;
        }
    }
    // No drawn call is within another one: `nesting.rs` has those.
    let events = EventName::ALL.iter().filter(|name| **name != EventName::Nested).map(|name| name.as_str());
    let rest = ["ok", "called", "refused", "panicked", "dropped", "attempt dropped", "learns", "shut between attempts"];
    let rules = TripRule::ALL.iter().map(|rule| rule.as_str());
    let rest = rest.into_iter().chain(rules);
    for name in events.chain(StopReason::ALL.iter().map(|reason| reason.as_str())).chain(rest) {
        let times = seen.get(name).copied().unwrap_or_default();
        assert!(times >= 5, "{name} {times} times: {seen:#?}");
    }
}
