//! The gates before a retry, in their order.

use std::time::Duration;

use redress_core::strategy::Feedback;
use redress_core::{ErrorClass, SleepDecision, StopReason};

use super::{Failed, Granted, Life, Naive, fits};
use crate::stage::Planned;
use crate::world::StrategySpec;

impl Naive {
    /// A retry, or the first gate that says no; or a strategy's panic.
    pub(super) fn gates(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        now: Duration,
    ) -> Result<Granted, Result<StopReason, Planned>> {
        let class = failed.classification.class();
        self.gates_of_class(life, class).map_or(Ok(()), |reason| Err(Ok(reason)))?;
        let remaining = self.remaining(life, now);
        if remaining == Some(Duration::ZERO) {
            return Err(Ok(StopReason::DeadlineExceeded));
        }
        let retry = self.retry(life);
        let Some(strategy) = retry.own_strategy(class).or_else(|| retry.default_strategy()) else {
            return Err(Ok(StopReason::NoStrategy));
        };
        if let StrategySpec::Learner { id, .. } = strategy {
            self.stage.learn(id, Feedback::Failure(class), now);
        }
        if life.attempts >= retry.max_attempts {
            return Err(Ok(StopReason::MaxAttempts));
        }
        if failed.classification.retry_forbidden().is_some() {
            return Err(Ok(StopReason::RetryForbidden));
        }
        let hint = self.heeded(life, failed.classification.retry_after());
        let (computed, prev_delay) = self.computed(life, failed, &strategy, now).map_err(Err)?;
        let wait = computed.max(hint.filter(|_| !retry.ignores_hints).unwrap_or_default());
        // A sleep handler is called before a token is spent on a wait that does not fit.
        let is_deferred = !fits(wait, remaining);
        if is_deferred {
            match self.ask_sleep_handler(life, failed, wait, now) {
                Some(SleepDecision::Defer) => {}
                Some(SleepDecision::Abort) => return Err(Ok(StopReason::Aborted)),
                _ => {
                    life.unmet_hint.set(hint.filter(|hint| !fits(*hint, remaining)));
                    return Err(Ok(StopReason::DeadlineExceeded));
                }
            }
        }
        if let (Err(open_for), false) = (self.admits_after(wait, now), is_deferred) {
            life.shut_for.set(open_for);
            return Err(Ok(StopReason::CircuitOpen));
        }
        let Some(returns) = self.takes_token(life, class, now) else {
            return Err(Ok(StopReason::BudgetExhausted));
        };
        life.held.set(returns);
        Ok(Granted { wait, prev_delay, is_deferred })
    }

    /// The gates that come before the deadline.
    fn gates_of_class(&self, life: &Life<'_>, class: ErrorClass) -> Option<StopReason> {
        let retry = self.retry(life);
        let of_class = life.failures.iter().filter(|of| **of == class).count();
        let cap = retry.class_caps.iter().rev().find(|(of, _)| *of == class).map(|(_, cap)| *cap as usize);
        if self.wants_abort(life) {
            return Some(StopReason::Aborted);
        }
        if cap.is_some_and(|cap| of_class > cap) {
            return Some(StopReason::MaxAttemptsPerClass);
        }
        if matches!(class, ErrorClass::Auth | ErrorClass::Permission | ErrorClass::Permanent) {
            return Some(StopReason::NonRetryableClass);
        }
        let is_over = class == ErrorClass::Unknown && retry.unknown_cap.is_some_and(|cap| of_class > cap as usize);
        is_over.then_some(StopReason::MaxUnknownAttempts)
    }

    /// The strategy's delay, and the one that the next delay grows from.
    fn computed(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        strategy: &StrategySpec,
        now: Duration,
    ) -> Result<(Duration, Option<Duration>), Planned> {
        let hint = self.heeded(life, failed.classification.retry_after()).filter(|hint| !hint.is_zero());
        let computed = match strategy {
            StrategySpec::Fixed(delay) => *delay,
            StrategySpec::Hinted { or } => hint.unwrap_or(*or),
            asked => self.stage.delay(asked, self.backoff(life, failed, now))?,
        };
        // A wait that was read from a hint is not what the next delay grows from.
        let reads_hint = hint.is_some() && matches!(strategy, StrategySpec::Hinted { .. });
        Ok((computed, if reads_hint { life.prev_delay } else { Some(computed) }))
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

    /// Takes the price of a retry; what comes back of it if the retry does not start.
    fn takes_token(&self, life: &Life<'_>, class: ErrorClass, failed_at: Duration) -> Option<u64> {
        let (Some(budget), Some(account)) = (self.retry(life).budget, &self.account) else { return Some(0) };
        let now = if budget.own_clock { self.now() } else { failed_at };
        let priority = self.stage.world.calls[life.call].priority;
        account.lock().expect("whole").take(class, priority, now)
    }

    /// What may still end a call whose retry was granted and announced.
    pub(super) fn objection(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        granted: &Granted,
        now: Duration,
    ) -> Option<StopReason> {
        if self.wants_abort(life) {
            return Some(StopReason::Aborted);
        }
        if granted.is_deferred {
            return Some(StopReason::Scheduled);
        }
        match self.ask_sleep_handler(life, failed, granted.wait, now)? {
            SleepDecision::Defer => Some(StopReason::Scheduled),
            SleepDecision::Abort => Some(StopReason::Aborted),
            _ => None,
        }
    }
}
