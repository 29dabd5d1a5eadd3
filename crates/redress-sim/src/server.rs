//! [`Server`]: its workers, its queue, and what it refuses. `shard.rs` is the server at work.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, nanos};
use crate::exchange::{Failure, Request};
use crate::service::ServiceTime;

/// A server without knowledge of its callers: it works off the request of a caller that has gone,
/// unless it [drops late work](Self::drops_below).
///
/// Requests wait in one queue, and are taken first in, first out, unless it is [turned
/// round](Self::last_in_first_out).
///
/// ```
/// use std::time::Duration;
/// use redress_sim::Server;
///
/// let server = Server::new(4, Duration::from_millis(10)).queue_limit(1000).drops_below(Duration::from_millis(20));
/// # drop(server);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a server does nothing until a scenario uses it"]
pub struct Server {
    workers: u32,
    service: ServiceTime,
    shards: u32,
    queue_limit: Option<u32>,
    last_in_first_out: bool,
    drops_below: Option<Duration>,
    rate_limit: Option<RateLimit>,
    retry_after: Option<Duration>,
}

/// So many requests in each window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateLimit {
    pub(crate) requests: u32,
    pub(crate) window: Nanos,
}

impl Server {
    /// A server with so many workers, each of which takes this time for a request. It answers
    /// `workers / service` requests a second. Neither may be zero; at most 100,000 workers.
    pub const fn new(workers: u32, service: Duration) -> Self {
        Self {
            workers,
            service: ServiceTime::Fixed(service),
            shards: 1,
            queue_limit: None,
            last_in_first_out: false,
            drops_below: None,
            rate_limit: None,
            retry_after: None,
        }
    }

    /// Sets how long a worker takes for a request.
    pub const fn service(mut self, service: ServiceTime) -> Self {
        self.service = service;
        self
    }

    /// Sets how many shards there are, from 1 to 10,000. Each has workers, a queue and a rate limit
    /// as set here. A call has a key, chosen uniformly, that leads all of its attempts to one of
    /// them. Default: 1.
    pub const fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// Sets how many requests may wait. A further one is refused at once, as
    /// [`ServerError`](ErrorClass::ServerError). Default: no limit.
    pub const fn queue_limit(mut self, requests: u32) -> Self {
        self.queue_limit = Some(requests);
        self
    }

    /// Takes the request that came last first. In an overload the others wait in vain, and these
    /// are answered in time. Default: first in, first out.
    pub const fn last_in_first_out(mut self) -> Self {
        self.last_in_first_out = true;
        self
    }

    /// Drops a request, instead of beginning it, whose attempt has no more time left than this. The
    /// client sends the [time left](redress_core::Attempt::time_left) along for this; a request
    /// without one is never dropped. Default: every request is worked off.
    ///
    /// With a limit of zero the server drops only what has expired. In an overload the first
    /// request of the queue is then one that is about to expire, and its answer comes too late. So
    /// choose a limit above the time that a request takes.
    pub const fn drops_below(mut self, time_left: Duration) -> Self {
        self.drops_below = Some(time_left);
        self
    }

    /// Admits so many requests in each window, counted from the start of the run. Further ones are
    /// refused at once, as [`RateLimit`](ErrorClass::RateLimit), with the time until the next
    /// window as their hint, in whole seconds as in `Retry-After`. Default: no limit.
    pub fn rate_limit(mut self, requests: u32, window: Duration) -> Self {
        self.rate_limit = Some(RateLimit { requests, window: nanos(window) });
        self
    }

    /// Sets the hint, as of `Retry-After`, of requests that a full queue refuses. Default: none.
    pub const fn retry_after(mut self, hint: Duration) -> Self {
        self.retry_after = Some(hint);
        self
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if !(1..=100_000).contains(&self.workers) {
            issues.push(ConfigIssue::new("server.workers", self.workers, "be from 1 to 100000"));
        }
        if !(1..=10_000).contains(&self.shards) {
            issues.push(ConfigIssue::new("server.shards", self.shards, "be from 1 to 10000"));
        }
        if let Some(RateLimit { window: 0, .. }) = self.rate_limit {
            issues.push(ConfigIssue::new("server.rate_limit", Duration::ZERO, "have a window longer than zero"));
        }
        self.service.issues(issues);
    }

    pub(crate) const fn shard_count(&self) -> u32 {
        self.shards
    }

    pub(crate) const fn worker_count(&self) -> u32 {
        self.workers
    }

    pub(crate) const fn service_time(&self) -> &ServiceTime {
        &self.service
    }

    pub(crate) const fn takes_last(&self) -> bool {
        self.last_in_first_out
    }

    pub(crate) const fn limit(&self) -> Option<RateLimit> {
        self.rate_limit
    }

    pub(crate) fn is_full(&self, waiting: usize) -> bool {
        self.queue_limit.is_some_and(|limit| waiting as u64 >= u64::from(limit))
    }

    pub(crate) const fn overload(&self) -> Failure {
        Failure { class: ErrorClass::ServerError, retry_after: self.retry_after }
    }

    pub(crate) fn drops(&self, request: Request, now: Nanos) -> bool {
        self.drops_below.is_some_and(|least| request.expires.is_some_and(|at| at <= now.saturating_add(nanos(least))))
    }
}
