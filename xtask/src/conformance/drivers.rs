//! The drivers that scenarios run through, each in a world of its own.
//!
//! Owns the list and that a panic ends one run only. Does not know what a run should look like.

use std::any::Any;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};

use redress_testing::VirtualClock;
use redress_testing::conformance::{Scenario, Trace, run_async, run_blocking, run_driven};
use redress_tokio::TokioTimer;

/// One way of running a scenario.
pub(super) struct Driver {
    pub(super) name: &'static str,
    run: fn(&Scenario) -> Result<Vec<Trace>, String>,
}

pub(super) const DRIVERS: [Driver; 5] = [
    Driver { name: "blocking", run: |scenario| Ok(run_blocking(scenario)) },
    Driver { name: "tokio", run: run_on_tokio },
    Driver { name: "by hand", run: run_by_hand },
    Driver { name: "smol", run: |scenario| Ok(run_on_smol(scenario)) },
    Driver { name: "async-std", run: |scenario| Ok(run_on_async_std(scenario)) },
];

impl Driver {
    /// What happened in each call, or why it cannot be told: the message of a panic.
    pub(super) fn run(&self, scenario: &Scenario) -> Result<Vec<Trace>, String> {
        panic::catch_unwind(AssertUnwindSafe(|| (self.run)(scenario)))
            .unwrap_or_else(|payload| Err(format!("panicked: {}", message(&*payload))))
    }
}

/// On a fresh runtime, so that no scenario begins in a time that another left behind.
fn run_on_tokio(scenario: &Scenario) -> Result<Vec<Trace>, String> {
    let runtime = paused_tokio()?;
    Ok(runtime.block_on(run_async(scenario, TokioTimer, tokio::time::advance)))
}

fn paused_tokio() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().map_err(|error| format!("no runtime: {error}"))
}

/// Calls that are polled by hand, in virtual time.
fn run_by_hand(scenario: &Scenario) -> Result<Vec<Trace>, String> {
    let runtime = paused_tokio()?;
    Ok(runtime.block_on(run_driven(scenario, TokioTimer, tokio::time::advance)))
}

/// On a fresh executor.
fn run_on_smol(scenario: &Scenario) -> Vec<Trace> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(run_in_virtual_time(scenario, smol::future::yield_now)))
}

/// On the executor that async-std has, the only one.
fn run_on_async_std(scenario: &Scenario) -> Vec<Trace> {
    async_std::task::block_on(run_in_virtual_time(scenario, async_std::task::yield_now))
}

/// For runtimes without a clock that can be paused: time passes on a clock of the scenario's own, and at each step of it
/// the executor is given the turn.
async fn run_in_virtual_time<Fut>(scenario: &Scenario, yield_now: impl Fn() -> Fut + Send + Sync) -> Vec<Trace>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = VirtualClock::new();
    let pass = |duration| {
        let (clock, turn) = (clock.clone(), yield_now());
        async move {
            clock.advance(duration);
            turn.await;
        }
    };
    run_async(scenario, clock.timer(), pass).await
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use redress_testing::conformance::public_scenarios;

    use super::{DRIVERS, Driver};

    #[test]
    fn a_panic_is_a_failed_run_with_its_message() {
        let scenario = &public_scenarios()[0];
        let literal = Driver { name: "literal", run: |_| panic!("no more") };
        assert_eq!(literal.run(scenario).err().as_deref(), Some("panicked: no more"));
        let formatted = Driver { name: "formatted", run: |scenario| panic!("no {}", scenario.id()) };
        assert_eq!(formatted.run(scenario).err(), Some(format!("panicked: no {}", scenario.id())));
    }

    #[test]
    fn every_driver_runs() {
        let scenario = &public_scenarios()[0];
        for driver in DRIVERS {
            assert_eq!(
                driver.run(scenario).map(|traces| scenario.mismatches(&traces)),
                Ok(Vec::new()),
                "{}",
                driver.name
            );
        }
    }
}
