//! A shard of the server at work: its workers, the queue before them, and what it refuses.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use redress_core::ErrorClass;

use crate::clock::{Nanos, SECOND};
use crate::exchange::{Failure, Request};
use crate::fault::{Fault, failure_at};
use crate::pace::end_of_work;
use crate::server::Server;

/// A worker that has begun a request, and when it ends. Stale if the worker's serial is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) worker: u32,
    pub(crate) serial: u32,
    pub(crate) ends: Nanos,
}

/// What became of a request on its arrival.
#[derive(Debug)]
pub(crate) enum Receipt {
    Begun(Job),
    Queued,
    /// The queue is full.
    Refused(Failure),
    /// There were too many in this window.
    Limited(Failure),
    /// No worker is up.
    Down(Failure),
}

/// What the restart of workers does: requests that are lost, and those that others begin.
#[derive(Debug, Default)]
pub(crate) struct Restart {
    pub(crate) lost: Vec<Request>,
    pub(crate) begun: Vec<Job>,
    pub(crate) dropped: u32,
}

#[derive(Debug)]
pub(crate) struct Shard<'s> {
    server: &'s Server,
    faults: Vec<&'s Fault>,
    rng: Rng,
    workers: Vec<Worker>,
    idle: Vec<u32>,
    up: u32,
    queue: VecDeque<Request>,
    admitted: Admitted,
}

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    /// Told from earlier requests of this worker by their number.
    serial: u32,
    is_down: bool,
    job: Option<(Request, Option<Failure>)>,
}

/// How many requests the present window of the rate limit has.
#[derive(Debug, Default)]
struct Admitted {
    window: u64,
    requests: u32,
}

/// A connection that is closed or refused.
pub(crate) const RESET: Failure = Failure { class: ErrorClass::Transient, retry_after: None };

impl<'s> Shard<'s> {
    pub(crate) fn new(number: u32, server: &'s Server, faults: &'s [Fault], rng: Rng) -> Self {
        let workers = server.worker_count();
        Self {
            server,
            faults: faults.iter().filter(|fault| fault.concerns(number)).collect(),
            rng,
            workers: vec![Worker::default(); workers as usize],
            idle: (0..workers).rev().collect(),
            up: workers,
            queue: VecDeque::new(),
            admitted: Admitted::default(),
        }
    }

    pub(crate) fn receive(&mut self, request: Request, now: Nanos) -> Receipt {
        if self.up == 0 {
            return Receipt::Down(RESET);
        }
        if let Some(limited) = self.limit(now) {
            return Receipt::Limited(limited);
        }
        if let Some(worker) = self.idle.pop() {
            return Receipt::Begun(self.begin(worker, request, now));
        }
        if self.server.is_full(self.queue.len()) {
            return Receipt::Refused(self.server.overload());
        }
        self.queue.push_back(request);
        Receipt::Queued
    }

    /// Takes the request that a worker has ended, with its failure if it has one. `None` if the
    /// worker has lost it.
    pub(crate) fn end(&mut self, worker: u32, serial: u32) -> Option<(Request, Option<Failure>)> {
        let worker = &mut self.workers[worker as usize];
        if worker.serial == serial { worker.job.take() } else { None }
    }

    /// Lets a worker that has ended a request take the next one. Also returns how many
    /// requests it dropped before that.
    pub(crate) fn take_next(&mut self, worker: u32, now: Nanos) -> (Option<Job>, u32) {
        let mut dropped = 0;
        while let Some(request) = self.next_in_queue() {
            if !self.server.drops(request, now) {
                return (Some(self.begin(worker, request, now)), dropped);
            }
            dropped += 1;
        }
        self.idle.push(worker);
        (None, dropped)
    }

