//! The model: a second implementation of a call, written from the design and as simple as possible.
//!
//! Slow, and independent of the engine's code: one function from top to bottom, all grants and
//! failures in lists, no rings, no ticks, no flags, no fast path, and saturation only where it is
//! documented. It is an `async fn` for both drivers; with the blocking one it is never pending.

use std::any::type_name;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use redress_core::breaker::{CircuitState, Report, Transition};
use redress_core::error::Failure;
use redress_core::observe::AttemptDecision;
use redress_core::strategy::Feedback;
use redress_core::{Cause, Classification, ErrorClass, EventName, SleepDecision, StopReason};

use crate::end_of_time::end_of_time;
use crate::naive_breaker::{Admitted, NaiveBreaker};
use crate::note::{Backoff, Ending, Entry, Hook, HookKind, Outcome, Refused, Seen, Told, What};
use crate::stage::{Attempted, Awaiting, Planned, Stage, Wait};
use crate::world::{
    BreakerSpec, Broken, BudgetSpec, Capture, Driver, End, Hooks, OwnDeadline, Owner, RetrySpec, StrategySpec, Times,
    Value, Way,
};

/// Waits that are kept are kept in 64 bits of nanoseconds, of which one value means none.
const LONGEST_KEPT: Duration = Duration::from_nanos(u64::MAX - 1);

/// A policy, as the model has it.
pub(crate) struct Naive {
    pub(crate) stage: Arc<Stage>,
    retry: RetrySpec,
    times: Times,
    grants: Mutex<Vec<Duration>>,
    /// The end of the budget's time, once it has been used.
    budget_end: OnceLock<Duration>,
    breaker: Option<Mutex<NaiveBreaker>>,
    shared_timeline: Mutex<Vec<Entry>>,
}

/// A failed attempt.
#[derive(Clone)]
struct Failed {
    failure: Failure<Value, Broken>,
    classification: Classification,
}

impl Failed {
    fn error_type(&self) -> Option<&'static str> {
        (self.failure.cause() == Cause::Error).then(type_name::<Broken>)
    }
}

/// The state of a running call. If it is dropped before the call has ended, it reports the
/// cancellation.
struct Life<'n> {
    naive: &'n Naive,
    call: usize,
    began: Duration,
    attempts: u32,
    /// The classes of all failures so far.
    failures: Vec<ErrorClass>,
    last: Option<Failed>,
    /// What the strategy computed last, hinted waits apart.
    prev_delay: Option<Duration>,
    /// The delay of a deferred retry.
    deferred: Option<Duration>,
    /// The hint that did not fit the deadline.
    unmet_hint: Cell<Option<Duration>>,
    timeline: Option<Vec<Entry>>,
    has_ended: bool,
    /// Released after everything has been reported.
    permit: Option<Permit<'n>>,
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let (naive, now) = (self.naive, self.naive.now());
        let event = naive.event_of_failure(EventName::Cancelled, self, None);
        naive.tell(self, &event, now);
    }
}

/// The permit of a call. Dropped without a result, it is released.
struct Permit<'n> {
    naive: &'n Naive,
    era: u64,
    is_settled: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(breaker) = &self.naive.breaker else { return };
        if self.is_settled {
            return;
        }
        breaker.lock().expect("whole").release(self.era);
        self.naive.note_if_watched(What::Release);
    }
}

impl Naive {
    pub(crate) fn new(stage: &Arc<Stage>) -> Self {
        let policy = &stage.world.policy;
        // A policy without retry is a policy of one attempt.
        let once = RetrySpec { max_attempts: 1, ..RetrySpec::default() };
        Self {
            retry: policy.retry.clone().unwrap_or(once),
            times: policy.times,
            grants: Mutex::default(),
            budget_end: OnceLock::new(),
            breaker: policy.breaker.clone().map(|spec| Mutex::new(NaiveBreaker::new(spec))),
            shared_timeline: Mutex::default(),
            stage: Arc::clone(stage),
        }
    }

