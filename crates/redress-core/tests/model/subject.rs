//! The subject of the comparison: a real policy built from the data, its calls as futures, and
//! notes of everything they do.
//!
//! It translates the data to the library's types. The hooks and operations are those of the stage.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::breaker::{Admission, Breaker, BreakerSource, CircuitState, Report, Transition};
use redress_core::driver::{NoTimer, Timer};
use redress_core::error::CircuitOpenError;
use redress_core::observe::AttemptContext;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::{BackoffContext, Feedback, Strategy};
use redress_core::{
    AsyncPolicy, Attempt, Budget, CallContext, CallError, CircuitBreaker, Classification, Classifier, ErrorClass,
    Event, Observer, Policy, Retry, RetryOutcome, RetryTimeline, SleepDecision, fixed, retry_after_or,
};
use redress_testing::{VirtualSleep, VirtualTimer};

use crate::note::{Backoff, Ending, Entry, Hook, HookKind, Outcome, Refused, What};
use crate::stage::{Attempted, Awaiting, Planned, Stage, or_panic};
use crate::world::{
    BreakerSpec, Broken, BudgetSpec, CallSpec, Capture, Driver, End, Hooks, OwnDeadline, Owner, RetrySpec,
    StrategySpec, TimeoutAs, Value, Way,
};

/// A call of either driver. A blocking call ends at its first poll.
pub(crate) type Calling<'a> = Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// A policy of either driver, and what it shares with others.
pub(crate) struct Subject {
    pub(crate) stage: Arc<Stage>,
    policy: Either,
    breaker: Option<CircuitBreaker>,
    budget: Option<Budget>,
    timeline: RetryTimeline,
    pub(crate) ledger: Arc<Mutex<Vec<Line>>>,
}

enum Either {
    Blocking(Policy<ByEnd>),
    Async(AsyncPolicy<ByEnd, NotedTimer>),
}

impl Subject {
    pub(crate) fn new(stage: &Arc<Stage>) -> Self {
        let spec = &stage.world.policy;
        let breaker = spec.breaker.as_ref().map(|spec| build_breaker(spec, stage));
        let budget = spec.retry.as_ref().and_then(|retry| retry.budget).map(|spec| build_budget(spec, stage));
        let ledger = Arc::default();
        let parts = Parts { stage, breaker: breaker.as_ref(), budget: budget.as_ref(), ledger: &ledger };
        let policy = match stage.driver {
            Driver::Async => {
                let timer = NotedTimer { stage: Arc::clone(stage), timer: stage.clock.timer() };
                let mut builder = parts.add_to(AsyncPolicy::<_, NoTimer>::builder().timer(timer));
                if let Some(hook) = &spec.hooks.before_sleep {
                    let noted = Arc::clone(stage);
                    builder = match hook.future {
                        None => builder.before_sleep(move |context, delay| {
                            drop(before_sleep(&noted, Owner::Policy, context, delay));
                        }),
                        Some(_) => builder.before_sleep_async(move |context, delay| {
                            let awaiting = before_sleep(&noted, Owner::Policy, context, delay);
                            finishing(awaiting.expect("the data has a future"))
                        }),
                    };
                }
                if stage.world.sleeper(Owner::Policy, stage.driver).is_some() {
                    let noted = Arc::clone(stage);
                    builder = builder.sleep_with(move |delay| finishing(or_panic(noted.sleeper(Owner::Policy, delay))));
                }
                Either::Async(builder.build().expect("the data is valid"))
            }
            Driver::Blocking | Driver::Bare => {
                let mut builder = parts.add_to(Policy::builder().clock(stage.clock.clone()));
                if spec.hooks.before_sleep.is_some() {
                    let noted = Arc::clone(stage);
                    builder = builder.before_sleep(move |context, delay| {
                        drop(before_sleep(&noted, Owner::Policy, context, delay));
                    });
                }
                if stage.world.sleeper(Owner::Policy, stage.driver).is_some() {
                    let noted = Arc::clone(stage);
                    builder = builder.sleep_with(move |delay| drop(or_panic(noted.sleeper(Owner::Policy, delay))));
                }
                Either::Blocking(builder.build().expect("the data is valid"))
            }
        };
        Self { stage: Arc::clone(stage), policy, breaker, budget, timeline: RetryTimeline::new(), ledger }
    }

    pub(crate) fn state(&self) -> What {
        let circuit = match &self.policy {
            Either::Blocking(policy) => policy.circuit_state(),
            Either::Async(policy) => policy.circuit_state(),
        };
        assert_eq!(circuit, self.breaker.as_ref().map(CircuitBreaker::state), "a clone is the same breaker");
        What::State(circuit, self.budget.as_ref().map(|budget| budget.remaining_at(self.stage.clock.now())))
    }

    pub(crate) fn readmits(&self) -> bool {
        let now = self.stage.clock.now();
        self.breaker.as_ref().is_none_or(|breaker| breaker.try_acquire_at(now).is_ok())
    }

    pub(crate) fn shared_timeline(&self) -> What {
        What::Timeline(self.timeline.events().iter().map(Entry::from).collect())
    }