    /// Stops and starts workers as the faults say at `now`.
    pub(crate) fn restart(&mut self, now: Nanos) -> Restart {
        let mut restart = Restart::default();
        let workers = self.server.worker_count();
        let mut started = Vec::new();
        for number in 0..workers {
            let is_down = self.faults.iter().any(|fault| fault.stops_worker(number, workers, now));
            let worker = &mut self.workers[number as usize];
            match (worker.is_down, is_down) {
                (false, true) => {
                    worker.serial = worker.serial.wrapping_add(1);
                    restart.lost.extend(worker.job.take().map(|(request, _)| request));
                }
                (true, false) => started.push(number),
                _ => continue,
            }
            worker.is_down = is_down;
        }
        self.up = self.workers.iter().filter(|worker| !worker.is_down).count() as u32;
        self.idle.retain(|worker| !self.workers[*worker as usize].is_down);
        if self.up == 0 {
            restart.lost.extend(self.queue.drain(..));
        }
        for worker in started {
            let (job, dropped) = self.take_next(worker, now);
            restart.begun.extend(job);
            restart.dropped += dropped;
        }
        restart
    }

    fn next_in_queue(&mut self) -> Option<Request> {
        if self.server.takes_last() { self.queue.pop_back() } else { self.queue.pop_front() }
    }

    fn begin(&mut self, number: u32, request: Request, now: Nanos) -> Job {
        let work = self.server.service_time().draw(&mut self.rng);
        let failure = failure_at(&self.faults, now, &mut self.rng);
        let worker = &mut self.workers[number as usize];
        worker.serial = worker.serial.wrapping_add(1);
        worker.job = Some((request, failure));
        Job { worker: number, serial: worker.serial, ends: end_of_work(&self.faults, now, work) }
    }

