//! Calls on runtimes without a clock that can be paused: time is a virtual clock's, and at each
//! step of it the executor is given the turn.
//!
//! Owns the clock. Which executor polls is the caller's.

use std::pin::Pin;
use std::time::Duration;

use redress_testing::VirtualClock;

use crate::asynchronous::run_async;
use crate::by_hand::run_driven;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Runs the scenario by the asynchronous driver; `yield_now` is the executor's.
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

/// Time passes at the first poll, and the task is queued again before it goes on.
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
