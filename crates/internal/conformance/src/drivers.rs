//! The list of drivers that scenarios run through, each on a separate runtime and clock. A panic
//! ends one run only.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::blocking::run_blocking;
use crate::scenario::Scenario;
use crate::trace::Trace;

mod on_tokio;
mod virtual_time;
mod on_async_std;
mod on_smol;

/// One way of running a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The name in reports.
    pub name: &'static str,
    run: fn(&Scenario) -> Vec<Trace>,
}

/// Every driver. Those named `by hand` poll each call as a
/// [`PollCall`](redress_core::driver::PollCall); `tower` makes each call through a service.
pub const DRIVERS: [Driver; 10] = [
    Driver { name: "blocking", run: run_blocking },
    Driver { name: "tokio", run: on_tokio::run },
    Driver { name: "tokio, by hand", run: on_tokio::run_by_hand },
    Driver { name: "tower", run: on_tokio::run_through_a_service },
    Driver { name: "smol", run: on_smol::run },
    Driver { name: "smol, many threads", run: on_smol::run_on_threads },
    Driver { name: "smol, by hand", run: on_smol::run_by_hand },
    Driver { name: "async-std", run: on_async_std::run },
    Driver { name: "async-std, many threads", run: on_async_std::run_on_threads },
    Driver { name: "async-std, by hand", run: on_async_std::run_by_hand },
];

impl Driver {
    /// Runs the scenario and returns the trace of each call.
    ///
    /// # Errors
    ///
    /// The message of a panic, which leaves no trace to compare.
    pub fn run(&self, scenario: &Scenario) -> Result<Vec<Trace>, String> {
        panic::catch_unwind(AssertUnwindSafe(|| (self.run)(scenario)))
            .map_err(|payload| format!("panicked: {}", message(&*payload)))
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::Driver;
    use crate::scenario::recorded_scenarios;

    #[test]
    fn a_panic_is_a_failed_run_with_its_message() {
        let scenario = &recorded_scenarios()[0];
        let literal = Driver { name: "literal", run: |_| panic!("no more") };
        assert_eq!(literal.run(scenario).err().as_deref(), Some("panicked: no more"));
        let formatted = Driver { name: "formatted", run: |scenario| panic!("no {}", scenario.id()) };
        assert_eq!(formatted.run(scenario).err(), Some(format!("panicked: no {}", scenario.id())));
    }
}
