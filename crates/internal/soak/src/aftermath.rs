//! After the storm: everybody has gone home, and the books have to balance.
//!
//! Owns the order of the last checks. Each law is checked by the file that counts for it.

use std::thread;
use std::time::Duration;

use crate::law::Law;
use crate::memory::{self, Memory};
use crate::panics;
use crate::scene::Scene;
use crate::subject::Subject;

/// Checks everything that has to wait for the end; `warm` is the memory held early on.
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

/// Detached operations outlive their calls by less than a millisecond, on a quiet machine. The
/// watchdog waits for them, too: nobody has a pulse here but the storm itself.
fn await_detached(scene: &Scene) {
    for subject in scene.subjects.iter().filter(|subject| subject.terms().detaches) {
        while !subject.census.is_quiet() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What observers heard of the witness's edges is what it said itself; then it is put to the test.
fn check_witness(scene: &Scene) {
    let (said, heard) = (scene.witness.edges.counts(), scene.witness_told.counts());
    scene.laws.require(Law::Edges, heard == said, || format!("observers heard {heard:?}, the witness said {said:?}"));
    scene.witness.settle_up(scene.laws);
}

fn check_learning(scene: &Scene, subject: &Subject) {
    let census = subject.census;
    if census.terms.learns {
        let succeeded = ("successes", census.succeeded.get());
        scene.laws.balance(Law::HeardOnce, census.terms.name, ("learned", census.learned.get()), succeeded);
    }
}
