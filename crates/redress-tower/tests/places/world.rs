//! A case: the services between the policy and the work, the policy, and the script of each call.
//! Times are milliseconds and multiples of ten, so that the laws can be checked between them.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The places of the limit.
    pub(crate) places: usize,
    /// Above the limit, outermost first.
    pub(crate) above: Vec<Part>,
    /// Below the limit, outermost first.
    pub(crate) below: Vec<Part>,
    /// When the floor is not ready: the start and the duration.
    pub(crate) closed: Vec<(u64, u64)>,
    pub(crate) policy: PolicySpec,
    pub(crate) calls: Vec<CallSpec>,
}

/// A layer of tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Timeout(u64),
    LoadShed,
    /// A queue of this length.
    Buffer(usize),
    /// Rejects the first attempt of every call, without calling the inner service.
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
    /// Created, and never polled.
    pub(crate) is_polled: bool,
    /// When its caller drops it, counted from its arrival.
    pub(crate) dropped_after: Option<u64>,
    /// How its attempts end; the last entry repeats.
    pub(crate) ends: Vec<End>,
}

/// How an attempt ends that reaches the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeds(u64),
    Fails(u64),
    /// Fails with an error that ends the call.
    Aborts,
    /// Is not ready for this long.
    StallsInReadiness(u64),
    /// Becomes ready and never gets a response.
    StallsInCall,
    FailsInReadiness,
    PanicsInReadiness,
    PanicsInCall,
    /// Panics after this time.
    PanicsInPoll(u64),
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