    fn now(&self) -> Duration {
        self.stage.clock.elapsed()
    }

    fn breaker_spec(&self) -> Option<&BreakerSpec> {
        self.stage.world.policy.breaker.as_ref()
    }

    pub(crate) fn state(&self) -> What {
        let now = self.now();
        What::State(
            self.breaker.as_ref().map(|breaker| breaker.lock().expect("whole").state()),
            self.retry.budget.map(|budget| budget.limit - self.live_grants(budget, now)),
        )
    }

    pub(crate) fn shared_timeline(&self) -> What {
        What::Timeline(self.shared_timeline.lock().expect("whole").clone())
    }

    pub(crate) fn readmits(&self) -> bool {
        let now = self.now();
        self.breaker.as_ref().is_none_or(|breaker| breaker.lock().expect("whole").admit(now).is_ok())
    }

    /// One call, from its beginning to its end.
    pub(crate) async fn call(&self, call: usize) -> Ending {
        self.stage.note(What::Begins);
        let began = self.now();
        let spec = &self.stage.world.calls[call];
        let timeline = (spec.timeline != Capture::Off).then(Vec::new);
        let mut life = Life {
            naive: self,
            call,
            began,
            attempts: 0,
            failures: Vec::new(),
            last: None,
            prev_delay: None,
            deferred: None,
            unmet_hint: Cell::default(),
            timeline,
            has_ended: false,
            permit: None,
        };

        // The call is not aborted, time is left, and the breaker admits it.
        if self.wants_abort(&life) {
            return self.stop(life, StopReason::Aborted, None, began);
        }
        if self.remaining(&life, began) == Some(Duration::ZERO) {
            return self.stop(life, StopReason::DeadlineExceeded, None, began);
        }
        match self.admit(&life, began) {
            Ok(permit) => life.permit = Some(permit),
            Err(rejection) => {
                life.has_ended = true;
                life.timeline = None;
                let outcome = Outcome {
                    rejection: Some(rejection),
                    retry_in: rejection.1,
                    ..outcome(&life, StopReason::CircuitOpen, began)
                };
                return self.ending(&life, outcome);
            }
        }

        let mut starts = began;
        loop {
            life.attempts += 1;
            self.tell_start(&life, starts - began);
            let time_left = shorter(self.times.attempt_timeout, self.remaining(&life, starts));
            let Ok(result) = self.attempt(&life, time_left).await else {
                // The panic goes on; the call is cancelled.
                return Ending::Panicked;
            };
            let now = self.now();
            let failed = match result {
                Ok(value) => return self.succeed(life, value, now),
                Err(failed) => failed,
            };

            if failed.classification.is_abort() {
                self.tell_end(&life, AttemptDecision::Aborted, now, None, Some(StopReason::Aborted), None);
                return self.abort_by_operation(life, failed, now);
            }
            life.failures.push(failed.classification.class());
            life.last = Some(failed.clone());

            let mut computed = None;
            let (delay, objection) = match self.gates(&life, &failed, now) {
                Err(Ok(reason)) => (None, Some(reason)),
                Err(Err(Planned)) => return Ending::Panicked,
                Ok(Granted { wait, prev_delay, is_deferred }) => {
                    computed = prev_delay;
                    let event = self.event_of_failure(EventName::Retry, &life, Some(&failed));
                    self.tell(&mut life, &Told { sleep: wait, ..event }, now);
                    (Some(wait), self.objection(&life, &failed, wait, is_deferred, now))
                }
            };
            let (decision, sleep) = match objection {
                None => (AttemptDecision::Retry, delay),
                Some(StopReason::Scheduled) => (AttemptDecision::Scheduled, delay),
                Some(StopReason::Aborted) => (AttemptDecision::Aborted, None),
                Some(_) => (AttemptDecision::Fail, None),
            };
            self.tell_end(&life, decision, now, Some(&failed), objection, sleep);
            if let Some(reason) = objection {
                life.deferred = delay.filter(|_| reason == StopReason::Scheduled);
                return self.stop(life, reason, Some(&failed), now);
            }

            let delay = delay.expect("without objection there is a delay");
            let awaiting = self.before_sleep(&life, &failed, delay, now);
            life.prev_delay = computed.map(|delay| delay.min(LONGEST_KEPT));
            if let Some(awaiting) = awaiting {
                // A panic in it changes nothing.
                let _ = awaiting.await;
            }
            // Hooks may have taken time: a wait that would now end too late is not begun.
            let now = self.now();
            if !fits(delay, self.remaining(&life, now)) {
                return self.stop(life, StopReason::DeadlineExceeded, None, now);
            }
            self.wait(&life, delay).await;

            starts = self.now();
            if self.remaining(&life, starts) == Some(Duration::ZERO) {
                return self.stop(life, StopReason::DeadlineExceeded, None, starts);
            }
            if self.wants_abort(&life) {
                return self.stop(life, StopReason::Aborted, None, starts);
            }
        }
    }

