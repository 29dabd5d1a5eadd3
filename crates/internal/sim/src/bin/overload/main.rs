//! Makes the tables of `docs/guide/overload.md`.

#![forbid(unsafe_code)]

mod scene;
mod mechanisms;

use std::time::Instant;

use crate::mechanisms::Mechanism;
use crate::scene::Scene;

fn main() {
    let shrink: u32 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    let seed: u64 = std::env::args().nth(2).and_then(|a| a.parse().ok()).unwrap_or(1);
    for mechanism in Mechanism::ALL {
        for clients in [100, 1000, 10_000] {
            let scene = Scene { seed, ..Scene::new(clients) }.shrunk(shrink);
            let begun = Instant::now();
            let report = scene.scenario().run(mechanism.clients(scene.clients)).unwrap();
            let total = report.sum(0..1000);
            println!(
                "{:40} {clients:6} {:?} {:?} {} events {}",
                mechanism.name(),
                report.recovery(),
                begun.elapsed(),
                report.events(),
                total.attempts
            );
        }
    }
}
