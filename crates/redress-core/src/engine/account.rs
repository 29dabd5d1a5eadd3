//! A call and its budget: a success pays in, and the price of a retry that does not start comes back.

use super::flags::Flags;
use super::gates::Granted;
use super::run::Run;
use super::state::RunState;
use crate::budget::Priority;

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
        if PLAIN { Priority::Normal } else { self.call.map_or(Priority::Normal, |call| call.priority()) }
    }

    /// Counts the success of the call, if it pays into a budget.
    pub(super) fn earn(&self) {
        if let (true, Some(budget)) = (self.state.flags.has(Flags::EARNS), &self.plan.budget) {
            budget.deposit();
        }
    }

    /// Gives back the price of the retry that the last failure asked for, if it `returns`.
    pub(super) fn give_back(&self, returns: bool) {
        if let (true, Some(budget), Some(class)) = (returns, &self.plan.budget, self.state.last_class) {
            budget.give_back(class);
        }
    }

    /// Gives back the price of the next attempt, if the call holds it.
    pub(super) fn give_back_held(&mut self) {
        self.give_back(self.state.flags.has(Flags::HOLDS_TOKENS));
        self.state.spend_tokens();
    }
}
