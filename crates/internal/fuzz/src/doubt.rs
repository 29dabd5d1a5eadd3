//! A model of events and waits on a clock that may once read far too late, with lists in place of a
//! ring.
//!
//! An entry made at a reading more than a span ahead of every later reading is believed until the
//! later readings have gone on for a span. Time is nanoseconds since an origin that no instant
//! precedes.

/// The last instant that a breaker distinguishes: its 64-bit count starts at a quarter of the
/// range.
const END: u64 = u64::MAX - (1 << 62);

/// The events within a span.
#[derive(Debug)]
pub(crate) struct DoubtfulEvents {
    span: u64,
    believed: Vec<u64>,
    /// The first reading far behind the latest believed event, and the events since then.
    doubt: Option<(u64, Vec<u64>)>,
}

impl DoubtfulEvents {
    pub(crate) const fn new(span: u64) -> Self {
        Self { span, believed: Vec::new(), doubt: None }
    }

    /// Adds an event and returns the number within the span.
    pub(crate) fn add(&mut self, now: u64) -> usize {
        let now = now.min(END);
        self.observe(now);
        let (earliest, events) = match &mut self.doubt {
            Some((since, events)) => (*since, events),
            None => (0, &mut self.believed),
        };
        events.push(now.max(events.last().copied().unwrap_or(earliest)));
        let meanwhile = self.doubt.iter().flat_map(|(_, events)| events);
        self.believed.iter().chain(meanwhile).filter(|at| now.saturating_sub(**at) < self.span).count()
    }

    fn observe(&mut self, now: u64) {
        let is_far = |at: u64| at > now.saturating_add(self.span);
        let latest = self.believed.last().copied().unwrap_or(0);
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
#[derive(Debug)]
pub(crate) struct DoubtfulWait {
    length: u64,
    ends_at: u64,
    /// The first reading far before it began.
    doubted_since: Option<u64>,
}

impl DoubtfulWait {
    pub(crate) fn new(now: u64, length: u64) -> Self {
        Self { length, ends_at: now.saturating_add(length).min(END), doubted_since: None }
    }

    /// The time left.
    pub(crate) fn left(&mut self, now: u64) -> u64 {
        let now = now.min(END);
        let left = self.ends_at.saturating_sub(now);
        let is_far = |from: u64| from > now.saturating_add(self.length);
        if left <= self.length || !is_far(self.ends_at - self.length) {
            return left.min(self.length);
        }
        let since = self.doubted_since.filter(|since| !is_far(*since)).unwrap_or(now);
        self.doubted_since = Some(since);
        self.length.saturating_sub(now.saturating_sub(since))
    }
}
