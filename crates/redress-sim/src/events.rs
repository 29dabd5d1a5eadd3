//! What happens when: the queue of events, in the order of time and, within an instant, of their
//! scheduling.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::clock::Nanos;

/// A call: its place in memory, and a number that tells it from earlier calls in that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    pub(crate) slot: u32,
    pub(crate) serial: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A call of the open loop arrives.
    Arrives,
    /// A user of the closed loop has thought enough.
    Returns { user: u32 },
    /// A wait or a timeout of a call may be over.
    Wakes(CallId),
    /// A worker has ended a request, unless it has lost it.
    Served { shard: u32, worker: u32, serial: u32 },
    /// Workers stop or start.
    Restarts,
}

#[derive(Debug, Default)]
pub(crate) struct Events {
    heap: BinaryHeap<Scheduled>,
    scheduled: u64,
}

#[derive(Debug)]
struct Scheduled {
    at: Nanos,
    order: u64,
    event: Event,
}

impl Events {
    pub(crate) fn schedule(&mut self, at: Nanos, event: Event) {
        self.scheduled += 1;
        self.heap.push(Scheduled { at, order: self.scheduled, event });
    }

    /// Takes the next event that happens before `horizon`.
    pub(crate) fn pop_before(&mut self, horizon: Nanos) -> Option<(Nanos, Event)> {
        let next = self.heap.pop()?;
        (next.at < horizon).then_some((next.at, next.event))
    }

    /// How many events were scheduled so far.
    pub(crate) const fn scheduled(&self) -> u64 {
        self.scheduled
    }
}

impl Ord for Scheduled {
    /// The greatest is the next one, because the heap returns its maximum.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}
