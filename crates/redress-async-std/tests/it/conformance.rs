//! The asynchronous driver on async-std's executor against the recorded behaviour.
//!
//! async-std has no clock that can be paused, so time is the virtual clock's and the executor is async-std's: every step
//! of time goes through it once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use async_std::task::{self, block_on, yield_now};
use redress_testing::VirtualClock;
use redress_testing::conformance::{Scenario, Trace, public_scenarios, run_async, run_driven};

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

/// Time passes at the first poll, and the task is queued again before it goes on.
fn pass_on(clock: VirtualClock) -> impl Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync {
    move |duration| {
        let clock = clock.clone();
        Box::pin(async move {
            clock.advance(duration);
            yield_now().await;
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
fn a_local_task_reproduces_every_scenario() {
    let runs =
        public_scenarios().into_iter().map(|scenario| block_on(async { task::spawn_local(run(scenario)).await }));
    assert_reproduced(runs);
}

#[test]
fn the_executor_of_many_threads_reproduces_every_scenario() {
    let runs: Vec<_> = public_scenarios().into_iter().map(|scenario| task::spawn(run(scenario))).collect();
    assert_reproduced(runs.into_iter().map(block_on));
}

#[test]
fn calls_that_are_polled_by_hand_reproduce_every_scenario() {
    assert_reproduced(public_scenarios().into_iter().map(|scenario| block_on(run_by_hand(scenario))));
}
