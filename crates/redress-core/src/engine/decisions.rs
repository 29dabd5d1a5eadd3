//! What the gate that ended a call compared: one function for each gate whose numbers take more
//! than a field to find.
//!
//! A gate only says no. The numbers are looked up once, when the summary or the terminal event is
//! made, so a call that succeeds does no work for them and carries one byte.

use std::time::Instant;

use super::flags::Flags;
use super::run::Run;
use super::state::Wait;
use crate::breaker::BreakerChoice;
use crate::classify::class::ErrorClass;
use crate::deadline::CallDeadline;
use crate::drive::clock::nanos;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::decision::{DeadlineOf, Decision, Gate};
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// What the stop reason does not tell about the end of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// A gate after a failure.
    #[default]
    Gate,
    /// A gate before an attempt.
    Start,
    /// The wait that did not fit the deadline.
    Wait,
    /// The same, after hooks that took time.
    Hooks,
    /// The operation or the classifier.
    Operation,
    /// The sleep handler.
    SleepHandler,
}

/// A deadline on the time scale of the whole call, all deliveries of a resumed one included.
#[derive(Clone, Copy)]
struct Binding {
    /// Nanoseconds after the start of the call.
    limit: u64,
    /// How long before the start of this delivery it passed, if it did.
    passed_before: u64,
    owner: DeadlineOf,
}

impl Binding {
    const NONE: Self = Self::of_policy(u64::MAX);

    const fn of_policy(limit: u64) -> Self {
        Self { limit, passed_before: 0, owner: DeadlineOf::Policy }
    }

    const fn is_before(self, other: Self) -> bool {
        self.limit < other.limit || (self.limit == other.limit && self.passed_before > other.passed_before)
    }
}

