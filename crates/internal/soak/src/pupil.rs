//! A strategy that wraps another: it counts the results it learns from, and panics when told to.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use redress_core::error::ConfigIssue;
use redress_core::strategy::{BackoffContext, Feedback, Strategy};

use crate::census::Census;
use crate::dice::SPOILER;
use crate::panics;

/// A slot for the census of a strategy's policies, which is made after the strategy.
pub(crate) type CensusSlot = OnceLock<&'static Census>;

pub(crate) struct Pupil<S> {
    pub(crate) inner: S,
    pub(crate) census: &'static CensusSlot,
}

impl<S: Strategy> Strategy for Pupil<S> {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        if context.classification.retry_after() == Some(SPOILER) {
            if let Some(census) = self.census.get() {
                census.spoilt.add_one();
            }
            panics::throw();
        }
        self.inner.delay(context)
    }

    fn learns(&self) -> bool {
        self.inner.learns()
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        if let (Feedback::Success, Some(census)) = (feedback, self.census.get()) {
            census.learned.add_one();
        }
        self.inner.learn(feedback, now);
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        self.inner.issues()
    }
}
