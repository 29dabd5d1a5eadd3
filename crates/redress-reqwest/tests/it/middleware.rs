//! The middleware: a policy in a stack of reqwest-middleware.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Extensions;
use redress_core::driver::NoTimer;
use redress_core::{
    AsyncPolicy, CallError, CircuitBreaker, Classification, Classifier, ErrorClass, OutcomeSummary, StopReason,
};
use redress_fixtures::script_server::Server;
use redress_http::{LastFailure, Repetition};
use redress_reqwest::middleware::PolicyMiddleware;
use redress_reqwest::{Head, outcome, reqwest_classifier};
use redress_tokio::TokioTimer;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

use crate::support::{BUSY, Log, OK, TestPolicy, bad, builder, closed_port, plain, policy, retry};

fn stack(policy: TestPolicy) -> ClientWithMiddleware {
    ClientBuilder::new(plain().build().unwrap()).with(PolicyMiddleware::new(policy)).build()
}

#[tokio::test]
async fn a_stack_retries() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let response = stack(policy()).put(server.uri("/").to_string()).body("order").send().await.unwrap();
    assert_eq!(outcome(&response).unwrap().attempts(), 3);
    assert_eq!(response.text().await.unwrap(), "fine");
    assert!(server.arrived().iter().all(|arrived| arrived.body == b"order"));
    assert_eq!(server.connections(), [0, 0, 0]);
}

#[tokio::test]
async fn the_errors_of_the_stack_stay_as_they_were() {
    let url = format!("http://me:hunter2@{}/?token=hunter2", closed_port().await);
    let error = stack(policy()).get(&url).send().await.unwrap_err();
    assert!(error.is_connect());
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_open_circuit_is_an_error_of_the_middleware() {
    let server = Server::answers(&[BUSY]).await;
    let client = stack(builder().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build().unwrap());
    let response = client.get(server.uri("/").to_string()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), outcome(&response).unwrap().attempts()), (503, 3));
    let Err(Error::Middleware(error)) = client.get(server.uri("/").to_string()).send().await else { panic!("open") };
    assert!(matches!(error.downcast_ref::<CallError<Error>>(), Some(CallError::CircuitOpen(_))));
}

#[tokio::test]
async fn a_timeout_of_the_policy_is_an_error_of_the_middleware() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let client = stack(builder().attempt_timeout(Duration::from_millis(1)).build().unwrap());
    let Err(Error::Middleware(error)) = client.get(server.uri("/").to_string()).send().await else { panic!("cut") };
    let error = error.downcast_ref::<CallError<Error>>().unwrap();
    assert_eq!((error.attempts(), error.stop_reason()), (3, StopReason::MaxAttempts));
}

type Handled<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// A middleware of this function.
pub(crate) fn middleware_of(
    handle: impl for<'a> Fn(Request, &'a mut Extensions, Next<'a>) -> Handled<'a> + Send + Sync + 'static,
) -> impl Middleware {
    handle
}

/// An extension, counted by the middlewares below.
#[derive(Clone, Debug, PartialEq)]
struct Seen(u32);

#[tokio::test]
async fn middlewares_below_run_for_each_attempt() {
    let server = Server::answers(&[BUSY, &bad(421, ""), OK]).await;
    let notes: Arc<Mutex<Vec<Option<Repetition>>>> = Arc::default();
    let noted = Arc::clone(&notes);
    let below = middleware_of(move |request, extensions, next| {
        noted.lock().unwrap().push(Repetition::of(extensions).copied());
        let seen = extensions.get::<Seen>().map_or(0, |seen| seen.0);
        extensions.insert(Seen(seen + 1));
        Box::pin(next.run(request, extensions))
    });
    let client = ClientBuilder::new(plain().build().unwrap())
        .with(PolicyMiddleware::new(policy()).follows_redirects(true).drain(0, Duration::ZERO))
        .with(below)
        .build();
    let mut extensions = Extensions::new();
    let request = client.get(server.uri("/").to_string()).build().unwrap();
    client.execute_with_extensions(request, &mut extensions).await.unwrap();
    let of = |number, status: u16| Repetition::new(number, LastFailure::Answer(status.try_into().unwrap()));
    assert_eq!(*notes.lock().unwrap(), [None, Some(of(2, 503)), Some(of(3, 421))]);
    assert_eq!(extensions.get(), Some(&Seen(1)), "each attempt starts with the request's extensions");
    assert_eq!(extensions.get::<OutcomeSummary>().unwrap().attempts(), 3);
}

#[tokio::test]
async fn posts_are_guarded() {
    for (status, attempts) in [(503, 1), (421, 2)] {
        let server = Server::answers(&[&bad(status, ""), OK]).await;
        let response = stack(policy()).post(server.uri("/").to_string()).send().await.unwrap();
        assert_eq!(outcome(&response).unwrap().attempts(), attempts, "{status}");
    }
    let log = Log::default();
    let client = stack(builder().observer(log.clone()).build().unwrap());
    client.post(format!("http://{}/", closed_port().await)).send().await.unwrap_err();
    let retry = "POST / retry ConnectionRefused";
    assert!(log.lines()[..2].iter().all(|line| line.starts_with(retry)), "{:?}", log.lines());
}

