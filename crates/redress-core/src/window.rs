//! The rolling window that breaker and budget share: the last N instants, exactly.
//!
//! Owns the ring and its arithmetic. Knows no clock and no lock, and not what is counted.
//!
//! To know whether N events fall within a span it is enough to know the last N of them: the memory is N ticks, fixed
//! when the window is made, and every operation but [`live`](RollingWindow::live) takes constant time.

/// The most recent `capacity` events, oldest first from `next` once the ring is full.
///
/// An event exactly one span old has left the window. Ticks are kept in order: an event recorded with an earlier tick
/// than the one before it counts as simultaneous with that one, so a clock that steps back can only make a window
/// forget later, never sooner.
#[derive(Debug)]
pub(crate) struct RollingWindow {
    ticks: Box<[u64]>,
    span: u64,
    next: usize,
    filled: usize,
    latest: u64,
}

impl RollingWindow {
    pub(crate) fn new(capacity: u32, span: u64) -> Self {
        // Zeroed memory comes lazily from the system: a large window costs what is used of it.
        let ticks = vec![0; capacity as usize].into_boxed_slice();
        Self { ticks, span, next: 0, filled: 0, latest: 0 }
    }

    /// Records an event, forgetting the oldest if the ring is full.
    #[inline]
    pub(crate) fn push(&mut self, now: u64) {
        self.latest = self.latest.max(now);
        if let Some(slot) = self.ticks.get_mut(self.next) {
            *slot = self.latest;
            self.next += 1;
            self.filled = self.filled.max(self.next);
        }
        if self.next == self.ticks.len() {
            self.next = 0;
        }
    }

    /// Whether `more` events recorded now would all fit: no more than `capacity` within the span.
    #[inline]
    pub(crate) fn has_room(&self, now: u64, more: usize) -> bool {
        let capacity = self.ticks.len();
        if more > capacity {
            return false;
        }
        // The events that have to be gone are the oldest ones, so the youngest of those decides.
        match (self.filled + more).checked_sub(capacity + 1) {
            None => true,
            Some(index) => self.is_over(self.nth_oldest(index), now),
        }
    }

    /// Whether the ring is full of events that are still within the span.
    #[inline]
    pub(crate) fn is_full(&self, now: u64) -> bool {
        !self.has_room(now, 1)
    }

    /// How many events are within the span. Takes time logarithmic in the capacity.
    pub(crate) fn live(&self, now: u64) -> usize {
        let (mut low, mut high) = (0, self.filled);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_over(self.nth_oldest(middle), now) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.filled - low
    }

    pub(crate) fn clear(&mut self) {
        self.next = 0;
        self.filled = 0;
    }

    #[inline]
    fn is_over(&self, tick: u64, now: u64) -> bool {
        now.saturating_sub(tick) >= self.span
    }

    #[inline]
    fn nth_oldest(&self, index: usize) -> u64 {
        let capacity = self.ticks.len();
        let start = if self.filled == capacity { self.next } else { 0 };
        let slot = start + index;
        self.ticks[if slot >= capacity { slot - capacity } else { slot }]
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
        assert!(!window.has_room(9, 1));
        assert!(window.has_room(10, 1));
        assert!(!window.has_room(10, 2));
        assert!(window.has_room(15, 2));
        assert_eq!([9, 10, 14, 15].map(|now| window.live(now)), [2, 1, 1, 0]);
    }

    #[test]
    fn the_ring_keeps_the_latest_and_agrees_with_a_plain_list() {
        let mut window = RollingWindow::new(3, 7);
        let mut list: Vec<u64> = Vec::new();
        for now in [0, 1, 1, 4, 8, 8, 9, 20, 21, 26, 27, 28] {
            list.retain(|tick| now - tick < 7);
            assert_eq!(window.live(now), list.len().min(3), "at {now}");
            assert_eq!(window.has_room(now, 1), list.len() < 3, "at {now}");
            window.push(now);
            list.push(now);
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_forget_early() {
        let mut window = RollingWindow::new(1, 10);
        window.push(100);
        window.push(50);
        assert!(window.is_full(109));
        assert!(!window.is_full(110));
    }

    #[test]
    fn an_empty_capacity_has_no_room_and_takes_no_event() {
        let mut window = RollingWindow::new(0, 10);
        window.push(1);
        assert!(!window.has_room(1000, 1));
        assert_eq!(window.live(1), 0);
    }
}
