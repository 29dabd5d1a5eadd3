//! Properties of the engine, in virtual time: random policies, random histories, and a simple model
//! of the engine, with which it must agree in all observable behaviour.
//!
//! A failing case is shrunk and its seed written below `regressions/`: commit it, every run starts
//! with those. A seed identifies a case only while `draw.rs` is unchanged, so important cases are
//! written out in `scenarios.rs`. `PROPTEST_CASES=100000` makes a long run of it.

mod world;
mod note;
mod stage;
mod naive;
mod naive_breaker;
mod end_of_time;
mod subject;
mod play;
mod draw;

mod reach;
mod equality;
mod laws;
mod scenarios;
mod values;

use std::env;

use proptest::test_runner::{Config, FileFailurePersistence};

/// Few enough for a debug build to be done with each property in a second or two, unless
/// `PROPTEST_CASES` says how many.
const CASES: u32 = 500;

/// Failing cases are kept in this file. Cases are large, so shrinking is given time.
fn config(regressions: &'static str) -> Config {
    let config = Config::default();
    let cases = if env::var_os("PROPTEST_CASES").is_some() { config.cases } else { CASES };
    let persistence = FileFailurePersistence::Direct(regressions);
    Config {
        cases,
        failure_persistence: Some(Box::new(persistence)),
        max_shrink_iters: 20_000,
        // Settings that a builder refuses are drawn again.
        max_global_rejects: u32::MAX,
        ..config
    }
}
