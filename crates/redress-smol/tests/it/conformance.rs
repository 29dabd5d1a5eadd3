//! The asynchronous driver on smol's executors against the recorded behaviour.
//!
//! smol has no clock that can be paused, so time is the virtual clock's and the executors are smol's: every step of time
//! goes through them once.

use std::time::Duration;

use redress_testing::VirtualClock;
use redress_testing::conformance::{Scenario, Trace, public_scenarios, run_async, run_driven};
use smol::{Executor, LocalExecutor};

use crate::workers::with_workers;

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

/// Time passes at the first poll, and the task is queued again before it goes on.
fn pass_on(clock: VirtualClock) -> impl Fn(Duration) -> smol::future::Boxed<()> + Send + Sync {
    move |duration| {
        let clock = clock.clone();
        Box::pin(async move {
            clock.advance(duration);
            smol::future::yield_now().await;
        })
    }
}

async fn run(scenario: Scenario) -> (Scenario, Vec<Trace>) {
    let clock = VirtualClock::new();
    let traces = run_async(&scenario, clock.timer(), pass_on(clock)).await;
    (scenario, traces)
}

/// [`run`] with calls that are polled by hand.
async fn run_by_hand(scenario: Scenario) -> (Scenario, Vec<Trace>) {
    let clock = VirtualClock::new();
    let traces = run_driven(&scenario, clock.timer(), pass_on(clock)).await;
    (scenario, traces)
}

fn assert_reproduced(runs: impl IntoIterator<Item = (Scenario, Vec<Trace>)>) {
    let (mut differing, mut number) = (Vec::new(), 0);
    for (scenario, traces) in runs {
        let mismatches = scenario.mismatches(&traces);
        differing.extend(mismatches.iter().take(SHOWN).map(|mismatch| format!("{}: {mismatch}", scenario.id())));
        number += 1;
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert_eq!(number, public_scenarios().len());
}

#[test]
fn a_local_executor_reproduces_every_scenario() {
    let executor = LocalExecutor::new();
    let runs = public_scenarios().into_iter().map(|scenario| {
        let run = executor.spawn(run(scenario));
        smol::block_on(executor.run(run))
    });
    assert_reproduced(runs);
}

#[test]
fn calls_that_are_polled_by_hand_reproduce_every_scenario() {
    let executor = LocalExecutor::new();
    let runs = public_scenarios().into_iter().map(|scenario| smol::block_on(executor.run(run_by_hand(scenario))));
    assert_reproduced(runs);
}

#[test]
fn an_executor_of_many_threads_reproduces_every_scenario() {
    let executor = Executor::new();
    let runs: Vec<_> = public_scenarios().into_iter().map(|scenario| executor.spawn(run(scenario))).collect();
    let runs = with_workers(&executor, async {
        let mut done = Vec::new();
        for run in runs {
            done.push(run.await);
        }
        done
    });
    assert_reproduced(runs);
}
