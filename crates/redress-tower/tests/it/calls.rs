//! When the clones of a service settle their policy, and what a call reports after its end.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress_core::classify::DefaultClassifier;
use redress_core::{CircuitBreaker, ErrorClass, StopReason};
use redress_tokio::{AsyncPolicy, TokioTimer};
use redress_tower::{PolicyLayer, PolicyProvider};
use tower::{Layer as _, Service as _, service_fn};

use crate::service::policy;

fn echo(request: u32) -> Ready<Result<u32, Infallible>> {
    ready(Ok(request))
}

/// Counts how often it is settled, with its clones.
#[derive(Clone)]
struct Settling(AsyncPolicy, Arc<AtomicU32>);

impl PolicyProvider<u32> for Settling {
    type Classifier = DefaultClassifier;
    type Timer = TokioTimer;

    fn policy(&self, _: &u32) -> AsyncPolicy {
        self.0.clone()
    }

    fn settle(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn each_clone_settles_its_policy_once_before_its_second_call() {
    let settled = Arc::new(AtomicU32::new(0));
    let mut service = PolicyLayer::new(Settling(policy(1), Arc::clone(&settled))).layer(service_fn(echo));
    let mut counts = Vec::new();
    for _ in 0..2 {
        for _ in 0..3 {
            service.call(7).await.unwrap();
            counts.push(settled.load(Ordering::Relaxed));
        }
        service = service.clone();
    }
    assert_eq!(counts, [0, 1, 1, 1, 2, 2]);
}

#[tokio::test]
async fn a_call_that_ended_reports_a_later_failure_to_its_breaker() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(60));
    let guarded = AsyncPolicy::builder().circuit_breaker(breaker.build().unwrap()).build().unwrap();
    let mut service = PolicyLayer::new(guarded).layer(service_fn(echo));
    let mut call = Box::pin(service.call(7));
    assert_eq!(call.as_mut().await.unwrap(), 7);
    call.late_failure().unwrap().report(ErrorClass::Transient);
    assert_eq!(service.call(7).await.unwrap_err().stop_reason(), StopReason::CircuitOpen);

    let mut unguarded = PolicyLayer::new(policy(1)).layer(service_fn(echo));
    assert!(unguarded.call(7).late_failure().is_none());
}
