//! The subject of the comparison: a real policy built from the data, its calls as futures, and
//! notes of everything they do.
//!
//! It translates the data to the library's types. The hooks and operations are those of the stage.

mod parts;
mod watched;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::breaker::Mode;
use redress_core::budget::{BudgetSpec, Priority};
use redress_core::strategy::BackoffContext;
use redress_core::{
    AsyncPolicy, Attempt, Budget, CallContext, CallError, CircuitBreaker, Policy, RetryOutcome, RetryTimeline,
    SleepDecision,
};

use self::parts::{ByEnd, Noted, NotedTimer, Parts, build_breaker, build_budget, observers};
pub(crate) use self::watched::{Line, Posting};
use crate::note::{Backoff, Ending, Entry, HookKind, Outcome, Refused, What};
use crate::stage::{Awaiting, Stage, or_panic};
use crate::world::{Broken, CallSpec, Capture, Driver, OwnDeadline, Owner, Value, Way};

/// A call of either driver. A blocking call ends at its first poll.
pub(crate) type Calling<'a> = Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// The policies of both drivers, with and without retry, and what they share.
pub(crate) struct Subject {
    pub(crate) stage: Arc<Stage>,
    blocking: Pair<Policy<ByEnd>>,
    asynchronous: Pair<AsyncPolicy<ByEnd, NotedTimer>>,
    breaker: Option<CircuitBreaker>,
    budget: Option<Budget>,
    timeline: RetryTimeline,
    pub(crate) ledger: Arc<Mutex<Vec<Line>>>,
}

/// A policy, and one without retry.
struct Pair<P> {
    policy: P,
    once: P,
}

impl<P> Pair<P> {
    fn of(build: impl Fn(bool) -> P) -> Self {
        Self { policy: build(false), once: build(true) }
    }

    const fn for_call(&self, spec: &CallSpec) -> &P {
        if spec.is_once { &self.once } else { &self.policy }
    }
}

impl Subject {
    pub(crate) fn new(stage: &Arc<Stage>, driver: Driver) -> Self {
        let spec = &stage.world.policy;
        let breaker = spec.breaker.as_ref().map(|spec| build_breaker(spec, stage));
        let budget = spec.retry.as_ref().and_then(|retry| retry.budget).map(|spec| build_budget(spec, stage));
        let ledger = Arc::default();
        let parts = Parts { stage, breaker: breaker.as_ref(), budget: budget.as_ref(), ledger: &ledger };
        let blocking = if driver == Driver::Async { Driver::Blocking } else { driver };
        Self {
            stage: Arc::clone(stage),
            blocking: Pair::of(|is_once| parts.blocking(is_once, blocking)),
            asynchronous: Pair::of(|is_once| parts.asynchronous(is_once)),
            breaker,
            budget,
            timeline: RetryTimeline::new(),
            ledger,
        }
    }

    pub(crate) fn state(&self) -> What {
        let circuit = self.blocking.policy.circuit_state();
        assert_eq!(circuit, self.breaker.as_ref().map(CircuitBreaker::state), "a clone is the same breaker");
        What::State(circuit, self.budget.as_ref().map(|budget| self.tokens(budget)))
    }

    /// The tokens of a window, or the balance in millionths of a token.
    fn tokens(&self, budget: &Budget) -> u32 {
        match budget.spec() {
            BudgetSpec::Earned(_) => (budget.balance() * 1e6).round() as u32,
            _ => budget.remaining_at(self.stage.clock.now()),
        }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        if let Some(breaker) = &self.breaker {
            breaker.set_mode(mode);
        }
    }

    pub(crate) fn readmits(&self) -> bool {
        let now = self.stage.clock.now();
        self.breaker.as_ref().is_none_or(|breaker| {
            let permit = breaker.try_acquire_at(now);
            permit.map(|permit| permit.release_at(now)).is_ok()
        })
    }

    pub(crate) fn shared_timeline(&self) -> What {
        What::Timeline(self.timeline.events().iter().map(Entry::from).collect())
    }