    /// Counts a request against the rate limit. Returns its failure if there are too many.
    fn limit(&mut self, now: Nanos) -> Option<Failure> {
        let limit = self.server.limit()?;
        let window = now / limit.window;
        if self.admitted.window != window {
            self.admitted = Admitted { window, requests: 0 };
        }
        if self.admitted.requests < limit.requests {
            self.admitted.requests += 1;
            return None;
        }
        let left = (limit.window - now % limit.window).div_ceil(SECOND);
        Some(Failure { class: ErrorClass::RateLimit, retry_after: Some(Duration::from_secs(left)) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fastrand::Rng;
    use redress_core::ErrorClass;

    use super::{Job, Receipt, Restart, Shard};
    use crate::clock::SECOND;
    use crate::events::CallId;
    use crate::exchange::{Failure, Request};
    use crate::fault::Fault;
    use crate::server::Server;

    const TEN: Duration = Duration::from_nanos(10);

    fn request(attempt: u32, expires: impl Into<Option<u64>>) -> Request {
        Request { call: CallId { slot: 0, serial: 0 }, attempt, expires: expires.into() }
    }

    fn shard<'s>(server: &'s Server, faults: &'s [Fault]) -> Shard<'s> {
        Shard::new(0, server, faults, Rng::with_seed(1))
    }

    /// The attempt that a worker begins next, and how many were dropped before it.
    fn next(shard: &mut Shard<'_>, worker: u32, now: u64) -> (Option<u32>, u32) {
        let (job, dropped) = shard.take_next(worker, now);
        (job.and_then(|job| shard.end(job.worker, job.serial)).map(|(request, _)| request.attempt), dropped)
    }

    #[test]
    fn requests_are_taken_in_order_by_as_many_workers_as_there_are() {
        let server = Server::new(2, TEN).queue_limit(2);
        let mut shard = shard(&server, &[]);
        for attempt in 1..=2 {
            assert!(matches!(shard.receive(request(attempt, 1), 5), Receipt::Begun(job) if job.ends == 15));
        }
        for attempt in 3..=4 {
            assert!(matches!(shard.receive(request(attempt, 1), 5), Receipt::Queued));
        }
        assert!(matches!(shard.receive(request(5, 1), 5), Receipt::Refused(_)));
        assert_eq!([next(&mut shard, 0, 15), next(&mut shard, 1, 15)], [(Some(3), 0), (Some(4), 0)]);
        assert_eq!([next(&mut shard, 0, 25), next(&mut shard, 1, 25)], [(None, 0); 2]);
        assert!(matches!(shard.receive(request(6, 1), 30), Receipt::Begun(job) if job.ends == 40));
    }

    #[test]
    fn the_last_is_taken_first_if_the_server_says_so() {
        let server = Server::new(1, TEN).last_in_first_out();
        let mut shard = shard(&server, &[]);
        for attempt in 1..=4 {
            shard.receive(request(attempt, 1), 0);
        }
        let taken: Vec<_> = (0..3).map(|_| next(&mut shard, 0, 10).0).collect();
        assert_eq!(taken, [Some(4), Some(3), Some(2)]);
    }

    #[test]
    fn what_has_too_little_time_left_is_dropped_by_a_server_that_does_so() {
        let server = || Server::new(1, TEN);
        let cases = [
            (server(), (Some(2), 0)),
            (server().drops_below(Duration::ZERO), (Some(3), 1)),
            (server().drops_below(Duration::from_nanos(5)), (Some(5), 3)),
            (server().drops_below(Duration::MAX), (None, 4)),
        ];
        for (server, expected) in cases {
            let mut shard = shard(&server, &[]);
            for (attempt, expires) in [(1, 9), (2, 10), (3, 11), (4, 15), (5, 16)] {
                shard.receive(request(attempt, expires), 0);
            }
            assert_eq!(next(&mut shard, 0, 10), expected);
        }
    }

    #[test]
    fn a_request_without_a_time_limit_is_never_dropped() {
        let server = Server::new(1, TEN).drops_below(Duration::from_secs(1));
        let mut shard = shard(&server, &[]);
        for attempt in 1..=2 {
            shard.receive(request(attempt, None), 0);
        }
        assert_eq!(next(&mut shard, 0, 10), (Some(2), 0));
    }

    #[test]
    fn a_rate_limit_counts_in_windows_and_hints_at_the_next() {
        let server = Server::new(9, TEN).rate_limit(2, Duration::from_secs(10));
        let mut shard = shard(&server, &[]);
        let mut hint = |at: u64| match shard.receive(request(1, None), at * SECOND / 10) {
            Receipt::Limited(Failure { class: ErrorClass::RateLimit, retry_after }) => {
                retry_after.map(|hint| hint.as_secs())
            }
            Receipt::Begun(_) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            [0, 1, 2, 35, 99, 100, 150, 199].map(&mut hint),
            [None, None, Some(10), Some(7), Some(1), None, None, Some(1)]
        );
    }

    #[test]
    fn a_deployment_loses_what_a_worker_has_begun_and_nothing_else() {
        let server = Server::new(2, Duration::from_secs(100));
        let faults = [Fault::deploys(Duration::from_secs(10), Duration::from_secs(30), 1)];
        assert_eq!(faults[0].changes(2), [10, 20, 30].map(|at| at * SECOND));
        let uneven = Fault::deploys(Duration::from_secs(10), Duration::from_secs(30), 2);
        assert_eq!(uneven.changes(3), [10, 20, 30].map(|at| at * SECOND), "the last group is smaller");
        let mut shard = shard(&server, &faults);
        for attempt in 1..=4 {
            shard.receive(request(attempt, None), 0);
        }
        let steps = [10, 20, 30].map(|at| {
            let Restart { lost, begun, dropped } = shard.restart(at * SECOND);
            assert_eq!(dropped, 0);
            (lost.iter().map(|lost| lost.attempt).collect(), begun.len())
        });
        assert_eq!(steps, [(vec![1], 0), (vec![2], 1), (vec![], 1)]);
    }

    #[test]
    fn a_server_that_stops_loses_all_and_refuses_until_it_is_up() {
        let server = Server::new(1, TEN);
        let faults = [Fault::stops(Duration::from_nanos(5), Duration::from_nanos(50))];
        let mut shard = shard(&server, &faults);
        let Receipt::Begun(Job { worker, serial, .. }) = shard.receive(request(1, None), 0) else { panic!("idle") };
        shard.receive(request(2, None), 1);
        assert_eq!(shard.restart(5).lost.len(), 2);
        assert!(shard.end(worker, serial).is_none(), "its end is stale");
        assert!(matches!(shard.receive(request(3, None), 6), Receipt::Down(_)));
        assert!(shard.restart(50).begun.is_empty());
        assert!(matches!(shard.receive(request(4, None), 50), Receipt::Begun(job) if job.ends == 60));
    }
}
