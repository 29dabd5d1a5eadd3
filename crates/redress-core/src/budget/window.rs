//! The rolling window of breaker and budget: the exact instants of the last N events.
//!
//! To decide whether N events fall within a span, the last N of them suffice. The window takes N
//! ticks of memory, allocated when it is created, and records an event in constant time.

mod resize;

use self::resize::Gone;

/// The last N events. Stores when each event happened, not when it expires: an expiry near
/// `u64::MAX` would overflow, and the event would expire too early.
///
/// The ring is written at `next`. The slots before it that are not free hold the events, in order.
///
/// An event exactly one span old has expired. An event with an earlier tick than the previous event
/// counts as simultaneous with it, so a clock that steps back makes events expire later, never
/// sooner.
///
/// The exception is a clock that never returns to the latest event. A reading more than one span
/// behind that event puts the event in doubt, and later readings settle it. A reading that is not
/// so far behind confirms the event. A reading a whole span after the doubt began, and still so far
/// behind, refutes it: the window then drops every event from before the doubt, since all of them
/// are at least one span old by the readings since. So the window follows the clock again one span
/// after a reading too far ahead, and a single stale reading has no effect.
///
/// Only the plain case is inlined: a reading no earlier than the latest event, while nothing is in
/// doubt. One comparison detects it, because `latest` is [`u64::MAX`] during a doubt.
#[derive(Debug)]
pub(crate) struct RollingWindow {
    events: Box<[u64]>,
    next: usize,
    /// How many slots hold no event.
    free: usize,
    /// The tick of the latest event; 0 without one, [`u64::MAX`] during a doubt.
    latest: u64,
    span: u64,
    /// Bounds of the ticks of events that the ring no longer has; see `resize`.
    gone: Gone,
    doubt: Option<Doubt>,
}

/// A doubt about the latest event, which is more than one span later than every reading since.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The tick of that event.
    about: u64,
    /// The first of those readings.
    since: u64,
    /// The tick of the latest event since then, or `since`.
    latest: u64,
    /// How many events of the ring were recorded since then. They keep their own ticks until the
    /// doubt is settled.
    events: usize,
}

impl RollingWindow {
    pub(crate) fn new(capacity: u32, span: u64) -> Self {
        // The system provides zeroed memory lazily, so a large window costs only the part in use.
        let events = vec![0; capacity as usize].into_boxed_slice();
        let free = events.len();
        Self { events, next: 0, free, latest: 0, span, gone: Gone::default(), doubt: None }
    }

    /// Records an event if it fits: no more than N within the span.
    #[inline]
    pub(crate) fn take(&mut self, now: u64) -> bool {
        if !self.is_plain(now) {
            return self.take_several(now, 1);
        }
        // A ring without slots has no room.
        let Some(slot) = self.events.get_mut(self.next) else { return false };
        if self.free > 0 {
            self.free -= 1;
        } else if now.wrapping_sub(*slot) < self.span {
            // In a full ring the next slot holds the oldest event, which is no later than the
            // latest, and so no later than `now`.
            return false;
        }
        *slot = now;
        self.latest = now;
        self.next = self.after_next();
        true
    }

