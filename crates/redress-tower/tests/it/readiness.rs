//! Every attempt waits for an instance to be ready, and calls that one.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use redress_core::classify::boxed_classifier;
use redress_core::{CallError, CircuitBreaker, ErrorClass, StopReason, fixed};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tokio::sync::Semaphore;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer as _, Service as _, ServiceBuilder, ServiceExt as _, service_fn};
use tower_test::mock;

use crate::service::{Scripted, at_once, policy, poll_once, reset};

#[tokio::test]
async fn readiness_is_asked_for_before_every_attempt() {
    let scripted = Scripted::<(), _>::new([Err(reset()), Err(reset()), Ok(7)]);
    let mut service = PolicyLayer::new(policy(3)).layer(scripted.clone());
    assert_eq!(service.call(()).await.unwrap(), 7);
    assert_eq!(scripted.notes(), ["ready", "call"].repeat(3));
}

#[tokio::test]
async fn a_service_that_fails_to_become_ready_is_a_failure_and_its_instance_is_let_go() {
    let scripted = Scripted::<(), _>::new([Ok(7)]).readiness([Err(reset()), Err(reset())]);
    let mut service = PolicyLayer::new(policy(3)).layer(scripted.clone());
    assert_eq!(service.call(()).await.unwrap(), 7);
    assert_eq!(scripted.notes(), ["ready", "ready", "ready", "call"]);

    let scripted = Scripted::<(), u32>::new([]).readiness([Err(reset()), Err(reset())]);
    let error = PolicyLayer::new(policy(2)).layer(scripted).call(()).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::MaxAttempts, 2));
}

#[tokio::test]
async fn the_outer_service_is_always_ready() {
    let (inner, mut handle) = mock::pair::<u32, u32>();
    handle.allow(0);
    let policy = AsyncPolicy::builder().classifier(boxed_classifier()).build().unwrap();
    let mut service = PolicyLayer::new(policy).layer(inner);
    assert!(poll_once(&mut service.ready()).is_ready());
}

#[tokio::test]
async fn a_call_waits_for_a_service_that_becomes_ready_late() {
    let (inner, mut handle) = mock::pair::<u32, u32>();
    handle.allow(0);
    let policy = AsyncPolicy::builder().retry(at_once()).classifier(boxed_classifier()).build().unwrap();
    let mut service = PolicyLayer::new(policy).layer(inner);
    let mut call = task(service.call(7));
    assert!(call.poll().is_pending());
    assert!(poll_once(&mut Box::pin(handle.next_request())).is_pending());
    handle.allow(1);
    assert!(call.is_woken());
    assert!(call.poll().is_pending());
    let (request, respond) = handle.next_request().await.unwrap();
    respond.send_response(request + 1);
    assert!(matches!(call.poll(), Poll::Ready(Ok(8))));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_waits_for_readiness_runs_into_its_timeout() {
    let (inner, mut handle) = mock::pair::<u32, u32>();
    handle.allow(0);
    let limited = AsyncPolicy::builder().attempt_timeout(Duration::from_secs(2)).no_deadline();
    let policy = limited.retry(at_once().max_attempts(3)).classifier(boxed_classifier()).build().unwrap();
    let began = tokio::time::Instant::now();
    let error: CallError<tower::BoxError> = PolicyLayer::new(policy).layer(inner).call(7).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::MaxAttempts, 3));
    assert!(matches!(error, CallError::Exhausted(_)), "there is no error of the service: {error:?}");
    assert_eq!(began.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_given_up_keeps_no_request() {
    let (inner, mut handle) = mock::pair::<Arc<()>, u32>();
    handle.allow(0);
    let limited = AsyncPolicy::builder().attempt_timeout(Duration::from_secs(2)).no_deadline();
    let retry = at_once().strategy(fixed(Duration::from_secs(60)));
    let policy = limited.retry(retry).classifier(boxed_classifier()).build().unwrap();
    let request = Arc::new(());
    let mut service = PolicyLayer::new(policy).layer(inner);
    let mut call = task(service.call(Arc::clone(&request)));
    assert!(call.poll().is_pending());
    assert_eq!(Arc::strong_count(&request), 3, "ours, the attempt's, and the replay");
    tokio::time::advance(Duration::from_secs(3)).await;
    assert!(call.poll().is_pending());
    assert_eq!(Arc::strong_count(&request), 2);
}

#[tokio::test]
async fn an_open_breaker_rejects_although_nothing_is_ready() {
    let (inner, mut handle) = mock::pair::<u32, u32>();
    handle.allow(0);
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
    breaker.try_acquire().unwrap().failure(ErrorClass::Transient);
    let policy = AsyncPolicy::builder().circuit_breaker(breaker).classifier(boxed_classifier()).build().unwrap();
    let rejected = poll_once(&mut Box::pin(PolicyLayer::new(policy).layer(inner).call(7)));
    let Poll::Ready(Err(CallError::CircuitOpen(rejection))) = rejected else {
        panic!("not rejected: {rejected:?}");
    };
    assert!(rejection.retry_in().is_some());
}

#[tokio::test]
async fn a_limit_around_holds_calls_back() {
    let gate: &Semaphore = Box::leak(Box::new(Semaphore::new(0)));
    let inner = service_fn(move |()| async move {
        gate.acquire().await.unwrap().forget();
        Ok::<_, std::io::Error>(())
    });
    let stack = ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(1)).layer(PolicyLayer::new(policy(2)));
    let mut service = stack.service(inner);
    let mut first = task(service.ready().await.unwrap().call(()));
    assert!(first.poll().is_pending());
    assert!(poll_once(&mut service.clone().ready()).is_pending());
    gate.add_permits(1);
    assert!(first.poll().is_ready());
    drop(first);
    assert!(poll_once(&mut service.ready()).is_ready());
}

/// A future that is polled manually and knows whether it was woken.
fn task<F: Future>(future: F) -> Task<F> {
    Task { future: Box::pin(future), woken: Arc::default() }
}

struct Task<F> {
    future: Pin<Box<F>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<F: Future> Task<F> {
    fn poll(&mut self) -> Poll<F::Output> {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Arc::clone(&self.woken).into();
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }
}
