//! The output of a storm: a line at each interval, and the figures at the end.

use std::time::Duration;

use redress_core::StopReason;

use crate::census::Census;
use crate::edges::EdgeCounts;
use crate::law::{Law, Laws};
use crate::memory::{Memory, mebibytes};
use crate::panics;
use crate::scene::Scene;

/// The number of calls so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) started: u64,
    succeeded: u64,
    cancelled: u64,
    panicked: u64,
    edges: EdgeCounts,
}

impl Totals {
    pub(crate) fn of(scene: &Scene) -> Self {
        let mut totals = Self::default();
        for census in scene.subjects.iter().map(|subject| subject.census) {
            totals.started += census.started.get();
            totals.succeeded += census.succeeded.get();
            totals.cancelled += census.cancelled.get();
            totals.panicked += census.panicked.get();
        }
        let breakers = scene.circuits.iter().map(|circuit| circuit.edges.counts());
        for counts in breakers.chain([scene.witness.edges.counts()]) {
            totals.edges.opened += counts.opened;
            totals.edges.half_opened += counts.half_opened;
            totals.edges.closed += counts.closed;
        }
        totals
    }
}

pub(crate) fn opening(scene: &Scene) {
    let arguments = &scene.arguments;
    println!(
        "soak: {} s, {} threads, {} tasks, seed {}, {} pairs of policies",
        arguments.seconds,
        arguments.threads,
        arguments.tasks,
        scene.seed,
        scene.subjects.len()
    );
}

pub(crate) fn line(elapsed: Duration, totals: Totals, before: (Duration, Totals), memory: Option<Memory>) {
    let rate = per_second(totals.started - before.1.started, elapsed.saturating_sub(before.0));
    println!(
        "{:>8.1} s  {:>11} calls  {rate:>8}/s  trips {}  probes {}  closings {}  cancelled {}  panicked {}  RSS {}",
        elapsed.as_secs_f64(),
        totals.started,
        totals.edges.opened,
        totals.edges.half_opened,
        totals.edges.closed,
        totals.cancelled,
        totals.panicked,
        resident(memory)
    );
}

fn per_second(calls: u64, within: Duration) -> u64 {
    (calls as f64 / within.as_secs_f64().max(0.001)) as u64
}

fn resident(memory: Option<Memory>) -> String {
    memory.map_or_else(|| String::from("not measured"), |memory| mebibytes(memory.resident))
}

/// The figures of a storm that is over.
pub(crate) fn figures(scene: &Scene, elapsed: Duration, rounds: [u64; 2], memories: [Option<Memory>; 3]) {
    let totals = Totals::of(scene);
    println!(
        "\n{:>12} calls in {:.1} s, {}/s",
        totals.started,
        elapsed.as_secs_f64(),
        per_second(totals.started, elapsed)
    );
    println!("{:>12} rounds of threads, {} rounds of tasks", rounds[0], rounds[1]);
    ends(scene, totals);
    for census in scene.subjects.iter().map(|subject| subject.census) {
        let figures = (census.terms.name, census.started.get(), census.ended(), census.begun.get());
        println!("{:>12} calls of `{}`: {} ended, {} attempts", figures.1, figures.0, figures.2, figures.3);
    }
    shared_parts(scene, totals.edges);
    println!("{:>12} intended panics", panics::thrown());
    let [start, warm, end] = memories;
    let most = end.map_or_else(|| String::from("not measured"), |memory| mebibytes(memory.most));
    println!(
        "RSS: {} at the start, {} when warm, {} at the end, {most} at most",
        resident(start),
        resident(warm),
        resident(end)
    );
}

fn ends(scene: &Scene, totals: Totals) {
    println!("{:>12} succeeded", totals.succeeded);
    let of_all =
        |count: &dyn Fn(&Census) -> u64| scene.subjects.iter().map(|subject| count(subject.census)).sum::<u64>();
    for (place, reason) in StopReason::ALL.iter().enumerate() {
        println!("{:>12} {reason}", of_all(&|census| census.stopped[place].get()));
    }
    println!("{:>12} cancelled\n{:>12} panicked", totals.cancelled, totals.panicked);
}

fn shared_parts(scene: &Scene, edges: EdgeCounts) {
    println!("{:>12} trips, {} half-openings, {} closings reported", edges.opened, edges.half_opened, edges.closed);
    let permits = scene.witness.counts();
    println!(
        "{:>12} permits of the witness: {} reported, {} released, {} of them probes, {} superseded",
        permits.admitted, permits.reported, permits.released, permits.probes, permits.superseded
    );
    for purse in &scene.purses {
        if let Some((entered, late)) = purse.figures() {
            println!(
                "{entered:>12} grants of `{}`, {late} entered too late to be checked with all others of their time",
                purse.name
            );
        }
    }
}

/// Prints the laws that held, with the number of checks, and those that were broken, with figures.
pub(crate) fn verdict(laws: &Laws) {
    println!("\nlaws held:");
    for law in with(|law| laws.broken(law) == 0 && laws.looked(law) > 0) {
        println!("{:>12} x {:>2}  {}", laws.looked(law), law.id(), law.text());
    }
    for law in with(|law| laws.looked(law) == 0) {
        println!("  not checked: {:>2}  {}", law.id(), law.text());
    }
    if laws.all_hold() {
        return;
    }
    println!("\nlaws BROKEN:");
    for law in with(|law| laws.broken(law) > 0) {
        println!("{:>12} of {} x {:>2}  {}", laws.broken(law), laws.looked(law), law.id(), law.text());
        for example in laws.examples(law) {
            println!("{:>16} {example}", "-");
        }
    }
}

fn with(property: impl Fn(Law) -> bool) -> impl Iterator<Item = Law> {
    Law::ALL.into_iter().filter(move |law| property(*law))
}