    /// The delay before the next attempt, or the first gate that says no; or a strategy's panic.
    fn gates(&self, life: &Life<'_>, failed: &Failed, now: Duration) -> Result<Granted, Result<StopReason, Planned>> {
        let class = failed.classification.class();
        let of_class = life.failures.iter().filter(|of| **of == class).count();
        let cap = self.retry.class_caps.iter().rev().find(|(of, _)| *of == class).map(|(_, cap)| *cap as usize);
        if self.wants_abort(life) {
            return Err(Ok(StopReason::Aborted));
        }
        if cap.is_some_and(|cap| of_class > cap) {
            return Err(Ok(StopReason::MaxAttemptsPerClass));
        }
        if matches!(class, ErrorClass::Auth | ErrorClass::Permission | ErrorClass::Permanent) {
            return Err(Ok(StopReason::NonRetryableClass));
        }
        if class == ErrorClass::Unknown && self.retry.unknown_cap.is_some_and(|cap| of_class > cap as usize) {
            return Err(Ok(StopReason::MaxUnknownAttempts));
        }
        let remaining = self.remaining(life, now);
        if remaining == Some(Duration::ZERO) {
            return Err(Ok(StopReason::DeadlineExceeded));
        }
        let Some(strategy) = self.retry.own_strategy(class).or_else(|| self.retry.default_strategy()) else {
            return Err(Ok(StopReason::NoStrategy));
        };
        if let StrategySpec::Learner { id, .. } = strategy {
            self.stage.learn(id, Feedback::Failure(class), now);
        }
        if life.attempts >= self.retry.max_attempts {
            return Err(Ok(StopReason::MaxAttempts));
        }
        if failed.classification.retry_forbidden().is_some() {
            return Err(Ok(StopReason::RetryForbidden));
        }
        let hint = self.heeded(failed.classification.retry_after());
        let read = hint.filter(|hint| !hint.is_zero());
        let computed = match &strategy {
            StrategySpec::Fixed(delay) => *delay,
            StrategySpec::Hinted { or } => read.unwrap_or(*or),
            asked => self.stage.delay(asked, self.backoff(life, failed, now)).map_err(Err)?,
        };
        // A wait that was read from a hint is not what the next delay grows from.
        let reads_hint = read.is_some() && matches!(strategy, StrategySpec::Hinted { .. });
        let prev_delay = if reads_hint { life.prev_delay } else { Some(computed) };
        let floor = hint.filter(|_| !self.retry.ignores_hints).unwrap_or_default();
        let wait = computed.max(floor);
        // A sleep handler is called before a token is spent on a wait that does not fit.
        let is_deferred = if fits(wait, remaining) {
            false
        } else {
            match self.ask_sleep_handler(life, failed, wait, now) {
                Some(SleepDecision::Defer) => true,
                Some(SleepDecision::Abort) => return Err(Ok(StopReason::Aborted)),
                _ => {
                    life.unmet_hint.set(hint.filter(|hint| !fits(*hint, remaining)));
                    return Err(Ok(StopReason::DeadlineExceeded));
                }
            }
        };
        if !self.takes_token(now) {
            return Err(Ok(StopReason::BudgetExhausted));
        }
        Ok(Granted { wait, prev_delay, is_deferred })
    }

