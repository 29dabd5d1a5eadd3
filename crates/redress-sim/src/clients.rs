//! [`Clients`]: how many there are, and the policy of each.

use std::fmt;

use redress_core::breaker::CircuitBreakerBuilder;
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
/// use redress::{AsyncPolicy, Budget, Retry};
/// use redress_sim::Clients;
///
/// let fleet = Budget::new(700, Duration::from_secs(10))?; // one for all
/// let clients = Clients::each(1000, |_| AsyncPolicy::builder().retry(Retry::builder().budget(fleet.clone())));
/// # drop(clients);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "clients do nothing until a scenario is run with them"]
pub struct Clients<'p> {
    count: u32,
    make: Make<'p>,
    /// One for each client, or one for all.
    policies: Vec<Option<ClientPolicy>>,
}

type Make<'p> = Box<dyn FnMut(u32, &SimTimer) -> Result<ClientPolicy, ConfigError> + 'p>;

impl<'p> Clients<'p> {
    /// Clients with a policy each, made by `policy` from the client's number. It is called when a
    /// client makes its first call, so that a client that makes none takes 16 bytes.
    pub fn each(count: u32, mut policy: impl FnMut(u32) -> ClientBuilder + 'p) -> Self {
        Self::new(count, count, move |client, timer| build(policy(client), timer))
    }

    /// Clients that share one policy, with its breaker and its budget.
    pub fn sharing(count: u32, policy: ClientBuilder) -> Self {
        let mut once = Once::new(policy);
        Self::new(count, 1, move |_, timer| once.policy(timer).cloned())
    }

    /// Clients that share one policy, except that each has a breaker. They take less memory than
    /// clients with a policy each.
    pub fn with_breakers(
        count: u32,
        policy: ClientBuilder,
        mut breaker: impl FnMut(u32) -> CircuitBreakerBuilder + 'p,
    ) -> Self {
        let mut once = Once::new(policy);
        Self::new(count, count, move |client, timer| once.policy(timer)?.with_circuit_breaker(breaker(client)))
    }

    fn new(
        count: u32,
        policies: u32,
        make: impl FnMut(u32, &SimTimer) -> Result<ClientPolicy, ConfigError> + 'p,
    ) -> Self {
        let mut places = Vec::new();
        places.resize_with(policies as usize, || None);
        Self { count, make: Box::new(make), policies: places }
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
        let last = self.policies.len() - 1;
        let place = &mut self.policies[last.min(client as usize)];
        if place.is_none() {
            *place = Some((self.make)(client, timer)?);
        }
        Ok(place.as_ref().expect("it was just put there"))
    }
}

fn build(policy: ClientBuilder, timer: &SimTimer) -> Result<ClientPolicy, ConfigError> {
    policy.timer(timer.clone()).classifier(own_classifier()).build()
}

/// A policy that is built when it is first needed.
struct Once {
    builder: Option<ClientBuilder>,
    built: Option<ClientPolicy>,
}

impl Once {
    fn new(policy: ClientBuilder) -> Self {
        Self { builder: Some(policy), built: None }
    }

    fn policy(&mut self, timer: &SimTimer) -> Result<&ClientPolicy, ConfigError> {
        if let Some(builder) = self.builder.take() {
            self.built = Some(build(builder, timer)?);
        }
        Ok(self.built.as_ref().expect("an error ends the run"))
    }
}

impl fmt::Debug for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("count", &self.count).finish_non_exhaustive()
    }
}
