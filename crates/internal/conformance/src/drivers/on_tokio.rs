//! Runs each scenario on a new runtime of tokio with time paused, so that each begins at time zero.
//!
//! Also holds the service for calls through tower.

use std::cell::RefCell;
use std::rc::Rc;

use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallContext, Classifier, RetryOutcome};
use redress_tokio::TokioTimer;
use redress_tower::PolicyLayer;
use tokio::runtime::{Builder, Runtime};
use tokio::time::advance;
use tower::{Layer as _, service_fn};

use crate::asynchronous::{Integration, run_async, run_integrated};
use crate::by_hand::run_driven;
use crate::scenario::Scenario;
use crate::trace::Trace;

pub(super) fn run(scenario: &Scenario) -> Vec<Trace> {
    paused().block_on(run_async(scenario, TokioTimer, advance))
}

pub(super) fn run_by_hand(scenario: &Scenario) -> Vec<Trace> {
    paused().block_on(run_driven(scenario, TokioTimer, advance))
}

pub(super) fn run_through_a_service(scenario: &Scenario) -> Vec<Trace> {
    paused().block_on(run_integrated(scenario, TokioTimer, advance, &ThroughAService))
}

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime without I/O needs nothing of the system")
}

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
