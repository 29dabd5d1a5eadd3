//! A million clients, for the speed and the memory of the simulator.

use std::time::{Duration, Instant};

use redress_core::AsyncPolicy;
use redress_sim::{Clients, Report};

use crate::mechanisms::Mechanism;
use crate::scene::Scene;

const CLIENTS: u32 = 1_000_000;

/// Runs a hundred seconds of a million clients, with the outage, under the policies of these names,
/// and prints how long that took.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    let scene = Scene { capacity: 100_000, load: 70_000, after: 60, ..Scene::new(CLIENTS) };
    let http =
        |scene: Scene| scene.scenario().run(Clients::alike(CLIENTS, AsyncPolicy::http())).expect("a valid scene");
    let all: [(&str, &dyn Fn() -> Report); 4] = [
        // Each client calls every 100 seconds.
        ("http", &|| http(Scene { capacity: 15_000, load: 10_000, ..scene })),
        ("http-busy", &|| http(scene)),
        ("unlimited", &|| Mechanism::Unlimited.run(scene)),
        ("breaker", &|| Mechanism::DefaultBreaker.run(scene)),
    ];
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|(known, _)| known != *name)) {
        return Err(format!("no policy `{unknown}`: overload --million [http] [http-busy] [unlimited] [breaker]"));
    }
    for (name, simulate) in all {
        if names.is_empty() || names.contains(&name) {
            measure(name, simulate);
        }
    }
    Ok(())
}

fn measure(name: &str, simulate: &dyn Fn() -> Report) {
    let begun = Instant::now();
    let report = simulate();
    let took = begun.elapsed().max(Duration::from_millis(1)).as_secs_f64();
    let total = report.total();
    let [calls, attempts, events] = [total.offered, total.attempts, report.events()].map(|count| count as f64 / 1e6);
    println!(
        "{name}: {calls:.1} million calls, {attempts:.1} million attempts, {events:.1} million events \
         in {took:.1} s: {:.2} million events/s",
        events / took,
    );
}
