//! The mechanisms that are compared, each with the name that the page gives it.

use std::time::Duration;

use redress_core::breaker::CircuitBreakerBuilder;
use redress_core::policy::{Preset, RetryBuilder};
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
    /// A budget for each client that earns 0.1 tokens a success, with this capacity.
    Earned(f64),
    /// The same for all clients together, with the capacity of a second's calls.
    Fleet,
    /// The default breaker for each client.
    DefaultBreaker,
    /// A breaker for each client that opens at 50 % of at least 20 calls in 30 s.
    Ratio,
    /// `Ratio` and `Earned(10)`.
    RatioAndEarned,
    /// The preset `http`.
    Http,
    /// The preset `http`, and the attempt timeout of the other mechanisms.
    ImpatientHttp,
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
            Self::Earned(capacity) => format!("`Budget::earned(0.1)`, capacity {capacity}"),
            Self::Fleet => "one earned budget for all, capacity 700".to_owned(),
            Self::DefaultBreaker => "the default breaker, no budget".to_owned(),
            Self::Ratio => "a breaker at 50 % of 20 calls in 30 s, no budget".to_owned(),
            Self::RatioAndEarned => "that breaker, and an earned budget of capacity 10".to_owned(),
            Self::Http => "as it is".to_owned(),
            Self::ImpatientHttp => "`attempt_timeout` 1 s".to_owned(),
            Self::Waits { attempts, from } => format!("{attempts} attempts, waits from {from} ms"),
        }
    }

    /// Runs the scene with this mechanism.
    pub(crate) fn run(self, scene: Scene) -> Report {
        let drops_below = if let Self::ServerDrops(least) = self { Some(least) } else { None };
        let policy = impatient().retry(self.retry(scene));
        let clients = match self {
            Self::NoRetries | Self::Unlimited | Self::ServerDrops(_) | Self::Waits { .. } | Self::Fleet => {
                Clients::sharing(scene.clients, policy)
            }
            Self::DefaultBreaker => Clients::alike(scene.clients, policy.circuit_breaker(CircuitBreaker::builder())),
            Self::Ratio => Clients::alike(scene.clients, policy.circuit_breaker(ratio())),
            Self::Window | Self::Earned(_) => Clients::alike(scene.clients, policy),
            Self::RatioAndEarned => Clients::alike(scene.clients, policy.circuit_breaker(ratio())),
            Self::Http => Clients::alike(scene.clients, AsyncPolicy::http()),
            Self::ImpatientHttp => Clients::alike(scene.clients, AsyncPolicy::http().attempt_timeout(secs(1))),
        };
        Scene { drops_below, ..scene }.scenario().run(clients).expect("a valid scene")
    }

    fn retry(self, scene: Scene) -> RetryBuilder {
        match self {
            Self::NoRetries => retry(1, 100),
            Self::Unlimited | Self::ServerDrops(_) | Self::DefaultBreaker | Self::Ratio => retry(4, 100),
            Self::Window => retry(4, 100).budget(Budget::new(60, secs(60)).expect("valid")),
            Self::Earned(capacity) => retry(4, 100).budget(earned(capacity)),
            Self::Fleet => retry(4, 100).budget(earned(scene.load.into())),
            Self::RatioAndEarned => retry(4, 100).budget(earned(10.0)),
            Self::Waits { attempts, from } => retry(attempts, from),
            Self::Http | Self::ImpatientHttp => Preset::Http.retry(),
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

fn earned(capacity: f64) -> Budget {
    Budget::earned(0.1).capacity(capacity).build().expect("valid")
}

/// Opens for 5 s at first, and for 40 s at most.
fn ratio() -> CircuitBreakerBuilder {
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(20).window(secs(30));
    breaker.recovery_timeout(secs(5)).recovery_growth(2.0, secs(40)).recovery_jitter(0.2)
}
