//! [`Clients`]: how many there are, and the policy of each.

use std::fmt;

use redress_core::classify::{DefaultClassifier, OwnClassifier, own_classifier};
use redress_core::driver::NoTimer;
use redress_core::error::ConfigIssue;
use redress_core::policy::{Async, PolicyBuilder};
use redress_core::{AsyncPolicy, ConfigError};

use crate::clock::SimTimer;

/// The builder of a client's policy. The simulation sets its timer and its classifier.
pub type ClientBuilder = PolicyBuilder<DefaultClassifier, Async<NoTimer>>;

/// A policy on the simulation's clock.
pub(crate) type ClientPolicy = AsyncPolicy<OwnClassifier, SimTimer>;

/// A number of clients, each a process of its own that calls the server, and their policies.
///
/// What two policies share, their clients share: a clone of a budget or a built breaker. What is
/// given as a builder, each has for itself.
///
/// ```
/// use std::time::Duration;
/// use redress_core::{AsyncPolicy, Budget, Retry};
/// use redress_sim::Clients;
///
/// let fleet = Budget::new(700, Duration::from_secs(10))?; // one for all
/// let clients = Clients::each(1000, |_| AsyncPolicy::builder().retry(Retry::builder().budget(fleet.clone())));
/// # drop(clients);
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[must_use = "clients do nothing until a scenario is run with them"]
pub struct Clients<'p> {
    count: u32,
    source: Source<'p>,
    policies: Vec<Option<ClientPolicy>>,
}

enum Source<'p> {
    /// A policy for each client, by its number, from 0.
    Each(Box<dyn FnMut(u32) -> ClientBuilder + 'p>),
    /// One policy for all.
    Shared(Option<ClientBuilder>),
}

impl<'p> Clients<'p> {
    /// Clients with a policy each, made by `policy` from the client's number. It is called when a
    /// client makes its first call, so that a client that makes none takes 16 bytes.
    pub fn each(count: u32, policy: impl FnMut(u32) -> ClientBuilder + 'p) -> Self {
        Self { count, source: Source::Each(Box::new(policy)), policies: Vec::new() }
    }

    /// Clients that share one policy, with its breaker and its budget.
    pub fn sharing(count: u32, policy: ClientBuilder) -> Self {
        Self { count, source: Source::Shared(Some(policy)), policies: Vec::new() }
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if self.count == 0 {
            issues.push(ConfigIssue::new("clients.count", 0, "be at least 1"));
        }
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// The policy of a client, below [`count`](Self::count).
    pub(crate) fn policy(&mut self, client: u32, timer: &SimTimer) -> Result<&ClientPolicy, ConfigError> {
        let index = match &self.source {
            Source::Each(_) => client as usize,
            Source::Shared(_) => 0,
        };
        if self.policies.is_empty() {
            let places = if matches!(self.source, Source::Each(_)) { self.count } else { 1 };
            self.policies.resize_with(places as usize, || None);
        }
        let place = &mut self.policies[index];
        if place.is_none() {
            let builder = match &mut self.source {
                Source::Each(make) => make(client),
                Source::Shared(builder) => builder.take().unwrap_or_else(|| AsyncPolicy::builder()),
            };
            return Ok(place.insert(builder.timer(timer.clone()).classifier(own_classifier()).build()?));
        }
        Ok(place.as_ref().expect("it was just found there"))
    }
}

impl fmt::Debug for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("count", &self.count).finish_non_exhaustive()
    }
}
