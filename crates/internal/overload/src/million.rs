//! A million clients, for the speed of the simulator.

use std::time::{Duration, Instant};

use crate::mechanisms::Mechanism;
use crate::scene::Scene;

/// Runs a hundred seconds of a million clients, with the outage, and prints how long that took.
pub(crate) fn run() -> Result<(), String> {
    for mechanism in [Mechanism::Unlimited, Mechanism::DefaultBreaker, Mechanism::Earned(1.0)] {
        let scene = Scene { capacity: 100_000, load: 70_000, after: 60, ..Scene::new(1_000_000) };
        let begun = Instant::now();
        let report = mechanism.run(scene);
        let took = begun.elapsed().max(Duration::from_millis(1));
        let total = report.sum(0..report.seconds().len());
        let million = 1_000_000.0;
        println!(
            "{}: {:.1} million calls, {:.1} million attempts, {:.1} million events in {:.1} s: {:.2} million events/s",
            mechanism.name(),
            total.offered as f64 / million,
            total.attempts as f64 / million,
            report.events() as f64 / million,
            took.as_secs_f64(),
            report.events() as f64 / million / took.as_secs_f64(),
        );
    }
    Ok(())
}
