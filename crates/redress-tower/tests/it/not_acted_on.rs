//! Requests that are not idempotent through a layer: retried if the failure says that they were not
//! acted on.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use redress_core::error::StatusError;
use redress_core::{Cause, ErrorClass, StopReason};
use redress_http::{IdempotencyGuard, LastFailure, Repetition, boxed_http_classifier, http_retry_after_classifier};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use redress_tower::http::HttpProtocol;
use tower::load_shed::LoadShed;
use tower::timeout::Timeout;
use tower::{BoxError, Layer as _, Service, service_fn};

use crate::service::at_once;
use crate::socket::{http_client, uri};

type Policy = AsyncPolicy<redress_http::HttpRetryAfterClassifier>;

fn policy() -> Policy {
    AsyncPolicy::builder().classifier(http_retry_after_classifier()).retry(at_once().max_attempts(3)).build().unwrap()
}

fn post() -> Request<String> {
    Request::post("http://localhost/orders").body("order".to_owned()).unwrap()
}

#[tokio::test]
async fn a_connection_that_is_refused_has_taken_no_post() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = PolicyLayer::new(policy()).protocol(HttpProtocol::new()).layer(http_client());
    let request = Request::post(uri(address, "/")).body(Full::new(Bytes::from("order"))).unwrap();
    let outcome = service.execute_in(service.policy().context(), request).await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
}

/// How often a POST is sent to a service whose first response is this, and the repetition of each
/// attempt.
async fn sends(status: u16, protocol: HttpProtocol) -> (usize, Vec<Option<Repetition>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&told);
    let mut service =
        PolicyLayer::new(policy()).protocol(protocol).layer(service_fn(move |request: Request<String>| {
            assert_eq!(request.body(), "order");
            let mut noted = noted.lock().unwrap();
            noted.push(Repetition::of(request.extensions()).copied());
            let status = if noted.len() == 1 { status } else { 200 };
            async move { Ok::<_, io::Error>(Response::builder().status(status).body(()).unwrap()) }
        }));
    service.call(post()).await.unwrap();
    let told = told.lock().unwrap().clone();
    (told.len(), told)
}

#[tokio::test]
async fn answers_say_whether_a_post_was_acted_on() {
    for status in [408, 409, 421, 423, 425, 429, 500, 503] {
        let (sent, told) = sends(status, HttpProtocol::new()).await;
        let is_sent_again = [421, 425].contains(&status);
        assert_eq!(sent, if is_sent_again { 2 } else { 1 }, "{status}");
        let why = LastFailure::Answer(StatusCode::from_u16(status).unwrap());
        assert_eq!(told.get(1), is_sent_again.then_some(&Some(Repetition::new(2, why))));
        assert_eq!(told[0], None);
    }
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sends(429, HttpProtocol::new().guard(guard)).await.0, 2);
    assert_eq!(sends(503, HttpProtocol::new().guard(guard)).await.0, 1);
}

/// A service that does not become ready at first, and so has not seen the request.
#[derive(Clone)]
struct Unready(Arc<Mutex<u32>>);

impl Service<Request<String>> for Unready {
    type Response = Response<()>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Response<()>>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<io::Result<()>> {
        let mut asked = self.0.lock().unwrap();
        *asked += 1;
        Poll::Ready(if *asked == 1 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) })
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        std::future::ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn a_service_that_was_not_called_has_done_nothing() {
    let asked = Arc::new(Mutex::new(0));
    let service = PolicyLayer::new(policy()).protocol(HttpProtocol::new()).layer(Unready(Arc::clone(&asked)));
    let outcome = service.execute_in(service.policy().context(), post()).await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (2, Some("not_idempotent")));
    assert_eq!(*asked.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_body_that_cannot_be_replayed_is_still_sent_once() {
    let protocol = HttpProtocol::new().bodies(|_: &String| None);
    for (method, why) in [("POST", "not_idempotent"), ("PUT", "streaming_body")] {
        let service =
            PolicyLayer::new(policy()).protocol(protocol.clone()).layer(service_fn(|_: Request<String>| async {
                Ok::<_, Infallible>(Response::builder().status(421).body(()).unwrap())
            }));
        let request = Request::builder().method(method).uri("http://localhost/").body(String::new()).unwrap();
        let outcome = service.execute_in(service.policy().context(), request).await;
        assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some(why)));
    }
}

