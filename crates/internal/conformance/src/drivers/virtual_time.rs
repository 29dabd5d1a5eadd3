//! Runs scenarios on runtimes whose clock cannot be paused: a virtual clock holds the time, and
//! each step of it yields to the executor.

use std::pin::Pin;
use std::time::Duration;

use redress_testing::VirtualClock;

use crate::asynchronous::run_async;
use crate::by_hand::run_driven;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Runs the scenario through the asynchronous driver; `yield_now` yields to the executor.
pub(super) async fn run<Fut>(scenario: &Scenario, yield_now: fn() -> Fut) -> Vec<Trace>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = VirtualClock::new();
    run_async(scenario, clock.timer(), pass_on(&clock, yield_now)).await
}

/// The same with every call polled by hand.
pub(super) async fn run_by_hand<Fut>(scenario: &Scenario, yield_now: fn() -> Fut) -> Vec<Trace>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = VirtualClock::new();
    run_driven(scenario, clock.timer(), pass_on(&clock, yield_now)).await
}

type Passing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Advances the clock at the first poll, then yields, so that the executor queues the task again.
fn pass_on<Fut>(clock: &VirtualClock, yield_now: fn() -> Fut) -> impl Fn(Duration) -> Passing + Send + Sync + use<Fut>
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let clock = clock.clone();
    move |duration| {
        let clock = clock.clone();
        Box::pin(async move {
            clock.advance(duration);
            yield_now().await;
        })
    }
}
