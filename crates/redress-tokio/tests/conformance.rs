//! The asynchronous driver, on tokio's timer with time paused, against the recorded behaviour.

use redress_testing::conformance::{public_scenarios, run_async};
use redress_tokio::TokioTimer;

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

#[tokio::test(start_paused = true)]
async fn the_asynchronous_driver_reproduces_every_scenario() {
    let mut differing = Vec::new();
    for scenario in public_scenarios() {
        let mismatches = scenario.mismatches(&run_async(&scenario, TokioTimer, tokio::time::advance).await);
        differing.extend(mismatches.iter().take(SHOWN).map(|mismatch| format!("{}: {mismatch}", scenario.id())));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