/// The second attempt's repetition after a first that failed with this error.
async fn told_after<E: Into<BoxError>>(error: fn() -> E) -> Option<Repetition> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&told);
    let below = service_fn(move |request: Request<String>| {
        noted.lock().unwrap().push(Repetition::of(request.extensions()).copied());
        async move { Err::<Response<()>, BoxError>(error().into()) }
    });
    let retry = at_once().max_attempts(2);
    let policy = AsyncPolicy::builder().classifier(boxed_http_classifier()).retry(retry).build().unwrap();
    let mut service = PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(below);
    let get = Request::get("http://localhost/orders").body(String::new()).unwrap();
    service.call(get).await.unwrap_err();
    let told = told.lock().unwrap();
    told[1]
}

#[tokio::test]
async fn a_repetition_after_a_connection_that_failed_wants_another() {
    let failed: [fn() -> io::Error; 3] = [
        || io::ErrorKind::ConnectionRefused.into(),
        || io::ErrorKind::ConnectionReset.into(),
        || io::ErrorKind::BrokenPipe.into(),
    ];
    for error in failed {
        assert_eq!(told_after(error).await, Some(Repetition::new(2, LastFailure::Connection)), "{:?}", error());
    }
    let elsewhere = told_after(|| StatusError::new(503)).await;
    assert_eq!(elsewhere, Some(Repetition::new(2, LastFailure::Error)));
    assert_eq!(told_after(|| fmt::Error).await, Some(Repetition::new(2, LastFailure::Error)));
}

#[tokio::test]
async fn a_post_that_a_load_shedder_turned_away_is_sent_again() {
    /// Ready once others have had their turn.
    #[derive(Clone)]
    struct Busy(Arc<Mutex<u32>>);
    impl Service<Request<String>> for Busy {
        type Response = Response<()>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<()>, Infallible>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
            let mut asked = self.0.lock().unwrap();
            *asked += 1;
            if *asked < 3 { Poll::Pending } else { Poll::Ready(Ok(())) }
        }
        fn call(&mut self, _: Request<String>) -> Self::Future {
            std::future::ready(Ok(Response::new(())))
        }
    }
    let retry = at_once().max_attempts(3);
    let policy = AsyncPolicy::builder().classifier(boxed_http_classifier()).retry(retry).build().unwrap();
    let shedding = LoadShed::new(Busy(Arc::new(Mutex::new(0))));
    let service = PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(shedding);
    let outcome = service.execute_in(service.policy().context(), post()).await;
    assert_eq!((outcome.attempts(), outcome.is_ok()), (3, true), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_one_under_layers_that_box_errors() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let retry = at_once().max_attempts(3);
    let policy = AsyncPolicy::builder().classifier(boxed_http_classifier()).retry(retry).build().unwrap();
    let limited = Timeout::new(http_client(), Duration::from_secs(5));
    let service = PolicyLayer::new(policy.clone()).protocol(HttpProtocol::new()).layer(limited);
    let request = Request::post(uri(address, "/")).body(Full::new(Bytes::from("order"))).unwrap();
    let outcome = service.execute_in(service.policy().context(), request).await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));

    // The layer's own time is a timeout like the attempt's.
    let slow = service_fn(|_: Request<String>| std::future::pending::<io::Result<Response<()>>>());
    let limited = Timeout::new(slow, Duration::from_secs(5));
    let service = PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(limited);
    let outcome = service.execute_in(service.policy().context(), post()).await;
    assert_eq!((outcome.attempts(), outcome.cause()), (1, Some(Cause::Timeout)));
    assert_eq!(outcome.retry_forbidden(), Some("not_idempotent"));
}
