//! Runs scenarios on async-std's only executor, with the time of `virtual_time`.

use async_std::task::{block_on, spawn, spawn_local, yield_now};

use super::virtual_time;
use crate::scenario::Scenario;
use crate::trace::Trace;

pub(super) fn run(scenario: &Scenario) -> Vec<Trace> {
    let scenario = scenario.clone();
    block_on(async { spawn_local(async move { virtual_time::run(&scenario, yield_now).await }).await })
}

/// Runs the scenario as a task of the executor's threads.
pub(super) fn run_on_threads(scenario: &Scenario) -> Vec<Trace> {
    let scenario = scenario.clone();
    block_on(spawn(async move { virtual_time::run(&scenario, yield_now).await }))
}

pub(super) fn run_by_hand(scenario: &Scenario) -> Vec<Trace> {
    block_on(virtual_time::run_by_hand(scenario, yield_now))
}
