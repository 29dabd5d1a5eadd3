//! A caller that hangs up: the server drops the handler, and the handler's calls return their
//! permits.

use std::future::pending;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::routing::get as on_get;
use redress_axum::{HandlerLayer, Unserved};
use redress_core::EventName;
use redress_testing::{FakeCircuitBreaker, Recorder};
use redress_tokio::AsyncPolicy;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::server::{of_handlers, serve};

/// Sends on drop.
struct OnDrop(UnboundedSender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Sends a request to the router and hangs up once its handler runs; returns when the handler has
/// been dropped.
async fn hang_up(router: impl FnOnce(UnboundedSender<()>, UnboundedSender<()>) -> Router) {
    let ((began, mut begun), (ended, mut dropped)) = (unbounded_channel(), unbounded_channel());
    let server = serve(router(began, ended)).await;
    let mut caller = TcpStream::connect(server.address).await.unwrap();
    caller.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    begun.recv().await.unwrap();
    drop(caller);
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn a_handler_that_is_dropped_drops_its_call() {
    let (recorder, breaker) = (Recorder::new(), Arc::new(FakeCircuitBreaker::new()));
    let policy: AsyncPolicy =
        AsyncPolicy::builder().circuit_breaker(Arc::clone(&breaker)).observer(recorder.clone()).build().unwrap();
    let pending_before = Arc::clone(&breaker);
    hang_up(move |began, ended| {
        let handler = move || {
            let (policy, breaker, began, ended) =
                (policy.clone(), Arc::clone(&pending_before), began.clone(), ended.clone());
            async move {
                // Dropped after the call, which begins later.
                let _ended = OnDrop(ended);
                let load = || {
                    assert_eq!(breaker.pending(), 1);
                    began.send(()).unwrap();
                    pending::<io::Result<String>>()
                };
                Ok::<_, Unserved>(policy.operation("load").call(load).await?)
            }
        };
        Router::new().route("/", on_get(handler))
    })
    .await;
    assert_eq!((breaker.pending(), breaker.releases(), breaker.failures().len()), (0, 1, 0));
    assert_eq!(recorder.event_names(), [EventName::Cancelled]);
}

#[tokio::test]
async fn a_layer_s_call_is_dropped_with_its_handler() {
    let (recorder, breaker) = (Recorder::new(), Arc::new(FakeCircuitBreaker::new()));
    let policy = of_handlers().circuit_breaker(Arc::clone(&breaker)).observer(recorder.clone()).build().unwrap();
    hang_up(|began, ended| {
        // Outside of the layer, so that it is dropped after the call.
        let outside = move |request: axum::extract::Request, next: axum::middleware::Next| {
            let ended = OnDrop(ended.clone());
            async move {
                let _ended = ended;
                next.run(request).await
            }
        };
        let handler = move || {
            began.send(()).unwrap();
            pending::<String>()
        };
        let router = Router::new().route("/", on_get(handler)).layer(HandlerLayer::new(policy));
        router.layer(axum::middleware::from_fn(outside))
    })
    .await;
    assert_eq!((breaker.pending(), breaker.releases()), (0, 1));
    assert_eq!(recorder.event_names(), [EventName::Cancelled]);
}
