//! Events and waits on a clock of which a reading may be far too late, as lists and without a ring.
//!
//! Owns the rule: what began at a reading more than a span ahead of every reading since is believed
//! until those have gone on for a span. Time is nanoseconds since an origin that no instant comes
//! before.

/// The last instant that a breaker tells from later ones: it counts in 64 bits, from a quarter of
/// them on.
const END: u64 = u64::MAX - (1 << 62);

/// The events within a span.
#[derive(Debug)]
pub(crate) struct DoubtfulEvents {
    span: u64,
    believed: Vec<u64>,
    /// The first reading far behind the latest of those, and the events since then.
    doubt: Option<(u64, Vec<u64>)>,
}

impl DoubtfulEvents {
    pub(crate) const fn new(span: u64) -> Self {
        Self { span, believed: Vec::new(), doubt: None }
    }

    /// Adds one; how many are within the span now.
    pub(crate) fn add(&mut self, now: u64) -> usize {
        let now = now.min(END);
        self.hear(now);
        let (earliest, events) = match &mut self.doubt {
            Some((since, events)) => (*since, events),
            None => (0, &mut self.believed),
        };
        events.push(now.max(events.last().copied().unwrap_or(earliest)));
        let meanwhile = self.doubt.iter().flat_map(|(_, events)| events);
        self.believed.iter().chain(meanwhile).filter(|at| now.saturating_sub(**at) < self.span).count()
    }

    fn hear(&mut self, now: u64) {
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

    /// How long it still lasts.
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
