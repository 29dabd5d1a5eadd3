//! A case: what lies between the policy and the work, what the policy is, and what becomes of each
//! call.
//!
//! Times are in milliseconds, and multiples of ten, so that the laws can be looked at between them.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The places of the limit.
    pub(crate) places: usize,
    /// Above the limit, outermost first.
    pub(crate) above: Vec<Part>,
    /// Below the limit, outermost first.
    pub(crate) below: Vec<Part>,
    /// When the floor is not ready for anything: from, and for how long.
    pub(crate) closed: Vec<(u64, u64)>,
    pub(crate) policy: PolicySpec,
    pub(crate) calls: Vec<CallSpec>,
}

/// A layer of tower's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Timeout(u64),
    LoadShed,
    /// A queue of this length.
    Buffer(usize),
    /// Turns the first attempt of every call away, without calling what is below.
    Filter,
}

#[derive(Clone, Debug)]
pub(crate) struct PolicySpec {
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: u64,
    pub(crate) wait: u64,
    /// A hook that takes time before each wait.
    pub(crate) has_hook: bool,
    /// A breaker that opens at the third failure.
    pub(crate) has_breaker: bool,
    pub(crate) deadline: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct CallSpec {
    pub(crate) arrives: u64,
    /// Made, and never polled.
    pub(crate) is_polled: bool,
    /// When its caller loses patience, counted from its arrival.
    pub(crate) dropped_after: Option<u64>,
    /// How its attempts end; the last one again after that.
    pub(crate) ends: Vec<End>,
}

/// How an attempt ends that comes as far as the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeds(u64),
    Fails(u64),
    /// Fails in a way that ends the call.
    Aborts,
    /// Is not let in for as long.
    StallsInReadiness(u64),
    /// Is let in and never answered.
    StallsInCall,
    FailsInReadiness,
    PanicsInReadiness,
    PanicsInCall,
    /// Panics after as long.
    PanicsInPoll(u64),
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
