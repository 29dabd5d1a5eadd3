//! The rolling window that breaker and budget share: the last N instants, exactly.
//!
//! Owns the ring and its arithmetic. Knows no clock and no lock, and not what is counted.
//!
//! To know whether N events fall within a span it is enough to know the last N of them: the memory is N ticks, fixed
//! when the window is made, and every operation but [`live`](RollingWindow::live) takes constant time.

/// The last N events, as the ticks at which each happened: those at which they leave would be beyond the last tick for events
/// near it, and a window that forgets early at the end of time would let everything through there.
///
/// The ring is written at `next`; the `filled` slots before it hold the events, in order.
///
/// An event exactly one span old has left. An event recorded with an earlier tick than the one before it counts as
/// simultaneous with that one, so a clock that steps back can make the window forget later, never sooner.
///
/// Unless it never comes back to the latest event: a reading more than one span behind that event puts the event in doubt.
/// Later readings settle it. One that is not so far behind confirms the event; one that comes a whole span after the
/// doubt began, still so far behind, refutes it. The window then forgets every event from before the doubt: at least
/// one span old by the readings since. So the window follows a clock again one span after a reading too far ahead,
/// and a caller that looked at the clock long before it asks changes nothing.
#[derive(Debug)]
pub(crate) struct RollingWindow {
    events: Box<[u64]>,
    next: usize,
    filled: usize,
    /// The tick of the latest event, but for those since a doubt began; 0 without one.
    latest: u64,
    doubt: Option<Doubt>,
    span: u64,
}

/// The latest event is more than one span later than every reading since.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The first of those readings.
    since: u64,
    /// The tick of the latest event since then, or `since`.
    latest: u64,
    /// How many events of the ring were recorded since then; they keep ticks of their own until the doubt is settled.
    events: usize,
}

impl RollingWindow {
    pub(crate) fn new(capacity: u32, span: u64) -> Self {
        // Zeroed memory comes lazily from the system: a large window costs what is used of it.
        let events = vec![0; capacity as usize].into_boxed_slice();
        Self { events, next: 0, filled: 0, latest: 0, doubt: None, span }
    }

    /// Records an event, forgetting the oldest if the ring is full.
    #[inline]
    pub(crate) fn push(&mut self, now: u64) {
        self.observe(now);
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
        self.next = if self.next + 1 == capacity { 0 } else { self.next + 1 };
        self.filled = capacity.min(self.filled + 1);
    }

    /// Whether one more event now would fit: no more than N within the span.
    #[inline]
    pub(crate) fn has_room(&mut self, now: u64) -> bool {
        self.observe(now);
        // Full, the slot written next is the oldest; with no slots at all nothing ever fits.
        self.filled < self.events.len() || self.events.get(self.next).is_some_and(|event| self.has_left(*event, now))
    }

    /// Whether `more` events now would all fit: the youngest of those that have to be gone decides.
    pub(crate) fn has_room_for(&mut self, now: u64, more: usize) -> bool {
        self.observe(now);
        let capacity = self.events.len();
        if more > capacity {
            return false;
        }
        match (self.filled + more).checked_sub(capacity + 1) {
            None => true,
            Some(index) => self.has_left(self.nth_oldest(index), now),
        }
    }

    /// How many events are within the span. Takes time logarithmic in N.
    pub(crate) fn live(&mut self, now: u64) -> usize {
        self.observe(now);
        let (mut low, mut high) = (0, self.filled);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.has_left(self.nth_oldest(middle), now) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.filled - low
    }

    pub(crate) fn clear(&mut self) {
        self.filled = 0;
        self.latest = 0;
        self.doubt = None;
    }

    /// Raises or settles the doubt about the latest event. During a doubt no event since it began has left, and of those
    /// before it the oldest have left first: the ring stays in the order in which events leave.
    #[inline]
    fn observe(&mut self, now: u64) {
        if self.is_far_behind(now, self.latest) || self.doubt.is_some() {
            self.weigh(now);
        }
    }

