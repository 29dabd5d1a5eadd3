//! [`Debounce`]: when a file that changes is read.

use std::time::Duration;

/// How long no change may be seen before the file is read: an editor and a deployment make several.
const QUIET: Duration = Duration::from_millis(100);

/// How long after the first change the file is read at the latest.
const LONGEST: Duration = Duration::from_secs(1);

/// Joins changes that follow each other. Times are those since the watcher began.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    /// The first and the last change since the file was read.
    changes: Option<(Duration, Duration)>,
}

impl Debounce {
    /// A change is seen.
    pub(super) fn see(&mut self, now: Duration) {
        let first = self.changes.map_or(now, |(first, _)| first);
        self.changes = Some((first, now));
    }

    /// The time until the file is due; `None` without a change.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        let (first, last) = self.changes?;
        let due = last.saturating_add(QUIET).min(first.saturating_add(LONGEST));
        Some(due.saturating_sub(now))
    }

    /// The file is read: what was seen so far is settled.
    pub(super) fn settle(&mut self) {
        self.changes = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Debounce, LONGEST, QUIET};

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn without_a_change_nothing_is_read() {
        let mut debounce = Debounce::default();
        assert_eq!(debounce.wait(LONGEST), None);
        debounce.see(LONGEST);
        debounce.settle();
        assert_eq!(debounce.wait(LONGEST * 2), None);
    }

    #[test]
    fn the_file_is_read_once_it_is_quiet() {
        let mut debounce = Debounce::default();
        debounce.see(MILLI);
        assert_eq!(debounce.wait(MILLI), Some(QUIET));
        debounce.see(MILLI * 51);
        assert_eq!(debounce.wait(MILLI * 61), Some(QUIET - MILLI * 10));
        assert_eq!(debounce.wait(MILLI * 51 + QUIET), Some(Duration::ZERO));
        assert_eq!(debounce.wait(LONGEST * 9), Some(Duration::ZERO));
    }

    #[test]
    fn a_file_that_is_never_quiet_is_read_all_the_same() {
        let mut debounce = Debounce::default();
        let began = MILLI * 7;
        let mut now = began;
        while debounce.wait(now) != Some(Duration::ZERO) {
            debounce.see(now);
            now += QUIET / 2;
        }
        assert_eq!(now, began + LONGEST);
    }

    #[test]
    fn after_a_reading_the_next_change_begins_a_wait_of_its_own() {
        let mut debounce = Debounce::default();
        debounce.see(Duration::ZERO);
        debounce.settle();
        debounce.see(LONGEST);
        assert_eq!(debounce.wait(LONGEST), Some(QUIET));
    }

    #[test]
    fn times_saturate() {
        let mut debounce = Debounce::default();
        debounce.see(Duration::MAX);
        assert_eq!(debounce.wait(Duration::MAX), Some(Duration::ZERO));
    }
}
