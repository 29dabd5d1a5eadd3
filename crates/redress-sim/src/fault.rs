//! What goes wrong with the server, and when: it hangs, is slow or cold, answers with errors,
//! stops, or restarts worker by worker.

use std::time::Duration;

use fastrand::Rng;
use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;

use crate::clock::{Nanos, nanos};
use crate::exchange::Failure;
use crate::random::Share;
use crate::server::Server;

/// Something that goes wrong with the server for a while. The end is excluded.
///
/// ```
/// use std::time::Duration;
/// use redress::ErrorClass;
/// use redress_sim::Fault;
///
/// let secs = Duration::from_secs;
/// let outage = Fault::stops(secs(30), secs(60));
/// let throttled = Fault::errors(secs(30), secs(60), 0.5, ErrorClass::RateLimit).retry_after(secs(5)).on_shard(3);
/// # drop((outage, throttled));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a fault does nothing until a scenario has it"]
pub struct Fault {
    pub(crate) from: Nanos,
    pub(crate) until: Nanos,
    pub(crate) kind: Kind,
    shard: Option<u32>,
    retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    StandsStill,
    Slow { times: u32 },
    Cold { share: f64 },
    Errors { share: f64, class: ErrorClass },
    Stops,
    Deploys { at_once: u32 },
}

impl Fault {
    /// The server does no work and does not say so. What it has begun it ends later.
    pub fn stands_still(from: Duration, until: Duration) -> Self {
        Self::new(from, until, Kind::StandsStill)
    }

    /// All work takes so many times as long as usual. At least 1.
    pub fn slow(from: Duration, until: Duration, times: u32) -> Self {
        Self::new(from, until, Kind::Slow { times })
    }

    /// The server begins with this share of its speed, above 0 and at most 1, and has all of it at
    /// the end: empty caches, connections to be made, code to be compiled. The speed grows in 20
    /// steps.
    pub fn cold(from: Duration, until: Duration, share: f64) -> Self {
        Self::new(from, until, Kind::Cold { share })
    }

    /// A share of the requests that the server begins is answered with an error of this class,
    /// after the usual time. Between 0 and 1, rounded to millionths.
    pub fn errors(from: Duration, until: Duration, share: f64, class: ErrorClass) -> Self {
        Self::new(from, until, Kind::Errors { share, class })
    }

    /// The server is down: what it works on and what waits is lost, and connections are refused.
    /// The callers know at once, as of a [`Transient`](ErrorClass::Transient) failure.
    pub fn stops(from: Duration, until: Duration) -> Self {
        Self::new(from, until, Kind::Stops)
    }

    /// The workers restart one group after the other, `at_once` in each; the last group is up again
    /// at the end. What a worker works on when it stops is lost. What waits is not, and the other
    /// workers take it. If there is no other, it is as if the server [stopped](Self::stops).
    pub fn deploys(from: Duration, until: Duration, at_once: u32) -> Self {
        Self::new(from, until, Kind::Deploys { at_once })
    }

    /// Confines the fault to one shard of the [server's](Server::shards), counted from 0. Default:
    /// every shard.
    pub const fn on_shard(mut self, shard: u32) -> Self {
        self.shard = Some(shard);
        self
    }

    /// Sets the hint, as of `Retry-After`, that this fault's [errors](Self::errors) have. Default:
    /// none.
    pub const fn retry_after(mut self, hint: Duration) -> Self {
        self.retry_after = Some(hint);
        self
    }

    fn new(from: Duration, until: Duration, kind: Kind) -> Self {
        Self { from: nanos(from), until: nanos(until), kind, shard: None, retry_after: None }
    }

    pub(crate) fn issues(&self, server: &Server, issues: &mut Vec<ConfigIssue>) {
        if self.from >= self.until {
            issues.push(ConfigIssue::new("fault.until", Duration::from_nanos(self.until), "be later than its start"));
        }
        if let Some(shard) = self.shard.filter(|shard| *shard >= server.shard_count()) {
            issues.push(ConfigIssue::new("fault.shard", shard, "be a shard of the server's, counted from 0"));
        }
        match self.kind {
            Kind::Slow { times: 0 } => issues.push(ConfigIssue::new("fault.times", 0, "be at least 1")),
            Kind::Errors { share, .. } => Share::new(share).check("fault.share", share, issues),
            Kind::Cold { share } if Share::new(share).millionths() == 0 => {
                issues.push(ConfigIssue::new("fault.share", share, "be above 0"));
            }
            Kind::Cold { share } => Share::new(share).check("fault.share", share, issues),
            Kind::Deploys { at_once: 0 } => issues.push(ConfigIssue::new("fault.at_once", 0, "be at least 1")),
            _ => {}
        }
    }

    pub(crate) fn concerns(&self, shard: u32) -> bool {
        self.shard.is_none_or(|only| only == shard)
    }

    pub(crate) fn covers(&self, now: Nanos) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// Whether this worker is down at `now`, of so many.
    pub(crate) fn stops_worker(&self, worker: u32, workers: u32, now: Nanos) -> bool {
        match self.kind {
            Kind::Stops => self.covers(now),
            Kind::Deploys { at_once } => {
                let at =
                    |group: u32| self.from.saturating_add(self.length() / groups(workers, at_once) * u64::from(group));
                let group = worker / at_once;
                (at(group)..at(group + 1)).contains(&now)
            }
            _ => false,
        }
    }

    /// The instants at which workers stop or start, of so many.
    pub(crate) fn changes(&self, workers: u32) -> Vec<Nanos> {
        match self.kind {
            Kind::Stops => vec![self.from, self.until],
            Kind::Deploys { at_once } => {
                let groups = groups(workers, at_once);
                (0..=groups).map(|group| self.from.saturating_add(self.length() / groups * group)).collect()
            }
            _ => Vec::new(),
        }
    }

    const fn length(&self) -> Nanos {
        self.until.saturating_sub(self.from)
    }
}

fn groups(workers: u32, at_once: u32) -> u64 {
    workers.div_ceil(at_once).into()
}

/// The failure that a request begun at `now` is answered with, if it is.
pub(crate) fn failure_at(faults: &[&Fault], now: Nanos, rng: &mut Rng) -> Option<Failure> {
    faults.iter().filter(|fault| fault.covers(now)).find_map(|fault| match fault.kind {
        Kind::Errors { share, class } if Share::new(share).draw(rng) => {
            Some(Failure { class, retry_after: fault.retry_after })
        }
        _ => None,
    })
}
