//! Layers within layers: the calls of one know those of the other, through tower's middleware too.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress_core::StopReason;
use redress_core::driver::Frame;
use redress_core::policy::Nested;
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tower::{Service as _, ServiceBuilder, service_fn};

use crate::service::{at_once, reset};

fn policy(attempts: u32, nested: Nested) -> AsyncPolicy {
    AsyncPolicy::builder().retry(at_once().max_attempts(attempts)).nested(nested).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_of_two_layers_retries() {
    for (nested, expected) in [(Nested::Warn, 12), (Nested::RetryOutermost, 4), (Nested::RetryInnermost, 3)] {
        let ran = Arc::new(AtomicU32::new(0));
        let runs = Arc::clone(&ran);
        let mut service = ServiceBuilder::new()
            .layer(PolicyLayer::new(policy(4, nested)))
            .concurrency_limit(1)
            .layer(PolicyLayer::new(policy(3, nested)))
            .service(service_fn(move |()| {
                runs.fetch_add(1, Ordering::Relaxed);
                assert_eq!(Frame::current().depth(), 2);
                async { Err::<(), _>(reset()) }
            }));
        assert!(service.call(()).await.is_err());
        assert_eq!(ran.load(Ordering::Relaxed), expected, "{nested}");
    }
    assert_eq!(Frame::current().depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_layer_inside_ends_by_the_deadline_of_a_scope() {
    let mut service = ServiceBuilder::new()
        .layer(PolicyLayer::new(policy(3, Nested::Warn)))
        .service(service_fn(|()| std::future::pending::<io::Result<()>>()));
    let start = tokio::time::Instant::now();
    let frame = Frame::current().until(start.into_std() + Duration::from_secs(2));
    let ended = frame.scope(service.call(())).await.unwrap_err();
    assert_eq!((ended.stop_reason(), start.elapsed()), (StopReason::DeadlineExceeded, Duration::from_secs(2)));
}