    /// A call. Nothing happens before it is polled.
    pub(crate) fn call(&self, call: usize, driver: Driver) -> Calling<'_> {
        let spec = &self.stage.world.calls[call];
        if self.stage.world.driver(call, driver) == Driver::Async {
            return self.start(self.asynchronous.for_call(spec), call, spec);
        }
        Box::pin(async move { self.block(self.blocking.for_call(spec), call, spec) })
    }

    fn block(&self, policy: &Policy<ByEnd>, call: usize, spec: &CallSpec) -> Ending {
        self.stage.note(What::Begins);
        let stage = &self.stage;
        let operation = |attempt: Attempt| or_panic(stage.run(attempt.number(), attempt.time_left()));
        if spec.is_plain() {
            return match spec.way {
                Way::Call => called(policy.call_with(operation)),
                Way::Execute => executed(policy.execute_with(operation)),
            };
        }
        let mut context = self.with_settings(policy.context(), call, spec);
        if spec.hooks.before_sleep.is_some() {
            let noted = Arc::clone(stage);
            context = context
                .before_sleep(move |context, delay| drop(before_sleep(&noted, Owner::Call(call), context, delay)));
        }
        if spec.hooks.sleeper.is_some() {
            let noted = Arc::clone(stage);
            context = context.sleep_with(move |delay| drop(or_panic(noted.sleeper(Owner::Call(call), delay))));
        }
        match spec.way {
            Way::Call => called(context.call_with(operation)),
            Way::Execute => executed(context.execute_with(operation)),
        }
    }

    fn start<'a>(&'a self, policy: &'a AsyncPolicy<ByEnd, NotedTimer>, call: usize, spec: &'a CallSpec) -> Calling<'a> {
        let stage = &self.stage;
        let operation = move |attempt: Attempt| {
            let running = stage.run_async(attempt.number(), attempt.time_left());
            async move { or_panic(running.await) }
        };
        if spec.is_plain() {
            return Box::pin(async move {
                stage.note(What::Begins);
                match spec.way {
                    Way::Call => called(policy.call_with(operation).await),
                    Way::Execute => executed(policy.execute_with(operation).await),
                }
            });
        }
        let mut context = self.with_settings(policy.context(), call, spec);
        if let Some(hook) = &spec.hooks.before_sleep {
            let (noted, owner) = (Arc::clone(stage), Owner::Call(call));
            context = match hook.future {
                None => context.before_sleep(move |context, delay| drop(before_sleep(&noted, owner, context, delay))),
                Some(_) => context.before_sleep_async(move |context, delay| {
                    finishing(before_sleep(&noted, owner, context, delay).expect("the data has a future"))
                }),
            };
        }
        if spec.hooks.sleeper.is_some() {
            let noted = Arc::clone(stage);
            context = context.sleep_with(move |delay| finishing(or_panic(noted.sleeper(Owner::Call(call), delay))));
        }
        Box::pin(async move {
            stage.note(What::Begins);
            match spec.way {
                Way::Call => called(context.call_with(operation).await),
                Way::Execute => executed(context.execute_with(operation).await),
            }
        })
    }

    /// The settings that are alike for both drivers.
    fn with_settings<'a, P>(
        &self,
        mut context: CallContext<'a, P>,
        call: usize,
        spec: &CallSpec,
    ) -> CallContext<'a, P> {
        let (stage, owner) = (&self.stage, Owner::Call(call));
        if let Some(name) = spec.name {
            context = context.operation(name);
        }
        if spec.priority != Priority::Normal {
            context = context.priority(spec.priority);
        }
        context = match spec.deadline {
            Some(OwnDeadline::After(time)) => context.deadline(time),
            Some(OwnDeadline::At(at)) => context.deadline(stage.origin + at),
            None => context,
        };
        for observer in observers(stage, owner) {
            context = context.observer(observer);
        }
        if spec.hooks.on_attempt_start.is_some() {
            let hook = Noted::new(stage, owner, HookKind::AttemptStart);
            context = context.on_attempt_start(move |attempt| hook.start(attempt));
        }
        if spec.hooks.on_attempt_end.is_some() {
            let hook = Noted::new(stage, owner, HookKind::AttemptEnd);
            context = context.on_attempt_end(move |attempt| hook.end(attempt));
        }
        if spec.abort_if.is_some() {
            let stage = Arc::clone(stage);
            context = context.abort_if(move || or_panic(stage.ask_abort(call)));
        }
        if spec.hooks.sleep.is_some() {
            let stage = Arc::clone(stage);
            context = context.sleep_handler(move |context, delay| handle_sleep(&stage, owner, context, delay));
        }
        match spec.timeline {
            Capture::Off => context,
            Capture::Fresh => context.capture_timeline(),
            Capture::Shared => context.capture_timeline_into(&self.timeline),
        }
    }
}

fn called(result: Result<Value, CallError<Broken>>) -> Ending {
    Ending::Called(result.map_err(Refused::from))
}

fn executed(outcome: RetryOutcome<Value, Broken>) -> Ending {
    let seen = Outcome::from(&outcome);
    Ending::Executed(Box::new(seen), outcome.into_result().map_err(Refused::from))
}

fn before_sleep(stage: &Arc<Stage>, owner: Owner, context: &BackoffContext<'_>, delay: Duration) -> Option<Awaiting> {
    or_panic(stage.before_sleep(owner, Backoff::of(context, stage.origin), delay))
}

fn handle_sleep(stage: &Stage, owner: Owner, context: &BackoffContext<'_>, delay: Duration) -> SleepDecision {
    or_panic(stage.handle_sleep(owner, Backoff::of(context, stage.origin), delay))
}

async fn finishing(awaiting: Awaiting) {
    or_panic(awaiting.await);
}
