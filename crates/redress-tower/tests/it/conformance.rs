//! Calls through a service, on tokio's timer with time paused, against the recorded behaviour.

use std::cell::RefCell;
use std::rc::Rc;

use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallContext, Classifier, RetryOutcome};
use redress_testing::conformance::{Integration, public_scenarios, run_integrated};
use redress_tokio::TokioTimer;
use redress_tower::PolicyLayer;
use tower::{Layer as _, service_fn};

/// As many fields of a scenario as fit on a screen beside those of others.
const SHOWN: usize = 6;

struct ThroughAService;

impl Integration for ThroughAService {
    async fn execute<C, Tm, T, E, F, Fut>(
        &self,
        context: CallContext<'_, AsyncPolicy<C, Tm>>,
        operation: F,
    ) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E> + Clone,
        Tm: Timer + Clone,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let operation = Rc::new(RefCell::new(operation));
        let service = service_fn(move |()| (operation.borrow_mut())());
        PolicyLayer::new(context.policy().clone()).layer(service).execute_in(context, ()).await
    }
}

#[tokio::test(start_paused = true)]
async fn calls_through_a_service_reproduce_every_scenario() {
    let mut differing = Vec::new();
    for scenario in public_scenarios() {
        let traces = run_integrated(&scenario, TokioTimer, tokio::time::advance, &ThroughAService).await;
        let mismatches = scenario.mismatches(&traces);
        differing.extend(mismatches.iter().take(SHOWN).map(|mismatch| format!("{}: {mismatch}", scenario.id())));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
