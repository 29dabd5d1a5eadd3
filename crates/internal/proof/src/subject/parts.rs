//! The policies of a case: their builders, classifier, hooks, strategies and timer.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_core::breaker::{Breaker, BreakerSource};
use redress_core::driver::{NoTimer, Timer};
use redress_core::observe::AttemptContext;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::{BackoffContext, Feedback, Strategy};
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, Classification, Classifier, ErrorClass, Event, Observer, Policy, Retry, fixed,
    retry_after_or,
};
use redress_testing::{VirtualSleep, VirtualTimer};

use super::watched::{Line, WatchedBreaker};
use super::{before_sleep, finishing, handle_sleep};
use crate::note::{Backoff, Hook, HookKind, What};
use crate::stage::{Attempted, Planned, Stage, or_panic};
use crate::world::{
    BreakerSpec, Broken, BudgetSpec, Driver, End, Hooks, Owner, RetrySpec, StrategySpec, TimeoutAs, Times, Value,
};

/// The parts of a policy that do not depend on the driver.
pub(super) struct Parts<'p> {
    pub(super) stage: &'p Arc<Stage>,
    pub(super) breaker: Option<&'p CircuitBreaker>,
    pub(super) budget: Option<&'p Budget>,
    pub(super) ledger: &'p Arc<Mutex<Vec<Line>>>,
}

impl Parts<'_> {
    pub(super) fn asynchronous(&self, is_once: bool) -> AsyncPolicy<ByEnd, NotedTimer> {
        let stage = self.stage;
        let timer = NotedTimer { stage: Arc::clone(stage), timer: stage.clock.timer() };
        let mut builder = self.add_to(AsyncPolicy::<_, NoTimer>::builder().timer(timer), is_once);
        if let Some(hook) = &stage.world.policy.hooks.before_sleep {
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
        if stage.world.sleeper(Owner::Policy, Driver::Async).is_some() {
            let noted = Arc::clone(stage);
            builder = builder.sleep_with(move |delay| finishing(or_panic(noted.sleeper(Owner::Policy, delay))));
        }
        builder.build().expect("the data is valid")
    }

    pub(super) fn blocking(&self, is_once: bool, driver: Driver) -> Policy<ByEnd> {
        let stage = self.stage;
        let mut builder = self.add_to(Policy::builder().clock(stage.clock.clone()), is_once);
        if stage.world.policy.hooks.before_sleep.is_some() {
            let noted = Arc::clone(stage);
            builder = builder.before_sleep(move |context, delay| {
                drop(before_sleep(&noted, Owner::Policy, context, delay));
            });
        }
        if stage.world.sleeper(Owner::Policy, driver).is_some() {
            let noted = Arc::clone(stage);
            builder = builder.sleep_with(move |delay| drop(or_panic(noted.sleeper(Owner::Policy, delay))));
        }
        builder.build().expect("the data is valid")
    }

    fn add_to<C, K>(&self, builder: PolicyBuilder<C, K>, is_once: bool) -> PolicyBuilder<ByEnd, K> {
        let (stage, owner) = (self.stage, Owner::Policy);
        let spec = &stage.world.policy;
        let mut builder = builder.classifier(ByEnd { timeout_as: spec.timeout_as });
        if let Some(retry) = spec.retry.as_ref().filter(|_| !is_once) {
            builder = builder.retry(self.retry(retry));
        }
        builder = limited(builder, if is_once { spec.once } else { spec.times });
        if let (Some(spec), Some(breaker)) = (&spec.breaker, self.breaker) {
            builder = builder.circuit_breaker(self.breaker_source(spec, breaker));
            if spec.judges_attempts() {
                builder = builder.judge_attempts();
            }
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

fn limited<C, K>(builder: PolicyBuilder<C, K>, times: Times) -> PolicyBuilder<C, K> {
    let mut builder = match times.deadline {
        Some(deadline) => builder.deadline(deadline),
        None => builder.no_deadline(),
    };
    if let Some(timeout) = times.attempt_timeout {
        builder = builder.attempt_timeout(timeout);
    }
    if times.may_finish { builder.finish_running_attempt() } else { builder }
}

fn asked(stage: &Stage, spec: &StrategySpec, context: &BackoffContext<'_>) -> Duration {
    or_panic(stage.delay(spec, Backoff::of(context, stage.origin)))
}

pub(super) fn build_breaker(spec: &BreakerSpec, stage: &Stage) -> CircuitBreaker {
    let mut builder = CircuitBreaker::from_spec(spec.spec());
    if spec.own_clock {
        builder = builder.clock(stage.clock.clone());
    }
    let breaker = builder.build().expect("the data is valid");
    if stage.world.shows_the_origin() {
        // The first instant that it sees is the origin, as in the model.
        let _ = breaker.open_for(stage.origin);
    }
    breaker
}

pub(super) fn build_budget(spec: BudgetSpec, stage: &Stage) -> Budget {
    if let Some(earned) = spec.earned {
        let (class, cost) = earned.cost;
        let budget = Budget::earned(earned.share).capacity(earned.capacity).reserve(earned.reserve);
        return budget.cost_for(class, cost).seed(earned.seed).build().expect("the data is valid");
    }
    let budget = if spec.own_clock {
        Budget::with_clock(spec.limit, spec.window, stage.clock.clone())
    } else {
        Budget::new(spec.limit, spec.window)
    };
    budget.expect("the data is valid")
}

/// Classifies values by their contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByEnd {
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
pub(super) struct Noted {
    stage: Arc<Stage>,
    hook: Hook,
}

impl Noted {
    pub(super) fn new(stage: &Arc<Stage>, owner: Owner, kind: HookKind) -> Self {
        Self { stage: Arc::clone(stage), hook: Hook { owner, kind } }
    }

    pub(super) fn start(&self, attempt: &AttemptContext<'_>) {
        or_panic(self.stage.start(self.hook, attempt.into()));
    }

    pub(super) fn end(&self, attempt: &AttemptContext<'_>) {
        or_panic(self.stage.end(self.hook, attempt.into()));
    }
}

impl Observer for Noted {
    fn on_event(&self, event: &Event<'_>) {
        or_panic(self.stage.tell(self.hook, event.clone().into_owned()));
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.end(attempt);
    }
}

pub(super) fn observers(stage: &Arc<Stage>, owner: Owner) -> impl Iterator<Item = Noted> {
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
pub(super) struct NotedTimer {
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
