//! Timelines, of single calls and shared by concurrent calls, and their checks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redress_core::observe::TimelineEvent;
use redress_core::{RetryOutcome, RetryTimeline, StopReason};

use crate::census::{Census, terminal_of};
use crate::law::{Law, Laws};

/// The number of calls that share one timeline, which only grows and must be dropped in the end.
const SHARERS: u32 = 64;

/// The place where a call records its timeline.
pub(crate) enum Recording {
    Nowhere,
    Alone,
    Shared(Arc<SharedTimeline>),
}

impl Recording {
    /// Checks the timeline of a call that ended with this outcome.
    pub(crate) fn check<T, E>(&self, outcome: &RetryOutcome<T, E>, census: &Census) {
        let reason = outcome.stop_reason();
        let recorded = match (self, outcome.timeline()) {
            (Self::Nowhere, timeline) => timeline.is_none(),
            (_, timeline) if reason == Some(StopReason::CircuitOpen) => timeline.is_none(),
            (Self::Alone, Some(timeline)) => tells(&timeline.events(), reason, census.terms.wild),
            (Self::Shared(_), timeline) => timeline.is_some(),
            (Self::Alone, None) => false,
        };
        census.laws.require(Law::Timelines, recorded, || {
            format!("{}: {reason:?}, timeline {:?}", census.terms.name, outcome.timeline())
        });
        self.ended(reason);
    }

    /// Notes the end of a call. A rejected call records nothing; a cancelled one records that.
    pub(crate) fn ended(&self, reason: Option<StopReason>) {
        if let (Self::Shared(shared), true) = (self, reason == Some(StopReason::CircuitOpen)) {
            shared.rejected.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether there is one terminal event, for this reason, after all others. On a wild clock, time
/// may step back.
fn tells(events: &[TimelineEvent], reason: Option<StopReason>, wild: bool) -> bool {
    let in_order = events
        .windows(2)
        .all(|pair| (wild || pair[0].elapsed <= pair[1].elapsed) && pair[0].attempt <= pair[1].attempt);
    let ends = events.last().is_some_and(|last| last.event == terminal_of(reason));
    in_order && ends && terminals(events) == 1
}

fn terminals(events: &[TimelineEvent]) -> usize {
    events.iter().filter(|event| event.event.is_terminal()).count()
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
        let told = terminals(&self.timeline.events()) as u64;
        let recorded = self.calls.load(Ordering::Relaxed) - self.rejected.load(Ordering::Relaxed);
        self.laws.balance(Law::Timelines, "a shared one", ("ends recorded", told), ("calls not rejected", recorded));
    }
}

/// Hands out shared timelines, each to a limited number of calls.
pub(crate) struct Timelines {
    current: Mutex<(Arc<SharedTimeline>, u32)>,
    laws: &'static Laws,
}

impl Timelines {
    pub(crate) fn new(laws: &'static Laws) -> Self {
        Self { current: Mutex::new((fresh(laws), 0)), laws }
    }

    /// The current timeline, for a call that is about to start.
    pub(crate) fn share(&self) -> Arc<SharedTimeline> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1 == SHARERS {
            *current = (fresh(self.laws), 0);
        }
        current.1 += 1;
        current.0.calls.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&current.0)
    }

    /// Releases the last timeline after the storm, which checks it.
    pub(crate) fn settle(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = (fresh(self.laws), 0);
    }
}

fn fresh(laws: &'static Laws) -> Arc<SharedTimeline> {
    let (calls, rejected) = (AtomicU64::new(0), AtomicU64::new(0));
    Arc::new(SharedTimeline { timeline: RetryTimeline::new(), calls, rejected, laws })
}
