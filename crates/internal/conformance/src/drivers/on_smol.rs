//! Runs each scenario on a new executor of smol, with the time of `virtual_time`.

use std::thread;

use smol::future::yield_now;
use smol::{Executor, LocalExecutor, block_on, channel};

use super::virtual_time;
use crate::scenario::Scenario;
use crate::trace::Trace;

const THREADS: usize = 3;

pub(super) fn run(scenario: &Scenario) -> Vec<Trace> {
    let executor = LocalExecutor::new();
    let run = executor.spawn(virtual_time::run(scenario, yield_now));
    block_on(executor.run(run))
}

/// Runs the scenario as a task that moves between threads: after each yield, any of them may poll
/// it.
pub(super) fn run_on_threads(scenario: &Scenario) -> Vec<Trace> {
    let executor = Executor::new();
    let run = executor.spawn(virtual_time::run(scenario, yield_now));
    let (stop, stopped) = channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| block_on(executor.run(stopped.recv())));
        }
        let traces = block_on(run);
        // Dropping the sender closes the channel, which ends the threads.
        drop(stop);
        traces
    })
}

pub(super) fn run_by_hand(scenario: &Scenario) -> Vec<Trace> {
    let executor = LocalExecutor::new();
    block_on(executor.run(virtual_time::run_by_hand(scenario, yield_now)))
}