impl Run<'_> {
    /// What the gate compared that ended the call for this reason at `now`.
    #[inline]
    pub(super) fn decision(&self, reason: StopReason, now: Instant) -> Decision {
        match reason {
            StopReason::MaxAttempts => self.attempts_decision(),
            StopReason::MaxAttemptsPerClass => self.class_decision(),
            StopReason::MaxUnknownAttempts => self.unknown_decision(),
            StopReason::NonRetryableClass => Decision::bare(Gate::Class),
            StopReason::NoStrategy => Decision::bare(Gate::Strategy),
            StopReason::RetryForbidden => Decision::bare(Gate::Forbidden),
            StopReason::DeadlineExceeded => self.deadline_decision(now),
            StopReason::BudgetExhausted => self.budget_decision(),
            StopReason::Scheduled => Decision::measured(Gate::Deferral, nanos(self.wait())),
            StopReason::Aborted => Decision::bare(self.abort_gate()),
            StopReason::CircuitOpen => self.circuit_decision(),
        }
    }

    #[inline]
    fn attempts_decision(&self) -> Decision {
        if self.is_single() && self.state.attempts < self.plan.max_attempts {
            return Decision::bare(Gate::Nested);
        }
        let made = match self.state.ended_by {
            // A resumed call counts no more attempts than are allowed now, but made those of its
            // token.
            EndedBy::Start => self.resumed().map_or(0, |token| token.attempts).max(self.state.attempts),
            _ => self.state.attempts,
        };
        Decision::compared(Gate::MaxAttempts, u64::from(self.plan.max_attempts), u64::from(made))
    }

    fn class_decision(&self) -> Decision {
        let class = self.state.last_class.unwrap_or(ErrorClass::Unknown);
        // The failures of a class that is never retried are not counted: the first one ends the
        // call.
        let failures = self.state.failures.of(class).max(1);
        Decision::compared(Gate::ClassRetries, u64::from(self.plan.class_caps[class]), u64::from(failures))
    }

    fn unknown_decision(&self) -> Decision {
        let failures = self.state.failures.of(ErrorClass::Unknown);
        Decision::compared(Gate::UnknownRetries, u64::from(self.plan.unknown_cap), u64::from(failures))
    }

    /// A budget refuses when all its retries are taken, or when its balance does not pay for one.
    fn budget_decision(&self) -> Decision {
        let Some(budget) = &self.plan.budget else { return Decision::bare(Gate::Budget) };
        match budget.capacity_to_grant(self.price_class(budget), self.priority::<false>()) {
            Some((capacity, needed)) => Decision::compared(Gate::EarnedBudget, capacity, needed),
            None => {
                let limit = budget.capacity() as u64;
                Decision::compared(Gate::Budget, limit, limit + 1)
            }
        }
    }

    fn abort_gate(&self) -> Gate {
        match self.state.ended_by {
            EndedBy::Operation => Gate::OperationAbort,
            EndedBy::SleepHandler => Gate::SleepHandlerAbort,
            _ => Gate::CallerAbort,
        }
    }

    /// The breaker's wait, and how much of it has passed, as far as the breaker tells them.
    pub(super) fn circuit_decision(&self) -> Decision {
        let state = self.rejected_state();
        let is_forced = self.state.flags.has(Flags::REJECTED_BY_FORCE);
        let mut rejection = CircuitOpenError::new(state, self.state.wait.get()).forced_if(is_forced);
        if let Some(BreakerChoice::Circuit(breaker)) = &self.plan.breaker {
            rejection = rejection.open_for(breaker.fixed_open_wait());
        }
        rejection.decision()
    }

    /// The deadline that ended the call, and the time from the start of the call at which the next
    /// attempt would have begun.
    #[cold]
    #[inline(never)]
    fn deadline_decision(&self, now: Instant) -> Decision {
        let (gate, wait) = match self.state.ended_by {
            EndedBy::Wait => (Gate::DeadlineWait, self.state.prev_delay.nanos()),
            EndedBy::Hooks => (Gate::DeadlineAfterHooks, self.state.prev_delay.nanos()),
            EndedBy::Gate if self.state.cause == Some(Cause::Timeout) => (Gate::DeadlineCut, 0),
            EndedBy::Gate => (Gate::Deadline, 0),
            _ => (Gate::DeadlineAtStart, 0),
        };
        let Binding { limit, passed_before, owner } = self.binding_deadline();
        if gate == Gate::DeadlineCut {
            return Decision::limited(gate, limit).of(owner);
        }
        let begins = nanos(self.elapsed(now)).saturating_add(wait).saturating_add(passed_before);
        Decision::compared(gate, limit, begins).of(owner)
    }

    /// The earliest deadline of the call.
    fn binding_deadline(&self) -> Binding {
        let mut earliest = self.plan.deadline.map_or(Binding::NONE, |deadline| Binding::of_policy(nanos(deadline)));
        let of_call = self.call.iter().flat_map(|call| call.deadlines());
        let inherited = self.state.observers.inherited().map(CallDeadline::At);
        let others = of_call.map(|deadline| (deadline, DeadlineOf::Call));
        for (deadline, owner) in others.chain(inherited.map(|deadline| (deadline, DeadlineOf::Outer))) {
            let other = self.binding(deadline, owner);
            if other.is_before(earliest) {
                earliest = other;
            }
        }
        earliest
    }

    fn binding(&self, deadline: CallDeadline, owner: DeadlineOf) -> Binding {
        let before = self.resumed().map_or(0, |token| nanos(token.elapsed));
        let (time, passed_before) = match (deadline, self.state.started) {
            (CallDeadline::After(time), _) => (nanos(time), 0),
            (CallDeadline::At(_), None) => (0, 0),
            (CallDeadline::At(deadline), Some(started)) => {
                (nanos(deadline.left(started)), nanos(deadline.passed(started)))
            }
        };
        Binding { limit: before.saturating_add(time), passed_before, owner }
    }

    /// The time limit that cut the failed attempt, if it was cut and the call goes on.
    pub(super) fn cut_decision(&self, cause: Cause) -> Option<Decision> {
        let limit = self.plan.attempt_timeout.filter(|_| cause == Cause::Timeout)?;
        Some(Decision::limited(Gate::AttemptTimeout, nanos(limit)))
    }

    /// Records what ended the call beside its stop reason. `compared` is the wait that did not fit.
    ///
    /// The last delay of the strategy has no use after the end of a call that is not deferred, so
    /// its place holds the wait.
    #[inline]
    pub(super) fn note_end(&mut self, ended_by: EndedBy, compared: Wait) {
        self.state.ended_by = ended_by;
        self.state.prev_delay = compared;
    }
}