    /// Records `several` events if all fit, otherwise none.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_several(&mut self, now: u64, several: usize) -> bool {
        let fits = self.has_room_for(now, several);
        if fits {
            for _ in 0..several {
                self.push(now);
            }
        }
        fits
    }

    /// Records an event, dropping the oldest if the ring is full. Returns whether the window is
    /// full.
    #[inline]
    pub(crate) fn record(&mut self, now: u64) -> bool {
        if !self.is_plain(now) {
            return self.record_with_care(now);
        }
        let Some(slot) = self.events.get_mut(self.next) else { return true };
        *slot = now;
        self.latest = now;
        self.next = self.after_next();
        if self.free > 0 {
            self.free -= 1;
            if self.free > 0 {
                return false;
            }
        }
        self.events.get(self.next).is_none_or(|oldest| now.wrapping_sub(*oldest) < self.span)
    }

    #[cold]
    #[inline(never)]
    fn record_with_care(&mut self, now: u64) -> bool {
        self.observe(now);
        self.push(now);
        !self.has_room_for(now, 1)
    }

    /// How many events are within the span. Takes O(log N) time.
    pub(crate) fn live(&mut self, now: u64) -> usize {
        self.observe(now);
        let (mut low, mut high) = (0, self.filled());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.has_expired(self.nth_oldest(middle), now) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.filled() - low
    }

    pub(crate) fn clear(&mut self) {
        self.free = self.events.len();
        self.latest = 0;
        self.gone = Gone::default();
        self.doubt = None;
    }

    /// Whether nothing is in doubt and the reading is no earlier than the latest event. The last
    /// tick, which the next one wraps around, is never plain.
    #[inline]
    const fn is_plain(&self, now: u64) -> bool {
        now.wrapping_add(1) > self.latest
    }

    fn has_room_for(&mut self, now: u64, more: usize) -> bool {
        self.observe(now);
        let capacity = self.events.len();
        if more > capacity {
            return false;
        }
        match more.checked_sub(self.free + 1) {
            None => true,
            Some(index) => self.has_expired(self.nth_oldest(index), now),
        }
    }

    /// Records an event at a reading that [`observe`](Self::observe) has seen.
    fn push(&mut self, now: u64) {
        let capacity = self.events.len();
        let Some(slot) = self.events.get_mut(self.next) else { return };
        let latest = match &mut self.doubt {
            None => &mut self.latest,
            Some(doubt) => {
                doubt.events = capacity.min(doubt.events + 1);
                &mut doubt.latest
            }
        };
        *latest = (*latest).max(now);
        *slot = *latest;
        self.next = self.after_next();
        self.free = self.free.saturating_sub(1);
    }

    /// Raises or settles the doubt about the latest event. During a doubt no event recorded since
    /// it began has expired, and the events from before it expire oldest first, so the ring stays
    /// in the order in which events expire.
    fn observe(&mut self, now: u64) {
        match self.doubt {
            None if !self.is_far_behind(now, self.latest) => {}
            Some(doubt) if !self.is_far_behind(now, doubt.about) => self.confirm(),
            Some(doubt) if self.has_expired(doubt.since, now) => {
                self.free = self.events.len() - doubt.events;
                self.latest = if doubt.events == 0 { 0 } else { doubt.latest };
                self.doubt = None;
            }
            Some(doubt) if !self.is_far_behind(now, doubt.latest) => {}
            // A first doubt, or a reading so far behind that it also puts the readings of the
            // present doubt in doubt.
            _ => {
                self.confirm();
                self.doubt = Some(Doubt { about: self.latest, since: now, latest: now, events: 0 });
                self.latest = u64::MAX;
            }
        }
    }

    /// Ends the doubt: events recorded during it count as simultaneous with the latest event.
    fn confirm(&mut self) {
        let Some(doubt) = self.doubt.take() else { return };
        self.latest = doubt.about;
        for index in self.filled() - doubt.events..self.filled() {
            let slot = self.slot(index);
            self.events[slot] = doubt.about;
        }
    }

    const fn is_far_behind(&self, now: u64, tick: u64) -> bool {
        tick.saturating_sub(now) > self.span
    }

    const fn has_expired(&self, event: u64, now: u64) -> bool {
        now.saturating_sub(event) >= self.span
    }

    fn filled(&self) -> usize {
        self.events.len() - self.free
    }

    #[inline]
    fn after_next(&self) -> usize {
        if self.next + 1 == self.events.len() { 0 } else { self.next + 1 }
    }

    fn nth_oldest(&self, index: usize) -> u64 {
        self.events[self.slot(index)]
    }

    fn slot(&self, index: usize) -> usize {
        let capacity = self.events.len();
        let slot = self.next + self.free + index;
        if slot >= capacity { slot - capacity } else { slot }
    }
}

#[cfg(test)]
mod tests {
    use super::RollingWindow;

