//! How a call of the model ends: its last events, its report, and what its caller receives.

use std::time::Duration;

use redress_core::breaker::Report;
use redress_core::error::Failure;
use redress_core::observe::AttemptDecision;
use redress_core::strategy::Feedback;
use redress_core::{ErrorClass, EventName, StopReason};

use super::admission::Heard;
use super::{Failed, LONGEST_KEPT, Life, Naive};
use crate::breaker::Rejected;
use crate::note::{Ending, Outcome, Refused};
use crate::world::{RetrySpec, StrategySpec, Value, Way};

impl Naive {
    /// The attempt that began at `starts` succeeded.
    pub(super) fn succeed(
        &self,
        mut life: Life<'_>,
        value: Value,
        starts: Duration,
        took: Option<Duration>,
        now: Duration,
    ) -> Ending {
        let began = if self.judges_attempts() { starts } else { life.began };
        self.count_success(&mut life, began);
        if let (Some(account), Some(_)) = (&self.account, self.retry(&life).budget) {
            account.lock().expect("whole").succeed();
        }
        for id in learners(self.retry(&life)) {
            self.stage.learn(id, Feedback::Success, now);
        }
        self.tell_end(&life, AttemptDecision::Success, now, None, None, None);
        let event = self.event_of_attempt(EventName::Success, &life);
        self.tell_last(&mut life, event, now);
        self.settle(&mut life, Report::Success, Heard { took, hint: None }, now);
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

    /// The breaker rejected the call.
    pub(super) fn reject(&self, mut life: Life<'_>, rejection: Rejected) -> Ending {
        life.has_ended = true;
        life.timeline = None;
        self.tell_rejected(&life, rejection);
        let outcome = outcome(&life, StopReason::CircuitOpen, life.began);
        self.ending(&life, Outcome { rejection: Some(rejection), retry_in: rejection.1, ..outcome })
    }

    /// The operation aborted the call. This is not a failure, so the previous one stays the last,
    /// except that an aborting value replaces it.
    pub(super) fn abort_by_operation(&self, mut life: Life<'_>, failed: Failed, now: Duration) -> Ending {
        self.tell_end(&life, AttemptDecision::Aborted, now, None, Some(StopReason::Aborted), None);
        let mut event = self.event_of_attempt(EventName::Aborted, &life);
        event.stop_reason = Some(StopReason::Aborted);
        self.tell_last(&mut life, event, now);
        let mut outcome = outcome(&life, StopReason::Aborted, now);
        match failed.failure {
            Failure::Error(error) => outcome.abort_error = Some(error),
            value => outcome.last_failure = Some(value),
        }
        self.ending(&life, outcome)
    }

    /// The call ends without success: one terminal event, and one report unless it was aborted.
    pub(super) fn stop(
        &self,
        mut life: Life<'_>,
        reason: StopReason,
        failed: Option<&Failed>,
        heard: Heard,
        now: Duration,
    ) -> Ending {
        let outcome_so_far = outcome(&life, reason, now);
        let mut event = if reason == StopReason::Aborted {
            self.event_of_attempt(reason.event(), &life)
        } else {
            self.event_of_failure(reason.event(), &life, failed)
        };
        event.delay = outcome_so_far.next_delay.unwrap_or_default();
        event.stop_reason = Some(reason);
        if reason == StopReason::CircuitOpen {
            (event.state, event.retry_in) = (self.state_of_breaker(), life.shut_for.get());
        }
        self.tell_last(&mut life, event, now);
        match life.last.as_ref().map(|last| last.classification.class()) {
            Some(class) if reason != StopReason::Aborted => self.settle(&mut life, Report::Failure(class), heard, now),
            _ => self.release(&mut life, None, now),
        }
        let outcome = Outcome { timeline: life.timeline.clone(), ..outcome_so_far };
        self.ending(&life, outcome)
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
        retry_in: life
            .deferred
            .or_else(|| life.unmet_hint.get().or_else(|| life.shut_for.get()))
            .map(|wait| wait.min(LONGEST_KEPT)),
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
    if let Some((state, retry_in)) = outcome.rejection {
        return Err(Refused::CircuitOpen(state, retry_in));
    }
    Err(match (stop_reason, last_error) {
        (StopReason::Aborted, last_error) => Refused::Aborted { attempts, last_class, cause, last_error, abort_error },
        (_, Some(error)) if stop_reason != StopReason::Scheduled => {
            Refused::Failed { error, stop_reason, attempts, last_class, retry_in }
        }
        (_, last_error) => Refused::Exhausted { stop_reason, attempts, last_class, cause, last_error, retry_in },
    })
}

/// The objects that learn, each once, in the order of the first class that each serves.
fn learners(retry: &RetrySpec) -> Vec<u8> {
    let of_class = |class| retry.own_strategy(class).or_else(|| retry.default_strategy());
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
