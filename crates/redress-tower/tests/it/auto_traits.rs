//! Services and calls are `Send`, `Sync` and `Clone`, as axum and hyper require, if their parts
//! are.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::rc::Rc;

use redress_core::CallError;
use redress_tokio::AsyncPolicy;
use redress_tower::http::HttpProtocol;
use redress_tower::{CloneRequest, Once, PolicyFuture, PolicyLayer, PolicyService, RetryBudget};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::service::{Scripted, policy, reset};

const fn sharable<T: Clone + Send + Sync + 'static>() {}
const fn sendable<T: Send + 'static>() {}

type Inner = Scripted<String, u32>;

const _: () = {
    sharable::<PolicyLayer<AsyncPolicy>>();
    sharable::<PolicyLayer<AsyncPolicy, HttpProtocol>>();
    sharable::<PolicyService<Inner, AsyncPolicy, CloneRequest>>();
    sharable::<PolicyService<Inner, AsyncPolicy, HttpProtocol>>();
    sharable::<RetryBudget>();
    sendable::<PolicyFuture<Inner, String, redress_core::classify::DefaultClassifier, redress_tokio::TokioTimer, Once>>(
    );
};

/// The bounds of an axum router on a layer's service.
fn boxed(
    service: PolicyService<Inner, AsyncPolicy, CloneRequest>,
) -> BoxCloneSyncService<String, u32, tower::BoxError> {
    BoxCloneSyncService::new(service.map_err(Into::into))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_can_be_spawned_and_their_errors_boxed() {
    let service = PolicyLayer::new(policy(2)).layer(Scripted::new([Ok(7), Err(reset()), Err(reset())]));
    let mut service = boxed(service);
    assert_eq!(tokio::spawn(service.call("a".to_owned())).await.unwrap().unwrap(), 7);

    let error = tokio::spawn(service.call("a".to_owned())).await.unwrap().unwrap_err();
    let error = error.downcast::<CallError<io::Error>>().unwrap();
    assert_eq!(error.source().unwrap().downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(error.into_error().unwrap().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_is_not_send_runs_on_a_local_executor() {
    let count = Rc::new(Cell::new(0));
    let seen = Rc::clone(&count);
    let inner = service_fn(move |request: Rc<u32>| {
        let seen = Rc::clone(&seen);
        async move {
            tokio::task::yield_now().await;
            seen.set(seen.get() + 1);
            if seen.get() == 1 { Err(reset()) } else { Ok(*request) }
        }
    });
    let mut service = PolicyLayer::new(policy(2)).layer(inner);
    let local = tokio::task::LocalSet::new();
    let called =
        local.run_until(async move { tokio::task::spawn_local(service.call(Rc::new(7))).await.unwrap() }).await;
    assert_eq!((called.unwrap(), count.get()), (7, 2));
}

#[tokio::test]
async fn a_service_without_errors_still_has_those_of_the_policy() {
    let breaker = redress_core::CircuitBreaker::builder().failure_threshold(1).build().unwrap();
    breaker.try_acquire().unwrap().failure(redress_core::ErrorClass::Transient);
    let policy: AsyncPolicy = AsyncPolicy::builder().circuit_breaker(breaker).build().unwrap();
    let mut service = PolicyLayer::once(policy).layer(service_fn(|()| async { Ok::<_, Infallible>(7) }));
    assert!(matches!(service.call(()).await, Err(CallError::CircuitOpen(_))));
}
