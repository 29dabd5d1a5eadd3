//! The blocking driver against the recorded behaviour.

use redress_testing::conformance::{public_scenarios, run_blocking};

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

#[test]
fn the_blocking_driver_reproduces_every_scenario() {
    let mut differing = Vec::new();
    for scenario in public_scenarios() {
        let mismatches = scenario.mismatches(&run_blocking(&scenario));
        differing.extend(mismatches.iter().take(SHOWN).map(|mismatch| format!("{}: {mismatch}", scenario.id())));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