    fn ask_sleep_handler(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        wait: Duration,
        now: Duration,
    ) -> Option<SleepDecision> {
        let owner = self.owner(life.call, |hooks| hooks.sleep.is_some())?;
        let answer = self.stage.handle_sleep(owner, self.backoff(life, failed, now), wait);
        Some(answer.unwrap_or(SleepDecision::Sleep))
    }

    fn live_grants(&self, budget: BudgetSpec, now: Duration) -> u32 {
        let now = now.min(*self.budget_end.get_or_init(|| end_of_time(now)));
        let grants = self.grants.lock().expect("whole");
        grants.iter().filter(|granted| now.saturating_sub(**granted) < budget.window).count() as u32
    }

    fn takes_token(&self, failed_at: Duration) -> bool {
        let Some(budget) = self.retry.budget else { return true };
        let now = if budget.own_clock { self.now() } else { failed_at };
        let is_granted = self.live_grants(budget, now) < budget.limit;
        if is_granted {
            let end = self.budget_end.get().copied().unwrap_or(now);
            self.grants.lock().expect("whole").push(now.min(end));
        }
        is_granted
    }

    /// What may still end a call whose retry was granted and announced.
    fn objection(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        wait: Duration,
        is_deferred: bool,
        now: Duration,
    ) -> Option<StopReason> {
        if self.wants_abort(life) {
            return Some(StopReason::Aborted);
        }
        if is_deferred {
            return Some(StopReason::Scheduled);
        }
        match self.ask_sleep_handler(life, failed, wait, now)? {
            SleepDecision::Defer => Some(StopReason::Scheduled),
            SleepDecision::Abort => Some(StopReason::Aborted),
            _ => None,
        }
    }

    fn before_sleep(&self, life: &Life<'_>, failed: &Failed, delay: Duration, now: Duration) -> Option<Awaiting> {
        let owner = self.owner(life.call, |hooks| hooks.before_sleep.is_some())?;
        self.stage.before_sleep(owner, self.backoff(life, failed, now), delay).ok().flatten()
    }

    /// Waits: by the sleeper, or without it if it panics.
    async fn wait(&self, life: &Life<'_>, delay: Duration) {
        let owners = [Owner::Call(life.call), Owner::Policy];
        let owner = owners.into_iter().find(|owner| self.stage.world.sleeper(*owner, self.stage.driver).is_some());
        let is_async = self.stage.driver == Driver::Async;
        if let Some(owner) = owner {
            if let Ok(awaiting) = self.stage.sleeper(owner, delay.min(LONGEST_KEPT)) {
                if !is_async || awaiting.await.is_ok() {
                    return;
                }
            }
        }
        if delay.is_zero() {
            return;
        }
        assert!(is_async, "the case would put the thread to sleep");
        self.timer(delay.min(LONGEST_KEPT)).await;
    }

    fn timer(&self, duration: Duration) -> Wait {
        self.stage.note(What::Timer(duration));
        self.stage.wait(duration)
    }

    /// Runs the operation and classifies its result.
    async fn attempt(&self, life: &Life<'_>, time_left: Option<Duration>) -> Result<Result<Value, Failed>, Planned> {
        let attempted = match self.stage.driver {
            Driver::Blocking | Driver::Bare => Some(self.stage.run(life.attempts, time_left)),
            Driver::Async => self.attempt_in_time(life, time_left).await,
        };
        let Some(attempted) = attempted else {
            let classification = self.stage.world.policy.timeout_as.classification();
            let classification = classification.unwrap_or(Classification::new(ErrorClass::Transient));
            return Ok(Err(Failed { failure: Failure::Timeout, classification }));
        };
        Ok(match attempted? {
            Ok(value) if value.end == End::ClassifierPanics => return Err(Planned),
            Ok(value) => match value.end.classification() {
                None => Ok(value),
                Some(classification) => Err(Failed { failure: Failure::Result(value), classification }),
            },
            Err(error) => {
                // The classifier did not recognise it.
                let unknown = Classification::new(ErrorClass::Unknown);
                let classification = error.end.classification().unwrap_or(unknown);
                Err(Failed { failure: Failure::Error(error), classification })
            }
        })
    }

