//! What happens when: the queue of events, in the order of time and, within an instant, of their
//! scheduling. Each world has events of its own.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::clock::Nanos;

/// A call: its place in memory, and a number that tells it from earlier calls in that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    pub(crate) slot: u32,
    pub(crate) serial: u32,
}

/// The events that have not happened, in slots of about a millisecond. Only those of the present
/// slot are in order: a heap of all of them, a million or more, does not fit into a cache.
#[derive(Debug)]
pub(crate) struct Events<E> {
    /// Those of the present slot, and of earlier ones.
    present: BinaryHeap<Scheduled<E>>,
    slot: u64,
    /// Those of the next slots, each at its number modulo their count.
    next: Vec<Vec<Scheduled<E>>>,
    in_next: usize,
    /// Those of later slots.
    later: BinaryHeap<Scheduled<E>>,
    scheduled: u64,
}

/// How many slots are kept apart: a minute.
const SLOTS: u64 = 1 << 16;

/// The slot of an instant.
const fn slot_of(at: Nanos) -> u64 {
    at >> 20
}

#[derive(Debug)]
struct Scheduled<E> {
    at: Nanos,
    order: u64,
    event: E,
}

impl<E> Default for Events<E> {
    fn default() -> Self {
        Self { next: std::iter::repeat_with(Vec::new).take(SLOTS as usize).collect(), ..Self::sparse() }
    }
}

impl<E> Events<E> {
    /// For worlds with few events at a time over a long time: one heap, because most slots would be
    /// empty.
    pub(crate) const fn sparse() -> Self {
        Self {
            present: BinaryHeap::new(),
            slot: 0,
            next: Vec::new(),
            in_next: 0,
            later: BinaryHeap::new(),
            scheduled: 0,
        }
    }

    pub(crate) fn schedule(&mut self, at: Nanos, event: E) {
        self.scheduled += 1;
        let scheduled = Scheduled { at, order: self.scheduled, event };
        let slot = slot_of(at);
        if slot <= self.slot || self.next.is_empty() {
            self.present.push(scheduled);
        } else if slot - self.slot < SLOTS {
            self.next[(slot % SLOTS) as usize].push(scheduled);
            self.in_next += 1;
        } else {
            self.later.push(scheduled);
        }
    }

    /// Takes the next event that happens before `horizon`.
    pub(crate) fn pop_before(&mut self, horizon: Nanos) -> Option<(Nanos, E)> {
        while self.present.is_empty() {
            self.advance()?;
        }
        let next = self.present.pop()?;
        (next.at < horizon).then_some((next.at, next.event))
    }

    /// Goes to the next slot that may have events. `None` if there is none.
    fn advance(&mut self) -> Option<()> {
        let first_later = self.later.peek().map(|first| slot_of(first.at));
        self.slot = if self.in_next > 0 { self.slot + 1 } else { first_later? };
        let slot = std::mem::take(&mut self.next[(self.slot % SLOTS) as usize]);
        self.in_next -= slot.len();
        self.present = BinaryHeap::from(slot);
        while self.later.peek().is_some_and(|first| slot_of(first.at) <= self.slot) {
            self.present.extend(self.later.pop());
        }
        Some(())
    }

    /// How many events were scheduled so far.
    pub(crate) const fn scheduled(&self) -> u64 {
        self.scheduled
    }
}

impl<E> Ord for Scheduled<E> {
    /// The greatest is the next one, because the heap returns its maximum.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Scheduled<E> {}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::Events;

    #[test]
    fn events_come_in_the_order_of_time_and_then_of_scheduling() {
        check_order(Events::default());
        check_order(Events::sparse());
    }

    /// Times that fall into the present slot, the next ones and later ones, some of them equal.
    fn check_order(mut events: Events<u32>) {
        let mut rng = Rng::with_seed(1);
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        let mut now = 0;
        for user in 0..20_000 {
            let after = [0, 5, 3 << 20, 40 << 20, 900 << 20, 70_000 << 20][rng.usize(..6)];
            let at = now + rng.u64(..=after);
            events.schedule(at, user);
            expected.push((at, user));
            if user % 2 == 0 {
                let Some((at, user)) = events.pop_before(u64::MAX) else { panic!("there are some") };
                assert!(at >= now);
                now = at;
                found.push((at, user));
            }
        }
        while let Some((at, user)) = events.pop_before(u64::MAX) {
            found.push((at, user));
        }
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(events.scheduled(), 20_000);
    }

    #[test]
    fn nothing_happens_at_the_horizon() {
        let mut events = Events::default();
        events.schedule(7, 'a');
        events.schedule(8, 'b');
        assert!(events.pop_before(8).is_some() && events.pop_before(8).is_none());
    }
}
