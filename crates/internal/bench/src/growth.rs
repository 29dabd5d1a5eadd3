//! Measures the memory that grows with the number of waiting calls and of called hosts: bytes live
//! for each.
//!
//! The time to make one is not measured: most of it is the cost of fresh memory.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use redress_core::breaker::CircuitBreakerBuilder;
use redress_core::{Budget, CircuitBreaker, Classifier, ErrorClass, Policy, Retry, error_classifier, fixed};
use redress_tokio::AsyncPolicy;
use tokio::runtime::{Builder, Runtime};
use tokio_retry2::RetryError;
use tokio_retry2::strategy::FixedInterval;

use crate::operation::{OperationError, OperationResult, fail};

/// The memory that one of many takes up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each {
    pub(crate) name: &'static str,
    /// Bytes live.
    pub(crate) bytes: f64,
    /// Allocations live.
    pub(crate) allocations: f64,
    pub(crate) reach: Option<f64>,
}

impl Each {
    /// Makes the given number, after a few that pay for allocations made once.
    fn of<T>(name: &'static str, count: usize, make: impl Fn(usize) -> T) -> Self {
        drop(black_box(make(16)));
        let mut made = None;
        let counted = allocation_counter::measure(|| made = Some(make(count)));
        let each = |total: i64| total as f64 / count as f64;
        let (bytes, allocations) = (each(counted.bytes_current), each(counted.count_current));
        drop(made);
        Self { name, bytes, allocations, reach: None }
    }

    const fn within(mut self, bytes: f64) -> Self {
        self.reach = Some(bytes);
        self
    }
}

const CALLS: usize = 10_000;

/// Far longer than the measurement, and within the default deadline.
const DELAY: Duration = Duration::from_secs(30);

/// A task of tokio with a call that sleeps before its second attempt.
pub(crate) fn sleeping_calls() -> Vec<Each> {
    let retry = Retry::builder().strategy(fixed(DELAY));
    let policy = AsyncPolicy::builder().classifier(transient()).retry(retry).build().expect("a valid policy");
    let executed = policy.clone();
    let interval = || FixedInterval::new(DELAY).take(5);
    let backoff = || ConstantBuilder::new().with_delay(DELAY).with_max_times(5);
    vec![
        asleep("tokio's sleep alone", |attempts| async move {
            attempts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(DELAY).await;
        }),
        asleep("redress: call", move |attempts| {
            let policy = policy.clone();
            async move {
                let _ = policy.call(async || attempt(&attempts)).await;
            }
        })
        .within(528.0),
        asleep("redress: execute", move |attempts| {
            let policy = executed.clone();
            async move {
                let _ = policy.execute(async || attempt(&attempts)).await;
            }
        })
        .within(528.0),
        asleep("backon", move |attempts| async move {
            let _ = (async || attempt(&attempts)).retry(backoff()).await;
        }),
        asleep("tokio-retry2", move |attempts| async move {
            let operation = async || attempt(&attempts).map_err(RetryError::transient);
            let _ = tokio_retry2::Retry::spawn(interval(), operation).await;
        }),
    ]
}

fn transient() -> impl Classifier<u64, OperationError> + Clone + Send + Sync {
    error_classifier(|_: &OperationError| ErrorClass::Transient)
}

fn attempt(attempts: &AtomicUsize) -> OperationResult {
    attempts.fetch_add(1, Ordering::Relaxed);
    fail()
}

/// Spawns tasks until the given number have failed once and sleep.
fn asleep<F: Future<Output = ()> + Send + 'static>(name: &'static str, call: impl Fn(Arc<AtomicUsize>) -> F) -> Each {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let attempts = Arc::new(AtomicUsize::new(0));
    let each = Each::of(name, CALLS, |count| spawn(&runtime, &attempts, count, || call(Arc::clone(&attempts))));
    let (begun, alive) = (attempts.load(Ordering::Relaxed), runtime.metrics().num_alive_tasks());
    assert_eq!(begun, alive, "{name}: every call must have made one attempt and sleep");
    each
}

fn spawn<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    attempts: &AtomicUsize,
    count: usize,
    call: impl Fn() -> F,
) {
    let begun = attempts.load(Ordering::Relaxed);
    runtime.block_on(async {
        for spawned in 1..=count {
            drop(tokio::spawn(call()));
            // One task is ready at a time, so that the runtime's queue does not grow.
            while attempts.load(Ordering::Relaxed) < begun + spawned {
                tokio::task::yield_now().await;
            }
        }
    });
}

const HOSTS: usize = 100_000;

/// A blocking policy with retry and budget for each of many hosts, over a breaker that exists
/// already.
pub(crate) fn policies() -> Vec<Each> {
    let breakers: Vec<CircuitBreaker> = (0..HOSTS).map(|_| breaker().build().expect("a valid breaker")).collect();
    let budget = Budget::new(100, Duration::from_secs(60)).expect("a valid budget");
    let retry = || Retry::builder().strategy(fixed(DELAY)).budget(budget.clone());
    let policy = Policy::builder().retry(retry()).build().expect("a valid policy");
    let for_each = |make: &dyn Fn(&CircuitBreaker) -> Policy, count: usize| -> Vec<Policy> {
        let mut policies = Vec::with_capacity(count);
        policies.extend(breakers.iter().take(count).map(make));
        policies
    };
    let derived = |breaker: &CircuitBreaker| policy.with_circuit_breaker(breaker.clone()).expect("a valid policy");
    let built = |breaker: &CircuitBreaker| {
        Policy::builder().retry(retry()).circuit_breaker(breaker.clone()).build().expect("a valid policy")
    };
    vec![
        Each::of("the breaker", HOSTS, |count| {
            (0..count).map(|_| breaker().build().expect("a valid breaker")).collect::<Vec<_>>()
        }),
        Each::of("redress: `with_circuit_breaker` of one policy", HOSTS, |count| for_each(&derived, count))
            .within(300.0),
        Each::of("redress: a policy built for each", HOSTS, |count| for_each(&built, count)),
    ]
}

/// With the default threshold.
fn breaker() -> CircuitBreakerBuilder {
    CircuitBreaker::builder()
}
