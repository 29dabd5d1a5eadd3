//! Timelines, of single calls and shared by concurrent calls, and their checks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redress_core::{RetryOutcome, RetryTimeline, StopReason};
use redress_proof::{Law, Laws, Record};

use crate::call::Census;

/// The number of calls that share one timeline, which only grows and must be dropped in the end.
const SHARERS: u32 = 64;

/// The place where a call records its timeline.
pub(crate) enum Recording {
    /// Nowhere, or in a context whose setting the call does not know.
    Nowhere,
    Alone,
    Shared(Arc<SharedTimeline>),
}

impl Recording {
    /// Checks the timeline of a call that ended with this outcome. A rejected call has none.
    pub(crate) fn check<T, E>(&self, outcome: &RetryOutcome<T, E>, record: &Record, census: &Census) {
        let is_expected = !matches!(self, Self::Nowhere) && outcome.stop_reason() != Some(StopReason::CircuitOpen);
        let timeline = outcome.timeline();
        census.laws.require(Law::Timelines, timeline.is_some() == is_expected, || format!("{timeline:?}, {record:?}"));
        if let (Self::Alone, Some(timeline)) = (self, timeline) {
            // A wild clock may step back.
            let at = |elapsed| if census.terms.wild { Duration::ZERO } else { elapsed };
            let events = timeline.events();
            let entries: Vec<_> = events.iter().map(|entry| (entry.event, entry.attempt, at(entry.elapsed))).collect();
            record.check_timeline(&entries, census.laws);
        }
    }

    /// Notes the end of a call. A rejected call records nothing; a cancelled one records that.
    pub(crate) fn ended(&self, reason: Option<StopReason>) {
        if let (Self::Shared(shared), true) = (self, reason == Some(StopReason::CircuitOpen)) {
            shared.rejected.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A timeline that several calls record into. It is checked after the last of them.
pub(crate) struct SharedTimeline {
    pub(crate) timeline: RetryTimeline,
    calls: AtomicU64,
    rejected: AtomicU64,
    laws: &'static Laws,
}

impl Drop for SharedTimeline {
    fn drop(&mut self) {
        let told = self.timeline.events().iter().filter(|entry| entry.event.is_terminal()).count() as u64;
        let recorded = self.calls.load(Ordering::Relaxed) - self.rejected.load(Ordering::Relaxed);
        self.laws.balance(Law::Timelines, "a shared one", ("ends recorded", told), ("calls not rejected", recorded));
    }
}

/// Hands out shared timelines, each to a limited number of calls.
pub(crate) struct Timelines {
    current: Mutex<Option<(Arc<SharedTimeline>, u32)>>,
    laws: &'static Laws,
}

impl Timelines {
    pub(crate) const fn new(laws: &'static Laws) -> Self {
        Self { current: Mutex::new(None), laws }
    }

    /// The current timeline, for a call that is about to start.
    pub(crate) fn share(&self) -> Arc<SharedTimeline> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (shared, calls) = current.take().filter(|(_, calls)| *calls < SHARERS).unwrap_or_else(|| {
            let (timeline, laws) = (RetryTimeline::new(), self.laws);
            (Arc::new(SharedTimeline { timeline, calls: AtomicU64::new(0), rejected: AtomicU64::new(0), laws }), 0)
        });
        shared.calls.fetch_add(1, Ordering::Relaxed);
        *current = Some((Arc::clone(&shared), calls + 1));
        shared
    }

    /// Releases the last timeline after the storm, which checks it.
    pub(crate) fn settle(&self) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
