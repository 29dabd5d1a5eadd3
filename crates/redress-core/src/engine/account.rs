//! A call and its budget: a success pays in, and the price of a retry that does not start comes
//! back.

use std::time::Instant;

use super::flags::Flags;
use super::gates::Granted;
use super::run::Run;
use super::state::RunState;
use crate::budget::earned::Answer;
use crate::budget::{Budget, Priority};
use crate::classify::class::ErrorClass;
use crate::policy::settings::CallSettings;

impl Granted {
    /// The same without the price, which has come back.
    pub(super) const fn unpaid(self) -> Self {
        Self { returns: false, ..self }
    }
}

impl RunState {
    /// Spends the price of the attempt that starts now.
    #[inline]
    pub(super) const fn spend_tokens(&mut self) {
        self.flags = self.flags.without(Flags::HOLDS_TOKENS);
    }
}

impl Run<'_> {
    /// The priority of the call. A `PLAIN` call has no settings.
    #[inline]
    pub(super) fn priority<const PLAIN: bool>(&self) -> Priority {
        if PLAIN { Priority::Normal } else { self.call.map_or(Priority::Normal, CallSettings::priority) }
    }

    /// Pays for the first attempt of a call that was deferred, which is a retry. Its deferral gave
    /// the price back to an earned budget, and kept it in a rolling window. Returns `false` if the
    /// budget refuses.
    pub(super) fn pay_again(&mut self, now: Instant) -> bool {
        let goes_on = self.state.flags.has(Flags::EARNS) && self.state.attempts > 0;
        let Some(budget) = self.plan.budget.as_ref().filter(|_| goes_on) else { return true };
        match budget.withdraw_at(now, self.price_class(budget), self.priority::<false>()) {
            Answer::Refused => return false,
            Answer::Granted => self.state.flags = self.state.flags.with(Flags::HOLDS_TOKENS),
            Answer::GrantedByChance => {}
        }
        true
    }

    /// Gives back the price of a retry, if it `returns`.
    pub(super) fn give_back(&self, returns: bool) {
        if let (true, Some(budget)) = (returns, &self.plan.budget) {
            budget.give_back(self.price_class(budget));
        }
    }

    /// The class whose price the next attempt has: that of the last failure. A call that goes on
    /// does not know it, so of the classes in which it has failed, the dearest.
    pub(super) fn price_class(&self, budget: &Budget) -> ErrorClass {
        let has_failed = |class: &ErrorClass| self.state.failures.of(*class) > 0;
        let dearest = || ErrorClass::ALL.iter().copied().filter(has_failed).max_by_key(|class| budget.cost_of(*class));
        self.state.last_class.or_else(dearest).unwrap_or(ErrorClass::Unknown)
    }

    /// Gives back the price of the next attempt, if the call holds it.
    pub(super) fn give_back_held(&mut self) {
        self.give_back(self.state.flags.has(Flags::HOLDS_TOKENS));
        self.state.spend_tokens();
    }
}
