//! The server: workers that take requests in the order of their arrival, and the queue before them.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, nanos};
use crate::events::CallId;
use crate::fault::{Fault, end_of_work, error_at};
use crate::random::{exponential, scaled};

/// How long a worker takes for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceTime {
    /// Always the same.
    Fixed(Duration),
    /// Exponentially distributed with this mean.
    Exponential(Duration),
}

/// A server without knowledge of its callers: it works off the request of a caller that has gone,
/// unless it [drops late work](Self::drops_below).
///
/// Requests wait in one queue and are taken first in, first out.
///
/// ```
/// use std::time::Duration;
/// use redress_sim::Server;
///
/// let server = Server::new(4, Duration::from_millis(10)).queue_limit(1000).drops_below(Duration::from_millis(20));
/// # drop(server);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a server does nothing until a scenario uses it"]
pub struct Server {
    workers: u32,
    service: ServiceTime,
    queue_limit: Option<u32>,
    drops_below: Option<Duration>,
}

impl Server {
    /// A server with so many workers, each of which takes this time for a request. It answers
    /// `workers / service` requests a second. Neither may be zero.
    pub const fn new(workers: u32, service: Duration) -> Self {
        Self { workers, service: ServiceTime::Fixed(service), queue_limit: None, drops_below: None }
    }

    /// Sets how long a worker takes for a request.
    pub const fn service(mut self, service: ServiceTime) -> Self {
        self.service = service;
        self
    }

    /// Sets how many requests may wait. A further one is refused at once, as
    /// [`ServerError`](ErrorClass::ServerError). Default: no limit.
    pub const fn queue_limit(mut self, requests: u32) -> Self {
        self.queue_limit = Some(requests);
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

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if self.workers == 0 {
            issues.push(ConfigIssue::new("server.workers", 0, "be at least 1"));
        }
        let (ServiceTime::Fixed(time) | ServiceTime::Exponential(time)) = self.service;
        if time.is_zero() {
            issues.push(ConfigIssue::new("server.service", time, "be longer than zero"));
        }
    }

    fn drops(&self, request: Request, now: Nanos) -> bool {
        self.drops_below.is_some_and(|least| request.expires.is_some_and(|at| at <= now.saturating_add(nanos(least))))
    }

    fn draw(&self, rng: &mut Rng) -> Nanos {
        match self.service {
            ServiceTime::Fixed(time) => nanos(time),
            ServiceTime::Exponential(mean) => scaled(exponential(rng), nanos(mean)),
        }
    }
}

/// One attempt of a call, as the server sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) call: CallId,
    pub(crate) attempt: u32,
    /// When the attempt's time limit passes, if it has one.
    pub(crate) expires: Option<Nanos>,
}

/// A request that a worker has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) ends: Nanos,
    pub(crate) error: Option<ErrorClass>,
}

/// What became of a request on its arrival.
#[derive(Debug)]
pub(crate) enum Receipt {
    Begun(Job),
    Queued,
    Refused,
}

/// The server at work.
#[derive(Debug)]
pub(crate) struct Backlog<'s> {
    server: &'s Server,
    faults: &'s [Fault],
    rng: Rng,
    idle: u32,
    queue: VecDeque<Request>,
}

impl<'s> Backlog<'s> {
    pub(crate) fn new(server: &'s Server, faults: &'s [Fault], rng: Rng) -> Self {
        Self { server, faults, rng, idle: server.workers, queue: VecDeque::new() }
    }

    pub(crate) fn receive(&mut self, request: Request, now: Nanos) -> Receipt {
        if self.idle > 0 {
            self.idle -= 1;
            return Receipt::Begun(self.begin(request, now));
        }
        if self.server.queue_limit.is_some_and(|limit| self.queue.len() as u64 >= u64::from(limit)) {
            return Receipt::Refused;
        }
        self.queue.push_back(request);
        Receipt::Queued
    }

    /// Lets a worker that has ended a request take the next one. Also returns how many
    /// requests it dropped before that.
    pub(crate) fn take_next(&mut self, now: Nanos) -> (Option<Job>, u32) {
        let mut dropped = 0;
        while let Some(request) = self.queue.pop_front() {
            if !self.server.drops(request, now) {
                return (Some(self.begin(request, now)), dropped);
            }
            dropped += 1;
        }
        self.idle += 1;
        (None, dropped)
    }

    fn begin(&mut self, request: Request, now: Nanos) -> Job {
        let work = self.server.draw(&mut self.rng);
        let error = error_at(self.faults, now, &mut self.rng);
        Job { request, ends: end_of_work(self.faults, now, work), error }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fastrand::Rng;

    use super::{Backlog, Receipt, Request, Server};
    use crate::events::CallId;

    fn request(attempt: u32, expires: impl Into<Option<u64>>) -> Request {
        Request { call: CallId { slot: 0, serial: 0 }, attempt, expires: expires.into() }
    }

    /// The attempt that is begun next, and how many expired before it.
    fn next(backlog: &mut Backlog<'_>, now: u64) -> (Option<u32>, u32) {
        let (job, expired) = backlog.take_next(now);
        (job.map(|job| job.request.attempt), expired)
    }

    #[test]
    fn requests_are_taken_in_order_by_as_many_workers_as_there_are() {
        let server = Server::new(2, Duration::from_nanos(10)).queue_limit(2);
        let mut backlog = Backlog::new(&server, &[], Rng::with_seed(1));
        for attempt in 1..=2 {
            assert!(matches!(backlog.receive(request(attempt, 1), 5), Receipt::Begun(job) if job.ends == 15));
        }
        for attempt in 3..=4 {
            assert!(matches!(backlog.receive(request(attempt, 1), 5), Receipt::Queued));
        }
        assert!(matches!(backlog.receive(request(5, 1), 5), Receipt::Refused));
        assert_eq!([next(&mut backlog, 15), next(&mut backlog, 15)], [(Some(3), 0), (Some(4), 0)]);
        assert_eq!([next(&mut backlog, 25), next(&mut backlog, 25)], [(None, 0); 2]);
        assert!(matches!(backlog.receive(request(6, 1), 30), Receipt::Begun(job) if job.ends == 40));
    }

    #[test]
    fn what_has_too_little_time_left_is_dropped_by_a_server_that_does_so() {
        let server = || Server::new(1, Duration::from_nanos(10));
        let cases = [
            (server(), (Some(2), 0)),
            (server().drops_below(Duration::ZERO), (Some(3), 1)),
            (server().drops_below(Duration::from_nanos(5)), (Some(5), 3)),
            (server().drops_below(Duration::MAX), (None, 4)),
        ];
        for (server, expected) in cases {
            let mut backlog = Backlog::new(&server, &[], Rng::with_seed(1));
            for (attempt, expires) in [(1, 9), (2, 10), (3, 11), (4, 15), (5, 16)] {
                backlog.receive(request(attempt, expires), 0);
            }
            assert_eq!(next(&mut backlog, 10), expected);
        }
    }

    #[test]
    fn a_request_without_a_time_limit_is_never_dropped() {
        let server = Server::new(1, Duration::from_nanos(10)).drops_below(Duration::from_secs(1));
        let mut backlog = Backlog::new(&server, &[], Rng::with_seed(1));
        for attempt in 1..=2 {
            backlog.receive(request(attempt, None), 0);
        }
        assert_eq!(next(&mut backlog, 10), (Some(2), 0));
    }
}
