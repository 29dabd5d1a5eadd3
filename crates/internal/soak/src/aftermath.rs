//! The checks after a storm: everything that has started has ended, and all accounts must balance.
//!
//! Holds the order of the checks. Each law is checked in the file that keeps its counts.

use std::thread;
use std::time::Duration;

use crate::law::Law;
use crate::memory::{self, Memory};
use crate::panics;
use crate::scene::Scene;
use crate::subject::Subject;

/// Makes all checks that must wait for the end; `warm` is the memory in use after warming up.
pub(crate) fn settle(scene: &Scene, warm: Option<Memory>) -> Option<Memory> {
    await_detached(scene);
    for subject in &scene.subjects {
        subject.timelines.settle();
        subject.census.settle();
        check_learning(scene, subject);
    }
    scene.circuits.iter().for_each(|circuit| circuit.settle(scene.laws));
    check_witness(scene);
    scene.purses.iter().for_each(|purse| purse.settle(scene.laws));
    scene.laws.balance(Law::Panics, "on purpose", ("thrown", panics::thrown()), ("seen by the hook", panics::seen()));
    scene.laws.balance(Law::Panics, "not on purpose", ("seen", panics::unexpected()), ("allowed", 0));
    let end = memory::read();
    memory::check(scene.laws, warm, end);
    end
}

/// Waits for detached operations, which outlive their calls by less than a millisecond on a quiet
/// machine. The watchdog limits this wait through the storm's pulse.
fn await_detached(scene: &Scene) {
    for subject in scene.subjects.iter().filter(|subject| subject.terms().detaches) {
        while !subject.census.is_quiet() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Compares the transitions that observers received with those the witness returned, then tests the
/// witness.
fn check_witness(scene: &Scene) {
    let (returned, received) = (scene.witness.edges.counts(), scene.witness_told.counts());
    scene.laws.require(Law::Edges, received == returned, || {
        format!("observers received {received:?}, the witness returned {returned:?}")
    });
    scene.witness.settle_up(scene.laws);
}

fn check_learning(scene: &Scene, subject: &Subject) {
    let census = subject.census;
    if census.terms.learns {
        let succeeded = ("successes", census.succeeded.get());
        scene.laws.balance(Law::HeardOnce, census.terms.name, ("learned", census.learned.get()), succeeded);
    }
}
