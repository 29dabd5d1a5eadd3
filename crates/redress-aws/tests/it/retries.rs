//! Calls through a policy, with the SDK's own retries off and on.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_sqs::config::{AsyncSleep, SharedAsyncSleep, Sleep, StalledStreamProtectionConfig};
use aws_smithy_types::retry::RetryConfig;
use redress::ErrorClass::{Permanent, RateLimit};
use redress::StopReason;
use redress::integration::aws::{retries_by_itself, retry_config};

use crate::stub::{Stub, answer, client, policy, queues, refusal, settings};

#[tokio::test]
async fn a_throttled_call_waits_as_long_as_the_service_asks() {
    let busy = answer(400, "x-amzn-errortype: ThrottlingException\r\nx-amz-retry-after: 5\r\n", "{}");
    let stub = Stub::answers([busy.clone(), busy, queues()]);
    let client = stub.client();
    let waits = Mutex::new(Vec::new());
    let policy = policy(4);
    let noting = policy
        .context()
        .on_retry(|retry| waits.lock().expect("no panic").push((retry.classification.class(), retry.wait)));
    let found = noting.call(async || client.list_queues().send().await).await.expect("a list");
    assert_eq!(found.queue_urls(), ["http://localhost/queue"]);
    assert_eq!(*waits.lock().expect("no panic"), [(RateLimit, Duration::from_millis(5)); 2]);
    assert_eq!(stub.count(), 3);
}

#[tokio::test]
async fn the_requests_are_the_attempts_of_the_policy() {
    for code in ["ThrottlingException", "InternalFailure", "RequestTimeout"] {
        let stub = Stub::answers([refusal(500, code)]);
        let client = stub.client();
        let outcome = policy(4).execute(async || client.list_queues().send().await).await;
        assert_eq!((outcome.attempts(), stub.count()), (4, 4), "{code}");
        assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
    }
}

#[tokio::test]
async fn what_cannot_change_is_not_sent_again() {
    for code in ["AccessDenied", "ExpiredToken", "ValidationException", "Unheard"] {
        let stub = Stub::answers([refusal(400, code)]);
        let client = stub.client();
        let outcome = policy(4).execute(async || client.list_queues().send().await).await;
        assert_eq!((outcome.attempts(), stub.count()), (1, 1), "{code}");
    }
    let stub = Stub::answers([refusal(404, "Unheard")]);
    let client = stub.client();
    let outcome = policy(4).execute(async || client.list_queues().send().await).await;
    assert_eq!(outcome.last_class(), Some(Permanent));
}

#[tokio::test]
async fn the_retries_of_the_sdk_multiply() {
    let stub = Stub::answers([refusal(500, "InternalFailure")]);
    let quick = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    let client = client(&stub.uri(), |settings| settings.retry_config(quick));
    assert!(retries_by_itself(client.config().retry_config()));
    let outcome = policy(2).execute(async || client.list_queues().send().await).await;
    assert_eq!((outcome.attempts(), stub.count()), (2, 6));
}

#[test]
fn the_configuration_says_whether_the_sdk_retries() {
    let stub = Stub::silent();
    assert!(!retries_by_itself(stub.client().config().retry_config()));
    assert!(!retry_config().has_retry());
    assert!(!retries_by_itself(Some(&RetryConfig::adaptive().with_max_attempts(1))));
    assert!(retries_by_itself(Some(&RetryConfig::adaptive())));
    assert!(retries_by_itself(None));
}

/// Leaves out the waits of the SDK's retries, which are up to a second, and not its timeouts.
#[derive(Debug)]
struct NoBackoff;

impl AsyncSleep for NoBackoff {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(async move {
            if duration > Duration::from_secs(1) {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[tokio::test]
async fn a_client_that_was_told_nothing_retries() {
    let stub = Stub::answers([refusal(400, "ThrottlingException"), queues()]);
    let settings = settings(&stub.uri())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(SharedAsyncSleep::new(NoBackoff));
    let client = aws_sdk_sqs::Client::from_conf(settings.build());
    assert_eq!(client.config().retry_config(), None);
    assert!(retries_by_itself(client.config().retry_config()));
    client.list_queues().send().await.expect("the SDK's second attempt");
    assert_eq!(stub.count(), 2);
}
