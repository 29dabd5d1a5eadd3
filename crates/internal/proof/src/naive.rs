//! The model: a second implementation of a call, written from the design and as simple as possible.
//!
//! Slow, and independent of the engine's code: one path from top to bottom, all grants and
//! failures in lists, no rings, no ticks, no flags, no fast path, and saturation only where it is
//! documented. It is an `async fn` for both drivers; with the blocking one it is never pending.

mod account;
mod admission;
mod attempt;
mod endings;
mod gates;
mod telling;

use std::any::type_name;
use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::breaker::{Mode, Report};
use redress_core::error::Failure;
use redress_core::observe::AttemptDecision;
use redress_core::{Cause, Classification, ErrorClass, EventName, StopReason};

use self::account::Account;
use self::admission::{Heard, Permit};

use crate::breaker::Reference;
use crate::note::{Backoff, Ending, Entry, What};
use crate::stage::{Planned, Stage};
use crate::world::{Broken, Capture, Hooks, OwnDeadline, Owner, RetrySpec, Times, Value};

/// Waits that are kept are kept in 64 bits of nanoseconds, of which one value means none.
const LONGEST_KEPT: Duration = Duration::from_nanos(u64::MAX - 1);

/// A policy, as the model has it.
pub(crate) struct Naive {
    pub(crate) stage: Arc<Stage>,
    /// A policy without retry is a policy of one attempt.
    once: RetrySpec,
    account: Option<Mutex<Account>>,
    breaker: Option<Mutex<Reference>>,
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
    /// The time until the next probe of the circuit that shut between two attempts.
    shut_for: Cell<Option<Duration>>,
    /// What comes back to the budget if the next attempt does not start.
    held: Cell<u64>,
    /// The start of the running attempt.
    running_since: Option<Duration>,
    permit: Option<Permit>,
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        let (naive, now) = (self.naive, self.naive.now());
        if !self.has_ended {
            let event = naive.event_of_failure(EventName::Cancelled, self, None);
            naive.tell(self, event, now);
        }
        let running = self.running_since.filter(|_| naive.times_attempts());
        let took = running.and_then(|since| naive.took(self, since, now));
        naive.release(self, took, now);
        if let Some(account) = &naive.account {
            account.lock().expect("whole").give_back(self.held.take());
        }
    }
}

impl<'n> Life<'n> {
    fn new(naive: &'n Naive, call: usize) -> Self {
        Self {
            naive,
            call,
            began: naive.now(),
            attempts: 0,
            failures: Vec::new(),
            last: None,
            prev_delay: None,
            deferred: None,
            unmet_hint: Cell::default(),
            timeline: (naive.stage.world.calls[call].timeline != Capture::Off).then(Vec::new),
            has_ended: false,
            shut_for: Cell::default(),
            held: Cell::default(),
            running_since: None,
            permit: None,
        }
    }
}

impl Naive {
    pub(crate) fn new(stage: &Arc<Stage>) -> Self {
        let policy = &stage.world.policy;
        let budget = policy.retry.as_ref().and_then(|retry| retry.budget);
        Self {
            once: RetrySpec { max_attempts: 1, ..RetrySpec::default() },
            account: budget.map(|budget| Mutex::new(Account::new(budget))),
            breaker: policy.breaker.as_ref().map(|spec| {
                let mut breaker = Reference::new(spec.spec());
                if stage.world.shows_the_origin() {
                    breaker.show(Duration::ZERO);
                }
                Mutex::new(breaker)
            }),
            shared_timeline: Mutex::default(),
            stage: Arc::clone(stage),
        }
    }

    fn now(&self) -> Duration {
        self.stage.clock.elapsed()
    }

    fn retry(&self, life: &Life<'_>) -> &RetrySpec {
        self.stage.world.retry(life.call).unwrap_or(&self.once)
    }

    fn times(&self, life: &Life<'_>) -> Times {
        self.stage.world.times(life.call)
    }

    pub(crate) fn state(&self) -> What {
        let now = self.now();
        What::State(
            self.breaker.as_ref().map(|breaker| breaker.lock().expect("whole").state()),
            self.account.as_ref().map(|account| account.lock().expect("whole").left(now)),
        )
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        if let Some(breaker) = &self.breaker {
            breaker.lock().expect("whole").set_mode(mode);
        }
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
        let mut life = Life::new(self, call);
        let mut starts = life.began;
        // The call is not aborted, time is left, and the breaker admits it.
        if let Some(reason) = self.refusal(&life) {
            return self.stop(life, reason, None, Heard::default(), starts);
        }
        match self.admit(&life, starts) {
            Ok(permit) => life.permit = permit,
            Err(rejection) => return self.reject(life, rejection),
        }
        loop {
            life.attempts += 1;
            life.held.set(0);
            life.running_since = Some(starts);
            self.tell_start(&life, starts - life.began);
            let time_left = shorter(self.times(&life).attempt_timeout, self.remaining(&life, starts));
            let Ok(result) = self.attempt(&life, time_left).await else {
                // The panic goes on; the call is cancelled.
                return Ending::Panicked;
            };
            let now = self.now();
            life.running_since = None;
            let took = self.took(&life, starts, now);
            let failed = match result {
                Ok(value) => return self.succeed(life, value, starts, took, now),
                Err(failed) if failed.classification.is_abort() => return self.abort_by_operation(life, failed, now),
                Err(failed) => failed,
            };
            let heard = Heard { hint: failed.classification.retry_after(), took };
            if self.judges_attempts() {
                self.settle(&mut life, Report::Failure(failed.classification.class()), heard, now);
            }
            life.failures.push(failed.classification.class());
            life.last = Some(failed.clone());
            match self.decide(&mut life, &failed, now) {
                Ok(granted) => match self.pause(&mut life, &failed, &granted, now).await {
                    Ok(now) => starts = now,
                    Err((reason, now)) => return self.stop(life, reason, None, Heard::default(), now),
                },
                Err(Ok(reason)) => return self.stop(life, reason, Some(&failed), heard, now),
                Err(Err(Planned)) => return Ending::Panicked,
            }
            if !self.admits_again(&mut life, starts) {
                return self.stop(life, StopReason::CircuitOpen, None, Heard::default(), starts);
            }
        }
    }

