//! Replays the committed inputs, so that the fuzzer's findings are checked on every machine without
//! a fuzzer. Every target must have inputs.

use redress_fuzz::{TARGETS, replay_committed};

#[test]
fn every_target_holds_on_its_corpus() {
    for target in TARGETS {
        let inputs =
            replay_committed("corpus", target).expect("crates/internal/fuzz/corpus has a folder for each target");
        assert!(inputs > 0, "the corpus of {} is empty", target.name);
    }
}

#[test]
fn every_target_holds_on_its_seeds() {
    for target in TARGETS {
        let inputs =
            replay_committed("seeds", target).expect("crates/internal/fuzz/seeds has a folder for each target");
        assert!(inputs > 0, "{} has no seeds", target.name);
    }
}