    #[cold]
    fn weigh(&mut self, now: u64) {
        match self.doubt {
            Some(_) if !self.is_far_behind(now, self.latest) => self.confirm(),
            Some(doubt) if self.has_left(doubt.since, now) => {
                self.filled = doubt.events;
                self.latest = if doubt.events == 0 { 0 } else { doubt.latest };
                self.doubt = None;
            }
            Some(doubt) if !self.is_far_behind(now, doubt.latest) => {}
            // A first doubt, or a reading that puts the readings of the present doubt in doubt as well.
            _ => {
                self.confirm();
                self.doubt = Some(Doubt { since: now, latest: now, events: 0 });
            }
        }
    }

    /// Ends the doubt: what was recorded meanwhile counts as simultaneous with the latest event.
    fn confirm(&mut self) {
        let Some(doubt) = self.doubt.take() else { return };
        for index in self.filled - doubt.events..self.filled {
            let slot = self.slot(index);
            self.events[slot] = self.latest;
        }
    }

    #[inline]
    fn is_far_behind(&self, now: u64, tick: u64) -> bool {
        tick.saturating_sub(now) > self.span
    }

    #[inline]
    fn has_left(&self, event: u64, now: u64) -> bool {
        now.saturating_sub(event) >= self.span
    }

    fn nth_oldest(&self, index: usize) -> u64 {
        self.events[self.slot(index)]
    }

    fn slot(&self, index: usize) -> usize {
        let capacity = self.events.len();
        let slot = self.next + (capacity - self.filled) + index;
        if slot >= capacity { slot - capacity } else { slot }
    }
}

#[cfg(test)]
mod tests {
    use super::RollingWindow;

    #[test]
    fn an_event_one_span_old_has_left() {
        let mut window = RollingWindow::new(2, 10);
        window.push(0);
        window.push(5);
        assert!(!window.has_room(9));
        assert!(window.has_room(10));
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
            assert_eq!(window.has_room(now), list.len() < 3, "at {now}");
            window.push(now);
            list.push(now);
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_forget_early() {
        let mut window = RollingWindow::new(1, 10);
        window.push(100);
        window.push(50);
        assert!(!window.has_room(109));
        assert!(window.has_room(110));
    }

    #[test]
    fn a_clock_far_behind_an_event_refutes_it_in_a_span() {
        let mut window = RollingWindow::new(2, 10);
        window.push(1_000);
        assert!(window.has_room(5));
        window.push(5);
        assert_eq!((window.has_room(14), window.live(14)), (false, 2), "it may be the clock that is wrong now");
        assert_eq!((window.live(15), window.has_room_for(15, 2)), (0, true));
        window.push(16);
        assert_eq!(window.live(16), 1);
    }

    #[test]
    fn one_reading_far_behind_refutes_nothing() {
        let mut window = RollingWindow::new(2, 10);
        window.push(100);
        window.push(50);
        assert!(!window.has_room(59));
        assert_eq!(window.live(101), 2, "it came late, and counts as simultaneous");
        assert!(!window.has_room(65), "a doubt begins again");
        assert_eq!((window.live(109), window.live(110)), (2, 0));
    }

    #[test]
    fn a_window_that_was_cleared_has_no_doubts() {
        let mut window = RollingWindow::new(1, 10);
        window.push(1_000);
        assert!(!window.has_room(5));
        window.clear();
        window.push(6);
        assert_eq!((window.has_room(15), window.has_room(16)), (false, true));
    }

    #[test]
    fn at_the_last_tick_events_stay() {
        let mut window = RollingWindow::new(1, 10);
        window.push(u64::MAX - 3);
        assert!(!window.has_room(u64::MAX));
        window.push(u64::MAX);
        assert_eq!((window.has_room(u64::MAX), window.live(u64::MAX)), (false, 1));
    }

    #[test]
    fn an_empty_capacity_has_no_room_and_takes_no_event() {
        let mut window = RollingWindow::new(0, 10);
        window.push(1);
        assert!(!window.has_room(1000));
        assert_eq!(window.live(1), 0);
    }
}