    /// A call. Nothing happens before it is polled.
    pub(crate) fn call(&self, call: usize) -> Calling<'_> {
        let spec = &self.stage.world.calls[call];
        match &self.policy {
            Either::Blocking(policy) => Box::pin(async move { self.block(policy, call, spec) }),
            Either::Async(policy) => self.start(policy, call, spec),
        }
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

/// The parts of a policy that do not depend on the driver.
struct Parts<'p> {
    stage: &'p Arc<Stage>,
    breaker: Option<&'p CircuitBreaker>,
    budget: Option<&'p Budget>,
    ledger: &'p Arc<Mutex<Vec<Line>>>,
}

impl Parts<'_> {
    fn add_to<C, K>(&self, builder: PolicyBuilder<C, K>) -> PolicyBuilder<ByEnd, K> {
        let (stage, owner) = (self.stage, Owner::Policy);
        let spec = &stage.world.policy;
        let mut builder = builder.classifier(ByEnd { timeout_as: spec.timeout_as });
        if let Some(retry) = &spec.retry {
            builder = builder.retry(self.retry(retry));
        }
        builder = match spec.times.deadline {
            Some(deadline) => builder.deadline(deadline),
            None => builder.no_deadline(),
        };
        if let Some(timeout) = spec.times.attempt_timeout {
            builder = builder.attempt_timeout(timeout);
        }
        if spec.times.may_finish {
            builder = builder.finish_running_attempt();
        }
        if let (Some(spec), Some(breaker)) = (&spec.breaker, self.breaker) {
            builder = builder.circuit_breaker(self.breaker_source(spec, breaker));
        }
        for observer in observers(stage, owner) {
            builder = builder.observer(observer);
        }
        if spec.hooks.on_attempt_start.is_some() {
            let hook = Noted::new(stage, owner, HookKind::AttemptStart);
            builder = builder.on_attempt_start(move |attempt| hook.start(attempt));
        }
        if spec.hooks.on_attempt_end.is_some() {
            let hook = Noted::new(stage, owner, HookKind::AttemptEnd);
            builder = builder.on_attempt_end(move |attempt| hook.end(attempt));
        }
        if spec.hooks.sleep.is_some() {
            let stage = Arc::clone(stage);
            builder = builder.sleep_handler(move |context, delay| handle_sleep(&stage, owner, context, delay));
        }
        builder
    }

    fn retry(&self, spec: &RetrySpec) -> RetryBuilder {
        let mut learners = Vec::new();
        let mut settings = redress_core::policy::RetrySpec::default();
        settings.max_attempts = spec.max_attempts;
        settings.max_unknown_retries = spec.unknown_cap;
        settings.ignore_retry_after = spec.ignores_hints;
        settings.max_retry_after = spec.longest_hint;
        for (class, cap) in &spec.class_caps {
            settings.max_retries_for[*class] = Some(*cap);
        }
        let mut retry = Retry::from_spec(settings);
        if let Some(strategy) = spec.default_strategy() {
            retry = retry.strategy(self.strategy(&strategy, &mut learners));
        }
        for &class in ErrorClass::ALL {
            if let Some(strategy) = spec.own_strategy(class) {
                retry = retry.strategy_for(class, self.strategy(&strategy, &mut learners));
            }
        }
        match self.budget {
            Some(budget) => retry.budget(budget.clone()),
            None => retry,
        }
    }

    fn strategy(
        &self,
        spec: &StrategySpec,
        learners: &mut Vec<(StrategySpec, Arc<dyn Strategy>)>,
    ) -> Arc<dyn Strategy> {
        match spec {
            StrategySpec::Fixed(delay) => Arc::new(fixed(*delay)),
            StrategySpec::Hinted { or } => Arc::new(retry_after_or(fixed(*or)).jitter(Duration::ZERO)),
            StrategySpec::Closure { .. } | StrategySpec::Doubling(_) => {
                let (stage, spec) = (Arc::clone(self.stage), spec.clone());
                Arc::new(move |context: &BackoffContext<'_>| asked(&stage, &spec, context))
            }
            StrategySpec::Learner { .. } => {
                if let Some((_, known)) = learners.iter().find(|(known, _)| known == spec) {
                    return Arc::clone(known);
                }
                let learner: Arc<dyn Strategy> =
                    Arc::new(Learner { stage: Arc::clone(self.stage), spec: spec.clone() });
                learners.push((spec.clone(), Arc::clone(&learner)));
                learner
            }
        }
    }

    fn breaker_source(&self, spec: &BreakerSpec, breaker: &CircuitBreaker) -> BreakerSource {
        if !spec.is_watched {
            return breaker.into();
        }
        let (stage, breaker) = (Arc::clone(self.stage), breaker.clone());
        Arc::new(WatchedBreaker { stage, breaker, ledger: Arc::clone(self.ledger) }).into()
    }
}

fn asked(stage: &Stage, spec: &StrategySpec, context: &BackoffContext<'_>) -> Duration {
    or_panic(stage.delay(spec, Backoff::of(context, stage.origin)))
}

