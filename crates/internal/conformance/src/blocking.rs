//! Runs scenarios through the blocking driver, on a virtual clock. Time passes only on that clock.

use redress_core::Policy;

use crate::number::duration;
use crate::parts::{budget, configure, must_build, result_of};
use crate::recording::{Ending, Recording};
use crate::scenario::{CallSpec, Mode, Scenario};
use crate::trace::Trace;
use redress_testing::VirtualClock;

/// Runs a scenario through the blocking driver and returns the trace of each call.
///
/// # Panics
///
/// If `build()` refuses the scenario's configuration; the format leaves such configurations out.
#[must_use]
pub fn run_blocking(scenario: &Scenario) -> Vec<Trace> {
    let clock = VirtualClock::new();
    let budget = budget(scenario);
    let builder = configure(Policy::builder().clock(clock.clone()), scenario, budget.as_ref());
    let policy = must_build(scenario, builder.build());
    let run_call = |spec: &CallSpec| {
        clock.advance(duration(spec.advance_s));
        let recording = Recording::default();
        let oversleep = duration(spec.oversleep_s);
        let context = recording
            .install(policy.context(), spec, || clock.elapsed())
            .sleep_with(|delay| clock.advance(delay.saturating_add(oversleep)));
        let mut number = 0;
        let operation = || {
            number += 1;
            let attempt = spec.attempt(number);
            clock.advance(duration(attempt.takes_s));
            result_of(attempt, number)
        };
        let ending = match spec.mode {
            Mode::Call => Ending::Call(context.call(operation)),
            Mode::Execute => Ending::Execute(Box::new(context.execute(operation))),
        };
        drop(context);
        recording.into_trace(ending, policy.circuit_state(), budget.as_ref(), clock.now())
    };
    scenario.calls.iter().map(run_call).collect()
}
