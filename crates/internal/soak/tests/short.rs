//! A storm of five seconds, which the program judges itself: some hundred thousand calls on any
//! machine.
//!
//! Uses the development profile: it checks overflow, and the laws do not depend on speed. The seed
//! fixes the random choices, not the interleaving.

use std::process::Command;

#[test]
fn every_law_holds_in_a_storm() {
    let storm = Command::new(env!("CARGO_BIN_EXE_redress-soak")).args(["--seconds", "5", "--seed", "1"]).output();
    let storm = storm.expect("the program starts");
    let printed = String::from_utf8_lossy(&storm.stdout);
    assert!(storm.status.success(), "{printed}\n{}", String::from_utf8_lossy(&storm.stderr));
}