#[tokio::test]
async fn settings_are_those_of_the_client() {
    let server = Server::answers(&[BUSY]).await;
    let log = Log::default();
    let policy = builder().observer(log.clone()).build().unwrap();
    let middleware = PolicyMiddleware::new(policy)
        .operation_for(|head| head.extensions.get::<Seen>().map_or("none", |_| "seen").into())
        .bypass_if(|head| head.uri.path() == "/health");
    let client = ClientBuilder::new(plain().build().unwrap()).with(middleware).build();
    client.get(server.uri("/health").to_string()).send().await.unwrap();
    assert!(log.lines().is_empty());
    client.get(server.uri("/").to_string()).with_extension(Seen(0)).send().await.unwrap();
    assert!(log.lines().iter().all(|line| line.starts_with("seen ")));
}

#[tokio::test]
async fn an_error_of_a_middleware_is_classified_without_a_mark() {
    let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let failed: Result<Response, Error> = Err(Error::middleware(refused()));
    let failure = reqwest_classifier().classify(&failed).unwrap();
    assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Transient, false));
    assert_eq!(failure.detail("io"), Some("ConnectionRefused"));
    let failed: Result<Response, Error> = Err(Error::middleware(redress_core::error::AbortRetryError::new("stop")));
    assert!(reqwest_classifier().classify(&failed).unwrap().is_abort());
    let failed: Result<Response, Error> = Err(Error::middleware(Elapsed(())));
    let failure = reqwest_classifier().classify(&failed).unwrap();
    assert_eq!((failure.class(), failure.is_timeout()), (ErrorClass::Transient, true));
}

/// Prints as the error of tower's `Timeout`.
#[derive(Debug)]
struct Elapsed(());

impl std::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("request timed out")
    }
}

impl std::error::Error for Elapsed {}

#[tokio::test]
async fn a_post_is_not_sent_again_after_the_error_of_a_middleware() {
    let refuses = middleware_of(|_, _, _| {
        Box::pin(async { Err(Error::middleware(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))) })
    });
    let client = ClientBuilder::new(plain().build().unwrap())
        .with(PolicyMiddleware::new(policy()).follows_redirects(false))
        .with(refuses)
        .build();
    for (method, attempts) in [(reqwest::Method::PUT, 3), (reqwest::Method::POST, 1)] {
        let request = client.request(method, "http://localhost/").build().unwrap();
        let mut extensions = Extensions::new();
        client.execute_with_extensions(request, &mut extensions).await.unwrap_err();
        assert_eq!(extensions.get::<OutcomeSummary>().unwrap().attempts(), attempts);
    }
}

#[tokio::test]
async fn a_custom_classifier_need_not_mark_what_was_not_sent() {
    let plain_classes = |_: &Result<Response, Error>| Some(Classification::new(ErrorClass::Transient));
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(TokioTimer).classifier(plain_classes).retry(retry());
    let middleware = PolicyMiddleware::new(policy.build().unwrap());
    let client = ClientBuilder::new(plain().build().unwrap()).with(middleware).build();
    let request = client.post(format!("http://{}/", closed_port().await)).build().unwrap();
    let mut extensions = Extensions::new();
    client.execute_with_extensions(request, &mut extensions).await.unwrap_err();
    assert_eq!(extensions.get::<OutcomeSummary>().unwrap().attempts(), 3);
}

/// The URL of a head is made only if it is read.
#[tokio::test]
async fn a_head_has_its_url_wherever_it_is_read() {
    let server = Server::answers(&[OK]).await;
    let (url, log) = (server.uri("/orders/7").to_string(), Log::default());
    let send = async |middleware: PolicyMiddleware<TestPolicy>| {
        let client = ClientBuilder::new(plain().build().unwrap()).with(middleware).build();
        client.get(&url).send().await.unwrap();
    };
    send(PolicyMiddleware::new(builder().observer(log.clone()).build().unwrap())).await;
    assert_eq!(log.lines(), ["GET /orders/7 success - -"]);

    let uris = Arc::new(Mutex::new(Vec::new()));
    let read = || {
        let uris = Arc::clone(&uris);
        move |head: &Head<'_>| uris.lock().unwrap().push(head.uri.to_string())
    };
    let (chooses, bypasses) = (read(), read());
    send(PolicyMiddleware::new(policy()).policy_provider(move |head| {
        chooses(head);
        None
    }))
    .await;
    send(PolicyMiddleware::new(policy()).bypass_if(move |head| {
        bypasses(head);
        false
    }))
    .await;
    assert_eq!(*uris.lock().unwrap(), [url.as_str(); 2]);
}

#[test]
fn its_settings_are_printed() {
    let printed = format!("{:?}", PolicyMiddleware::new("policy"));
    assert!(printed.starts_with("PolicyMiddleware { settings: Settings {"), "{printed}");
}
