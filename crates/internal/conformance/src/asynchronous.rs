//! Runs scenarios through the asynchronous drivers, on the timer and clock of any runtime.
//!
//! The caller says how time passes.

use std::time::Duration;

use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallContext, Classifier, RetryOutcome};

use crate::number::duration;
use crate::parts::{Raised, Returned, ScenarioClassifier, budget, configure, must_build, result_of};
use crate::recording::{Ending, Recording};
use crate::scenario::{Mode, Scenario};
use crate::trace::Trace;

/// Makes the calls of a scenario one after another, each by `$make`. A macro, not a function over a
/// trait: the compiler must see that the future of plain calls is `Send`, so that it can be
/// spawned.
macro_rules! each_call {
    ($scenario:ident, $timer:ident, $pass:ident, |$context:ident, $mode:ident, $operation:ident| $make:expr) => {{
        let began = $timer.now();
        let budget = budget($scenario);
        let builder = AsyncPolicy::<_, redress_core::driver::NoTimer>::builder().timer($timer.clone());
        let policy = must_build($scenario, configure(builder, $scenario, budget.as_ref()).build());
        let mut traces = Vec::new();
        for spec in &$scenario.calls {
            $pass(duration(spec.advance_s)).await;
            let recording = Recording::default();
            let oversleep = duration(spec.oversleep_s);
            let $context = recording
                .install(policy.context(), spec, || $timer.now().saturating_duration_since(began))
                .sleep_with(|delay| $pass(delay.saturating_add(oversleep)));
            let mut number = 0;
            let $operation = || {
                number += 1;
                let attempt = spec.attempt(number);
                let passing = $pass(duration(attempt.takes_s));
                async move {
                    passing.await;
                    result_of(attempt, number)
                }
            };
            let $mode = spec.mode;
            let ending = $make;
            traces.push(recording.into_trace(ending, policy.circuit_state(), budget.as_ref(), $timer.now()));
        }
        traces
    }};
}

/// Runs a scenario through the asynchronous driver and returns the trace of each call.
///
/// `pass` advances the timer's clock by exactly the given time: on tokio, it is
/// `tokio::time::advance` with time paused. Waits go through `pass` as well, since the sleeps of a
/// runtime may be coarser than the times of a scenario.
///
/// # Panics
///
/// If `build()` refuses the scenario's configuration; the format leaves such configurations out.
pub async fn run_async<Tm, P, Fut>(scenario: &Scenario, timer: Tm, pass: P) -> Vec<Trace>
where
    Tm: Timer + Clone + Send + Sync,
    P: Fn(Duration) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send + 'static,
{
    each_call!(scenario, timer, pass, |context, mode, operation| make(context, mode, operation).await)
}

/// An integration that makes the calls, for [`run_integrated`].
pub trait Integration {
    /// Makes one call of the context's policy with the context's settings. Each attempt is one run
    /// of `operation`.
    fn execute<C, Tm, T, E, F, Fut>(
        &self,
        context: CallContext<'_, AsyncPolicy<C, Tm>>,
        operation: F,
    ) -> impl Future<Output = RetryOutcome<T, E>>
    where
        C: Classifier<T, E> + Clone,
        Tm: Timer + Clone,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>;
}

/// Like [`run_async`], with every call made by an integration.
///
/// # Panics
///
/// As [`run_async`].
pub async fn run_integrated<Tm, P, Fut>(
    scenario: &Scenario,
    timer: Tm,
    pass: P,
    integration: &impl Integration,
) -> Vec<Trace>
where
    Tm: Timer + Clone + Send + Sync,
    P: Fn(Duration) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send + 'static,
{
    each_call!(scenario, timer, pass, |context, mode, operation| {
        let outcome = integration.execute(context, operation).await;
        match mode {
            Mode::Call => Ending::Call(outcome.into_result()),
            Mode::Execute => Ending::Execute(Box::new(outcome)),
        }
    })
}

/// Makes a plain call of a scenario. Dropping the context after the call ends the borrows of its
/// hooks.
async fn make<Tm, F, Fut>(
    context: CallContext<'_, AsyncPolicy<ScenarioClassifier, Tm>>,
    mode: Mode,
    operation: F,
) -> Ending
where
    Tm: Timer + Clone,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Returned, Raised>>,
{
    match mode {
        Mode::Call => Ending::Call(context.call(operation).await),
        Mode::Execute => Ending::Execute(Box::new(context.execute(operation).await)),
    }
}
