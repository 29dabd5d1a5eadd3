//! The scene that all tables share: one server that stands still for a while, and its callers.

use std::time::Duration;

use redress_sim::{Fault, Load, Scenario, Server};

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The first second of the outage.
const BEGIN: u64 = 30;

/// A server for 1,000 requests a second, callers that make 700 calls a second together, and an
/// outage of 10 s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// Requests per second that the server can answer.
    pub(crate) capacity: u32,
    /// Calls per second of all clients.
    pub(crate) load: u32,
    pub(crate) clients: u32,
    /// How long the server stands still, in seconds.
    pub(crate) outage: u64,
    /// How long the run goes on after that, in seconds.
    pub(crate) after: u64,
    /// The time left below which the server drops a request, in milliseconds.
    pub(crate) drops_below: Option<u64>,
    pub(crate) seed: u64,
}

impl Scene {
    pub(crate) const fn new(clients: u32) -> Self {
        Self { capacity: 1000, load: 700, clients, outage: 10, after: 220, drops_below: None, seed: 1 }
    }

    /// The same scene with a part of the traffic, of the server and of the clients. Each client
    /// sees what it saw before, so that policies have the same effect, with more noise.
    pub(crate) const fn shrunk(self, times: u32) -> Self {
        let Self { load, clients, capacity, .. } = self;
        Self { load: load / times, clients: clients / times, capacity: capacity / times, ..self }
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let mut server = Server::new(1, secs(1) / self.capacity);
        if let Some(least) = self.drops_below {
            server = server.drops_below(Duration::from_millis(least));
        }
        let end = BEGIN + self.outage;
        Scenario::new(Load::steady(self.load), server)
            .fault(Fault::stands_still(secs(BEGIN), secs(end)))
            .horizon(secs(end + self.after))
            .seed(self.seed)
    }
}
