//! hyper-util's client below a policy, against misbehaving servers.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::client::legacy::Error as ClientError;
use redress_core::{CallError, ErrorClass, OutcomeSummary, StopReason, fixed, retry_after_or};
use redress_http::{HttpRetryAfterClassifier, IdempotencyGuard, http_retry_after_classifier};
use redress_tokio::AsyncPolicy;
use redress_tower::http::{EmptyBody, HttpProtocol};
use redress_tower::{PolicyLayer, PolicyService};
use tower::{Layer as _, Service as _, service_fn};

use crate::service::at_once;
use crate::socket::{Does, HttpClient, OK, get, http_client, play, uri};

const BUSY: Does =
    Does::Sends("HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");

type Client = PolicyService<HttpClient, AsyncPolicy<HttpRetryAfterClassifier>, HttpProtocol>;

fn client(attempts: u32) -> Client {
    let policy = AsyncPolicy::builder().classifier(http_retry_after_classifier());
    let policy = policy.retry(at_once().max_attempts(attempts).ignore_retry_after()).build().unwrap();
    PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(http_client())
}

fn summary<B>(response: &Response<B>) -> &OutcomeSummary {
    response.extensions().get().unwrap()
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_it_asked_for() {
    let (address, heads) = play(&[BUSY, OK]).await;
    let waits = Arc::new(Mutex::new(Vec::new()));
    let slept = Arc::clone(&waits);
    let policy = AsyncPolicy::builder()
        .classifier(http_retry_after_classifier())
        .retry(at_once().strategy(retry_after_or(fixed(Duration::ZERO)).jitter(Duration::ZERO)))
        .sleep_with(move |delay| {
            slept.lock().unwrap().push(delay);
            ready(())
        });
    let layer = PolicyLayer::new(policy.build().unwrap()).protocol(HttpProtocol::new());
    let response = layer.layer(http_client()).call(get(address, "/orders")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(summary(&response).is_ok());
    assert_eq!(summary(&response).attempts(), 2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!(*waits.lock().unwrap(), [Duration::from_secs(7)]);
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 2);
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn a_response_that_is_given_up_on_says_what_was_tried() {
    let (address, _) = play(&[BUSY, BUSY]).await;
    let response = client(2).call(get(address, "/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(summary(&response).stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!((summary(&response).attempts(), summary(&response).last_class()), (2, Some(ErrorClass::ServerError)));
}

#[tokio::test]
async fn a_post_is_sent_once_and_the_outcome_says_why() {
    let post = |address| Request::post(uri(address, "/")).body(Full::from("pay")).unwrap();
    let (address, heads) = play(&[BUSY, OK]).await;
    let response = client(3).call(post(address)).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(summary(&response).stop_reason(), Some(StopReason::RetryForbidden));
    assert_eq!((summary(&response).retry_forbidden(), summary(&response).attempts()), (Some("not_idempotent"), 1));
    assert_eq!(heads.lock().unwrap().len(), 1);

    let (address, _) = play(&[BUSY, OK]).await;
    let mut with_key = post(address);
    with_key.headers_mut().insert("idempotency-key", "7".parse().unwrap());
    assert_eq!(client(3).call(with_key).await.unwrap().status(), StatusCode::OK);

    let (address, _) = play(&[BUSY, OK]).await;
    let policy = client(3).policy().clone();
    let anything = HttpProtocol::new().guard(IdempotencyGuard::new().retry_non_idempotent(true));
    let mut opted_in = PolicyLayer::new(policy).protocol(anything).layer(http_client());
    assert_eq!(opted_in.call(post(address)).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_reset_connection_is_tried_again() {
    let (address, heads) = play(&[Does::Resets, OK]).await;
    let response = client(3).call(get(address, "/")).await.unwrap();
    assert_eq!((response.status(), summary(&response).attempts()), (StatusCode::OK, 2));
    assert_eq!(heads.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_post_on_a_reset_connection_keeps_its_error() {
    let (address, _) = play(&[Does::Resets, OK]).await;
    let post = Request::post(uri(address, "/")).body(Full::from("pay")).unwrap();
    let error = client(3).call(post).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::RetryForbidden, 1));
    let _: &ClientError = error.error().unwrap();
}

#[tokio::test]
async fn garbage_ends_as_the_clients_own_error() {
    let (address, _) = play(&[Does::Sends("HTTX 2OO yes\r\n\r\n"), Does::Sends("\0\0\0\0"), Does::Sends("")]).await;
    let error = client(3).call(get(address, "/")).await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
}

#[tokio::test]
async fn bodies_that_cannot_be_replayed_are_sent_once() {
    let inner = service_fn(|_: Request<http_body_util::combinators::BoxBody<Bytes, Infallible>>| async {
        Ok::<_, Infallible>(Response::builder().status(500).body(()).unwrap())
    });
    let policy = client(2).policy().clone();
    let mut service = PolicyLayer::new(policy).protocol(HttpProtocol::new().bodies(EmptyBody::default())).layer(inner);
    let put = |body| Request::put("/").body(body).unwrap();
    let full = service.call(put(Full::from("all").boxed())).await.unwrap();
    assert_eq!((summary(&full).retry_forbidden(), summary(&full).attempts()), (Some("streaming_body"), 1));
    let empty = service.call(put(Empty::new().boxed())).await.unwrap();
    assert_eq!((summary(&empty).retry_forbidden(), summary(&empty).attempts()), (None, 2));
}

#[tokio::test]
async fn requests_are_named_and_skipped_by_their_heads() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&names);
    let policy = AsyncPolicy::builder()
        .classifier(http_retry_after_classifier())
        .retry(at_once().max_attempts(1))
        .observer(move |event: &redress_core::Event<'_>| {
            heard.lock().unwrap().push(event.operation.as_deref().unwrap_or_default().to_owned());
        })
        .build()
        .unwrap();
    let inner = service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(())) });
    let call = async |protocol: HttpProtocol, path: &str| {
        let request = Request::get(path).body(String::new()).unwrap();
        PolicyLayer::new(policy.clone()).protocol(protocol).layer(inner).call(request).await.unwrap();
        std::mem::take(&mut *names.lock().unwrap())
    };
    assert_eq!(call(HttpProtocol::new(), "http://h/users/7?q").await, ["GET /users/7"]);
    let by_route = HttpProtocol::new().operation_for(|head| format!("{} /users/:id", head.method).into());
    assert_eq!(call(by_route, "http://h/users/7").await, ["GET /users/:id"]);
    let healthy = HttpProtocol::new().bypass_if(|head| head.uri.path() == "/health");
    assert_eq!(call(healthy.clone(), "http://h/health").await, [""; 0]);
    assert_eq!(call(healthy, "http://h/users").await, ["GET /users"]);
}
