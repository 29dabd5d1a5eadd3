//! Requests through a policy: requests, responses and settings.

use std::collections::VecDeque;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, Uri};
use redress_core::error::RateLimitError;
use redress_core::strategy::{Fixed, RetryAfterOr};
use redress_core::{CallContext, CallError, CircuitBreaker, ErrorClass, Event, StopReason, fixed, retry_after_or};
use redress_http::TimeFormat;
use redress_hyper::{
    DeadlineHeader, HyperError, ReplayBody, RetryingClient, default_operation, default_result_classifier,
    hyper_classifier, is_idempotent_method, request_with_retry,
};
use redress_tokio::AsyncPolicy;

use crate::support::{BUSY, Bytewise, HOUR, OK, Server, client, policy, pooled, put, retry, summary, text};

#[tokio::test]
async fn a_bad_response_is_followed_by_another_attempt() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let response = client().get(server.uri("/orders?page=2")).send().await.unwrap();
    assert_eq!((summary(&response).attempts(), summary(&response).is_ok()), (3, true));
    assert_eq!(text(response).await, "fine");
    let lines: Vec<String> = server.arrived().into_iter().map(|arrived| arrived.line).collect();
    assert_eq!(lines, ["GET /orders?page=2 HTTP/1.1"; 3]);
}

#[tokio::test]
async fn headers_of_an_attempt_are_not_in_the_next() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let client = client().attempt_headers(|headers, attempt| {
        let tries = headers.get_all("x-try").iter().count();
        headers.append("x-try", HeaderValue::from(attempt.number()));
        headers.append("x-before", HeaderValue::from(tries));
    });
    let request = client.get(server.uri("/")).header(HeaderName::from_static("x-mine"), HeaderValue::from_static("7"));
    request.send().await.unwrap();
    let arrived = server.arrived();
    let of = |name: &str| arrived.iter().map(|arrived| arrived.header(name).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!((of("x-try"), of("x-before")), (["1", "2", "3"].map(String::from).into(), vec!["0".to_owned(); 3]));
    assert_eq!(of("x-mine"), ["7", "7", "7"]);
}

#[tokio::test]
async fn the_time_left_and_the_number_of_an_attempt_are_sent_if_asked_for() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    // The policy's deadline is a minute.
    let client = client();
    let telling = client.clone().send_deadline(true).send_attempt(true);
    telling.get(server.uri("/")).send().await.unwrap();
    client.get(server.uri("/")).send().await.unwrap();
    let of = |name: &str| server.numbers(name);
    assert_eq!(of("x-envoy-attempt-count"), [Some(1), Some(2), Some(3), None]);
    let left = of("x-envoy-expected-rq-timeout-ms");
    assert!(left[..3].is_sorted_by(|before, after| before >= after), "{left:?}");
    assert!(left[..3].iter().all(|left| (1..=60_000).contains(&left.unwrap())), "{left:?}");
    assert_eq!(left[3], None);

    let header = DeadlineHeader::new(HeaderName::from_static("x-seconds"), TimeFormat::Seconds);
    let own = client.send_deadline_as(header);
    let less = own.get(server.uri("/")).header(HeaderName::from_static("x-seconds"), HeaderValue::from_static("7"));
    less.send().await.unwrap();
    assert_eq!(of("x-seconds").last(), Some(&Some(7)));
}

