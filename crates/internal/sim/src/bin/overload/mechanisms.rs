//! The mechanisms that are compared, each with the name that the page gives it.

use std::time::Duration;

use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Budget, CircuitBreaker, Retry, exponential};
use redress_sim::{ClientBuilder, Clients, Report};

use crate::scene::{Scene, secs};

/// What a client does, or the server, so that an outage ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mechanism {
    /// One attempt.
    NoRetries,
    /// 4 attempts without a limit across calls.
    Unlimited,
    /// `Unlimited`, and a server that drops requests with so many milliseconds left.
    ServerDrops(u64),
    /// A budget of 60 retries in 60 s for each client.
    Window,
    /// The default breaker for each client.
    DefaultBreaker,
    /// `Unlimited` with so many attempts, after waits from so many milliseconds.
    Waits { attempts: u32, from: u64 },
}

impl Mechanism {
    pub(crate) fn name(self) -> String {
        match self {
            Self::NoRetries => "no retries".to_owned(),
            Self::Unlimited => "4 attempts, no limit".to_owned(),
            Self::ServerDrops(0) => "4 attempts, no limit; the server drops expired work".to_owned(),
            Self::ServerDrops(least) => format!("4 attempts, no limit; the server drops work with {least} ms left"),
            Self::Window => "`Budget::new(60, 60 s)`".to_owned(),
            Self::DefaultBreaker => "the default breaker, no budget".to_owned(),
            Self::Waits { attempts, from } => format!("{attempts} attempts, waits from {from} ms"),
        }
    }

    /// Runs the scene with this mechanism.
    pub(crate) fn run(self, scene: Scene) -> Report {
        let drops_below = if let Self::ServerDrops(least) = self { Some(least) } else { None };
        let clients = match self {
            Self::DefaultBreaker => Clients::with_breakers(scene.clients, self.policy(), |_| CircuitBreaker::builder()),
            Self::NoRetries | Self::Unlimited | Self::ServerDrops(_) | Self::Waits { .. } => {
                Clients::sharing(scene.clients, self.policy())
            }
            Self::Window => Clients::each(scene.clients, |_| self.policy()),
        };
        Scene { drops_below, ..scene }.scenario().run(clients).expect("a valid scene")
    }

    fn policy(self) -> ClientBuilder {
        match self {
            Self::NoRetries => impatient(),
            Self::Unlimited | Self::ServerDrops(_) | Self::DefaultBreaker => impatient().retry(retry(4, 100)),
            Self::Window => impatient().retry(retry(4, 100).budget(Budget::new(60, secs(60)).expect("valid"))),
            Self::Waits { attempts, from } => impatient().retry(retry(attempts, from)),
        }
    }
}

/// A call that waits a second for each answer.
fn impatient() -> ClientBuilder {
    AsyncPolicy::builder().attempt_timeout(secs(1)).deadline(secs(60))
}

/// So many attempts, after waits from so many milliseconds up to 20 s, with full jitter.
fn retry(attempts: u32, from: u64) -> RetryBuilder {
    let backoff = exponential().base(Duration::from_millis(from)).max(secs(20));
    Retry::builder().max_attempts(attempts).strategy(backoff)
}
