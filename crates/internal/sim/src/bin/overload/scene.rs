//! The scene that all tables share: one server that stands still for a while, and its callers.

use std::time::Duration;

use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Retry, exponential};
use redress_sim::{ClientBuilder, Fault, Load, Scenario, Server};

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server for 1,000 requests a second, callers that make 700 calls a second together, and an
/// outage of 10 s that begins after 30 s. [`shrunk`](Self::shrunk) divides all of this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// Calls per second of all clients.
    pub(crate) load: u32,
    pub(crate) clients: u32,
    /// How long the server stands still, in seconds.
    pub(crate) outage: u64,
    /// How long the run goes on after that, in seconds.
    pub(crate) after: u64,
    pub(crate) drops_expired: bool,
    pub(crate) seed: u64,
    pub(crate) capacity: u32,
}

/// The first second of the outage.
pub(crate) const BEGIN: u64 = 30;

impl Scene {
    pub(crate) const fn new(clients: u32) -> Self {
        Self { load: 700, clients, outage: 10, after: 220, drops_expired: false, seed: 1, capacity: 1000 }
    }

    /// The same scene with a part of the traffic, of the server and of the clients. What a client
    /// sees stays as it is, so that a policy does the same, with more noise.
    pub(crate) const fn shrunk(self, times: u32) -> Self {
        let Self { load, clients, capacity, .. } = self;
        Self { load: load / times, clients: clients / times, capacity: capacity / times, ..self }
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let mut server = Server::new(1, secs(1) / self.capacity);
        if self.drops_expired {
            server = server.drops_expired();
        }
        Scenario::new(Load::steady(self.load), server)
            .fault(Fault::stands_still(secs(BEGIN), secs(self.end())))
            .horizon(secs(self.end() + self.after))
            .seed(self.seed)
    }

    /// The first second after the outage.
    pub(crate) const fn end(&self) -> u64 {
        BEGIN + self.outage
    }
}

/// A call that waits a second for each answer.
pub(crate) fn impatient() -> ClientBuilder {
    AsyncPolicy::builder().attempt_timeout(secs(1)).deadline(secs(60))
}

/// Up to 4 attempts, after waits from 100 ms with full jitter.
pub(crate) fn four_attempts() -> RetryBuilder {
    let backoff = exponential().base(Duration::from_millis(100)).max(secs(20));
    Retry::builder().max_attempts(4).strategy(backoff)
}
