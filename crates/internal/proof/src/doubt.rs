//! Events within a span, and waits, on a clock that may once read far too late: lists in place of a
//! ring.
//!
//! An entry made at a reading more than a span ahead of every later reading is believed until the
//! later readings have gone on for a span. Breakers and budgets keep time in this way.

use std::time::Duration;

/// The room before a cell's first instant. A first instant whole ones of these from now counts as
/// so much earlier.
pub(crate) const BEFORE: Duration = Duration::from_nanos(1 << 62);
/// The room after it.
const AFTER: Duration = Duration::from_nanos(u64::MAX - (1 << 62));

/// The last instant that a cell distinguishes from later ones, if this was the first one it was
/// shown.
pub(crate) fn end_of_time(mut first: Duration) -> Duration {
    while first >= BEFORE {
        first -= BEFORE;
    }
    first + AFTER
}

/// The events within a span.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    span: Duration,
    believed: Vec<Duration>,
    /// The first reading far behind the latest believed event, and the events since then.
    doubt: Option<(Duration, Vec<Duration>)>,
}

impl Events {
    pub(crate) const fn new(span: Duration) -> Self {
        Self { span, believed: Vec::new(), doubt: None }
    }

    /// Adds an event and returns the number within the span.
    pub(crate) fn add(&mut self, now: Duration) -> usize {
        self.observe(now);
        self.push(now);
        self.count(now)
    }

    /// The number of events within the span.
    pub(crate) fn count(&self, now: Duration) -> usize {
        let meanwhile = self.doubt.iter().flat_map(|(_, events)| events);
        self.believed.iter().chain(meanwhile).filter(|at| now.saturating_sub(**at) < self.span).count()
    }

    /// Adds an event at a reading that was observed.
    pub(crate) fn push(&mut self, now: Duration) {
        let (earliest, events) = match &mut self.doubt {
            Some((since, events)) => (*since, events),
            None => (Duration::ZERO, &mut self.believed),
        };
        events.push(now.max(events.last().copied().unwrap_or(earliest)));
    }

    /// Reads the clock.
    pub(crate) fn observe(&mut self, now: Duration) {
        let is_far = |at: Duration| at > now.saturating_add(self.span);
        let latest = self.believed.last().copied().unwrap_or_default();
        match self.doubt.take() {
            Some((since, events)) if is_far(latest) && now.saturating_sub(since) >= self.span => self.believed = events,
            Some((since, events)) if is_far(latest) && !is_far(events.last().copied().unwrap_or(since)) => {
                self.doubt = Some((since, events));
            }
            ended => {
                self.believed.extend(ended.iter().flat_map(|(_, events)| events).map(|_| latest));
                self.doubt = is_far(latest).then(|| (now, Vec::new()));
            }
        }
    }
}

/// A wait that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    /// The longest that a wait of its kind takes.
    longest: Duration,
    ends_at: Duration,
    /// The end of time.
    end: Duration,
    /// The first reading far before it began.
    doubted_since: Option<Duration>,
}

impl Wait {
    /// A wait of this length, of a kind that takes `longest` at most.
    pub(crate) fn new(now: Duration, length: Duration, longest: Duration, end: Duration) -> Self {
        Self { longest, ends_at: now.saturating_add(length).min(end), end, doubted_since: None }
    }

    /// The time left.
    pub(crate) fn left(&mut self, now: Duration) -> Duration {
        let now = now.min(self.end);
        if let Some(left) = self.certainly_left(now) {
            return left;
        }
        let is_far = |from: Duration| from > now.saturating_add(self.longest);
        let since = self.doubted_since.filter(|since| !is_far(*since)).unwrap_or(now);
        self.doubted_since = Some(since);
        self.longest.saturating_sub(now.saturating_sub(since))
    }

    /// The time left, unless it began far ahead of `now`.
    pub(crate) fn certainly_left(&self, now: Duration) -> Option<Duration> {
        let left = self.ends_at.saturating_sub(now.min(self.end));
        (left <= self.longest.saturating_mul(2)).then(|| left.min(self.longest))
    }

    /// Believes in its begin again.
    pub(crate) fn forget_doubt(&mut self) {
        self.doubted_since = None;
    }
}