    /// `None` if the attempt's time is over before it is.
    async fn attempt_in_time(
        &self,
        life: &Life<'_>,
        time_left: Option<Duration>,
    ) -> Option<Result<Attempted, Planned>> {
        let mut running = pin!(self.stage.run_async(life.attempts, time_left));
        let mut timer = None;
        poll_fn(|cx| {
            if let Poll::Ready(result) = running.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            if timer.is_none() {
                let deadline = if self.times.may_finish && self.times.attempt_timeout.is_none() {
                    None
                } else {
                    self.remaining(life, self.now())
                };
                match shorter(self.times.attempt_timeout, deadline) {
                    Some(Duration::ZERO) => return Poll::Ready(None),
                    limit => timer = limit.map(|limit| self.timer(limit)),
                }
            }
            match &mut timer {
                Some(timer) => Pin::new(timer).poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn succeed(&self, mut life: Life<'_>, value: Value, now: Duration) -> Ending {
        for id in self.learners() {
            self.stage.learn(id, Feedback::Success, now);
        }
        self.tell_end(&life, AttemptDecision::Success, now, None, None, None);
        let event = Told { attempt: life.attempts, ..self.nothing_but(EventName::Success, life.call) };
        self.tell_last(&mut life, &event, now);
        self.settle(&mut life, Report::Success, now);
        let outcome = Outcome {
            is_ok: true,
            value: Some(value),
            stop_reason: None,
            attempts: life.attempts,
            elapsed: now - life.began,
            last_class: None,
            cause: None,
            next_delay: None,
            retry_in: None,
            rejection: None,
            last_failure: None,
            abort_error: None,
            timeline: life.timeline.clone(),
        };
        self.ending(&life, outcome)
    }

    /// The objects that learn, each once, in the order of the first class that each serves.
    fn learners(&self) -> Vec<u8> {
        let of_class = |class| self.retry.own_strategy(class).or_else(|| self.retry.default_strategy());
        let mut known: Vec<StrategySpec> = Vec::new();
        for strategy in ErrorClass::ALL.iter().copied().filter_map(of_class) {
            if matches!(strategy, StrategySpec::Learner { .. }) && !known.contains(&strategy) {
                known.push(strategy);
            }
        }
        let id = |strategy: &StrategySpec| match strategy {
            StrategySpec::Learner { id, .. } => *id,
            _ => unreachable!("only learners were kept"),
        };
        known.iter().map(id).collect()
    }

    /// The operation aborted the call. This is not a failure, so the previous one stays the last,
    /// except that an aborting value replaces it.
    fn abort_by_operation(&self, mut life: Life<'_>, failed: Failed, now: Duration) -> Ending {
        let event = Told {
            attempt: life.attempts,
            stop_reason: Some(StopReason::Aborted),
            ..self.nothing_but(EventName::Aborted, life.call)
        };
        self.tell_last(&mut life, &event, now);
        let mut outcome = outcome(&life, StopReason::Aborted, now);
        match failed.failure {
            Failure::Error(error) => outcome.abort_error = Some(error),
            value => outcome.last_failure = Some(value),
        }
        self.ending(&life, outcome)
    }

    /// The call ends without success: one terminal event, and one report unless it was aborted.
    fn stop(&self, mut life: Life<'_>, reason: StopReason, failed: Option<&Failed>, now: Duration) -> Ending {
        let outcome_so_far = outcome(&life, reason, now);
        let event = if reason == StopReason::Aborted {
            Told { attempt: life.attempts, ..self.nothing_but(reason.event(), life.call) }
        } else {
            let sleep = outcome_so_far.next_delay.unwrap_or_default();
            Told { sleep, ..self.event_of_failure(reason.event(), &life, failed) }
        };
        self.tell_last(&mut life, &Told { stop_reason: Some(reason), ..event }, now);
        match life.last.as_ref().map(|last| last.classification.class()) {
            Some(class) if reason != StopReason::Aborted => self.settle(&mut life, Report::Failure(class), now),
            _ => life.permit = None,
        }
        let outcome = Outcome { timeline: life.timeline.clone(), ..outcome_so_far };
        self.ending(&life, outcome)
    }

    /// Requests admission from the breaker. Returns its rejection.
    fn admit(&self, life: &Life<'_>, began: Duration) -> Result<Permit<'_>, (CircuitState, Option<Duration>)> {
        let Some(breaker) = &self.breaker else { return Ok(Permit { naive: self, era: 0, is_settled: true }) };
        let now = self.breaker_time(began);
        let admitted = breaker.lock().expect("whole").admit(now);
        match admitted {
            Ok(Admitted { era, half_opened }) => {
                let transition = half_opened.then_some(Transition::HalfOpened);
                self.note_if_watched(What::Admit(Ok(transition)));
                if half_opened {
                    self.tell_breaker(life, EventName::CircuitHalfOpen, CircuitState::HalfOpen, None);
                }
                Ok(Permit { naive: self, era, is_settled: false })
            }
            Err((state, retry_in)) => {
                self.note_if_watched(What::Admit(Err((state, retry_in))));
                self.tell_rejection(life, state);
                Err((state, retry_in.map(|wait| wait.min(LONGEST_KEPT))))
            }
        }
    }

    fn settle(&self, life: &mut Life<'_>, report: Report, now: Duration) {
        let mut permit = life.permit.take().expect("a call that ran was admitted");
        permit.is_settled = true;
        let Some(breaker) = &self.breaker else { return };
        let class = match report {
            Report::Failure(class) => Some(class),
            _ => None,
        };
        let now = self.breaker_time(now);
        let transition = breaker.lock().expect("whole").report(permit.era, class, now);
        self.note_if_watched(What::Report(report, transition));
        if let Some(transition) = transition {
            self.tell_breaker(life, transition.event(), transition.state(), class);
        }
    }

    fn breaker_time(&self, shown: Duration) -> Duration {
        if self.breaker_spec().is_some_and(|spec| spec.own_clock) { self.now() } else { shown }
    }

    fn note_if_watched(&self, what: What) {
        if self.breaker_spec().is_some_and(|spec| spec.is_watched) {
            self.stage.note(what);
        }
    }

    fn wants_abort(&self, life: &Life<'_>) -> bool {
        let has_predicate = self.stage.world.calls[life.call].abort_if.is_some();
        has_predicate && self.stage.ask_abort(life.call).unwrap_or(false)
    }

    fn remaining(&self, life: &Life<'_>, now: Duration) -> Option<Duration> {
        let elapsed = now - life.began;
        let of_policy = self.times.deadline.map(|deadline| deadline.saturating_sub(elapsed));
        let own = self.stage.world.calls[life.call].deadline.map(|deadline| match deadline {
            OwnDeadline::After(time) => time.saturating_sub(elapsed),
            OwnDeadline::At(at) => at.saturating_sub(now),
        });
        shorter(of_policy, own)
    }

    /// As much of a hint as counts.
    fn heeded(&self, hint: Option<Duration>) -> Option<Duration> {
        hint.map(|hint| hint.min(self.retry.longest_hint.unwrap_or(Duration::MAX)))
    }

    fn backoff(&self, life: &Life<'_>, failed: &Failed, now: Duration) -> Backoff {
        let told = &failed.classification;
        Backoff {
            attempt: life.attempts,
            classification: told.clone().with_retry_after(self.heeded(told.retry_after())),
            prev_delay: life.prev_delay,
            remaining: self.remaining(life, now),
            cause: failed.failure.cause(),
            now,
        }
    }

    /// The owner of the hook that applies: the call's before the policy's.
    fn owner(&self, call: usize, has_it: impl Fn(&Hooks) -> bool) -> Option<Owner> {
        [Owner::Call(call), Owner::Policy].into_iter().find(|owner| has_it(self.stage.world.hooks(*owner)))
    }

    fn observers(&self, call: usize) -> Vec<Hook> {
        let of = |owner| {
            let count = self.stage.world.hooks(owner).observers.len();
            (0..count).map(move |index| Hook { owner, kind: HookKind::Observer(index) })
        };
        of(Owner::Policy).chain(of(Owner::Call(call))).collect()
    }

    /// An event of the call: all observers receive it, and the timeline records it.
    fn tell(&self, life: &mut Life<'_>, event: &Told, now: Duration) {
        self.tell_observers(life, &Told { elapsed: Some(now - life.began), ..event.clone() });
        let entry = Entry {
            attempt: event.attempt,
            event: event.name,
            elapsed: now - life.began,
            sleep: event.sleep,
            class: event.class,
            stop_reason: event.stop_reason,
            cause: event.cause,
        };
        match (&mut life.timeline, self.stage.world.calls[life.call].timeline) {
            (Some(_), Capture::Shared) => {
                let mut shared = self.shared_timeline.lock().expect("whole");
                shared.push(entry);
                life.timeline = Some(shared.clone());
            }
            (Some(timeline), _) => timeline.push(entry),
            (None, _) => {}
        }
    }

    /// The event with which the call ends.
    fn tell_last(&self, life: &mut Life<'_>, event: &Told, now: Duration) {
        life.has_ended = true;
        self.tell(life, event, now);
    }

    /// An event of the breaker: it has no place in the timeline.
    fn tell_breaker(&self, life: &Life<'_>, name: EventName, state: CircuitState, class: Option<ErrorClass>) {
        self.tell_observers(life, &Told { state: Some(state), class, ..self.nothing_but(name, life.call) });
    }

    fn tell_rejection(&self, life: &Life<'_>, state: CircuitState) {
        let event = self.nothing_but(EventName::CircuitRejected, life.call);
        self.tell_observers(life, &Told { state: Some(state), stop_reason: Some(StopReason::CircuitOpen), ..event });
    }

    fn tell_observers(&self, life: &Life<'_>, event: &Told) {
        for hook in self.observers(life.call) {
            let _ = self.stage.tell(hook, event.clone());
        }
    }

    fn nothing_but(&self, name: EventName, call: usize) -> Told {
        let operation = self.stage.world.calls[call].name.filter(|name| !name.is_empty());
        Told {
            name,
            attempt: 0,
            sleep: Duration::ZERO,
            class: None,
            stop_reason: None,
            cause: None,
            state: None,
            elapsed: None,
            operation: operation.map(str::to_owned),
            error_type: None,
            classification: None,
        }
    }

    /// An event about the last failure; `failed` if it was made just now.
    fn event_of_failure(&self, name: EventName, life: &Life<'_>, failed: Option<&Failed>) -> Told {
        Told {
            attempt: life.attempts,
            class: life.last.as_ref().map(|last| last.classification.class()),
            cause: life.last.as_ref().map(|last| last.failure.cause()),
            error_type: failed.and_then(Failed::error_type),
            classification: failed.map(|failed| failed.classification.clone()),
            ..self.nothing_but(name, life.call)
        }
    }

    fn tell_start(&self, life: &Life<'_>, elapsed: Duration) {
        let seen = self.seen(life, elapsed);
        for hook in self.observers(life.call) {
            let _ = self.stage.start(hook, seen.clone());
        }
        if let Some(owner) = self.owner(life.call, |hooks| hooks.on_attempt_start.is_some()) {
            let _ = self.stage.start(Hook { owner, kind: HookKind::AttemptStart }, seen);
        }
    }

    fn tell_end(
        &self,
        life: &Life<'_>,
        decision: AttemptDecision,
        now: Duration,
        failed: Option<&Failed>,
        stop_reason: Option<StopReason>,
        sleep: Option<Duration>,
    ) {
        let seen = Seen {
            decision: Some(decision),
            classification: failed.map(|failed| failed.classification.clone()),
            stop_reason,
            cause: failed.map(|failed| failed.failure.cause()),
            sleep,
            error_type: failed.and_then(Failed::error_type),
            ..self.seen(life, now - life.began)
        };
        for hook in self.observers(life.call) {
            let _ = self.stage.end(hook, seen.clone());
        }
        if let Some(owner) = self.owner(life.call, |hooks| hooks.on_attempt_end.is_some()) {
            let _ = self.stage.end(Hook { owner, kind: HookKind::AttemptEnd }, seen);
        }
    }

    fn seen(&self, life: &Life<'_>, elapsed: Duration) -> Seen {
        Seen {
            attempt: life.attempts,
            operation: self.stage.world.calls[life.call].name.map(str::to_owned),
            elapsed,
            classification: None,
            decision: None,
            stop_reason: None,
            cause: None,
            sleep: None,
            error_type: None,
        }
    }

    fn ending(&self, life: &Life<'_>, outcome: Outcome) -> Ending {
        let result = as_result(&outcome);
        match self.stage.world.calls[life.call].way {
            Way::Call => Ending::Called(result),
            Way::Execute => Ending::Executed(Box::new(outcome), result),
        }
    }
}

/// The outcome of `execute` for a call that ends for this reason.
fn outcome(life: &Life<'_>, reason: StopReason, now: Duration) -> Outcome {
    let last = life.last.as_ref();
    Outcome {
        is_ok: false,
        value: None,
        stop_reason: Some(reason),
        attempts: life.attempts,
        elapsed: now - life.began,
        last_class: last.map(|last| last.classification.class()),
        cause: last.map(|last| last.failure.cause()),
        next_delay: life.deferred.map(|wait| wait.min(LONGEST_KEPT)),
        retry_in: life.deferred.or_else(|| life.unmet_hint.get()).map(|wait| wait.min(LONGEST_KEPT)),
        rejection: None,
        last_failure: last.map(|last| last.failure.clone()),
        abort_error: None,
        timeline: life.timeline.clone(),
    }
}

/// `call` is `execute` turned into a `Result`.
fn as_result(outcome: &Outcome) -> Result<Value, Refused> {
    let Outcome { attempts, last_class, cause, retry_in, .. } = *outcome;
    let Some(stop_reason) = outcome.stop_reason else {
        return Ok(outcome.value.clone().expect("a success has a value"));
    };
    let abort_error = outcome.abort_error.clone();
    let last_error = outcome.last_failure.clone().and_then(Failure::into_error);
    Err(match (stop_reason, last_error) {
        (StopReason::CircuitOpen, _) => {
            let (state, retry_in) = outcome.rejection.expect("the breaker said why");
            Refused::CircuitOpen(state, retry_in)
        }
        (StopReason::Aborted, last_error) => Refused::Aborted { attempts, last_class, cause, last_error, abort_error },
        (_, Some(error)) if stop_reason != StopReason::Scheduled => {
            Refused::Failed { error, stop_reason, attempts, last_class, retry_in }
        }
        (_, last_error) => Refused::Exhausted { stop_reason, attempts, last_class, cause, last_error, retry_in },
    })
}

/// A retry that every gate agreed to.
struct Granted {
    wait: Duration,
    prev_delay: Option<Duration>,
    is_deferred: bool,
}

/// Whether a wait ends before the deadline.
fn fits(delay: Duration, remaining: Option<Duration>) -> bool {
    remaining.is_none_or(|remaining| delay < remaining)
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    [a, b].into_iter().flatten().min()
}