    /// Whether a breaker that judges attempts admits the next one.
    fn admits_again(&self, life: &mut Life<'_>, now: Duration) -> bool {
        if !self.judges_attempts() {
            return true;
        }
        match self.admit(life, now) {
            Ok(permit) => life.permit = permit,
            Err((_, retry_in)) => {
                life.shut_for.set(retry_in);
                return false;
            }
        }
        true
    }

    /// What stands in the way of a call that has not begun.
    fn refusal(&self, life: &Life<'_>) -> Option<StopReason> {
        if self.wants_abort(life) {
            return Some(StopReason::Aborted);
        }
        (self.remaining(life, life.began) == Some(Duration::ZERO)).then_some(StopReason::DeadlineExceeded)
    }

    /// Whether there is another attempt, as reported at the end of this one.
    fn decide(
        &self,
        life: &mut Life<'_>,
        failed: &Failed,
        now: Duration,
    ) -> Result<Granted, Result<StopReason, Planned>> {
        let decided = match self.gates(life, failed, now) {
            Err(Err(planned)) => return Err(Err(planned)),
            Err(Ok(reason)) => Err((reason, None)),
            Ok(granted) => {
                let mut event = self.event_of_failure(EventName::Retry, life, Some(failed));
                event.delay = granted.wait;
                self.tell(life, event, now);
                match self.objection(life, failed, &granted, now) {
                    None => Ok(granted),
                    Some(reason) => Err((reason, Some(granted.wait))),
                }
            }
        };
        let (decision, reason, sleep) = match &decided {
            Ok(granted) => (AttemptDecision::Retry, None, Some(granted.wait)),
            Err((StopReason::Scheduled, wait)) => (AttemptDecision::Scheduled, Some(StopReason::Scheduled), *wait),
            Err((StopReason::Aborted, _)) => (AttemptDecision::Aborted, Some(StopReason::Aborted), None),
            Err((reason, _)) => (AttemptDecision::Fail, Some(*reason), None),
        };
        self.tell_end(life, decision, now, Some(failed), reason, sleep);
        decided.map_err(|(reason, wait)| {
            life.deferred = wait.filter(|_| reason == StopReason::Scheduled);
            Ok(reason)
        })
    }

    /// The wait before the next attempt, until its start; or why there is none, and since when.
    async fn pause(
        &self,
        life: &mut Life<'_>,
        failed: &Failed,
        granted: &Granted,
        now: Duration,
    ) -> Result<Duration, (StopReason, Duration)> {
        let awaiting = self.before_sleep(life, failed, granted.wait, now);
        life.prev_delay = granted.prev_delay.map(|delay| delay.min(LONGEST_KEPT));
        if let Some(awaiting) = awaiting {
            // A panic in it changes nothing.
            let _ = awaiting.await;
        }
        // Hooks may have taken time: a wait that would now end too late is not begun.
        let now = self.now();
        if !fits(granted.wait, self.remaining(life, now)) {
            return Err((StopReason::DeadlineExceeded, now));
        }
        self.wait(life, granted.wait).await;
        let now = self.now();
        if self.remaining(life, now) == Some(Duration::ZERO) {
            return Err((StopReason::DeadlineExceeded, now));
        }
        if self.wants_abort(life) { Err((StopReason::Aborted, now)) } else { Ok(now) }
    }

    fn wants_abort(&self, life: &Life<'_>) -> bool {
        let has_predicate = self.stage.world.calls[life.call].abort_if.is_some();
        has_predicate && self.stage.ask_abort(life.call).unwrap_or(false)
    }

    fn remaining(&self, life: &Life<'_>, now: Duration) -> Option<Duration> {
        let elapsed = now - life.began;
        let of_policy = self.times(life).deadline.map(|deadline| deadline.saturating_sub(elapsed));
        let own = self.stage.world.calls[life.call].deadline.map(|deadline| match deadline {
            OwnDeadline::After(time) => time.saturating_sub(elapsed),
            OwnDeadline::At(at) => at.saturating_sub(now),
        });
        shorter(of_policy, own)
    }

    /// As much of a hint as counts.
    fn heeded(&self, life: &Life<'_>, hint: Option<Duration>) -> Option<Duration> {
        hint.map(|hint| hint.min(self.retry(life).longest_hint.unwrap_or(Duration::MAX)))
    }

    fn backoff(&self, life: &Life<'_>, failed: &Failed, now: Duration) -> Backoff {
        let told = &failed.classification;
        Backoff {
            attempt: life.attempts,
            classification: told.clone().with_retry_after(self.heeded(life, told.retry_after())),
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
