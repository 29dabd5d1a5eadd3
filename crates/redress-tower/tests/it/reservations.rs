//! An attempt's reservation in the inner service is released while its call waits, and when the
//! call is over.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::classify::boxed_classifier;
use redress_core::{Retry, StopReason, fixed};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tower::buffer::Buffer;
use tower::filter::Filter;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::timeout::Timeout;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};

use crate::service::reset;

const SECOND: Duration = Duration::from_secs(1);

/// The request is the time that it works.
type Stack = BoxCloneService<Duration, (), BoxError>;

/// A service with one place.
fn limited() -> Stack {
    let work = service_fn(|time| async move {
        sleep(time).await;
        Ok(())
    });
    Stack::new(ConcurrencyLimit::new(work, 1))
}

/// A minute between attempts of a second each.
fn policy(attempts: u32) -> AsyncPolicy<redress_core::classify::BoxedClassifier> {
    let retry = Retry::builder().strategy(fixed(60 * SECOND)).max_attempts(attempts);
    AsyncPolicy::builder()
        .retry(retry)
        .attempt_timeout(SECOND)
        .no_deadline()
        .classifier(boxed_classifier())
        .build()
        .unwrap()
}

/// A new call proceeds at once.
async fn assert_free(stack: &Stack, case: &str) {
    let came = Instant::now();
    let answer = timeout(600 * SECOND, stack.clone().oneshot(Duration::ZERO)).await;
    assert!(matches!(answer, Ok(Ok(()))), "{case}: {answer:?}");
    assert_eq!(came.elapsed(), Duration::ZERO, "{case}");
}

/// Attacks W1.
#[tokio::test(start_paused = true)]
async fn a_call_that_did_not_get_a_place_leaves_the_queue_while_it_waits() {
    type Case = (&'static str, fn() -> Stack);
    let stacks: [Case; 5] = [
        ("a limit", limited),
        ("a queue before it", || Stack::new(Buffer::new(limited(), 1))),
        ("a load shedder before it", || Stack::new(LoadShed::new(limited()))),
        ("a timeout before it", || Stack::new(Timeout::new(limited(), 5 * SECOND))),
        ("a queue before a load shedder", || Stack::new(Buffer::new(LoadShed::new(limited()), 1))),
    ];
    for (case, stack) in stacks {
        let stack = stack();
        let long = tokio::spawn(stack.clone().oneshot(2 * SECOND));
        sleep(SECOND / 100).await;
        // Two calls, because a queue holds one itself.
        let service = PolicyLayer::new(policy(3)).layer(stack.clone());
        let waiting = [(); 2].map(|()| tokio::spawn(service.clone().call(Duration::ZERO)));
        sleep(3 * SECOND).await;
        assert!(long.is_finished() && !waiting[0].is_finished() && !waiting[1].is_finished(), "{case}");
        assert_free(&stack, case).await;
        for call in waiting {
            call.await.unwrap().unwrap();
        }
    }
}

/// Attacks W1. A layer may reject a request after the limit below it was ready for it.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_turned_away_leaves_its_place() {
    let limit = limited();
    let refuse = |_: Duration| Err::<Duration, _>(reset());
    let mut service = PolicyLayer::new(policy(2)).layer(Stack::new(Filter::new(limit.clone(), refuse)));
    let call = tokio::spawn(service.call(Duration::ZERO));
    sleep(SECOND).await;
    assert!(!call.is_finished());
    assert_free(&limit, "between attempts").await;
    assert!(call.await.unwrap().is_err());
}

/// Attacks W2.
#[tokio::test(start_paused = true)]
async fn a_future_that_is_kept_after_its_end_keeps_no_place() {
    let stack = limited();
    let long = tokio::spawn(stack.clone().oneshot(2 * SECOND));
    sleep(SECOND / 100).await;
    let mut service = PolicyLayer::new(policy(1)).layer(stack.clone());
    let mut call = pin!(service.call(Duration::ZERO));
    let error = call.as_mut().await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::MaxAttempts, 1));
    long.await.unwrap().unwrap();
    assert_free(&stack, "the future is still there").await;
}

/// Panics in readiness, when it is called or when its future is polled.
#[derive(Clone)]
struct Panics(&'static str);

impl Service<Duration> for Panics {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        assert_ne!(self.0, "in readiness");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Duration) -> Self::Future {
        assert_ne!(self.0, "in the call");
        Box::pin(async { panic!("in the future") })
    }
}

/// Whether the first poll panics.
fn panics(call: &mut Pin<Box<impl Future>>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx).is_ready())).is_err()
}

/// Attacks W2.
#[tokio::test]
async fn a_future_that_is_kept_after_a_panic_keeps_no_place() {
    for case in ["in readiness", "in the call", "in the future"] {
        let places = Arc::new(Semaphore::new(1));
        let limit = ConcurrencyLimit::with_semaphore(Panics(case), Arc::clone(&places));
        let mut call = Box::pin(PolicyLayer::new(policy(3)).layer(limit).call(Duration::ZERO));
        assert!(panics(&mut call), "{case}");
        assert_eq!(places.available_permits(), 1, "{case}");
        assert!(panics(&mut call), "{case}: polled after its end");
    }
}

/// Panics when it is polled, when it is dropped, and when what it panicked with is dropped.
struct Thorny;

struct Thorn;

impl Drop for Thorn {
    fn drop(&mut self) {
        panic!("the payload is dropped");
    }
}

impl Future for Thorny {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("it is polled");
    }
}

impl Drop for Thorny {
    fn drop(&mut self) {
        panic_any(Thorn);
    }
}

/// The one panic that leaves the call is the first.
#[tokio::test]
async fn a_service_whose_destructors_panic_as_well_does_not_end_the_process() {
    let mut service = PolicyLayer::new(crate::service::policy(3)).layer(service_fn(|()| Thorny));
    let mut call = Box::pin(service.call(()));
    let mut cx = Context::from_waker(Waker::noop());
    let panic = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx).is_ready())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"it is polled"));
}
