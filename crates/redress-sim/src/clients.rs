//! [`Clients`]: how many there are, and the policy of each.

use std::fmt;

use redress_core::breaker::BreakerSpec;
use redress_core::classify::{DefaultClassifier, OwnClassifier, own_classifier};
use redress_core::driver::NoTimer;
use redress_core::error::ConfigIssue;
use redress_core::policy::{Async, PolicyBreaker, PolicyBuilder};
use redress_core::{AsyncPolicy, Budget, CircuitBreaker, ConfigError};

use crate::clock::SimTimer;

/// The builder of a client's policy. The simulation sets its timer and its classifier.
pub type ClientBuilder = PolicyBuilder<DefaultClassifier, Async<NoTimer>>;

/// A policy on the simulation's clock.
pub(crate) type ClientPolicy = AsyncPolicy<OwnClassifier, SimTimer>;

/// A number of clients, each a separate process that calls the server, and their policies.
///
/// ```
/// use std::time::Duration;
/// use redress::{AsyncPolicy, Budget, Retry};
/// use redress_sim::Clients;
///
/// let policy = |budget| AsyncPolicy::builder().retry(Retry::builder().budget(budget));
/// let earned = Budget::earned(0.1).capacity(10.0).build()?;
/// let each_has_a_budget = Clients::alike(1000, policy(earned.clone()));
/// let all_have_one = Clients::sharing(1000, policy(earned));
/// # drop((each_has_a_budget, all_have_one));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "clients do nothing until a scenario is run with them"]
pub struct Clients<'p> {
    count: u32,
    make: Make<'p>,
    /// Whether one policy serves all.
    is_shared: bool,
}

/// Makes the policy of a client, by its number.
type Make<'p> = Box<dyn FnMut(u32, &SimTimer) -> Result<Made, ConfigError> + 'p>;

/// A policy that was made for a client.
pub(crate) struct Made {
    pub(crate) policy: ClientPolicy,
    /// Whether a call that succeeds at once leaves the policy as if it had not been made.
    pub(crate) forgets_success: bool,
}

impl<'p> Clients<'p> {
    /// Clients with a policy each, made by `policy` from the client's number. It is called when a
    /// client makes its first call, so that a client that makes none takes four bytes.
    ///
    /// What two policies share, their clients share: a clone of a budget or a built breaker. What
    /// is given as a builder, each has for itself.
    pub fn each(count: u32, mut policy: impl FnMut(u32) -> ClientBuilder + 'p) -> Self {
        let make =
            move |client, timer: &SimTimer| Ok(Made { policy: build(policy(client), timer)?, forgets_success: false });
        Self { count, make: Box::new(make), is_shared: false }
    }

    /// Clients with equal policies: each has a breaker and a budget with these settings, and they
    /// share the settings. They take less memory than [`each`](Self::each) does, and a client with
    /// nothing to remember takes four bytes.
    ///
    /// They share all of a custom [`Breaker`](redress_core::breaker::Breaker), and the state of
    /// adaptive strategies.
    pub fn alike(count: u32, policy: ClientBuilder) -> Self {
        let mut template = Template::Builder(Some(Box::new(policy)));
        Self { count, make: Box::new(move |_, timer| template.policy(timer)), is_shared: false }
    }

    /// Clients that share one policy, with its breaker and its budget.
    pub fn sharing(count: u32, policy: ClientBuilder) -> Self {
        let mut policy = Some(policy);
        let make = move |_, timer: &SimTimer| {
            let Some(policy) = policy.take() else { unreachable!("it is made once") };
            Ok(Made { policy: build(policy, timer)?, forgets_success: false })
        };
        Self { count, make: Box::new(make), is_shared: true }
    }

    pub(crate) fn issues(&self, issues: &mut Vec<ConfigIssue>) {
        if self.count == 0 {
            issues.push(ConfigIssue::new("clients.count", 0, "be at least 1"));
        }
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) const fn are_sharing(&self) -> bool {
        self.is_shared
    }

    pub(crate) fn make(&mut self, client: u32, timer: &SimTimer) -> Result<Made, ConfigError> {
        (self.make)(client, timer)
    }
}

fn build(policy: ClientBuilder, timer: &SimTimer) -> Result<ClientPolicy, ConfigError> {
    policy.timer(timer.clone()).classifier(own_classifier()).build()
}

/// What equal policies are made from.
enum Template {
    Builder(Option<Box<ClientBuilder>>),
    Built(Box<Settings>),
}

struct Settings {
    policy: ClientPolicy,
    breaker: Option<CircuitBreaker>,
    budget: Option<Budget>,
    forgets_success: bool,
}

impl Template {
    fn policy(&mut self, timer: &SimTimer) -> Result<Made, ConfigError> {
        if let Self::Builder(builder) = self {
            let Some(builder) = builder.take() else { unreachable!("an error ends the run") };
            let policy = build(*builder, timer)?;
            let breaker = match policy.spec().breaker {
                Some(PolicyBreaker::Circuit(breaker)) => Some(breaker),
                _ => None,
            };
            let forgets_success = breaker.as_ref().is_none_or(forgets_success);
            let breaker = breaker.map(|breaker| CircuitBreaker::from_spec(breaker).build()).transpose()?;
            let breaker = breaker.map(|breaker| breaker.alike());
            let budget = policy.budget().cloned();
            *self = Self::Built(Box::new(Settings { policy, breaker, budget, forgets_success }));
        }
        let Self::Built(settings) = self else { unreachable!("it was just built") };
        let Settings { policy, breaker, budget, forgets_success } = &**settings;
        let mut made = policy.clone();
        if let Some(budget) = budget {
            made = made.with_budget(budget.alike());
        }
        if let Some(breaker) = breaker {
            made = made.with_circuit_breaker(breaker.alike())?;
        }
        Ok(Made { policy: made, forgets_success: *forgets_success })
    }
}

/// Whether a closed breaker without a failure is as new after a success.
fn forgets_success(breaker: &BreakerSpec) -> bool {
    breaker.failure_ratio.is_none() && breaker.slow_call.is_none()
}

impl fmt::Debug for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("count", &self.count).finish_non_exhaustive()
    }
}