#[tokio::test]
async fn a_bad_response_at_the_end_is_the_response() {
    let server = Server::answers(&[BUSY]).await;
    let response = client().get(server.uri("/")).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(summary(&response).stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!(summary(&response).last_class(), Some(ErrorClass::ServerError));
    assert_eq!(text(response).await, "busy");
    assert_eq!(server.arrived().len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_no_failure_is_returned_at_once() {
    for status in [404, 401, 301, 204] {
        let server = Server::answers(&[&format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")]).await;
        let response = client().get(server.uri("/")).send().await.unwrap();
        assert_eq!(response.status(), status);
        assert!(summary(&response).is_ok());
        assert_eq!(server.arrived().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn every_method_is_sent_as_it_is_called() {
    let server = Server::answers(&[OK]).await;
    let (client, uri) = (client(), server.uri("/m"));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let heads = Server::answers(&[head]).await;
    client.head(heads.uri("/m")).send().await.unwrap();
    for request in [
        client.get(uri.clone()),
        client.options(uri.clone()),
        client.delete(uri.clone()),
        client.put(uri.clone(), "body"),
        client.post(uri.clone(), "body"),
        client.patch(uri.clone(), "body"),
        client.request(Request::builder().method("PURGE").uri(uri).body("body").unwrap()),
    ] {
        text(request.send().await.unwrap()).await;
    }
    let sent: Vec<_> = heads.arrived().into_iter().chain(server.arrived()).collect();
    let lines = sent.iter().map(|arrived| arrived.line.trim_end_matches(" /m HTTP/1.1")).collect::<Vec<_>>();
    assert_eq!(lines, ["HEAD", "GET", "OPTIONS", "DELETE", "PUT", "POST", "PATCH", "PURGE"]);
    let bodies: Vec<_> = sent.iter().map(|arrived| arrived.body.as_slice()).collect();
    assert_eq!(bodies[..4], [b"", b"", b"", b""]);
    assert_eq!(bodies[4..], [b"body", b"body", b"body", b"body"]);
}

#[tokio::test]
async fn the_head_is_the_same_in_each_attempt() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let request =
        Request::put(server.uri("/a")).header("x-id", "7").header("accept", "text/plain").body("body").unwrap();
    client()
        .request(request)
        .header(HeaderName::from_static("x-more"), HeaderValue::from_static("8"))
        .send()
        .await
        .unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 3);
    for attempt in &arrived {
        assert_eq!((attempt.header("x-id"), attempt.header("x-more")), (Some("7"), Some("8")));
        assert_eq!((&attempt.headers, &attempt.line), (&arrived[0].headers, &arrived[0].line));
    }
}

#[tokio::test]
async fn operations_are_named_by_default_by_client_and_by_request() {
    let server = Server::answers(&[OK]).await;
    let names = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&names);
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .observer(move |event: &Event<'_>| heard.lock().unwrap().extend(event.operation.as_deref().map(str::to_owned)))
        .build()
        .unwrap();
    let uri = server.uri("/orders/7?x");
    let client = RetryingClient::new(pooled::<Bytewise>(), policy.clone());
    text(client.get(uri.clone()).send().await.unwrap()).await;
    text(client.clone().operation("orders").get(uri.clone()).send().await.unwrap()).await;
    let named = client.clone().operation_for(|head| format!("{} {}", head.method, head.uri.path().len()).into());
    text(named.get(uri.clone()).send().await.unwrap()).await;
    text(named.get(uri.clone()).operation("this one").send().await.unwrap()).await;
    let context = CallContext::new().operation("that one");
    text(named.get(uri.clone()).context(context).send().await.unwrap()).await;
    let request = Request::get(uri).body("").unwrap();
    text(request_with_retry(client.transport(), &policy, request).await.unwrap()).await;
    assert_eq!(*names.lock().unwrap(), ["GET /orders/7", "orders", "GET 9", "this one", "that one", "GET /orders/7"]);
}

#[tokio::test]
async fn what_is_skipped_passes_by_the_policy() {
    let server = Server::answers(&[BUSY]).await;
    let events = Arc::new(AtomicU32::new(0));
    let heard = Arc::clone(&events);
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(retry())
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(1))
        .observer(move |_: &Event<'_>| {
            heard.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy).bypass_if(|head| head.uri.path() == "/health");
    for _ in 0..2 {
        let response = client.get(server.uri("/health")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), text(response).await.as_str()), (503, "busy"));
    }
    text(client.get(server.uri("/orders")).bypass(true).send().await.unwrap()).await;
    assert_eq!((server.arrived().len(), events.load(Ordering::Relaxed)), (3, 0));
    text(client.get(server.uri("/health")).bypass(false).send().await.unwrap()).await;
    assert_eq!(server.arrived().len(), 6);
    assert!(events.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_request_may_have_another_policy() {
    let server = Server::answers(&[BUSY]).await;
    let once = policy(retry().max_attempts(1));
    let client = client();
    let response = client.get(server.uri("/")).policy(&once).send().await.unwrap();
    assert_eq!(summary(&response).attempts(), 1);
    text(response).await;
    assert_eq!(summary(&client.get(server.uri("/")).send().await.unwrap()).attempts(), 3);
}

#[tokio::test]
async fn an_open_circuit_is_an_error_and_nothing_is_sent() {
    let server = Server::answers(&[BUSY]).await;
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(1))
        .build()
        .unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy);
    assert_eq!(client.get(server.uri("/")).send().await.unwrap().status(), 503);
    let error = client.get(server.uri("/")).send().await.unwrap_err();
    assert!(matches!(error, CallError::CircuitOpen(_)), "{error:?}");
    assert_eq!(server.arrived().len(), 1);
}

fn after(seconds: &str) -> String {
    format!("HTTP/1.1 503 x\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n")
}

fn hinted() -> RetryAfterOr<Fixed> {
    retry_after_or(fixed(Duration::from_millis(5))).jitter(Duration::ZERO)
}

#[tokio::test]
async fn retry_after_is_waited_for_and_nonsense_is_not() {
    let server = Server::answers(&[&after("7"), &after("soon"), &after("-3"), OK]).await;
    let waits = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&waits);
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(retry().strategy(hinted()).max_attempts(4))
        .sleep_with(move |wait| {
            noted.lock().unwrap().push(wait);
            async {}
        })
        .build()
        .unwrap();
    let response = RetryingClient::new(pooled::<Bytewise>(), policy).get(server.uri("/")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let [seven, own, negative] = waits.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((seven, own), (Duration::from_secs(7), Duration::from_millis(5)));
    assert!(negative <= own, "{negative:?}");
}

#[tokio::test]
async fn the_retry_shortens_hints_of_headers_and_of_errors() {
    let five = Duration::from_secs(5);
    let asked = HyperError::exchange(RateLimitError::new("slow down").with_retry_after(Duration::from_secs(3600)));
    let busy = Response::builder().status(503).header("retry-after", "3600").body(()).unwrap();
    let answers = Mutex::new(VecDeque::from([Err(asked), Ok(busy), Ok(Response::new(()))]));
    let waits = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&waits);
    let policy = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .retry(retry().max_retry_after(five))
        .sleep_with(move |wait| {
            noted.lock().unwrap().push(wait);
            async {}
        })
        .build()
        .unwrap();
    let answer = policy.call(|| ready(answers.lock().unwrap().pop_front().unwrap())).await;
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(*waits.lock().unwrap(), [five; 2]);
}

#[tokio::test]
async fn a_classifier_of_ones_own_decides() {
    let server = Server::answers(&["HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n"]).await;
    let own = redress_core::classify::result_classifier(|response: &Response<redress_hyper::ResponseBody>| {
        (response.status() == 404).then_some(ErrorClass::Transient)
    });
    let policy = AsyncPolicy::builder().classifier(own.or_else(hyper_classifier())).retry(retry()).build().unwrap();
    let client = RetryingClient::new(pooled::<Bytewise>(), policy).drain(65536, HOUR);
    assert_eq!(summary(&client.get(server.uri("/")).send().await.unwrap()).attempts(), 3);
}

/// Never answers. Checks the breaker when it is dropped.
#[derive(Clone)]
struct Looking(CircuitBreaker, Arc<Mutex<Vec<bool>>>);

struct Look(Looking);

impl Drop for Look {
    fn drop(&mut self) {
        let is_admitted = self.0.0.try_acquire().is_ok();
        self.0.1.lock().unwrap().push(is_admitted);
    }
}

impl redress_hyper::Transport for Looking {
    type RequestBody = String;
    type ResponseBody = String;

    async fn send(self, _: Request<String>) -> Result<Response<String>, HyperError> {
        let _look = Look(self);
        pending().await
    }
}

#[tokio::test]
async fn an_attempt_ends_before_its_permit_is_given_back() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_nanos(1));
    let breaker = breaker.no_probe_lease().build().unwrap();
    breaker.try_acquire().unwrap().failure(ErrorClass::Transient);
    let builder = AsyncPolicy::builder().classifier(hyper_classifier()).circuit_breaker(&breaker);
    let transport = Looking(breaker.clone(), Arc::default());
    let client = RetryingClient::new(transport, builder.build().unwrap());
    let mut probe = Box::pin(client.get(Uri::from_static("http://localhost/")).send());
    std::future::poll_fn(|cx| {
        assert!(probe.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(probe);
    assert_eq!(*client.transport().1.lock().unwrap(), [false], "the probe had its place until then");
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn a_client_that_is_printed_shows_its_settings() {
    let printed = format!("{:?}", client());
    assert!(printed.starts_with("RetryingClient { policy: "), "{printed}");
    assert!(printed.contains("drain: Drain { max_bytes: 65536, max_time: 3600s }"), "{printed}");
}

#[tokio::test]
async fn a_request_configures_its_call() {
    let server = Server::answers(&[BUSY]).await;
    let starts = Mutex::new(Vec::new());
    let asked = AtomicU32::new(0);
    let client = client();
    let outcome = client
        .get(server.uri("/a"))
        .context(
            CallContext::new()
                .abort_if(|| asked.fetch_add(1, Ordering::Relaxed) >= 2)
                .on_attempt_start(|attempt| {
                    starts.lock().unwrap().push((attempt.operation.as_deref().map(str::to_owned), attempt.attempt));
                })
                .capture_timeline(),
        )
        .execute()
        .await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    assert!(outcome.timeline().is_some());
    assert_eq!(starts.lock().unwrap()[0], (Some("GET /a".to_owned()), 1));
}

#[tokio::test]
async fn a_request_tells_of_errors_with_their_type() {
    let told = Mutex::new(Vec::new());
    let client = RetryingClient::new(Extensions(Arc::default()), policy(retry()));
    let context = CallContext::new().on_retry(|retry| {
        let error: Option<&HyperError> = retry.error;
        told.lock().unwrap().push((error.is_some(), retry.attempt));
    });
    assert!(client.get(Uri::from_static("http://localhost/")).context(context).send().await.is_err());
    assert_eq!(*told.lock().unwrap(), [(true, 1), (true, 2)]);
}

/// Records each request's extension, and always fails.
#[derive(Clone)]
struct Extensions(Arc<Mutex<Vec<Option<u32>>>>);

impl redress_hyper::Transport for Extensions {
    type RequestBody = String;
    type ResponseBody = String;

    async fn send(self, request: Request<String>) -> Result<Response<String>, HyperError> {
        self.0.lock().unwrap().push(request.extensions().get().copied());
        Err(HyperError::connect("no listener"))
    }
}

#[tokio::test]
async fn extensions_come_along_in_each_attempt() {
    let transport = Extensions(Arc::default());
    let request = Request::put("/").extension(7_u32).body(ReplayBody::from(String::new())).unwrap();
    let error = request_with_retry(&transport, &policy(retry()), request).await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    assert_eq!(*transport.0.lock().unwrap(), [Some(7); 3]);
}

#[test]
fn the_originals_helpers_are_here() {
    let request = put("http://h/a?b".parse().unwrap(), ());
    assert_eq!(default_operation(request.method(), request.uri()), "PUT /a");
    assert!(is_idempotent_method(request.method()));
    let _ = default_result_classifier();
}

#[tokio::test]
async fn a_length_that_is_not_the_bodys_never_leaves() {
    let (server, client) = (Server::answers(&[OK]).await, client());
    for given in ["2", "20"] {
        let request = client.put(server.uri("/"), "content");
        let request = request.header(http::header::CONTENT_LENGTH, HeaderValue::from_static(given));
        let outcome = request.execute().await;
        assert_eq!((outcome.attempts(), outcome.last_class()), (1, Some(ErrorClass::Permanent)));
        let error = outcome.last_error().unwrap();
        assert!(error.is_request() && !error.is_unsent(), "{error:?}");
    }
    assert_eq!(server.arrived().len(), 0);
    let request = client.put(server.uri("/"), "content");
    let request = request.header(http::header::CONTENT_LENGTH, HeaderValue::from_static("7"));
    assert!(request.execute().await.is_ok());
}