fn build_breaker(spec: &BreakerSpec, stage: &Stage) -> CircuitBreaker {
    let mut plain = redress_core::breaker::BreakerSpec::default();
    plain.probe_lease = spec.lease;
    let mut builder = CircuitBreaker::from_spec(plain)
        .failure_threshold(spec.threshold)
        .window(spec.window)
        .recovery_timeout(spec.recovery)
        .trip_on(spec.trip_on.iter().copied());
    for (class, threshold) in &spec.class_thresholds {
        builder = builder.class_threshold(*class, *threshold);
    }
    if spec.own_clock {
        builder = builder.clock(stage.clock.clone());
    }
    builder.build().expect("the data is valid")
}

fn build_budget(spec: BudgetSpec, stage: &Stage) -> Budget {
    let budget = if spec.own_clock {
        Budget::with_clock(spec.limit, spec.window, stage.clock.clone())
    } else {
        Budget::new(spec.limit, spec.window)
    };
    budget.expect("the data is valid")
}

/// Classifies values by their contents.
#[derive(Clone, Copy, Debug)]
struct ByEnd {
    timeout_as: TimeoutAs,
}

impl Classifier<Value, Broken> for ByEnd {
    fn classify(&self, result: &Attempted) -> Option<Classification> {
        let end = match result {
            Ok(value) => value.end,
            Err(error) => error.end,
        };
        if end == End::ClassifierPanics {
            resume_unwind(Box::new(Planned));
        }
        end.classification()
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.timeout_as.classification()
    }
}

/// A hook that records what it receives.
struct Noted {
    stage: Arc<Stage>,
    hook: Hook,
}

impl Noted {
    fn new(stage: &Arc<Stage>, owner: Owner, kind: HookKind) -> Self {
        Self { stage: Arc::clone(stage), hook: Hook { owner, kind } }
    }

    fn start(&self, attempt: &AttemptContext<'_>) {
        or_panic(self.stage.start(self.hook, attempt.into()));
    }

    fn end(&self, attempt: &AttemptContext<'_>) {
        or_panic(self.stage.end(self.hook, attempt.into()));
    }
}

impl Observer for Noted {
    fn on_event(&self, event: &Event<'_>) {
        or_panic(self.stage.tell(self.hook, event.into()));
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.end(attempt);
    }
}

fn observers(stage: &Arc<Stage>, owner: Owner) -> impl Iterator<Item = Noted> {
    let hooks: &Hooks = stage.world.hooks(owner);
    let count = hooks.observers.len();
    (0..count).map(move |index| Noted::new(stage, owner, HookKind::Observer(index)))
}

struct Learner {
    stage: Arc<Stage>,
    spec: StrategySpec,
}

impl Strategy for Learner {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        asked(&self.stage, &self.spec, context)
    }

    fn learns(&self) -> bool {
        true
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        if let StrategySpec::Learner { id, .. } = self.spec {
            self.stage.learn(id, feedback, now - self.stage.origin);
        }
    }
}

/// The virtual timer, with a note of every wait that begins.
struct NotedTimer {
    stage: Arc<Stage>,
    timer: VirtualTimer,
}

impl Timer for NotedTimer {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        self.stage.note(What::Timer(duration));
        self.timer.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.timer.now()
    }
}

/// One line of a breaker's account: what was asked, and the state before and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) entry: Posting,
    pub(crate) before: CircuitState,
    pub(crate) after: CircuitState,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Posting {
    Admitted(Admission),
    Rejected,
    Reported(u64, Option<Transition>),
    Released(u64),
}

/// The real breaker behind the trait, with an account of its permits.
struct WatchedBreaker {
    stage: Arc<Stage>,
    breaker: CircuitBreaker,
    ledger: Arc<Mutex<Vec<Line>>>,
}

impl WatchedBreaker {
    fn post(&self, before: CircuitState, entry: Posting) {
        let (at, after) = (self.stage.clock.elapsed(), self.breaker.state());
        self.ledger.lock().expect("whole").push(Line { at, entry, before, after });
    }
}

impl Breaker for WatchedBreaker {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        let before = self.breaker.state();
        let admitted = self.breaker.admit(now);
        self.post(before, admitted.as_ref().map_or(Posting::Rejected, |admission| Posting::Admitted(*admission)));
        let noted = admitted.as_ref().map(|admission| admission.transition);
        self.stage.note(What::Admit(noted.map_err(|rejection| (rejection.state(), rejection.retry_in()))));
        admitted
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        let before = self.breaker.state();
        let transition = self.breaker.report(admission, report, now);
        self.post(before, Posting::Reported(admission.generation, transition));
        self.stage.note(What::Report(report, transition));
        transition
    }

    fn release(&self, admission: Admission) {
        let before = self.breaker.state();
        self.breaker.release(admission);
        self.post(before, Posting::Released(admission.generation));
        self.stage.note(What::Release);
    }

    fn state(&self) -> CircuitState {
        self.breaker.state()
    }
}
