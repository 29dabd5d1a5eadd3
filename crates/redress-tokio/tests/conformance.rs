//! The asynchronous driver, on tokio's timer with time paused, against the recorded behaviour.

use redress_testing::conformance::{public_scenarios, run_async, run_driven};
use redress_tokio::TokioTimer;

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

macro_rules! reproduces_every_scenario {
    ($run:ident) => {{
        let mut differing = Vec::new();
        for scenario in public_scenarios() {
            let mismatches = scenario.mismatches(&$run(&scenario, TokioTimer, tokio::time::advance).await);
            differing.extend(mismatches.iter().take(SHOWN).map(|mismatch| format!("{}: {mismatch}", scenario.id())));
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    }};
}

#[tokio::test(start_paused = true)]
async fn the_asynchronous_driver_reproduces_every_scenario() {
    reproduces_every_scenario!(run_async);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_polled_by_hand_reproduce_every_scenario() {
    reproduces_every_scenario!(run_driven);
}
