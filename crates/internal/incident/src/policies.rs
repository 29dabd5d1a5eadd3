//! The policies, one for each dependency: the limits of a call, and the conditions under which none
//! is made.
//!
//! The three differ only in their classifier.

use std::time::Duration;

use redress::classify::DefaultClassifier;
use redress::driver::Timer as _;
use redress::integration::hyper::{HyperClassifier, hyper_classifier};
use redress::integration::tonic::{GrpcClassifier, grpc_classifier};
use redress::observe::metrics::MetricsObserver;
use redress::observe::opentelemetry::OtelObserver;
use redress::observe::tracing::TracingObserver;
use redress::policy::{Async, AsyncPolicy, PolicyBuilder};
use redress::{AbortHandle, Budget, CircuitBreaker, ConfigError, Retry, decorrelated_jitter};

use crate::clock::StoryClock;

const ATTEMPTS: u32 = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(10);

/// A circuit opens after this many failed calls in half a minute, and admits a probe after a
/// quarter of a minute.
const FAILURES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(30);
const RECOVERY: Duration = Duration::from_secs(15);

/// The retries per minute for each dependency: one for every second call.
const RETRIES: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// The policies of the checkout's calls.
pub(crate) struct Policies {
    pub(crate) inventory: AsyncPolicy<HyperClassifier, StoryClock>,
    pub(crate) payments: AsyncPolicy<GrpcClassifier, StoryClock>,
    pub(crate) orders: AsyncPolicy<DefaultClassifier, StoryClock>,
}

/// The observers of all policies.
#[derive(Clone)]
pub(crate) struct Observers {
    pub(crate) metrics: MetricsObserver,
    pub(crate) spans: OtelObserver,
    pub(crate) log: TracingObserver,
}

impl Policies {
    /// Aborting `shutdown` ends the waiting calls and all later ones.
    pub(crate) fn new(clock: &StoryClock, observers: &Observers, shutdown: &AbortHandle) -> Result<Self, ConfigError> {
        let policy = |name| policy(name, clock, observers, shutdown);
        Ok(Self {
            inventory: policy("inventory")?.classifier(hyper_classifier()).build()?,
            payments: policy("payments")?.classifier(grpc_classifier()).build()?,
            orders: policy("orders-db")?.build()?,
        })
    }
}

/// The name becomes the labels `policy` and `breaker` in everything reported about the dependency.
fn policy(
    name: &'static str,
    clock: &StoryClock,
    observers: &Observers,
    shutdown: &AbortHandle,
) -> Result<PolicyBuilder<DefaultClassifier, Async<StoryClock>>, ConfigError> {
    let breaker = CircuitBreaker::builder()
        .name(name)
        .failure_threshold(FAILURES)
        .window(WINDOW)
        .recovery_timeout(RECOVERY)
        .build()?;
    // In a real service, use `Budget::new`. The page reads the remaining tokens by the budget's
    // clock.
    let story = clock.clone();
    let budget = Budget::with_clock(RETRIES, MINUTE, move || story.now())?;
    observers.metrics.watch(&breaker);
    observers.metrics.watch_budget(name, &budget);
    let strategy = decorrelated_jitter().base(Duration::from_millis(100)).max(Duration::from_secs(1));
    Ok(redress::AsyncPolicy::builder()
        .timer(clock.clone())
        .name(name)
        .retry(Retry::builder().strategy(strategy).max_attempts(ATTEMPTS).budget(budget))
        .attempt_timeout(ATTEMPT_TIMEOUT)
        .deadline(DEADLINE)
        .circuit_breaker(breaker)
        .abort_on(shutdown)
        .observer((observers.metrics.clone(), observers.spans.clone(), observers.log.clone())))
}
