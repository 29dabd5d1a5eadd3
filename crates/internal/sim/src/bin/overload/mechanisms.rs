//! The policies that are compared, each with the name that the page gives it.

use redress_core::{Budget, CircuitBreaker};
use redress_sim::{ClientBuilder, Clients};

use crate::scene::{four_attempts, impatient, secs};

/// What protects a client's server, and so every other client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    NoRetries,
    Unlimited,
    Window,
    DefaultBreaker,
}

impl Mechanism {
    pub(crate) const ALL: &'static [Self] = &[Self::NoRetries, Self::Unlimited, Self::Window, Self::DefaultBreaker];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoRetries => "no retries",
            Self::Unlimited => "4 attempts, nothing else",
            Self::Window => "`Budget::new(60, 60 s)`",
            Self::DefaultBreaker => "the default breaker, no budget",
        }
    }

    pub(crate) fn clients(self, count: u32) -> Clients<'static> {
        Clients::each(count, move |_| self.policy())
    }

    fn policy(self) -> ClientBuilder {
        match self {
            Self::NoRetries => impatient(),
            Self::Unlimited => impatient().retry(four_attempts()),
            Self::Window => impatient().retry(four_attempts().budget(Budget::new(60, secs(60)).expect("valid"))),
            Self::DefaultBreaker => impatient().retry(four_attempts()).circuit_breaker(CircuitBreaker::builder()),
        }
    }
}
