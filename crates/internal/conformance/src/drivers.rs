//! The list of drivers that scenarios run through. A panic ends one run only.
//!
//! The asynchronous ones run on tokio, whose clock can be paused. One machine makes every
//! asynchronous call, so another runtime would repeat them; the tests of the timers cover what
//! differs between runtimes.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::blocking::run_blocking;
use crate::scenario::Scenario;
use crate::trace::Trace;

mod on_tokio;

/// One way of running a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The name in reports.
    pub name: &'static str,
    run: fn(&Scenario) -> Vec<Trace>,
}

/// Every driver.
pub const DRIVERS: [Driver; 4] = [
    // The loop on the caller's thread, with a sleeper in place of the thread's own waits.
    Driver { name: "blocking", run: run_blocking },
    // The futures of `call` and `execute`, which own the attempt and its waits.
    Driver { name: "tokio", run: on_tokio::run },
    // A `PollCall`, whose attempt and waits the caller owns.
    Driver { name: "tokio, by hand", run: on_tokio::run_by_hand },
    // A `PollCall` again, with attempts that become ready, send copies of a request, and give up
    // their place while the call waits.
    Driver { name: "tower", run: on_tokio::run_through_a_service },
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
