//! The output of a storm: a line at each interval, and the figures at the end.

use std::time::Duration;

use redress_core::EventName;

use crate::call::{Census, Count};
use crate::memory::{Memory, mebibytes};
use crate::panics;
use crate::scene::Scene;

fn total(scene: &Scene, count: impl Fn(&Census) -> u64) -> u64 {
    scene.subjects.iter().map(|subject| count(subject.census)).sum()
}

fn counted(scene: &Scene, count: Count) -> u64 {
    total(scene, |census| census.get(count))
}

/// How often the breakers opened, admitted a first probe, and closed, as far as reported.
fn edges(scene: &Scene) -> [u64; 3] {
    let circuits = scene.circuits.iter().map(|circuit| circuit.edges.counts());
    let all = circuits.chain([scene.witness.edges.counts()]);
    all.fold([0; 3], |sum, counts| std::array::from_fn(|place| sum[place] + counts[place]))
}

fn resident(memory: Option<Memory>) -> String {
    memory.map_or_else(|| String::from("not measured"), |memory| mebibytes(memory.resident))
}

pub(crate) fn opening(scene: &Scene) {
    let (arguments, pairs) = (&scene.arguments, scene.subjects.len());
    let (seconds, threads, tasks) = (arguments.seconds, arguments.threads, arguments.tasks);
    println!("soak: {seconds} s, {threads} threads, {tasks} tasks, seed {}, {pairs} pairs of policies", scene.seed);
}

pub(crate) fn line(scene: &Scene, elapsed: Duration, memory: Option<Memory>) {
    let [trips, probes, closings] = edges(scene);
    println!(
        "{:>8.1} s  {:>11} calls  trips {trips}  probes {probes}  closings {closings}  cancelled {}  panicked {}  RSS {}",
        elapsed.as_secs_f64(),
        counted(scene, Count::Started),
        counted(scene, Count::Cancelled),
        counted(scene, Count::Panicked),
        resident(memory)
    );
}

/// The figures of a storm that is over.
pub(crate) fn figures(scene: &Scene, elapsed: Duration, memories: [Option<Memory>; 3]) {
    let started = counted(scene, Count::Started);
    let rate = started as f64 / elapsed.as_secs_f64().max(0.001);
    println!("\n{started:>12} calls in {:.1} s, {rate:.0}/s", elapsed.as_secs_f64());
    for event in EventName::ALL.iter().copied().filter(|event| event.is_terminal()) {
        println!("{:>12} {event}", total(scene, |census| census.ended_with(event)));
    }
    println!("{:>12} of the cancelled by a panic", counted(scene, Count::Panicked));
    for census in scene.subjects.iter().map(|subject| subject.census) {
        println!("{:>12} calls of `{}`", census.get(Count::Started), census.terms.name);
    }
    let ([trips, probes, closings], permits) = (edges(scene), scene.witness.counts());
    println!("{trips:>12} trips, {probes} half-openings, {closings} closings reported");
    println!(
        "{:>12} permits of the witness: {} reported, {} released, {} of them probes, {} superseded",
        permits.admitted, permits.reported, permits.released, permits.probes, permits.superseded
    );
    for (name, (entered, late)) in scene.purses.iter().filter_map(|purse| Some((purse.name, purse.entered()?))) {
        println!("{entered:>12} grants of `{name}`, and {late} too late to be entered");
    }
    println!("{:>12} intended panics", panics::thrown());
    let most = memories[2].map_or_else(|| String::from("not measured"), |memory| mebibytes(memory.most));
    let [start, warm, end] = memories.map(resident);
    println!("RSS: {start} at the start, {warm} when warm, {end} at the end, {most} at most");
    println!("\nlaws, with the number of checks:\n{}", scene.laws.verdict());
}
