//! A rolling window that gets another capacity and span while events count.

use super::RollingWindow;

/// The latest ticks of events that a window no longer has; 0 if there are none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gone {
    /// Of those that may count: the ring became smaller, or the span longer.
    lost: u64,
    /// Of those that had expired by the span that the window had then.
    expired: u64,
}

impl RollingWindow {
    /// Changes how many events the window has room for, and the span. Events stay. If the ring may
    /// have lost events that count, the room that it gains becomes free when the latest of them
    /// leaves the span. A doubt ends as if it was confirmed, and may begin again.
    pub(crate) fn resize(&mut self, capacity: u32, span: u64) {
        self.confirm();
        let (filled, capacity) = (self.filled(), capacity as usize);
        let kept = filled.min(capacity);
        if let Some(dropped) = (filled - kept).checked_sub(1) {
            self.gone.lost = self.gone.lost.max(self.nth_oldest(dropped));
        }
        if self.free == 0 && filled > 0 {
            self.gone.expired = self.gone.expired.max(self.nth_oldest(0));
        }
        if span > self.span {
            self.gone.lost = self.gone.lost.max(self.gone.expired);
        }
        let padding = if self.gone.lost > 0 { capacity - kept } else { 0 };
        let mut events = vec![0; capacity].into_boxed_slice();
        // Those that had expired count again if the span becomes longer.
        events[..padding].fill(self.gone.lost.max(self.gone.expired));
        for (index, event) in events[padding..].iter_mut().take(kept).enumerate() {
            *event = self.nth_oldest(filled - kept + index);
        }
        self.free = capacity - padding - kept;
        self.next = if self.free == 0 { 0 } else { padding + kept };
        (self.events, self.span) = (events, span);
    }
}

#[cfg(test)]
mod tests {
    use super::RollingWindow;

    #[test]
    fn a_smaller_window_has_room_when_enough_have_left() {
        let mut window = RollingWindow::new(4, 10);
        for now in [0, 3, 6, 9] {
            window.record(now);
        }
        window.resize(2, 10);
        assert_eq!([9, 15, 16, 19].map(|now| window.has_room_for(now, 1)), [false, false, true, true]);
        assert_eq!((window.live(15), window.live(16), window.live(19)), (2, 1, 0));
    }

    #[test]
    fn a_window_that_was_smaller_forgets_nothing_that_counts() {
        let mut window = RollingWindow::new(4, 10);
        for now in [0, 3, 6, 9] {
            window.record(now);
        }
        window.resize(0, 10);
        assert!(!window.take(9));
        window.resize(4, 10);
        assert!(!window.take(18), "four were taken after second 8");
        assert!(window.take(19) && window.take(19) && window.take(19) && window.take(19) && !window.take(19));
    }

    #[test]
    fn a_longer_span_counts_events_from_before_the_ring() {
        let mut window = RollingWindow::new(2, 10);
        for now in [0, 1, 10, 11] {
            assert!(window.take(now));
        }
        window.resize(4, 20);
        assert!(!window.take(29), "four within twenty");
        assert!(window.take(30) && window.take(30) && window.take(30) && !window.take(30));
    }

    /// Attacks B1 across changes of limit and span.
    #[test]
    fn a_window_that_is_resized_never_takes_more_than_a_list_allows() {
        let mut random = fastrand::Rng::with_seed(29);
        for _ in 0..2_000 {
            let (mut capacity, mut span) = (random.u32(..5), random.u64(1..12));
            let (mut window, mut list, mut now) = (RollingWindow::new(capacity, span), Vec::new(), 1_u64);
            let mut is_exact = true;
            for _ in 0..60 {
                now += random.u64(..4);
                if random.u32(..8) == 0 {
                    let before = (capacity, span);
                    (capacity, span) = (random.u32(..5), random.u64(1..12));
                    is_exact &= capacity <= before.0 && span <= before.1;
                    window.resize(capacity, span);
                }
                let live = list.iter().filter(|tick| now - **tick < span).count();
                let took = window.take(now);
                assert!(!took || live < capacity as usize, "{live} of {capacity} at {now}: {window:?}");
                assert!(!is_exact || took == (live < capacity as usize), "{live} of {capacity} at {now}: {window:?}");
                list.extend(took.then_some(now));
            }
        }
    }
}
