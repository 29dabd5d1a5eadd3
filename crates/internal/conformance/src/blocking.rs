//! Runs scenarios through the blocking driver, on a virtual clock. Time passes only on that clock.

use redress_core::{Budget, CallContext, Policy};

use crate::number::duration;
use crate::parts::{Raised, Returned, ScenarioClassifier, budget, configure, must_build, result_of};
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
    let stage = Stage::new(scenario);
    let run_call = |spec: &CallSpec| {
        let recording = Recording::default();
        let context = stage.begin(spec, &recording);
        let mut number = 0;
        let operation = || {
            number += 1;
            stage.attempt(spec, number)
        };
        let ending = match spec.mode {
            Mode::Call => Ending::Call(context.call(operation)),
            Mode::Execute => Ending::Execute(Box::new(context.execute(operation))),
        };
        drop(context);
        recording.into_trace(ending, stage.policy.circuit_state(), stage.budget.as_ref(), stage.clock.now())
    };
    scenario.calls.iter().map(run_call).collect()
}

/// A scenario on the blocking driver: its policy and its budget, on a virtual clock.
pub(crate) struct Stage {
    clock: VirtualClock,
    budget: Option<Budget>,
    policy: Policy<ScenarioClassifier>,
}

impl Stage {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let clock = VirtualClock::new();
        let budget = budget(scenario);
        let builder = configure(Policy::builder().clock(clock.clone()), scenario, budget.as_ref());
        Self { policy: must_build(scenario, builder.build()), budget, clock }
    }

    /// The context of the next call, when it begins.
    pub(crate) fn begin<'a>(
        &'a self,
        spec: &'a CallSpec,
        recording: &'a Recording,
    ) -> CallContext<'a, Policy<ScenarioClassifier>> {
        self.clock.advance(duration(spec.advance_s));
        let oversleep = duration(spec.oversleep_s);
        recording
            .install(self.policy.context(), spec, || self.clock.elapsed())
            .sleep_with(move |delay| self.clock.advance(delay.saturating_add(oversleep)))
    }

    /// Makes an attempt of a call.
    pub(crate) fn attempt(&self, spec: &CallSpec, number: u32) -> Result<Returned, Raised> {
        let attempt = spec.attempt(number);
        self.clock.advance(duration(attempt.takes_s));
        result_of(attempt, number)
    }
}
