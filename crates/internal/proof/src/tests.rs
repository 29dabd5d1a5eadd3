//! Properties of the engine, in virtual time: random policies and histories, on which the engine
//! must agree with the model and keep the laws.
//!
//! A failing case is shrunk and its bytes written below `regressions/`: commit it, every run starts
//! with those. Bytes describe a case only while `draw.rs` is unchanged, so important cases are
//! written out in `scenarios.rs`. `PROPTEST_CASES=100000` makes a long run of it.

mod budget;
mod equality;
mod keyed;
mod laws;
mod nesting;
mod permits;
mod reach;
mod scenarios;

use std::env;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence};

use crate::draw::{ACT, ACTS, CALL, CALLS, POLICY};
use crate::play::{DRIVERS, play};
use crate::world::World;

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

/// Any case with so many calls. It shrinks by whole calls and acts, and then byte by byte.
fn cases(
    is_crowd: bool,
    calls: std::ops::RangeInclusive<usize>,
    acts: std::ops::Range<usize>,
) -> impl Strategy<Value = World> {
    assert!(*calls.end() <= usize::from(CALLS) && acts.end <= ACTS);
    let part = |length| vec(any::<u8>(), length);
    (part(POLICY), vec(part(CALL), calls), vec(part(ACT), acts)).prop_map(move |(policy, calls, acts)| {
        let head = vec![calls.len() as u8 - 1, u8::from(is_crowd)];
        World::read(&[head, policy, calls.concat(), acts.concat()].concat())
    })
}

/// Any policy and calls.
fn worlds() -> impl Strategy<Value = World> {
    cases(false, 1..=6, 0..12)
}

/// Cases about shared state: several concurrent calls, and a breaker that trips soon.
fn crowds() -> impl Strategy<Value = World> {
    cases(true, 4..=9, 8..40)
}

/// The first difference from the model on any driver.
fn differs_anywhere(world: &World) -> Option<String> {
    let mut plays = DRIVERS.into_iter().map(|driver| (driver, play(world, driver).difference()));
    plays.find_map(|(driver, difference)| Some(format!("{driver:?}: {}", difference?)))
}