    #[test]
    fn an_event_one_span_old_has_expired() {
        let mut window = RollingWindow::new(2, 10);
        window.record(0);
        window.record(5);
        assert!(!window.has_room_for(9, 1));
        assert!(window.has_room_for(10, 1));
        assert!(!window.has_room_for(10, 2));
        assert!(window.has_room_for(15, 2));
        assert_eq!([9, 10, 14, 15].map(|now| window.live(now)), [2, 1, 1, 0]);
    }

    #[test]
    fn the_ring_keeps_the_latest_and_agrees_with_a_plain_list() {
        let mut window = RollingWindow::new(3, 7);
        let mut list: Vec<u64> = Vec::new();
        for now in [0, 1, 1, 4, 8, 8, 9, 20, 21, 26, 27, 28] {
            list.retain(|tick| now - tick < 7);
            assert_eq!(window.live(now), list.len().min(3), "at {now}");
            assert_eq!(window.has_room_for(now, 1), list.len() < 3, "at {now}");
            window.record(now);
            list.push(now);
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_forget_early() {
        let mut window = RollingWindow::new(1, 10);
        window.record(100);
        window.record(50);
        assert!(!window.has_room_for(109, 1));
        assert!(window.has_room_for(110, 1));
    }

    #[test]
    fn a_clock_far_behind_an_event_refutes_it_in_a_span() {
        let mut window = RollingWindow::new(2, 10);
        window.record(1_000);
        assert!(window.has_room_for(5, 1));
        window.record(5);
        assert_eq!((window.has_room_for(14, 1), window.live(14)), (false, 2), "it may be the clock that is wrong now");
        assert_eq!((window.live(15), window.has_room_for(15, 2)), (0, true));
        window.record(16);
        assert_eq!(window.live(16), 1);
    }

    #[test]
    fn one_reading_far_behind_refutes_nothing() {
        let mut window = RollingWindow::new(2, 10);
        window.record(100);
        window.record(50);
        assert!(!window.has_room_for(59, 1));
        assert_eq!(window.live(101), 2, "it came late, and counts as simultaneous");
        assert!(!window.has_room_for(65, 1), "a doubt begins again");
        assert_eq!((window.live(109), window.live(110)), (2, 0));
    }

    #[test]
    fn a_window_that_was_cleared_has_no_doubts() {
        let mut window = RollingWindow::new(1, 10);
        window.record(1_000);
        assert!(!window.has_room_for(5, 1));
        window.clear();
        window.record(6);
        assert_eq!((window.has_room_for(15, 1), window.has_room_for(16, 1)), (false, true));
    }

    #[test]
    fn at_the_last_tick_events_stay() {
        let mut window = RollingWindow::new(1, 10);
        window.record(u64::MAX - 3);
        assert!(!window.has_room_for(u64::MAX, 1));
        window.record(u64::MAX);
        assert_eq!((window.has_room_for(u64::MAX, 1), window.live(u64::MAX)), (false, 1));
    }

    #[test]
    fn an_empty_capacity_has_no_room_and_takes_no_event() {
        let mut window = RollingWindow::new(0, 10);
        window.record(1);
        assert!(!window.has_room_for(1000, 1));
        assert_eq!(window.live(1), 0);
    }

    #[test]
    fn the_plain_case_agrees_with_the_general_one() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let (capacity, span) = (random.u32(..4), random.u64(1..10));
            let [mut plain, mut careful] = [0; 2].map(|_| RollingWindow::new(capacity, span));
            let mut now = if random.bool() { random.u64(..50) } else { u64::MAX - random.u64(..50) };
            for _ in 0..30 {
                now = match random.u32(..8) {
                    0 => now.saturating_sub(random.u64(..40)),
                    1 => now.saturating_add(random.u64(..40)),
                    _ => now.saturating_add(random.u64(..3)),
                };
                let answers = if random.bool() {
                    [plain.take(now), careful.take_several(now, 1)]
                } else {
                    [plain.record(now), careful.record_with_care(now)]
                };
                assert_eq!(answers[0], answers[1], "at {now}: {plain:?} and {careful:?}");
            }
        }
    }
}
