//! The layer around a channel with a limit: an attempt's place, or its place in the queue, is free
//! while its call waits, and when the call is over.
//!
//! redress-tower makes the attempts, and tests every order of events.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{Request, Response};
use redress_core::{Retry, fixed};
use redress_tokio::AsyncPolicy;
use redress_tonic::{GrpcLayer, GrpcService, grpc_classifier};
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::util::BoxCloneService;
use tower::{BoxError, Service as _, ServiceExt as _};
use tower_layer::Layer as _;

const SECOND: Duration = Duration::from_secs(1);

type Channel = BoxCloneService<Request<Body>, Response<Body>, Status>;

/// A channel with one place, whose calls take a second. The first of them fails.
fn limited() -> Channel {
    let calls = Arc::new(AtomicU32::new(0));
    let work = tower::service_fn(move |_: Request<Body>| {
        let is_first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            sleep(SECOND).await;
            if is_first { Err(Status::unavailable("busy")) } else { Ok(Status::new(Code::Ok, "").into_http()) }
        }
    });
    Channel::new(ConcurrencyLimit::new(work, 1))
}

/// The same, turning calls away while it is full.
fn shedding() -> Channel {
    Channel::new(LoadShed::new(limited()).map_err(|_: BoxError| Status::unavailable("full")))
}

/// A minute between two attempts.
fn layered(channel: &Channel) -> GrpcService<Channel> {
    let retry = Retry::builder().strategy(fixed(60 * SECOND)).max_attempts(2);
    let policy = AsyncPolicy::builder().classifier(grpc_classifier()).retry(retry).no_deadline().build();
    GrpcLayer::new(policy.expect("a valid policy")).layer(channel.clone())
}

/// A call beside the layer has the place at once.
async fn assert_free(channel: &Channel) {
    let came = Instant::now();
    assert!(channel.clone().oneshot(Request::new(Body::empty())).await.is_ok());
    assert_eq!(came.elapsed(), SECOND);
}

/// Attacks W1, W2.
#[tokio::test(start_paused = true)]
async fn a_call_holds_a_place_only_while_it_attempts() {
    for channel in [limited(), shedding()] {
        let mut call = pin!(layered(&channel).call(Request::new(Body::empty())));
        let waits = tokio::time::timeout(2 * SECOND, call.as_mut()).await;
        assert!(waits.is_err(), "it waits for its second attempt");
        assert_free(&channel).await;
        assert!(call.as_mut().await.is_ok());
        assert_free(&channel).await;
    }
}

/// Attacks W1.
#[tokio::test(start_paused = true)]
async fn a_call_that_got_no_place_leaves_the_queue_while_it_waits() {
    for channel in [limited(), shedding()] {
        let long = tokio::spawn(channel.clone().oneshot(Request::new(Body::empty())));
        sleep(SECOND / 2).await;
        let retry = Retry::builder().strategy(fixed(60 * SECOND)).max_attempts(2);
        let policy = AsyncPolicy::builder().classifier(grpc_classifier()).retry(retry).no_deadline();
        let policy = policy.attempt_timeout(SECOND / 4).build().expect("a valid policy");
        let call = tokio::spawn(GrpcLayer::new(policy).layer(channel.clone()).call(Request::new(Body::empty())));
        assert!(long.await.expect("no panic").is_err(), "it was the first");
        assert!(!call.is_finished());
        assert_free(&channel).await;
        call.abort();
    }
}
