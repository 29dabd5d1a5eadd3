//! Which responses are read ahead: only those that are retried over the same connection.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, CallContext, Classification, Classifier, ErrorClass, SleepDecision};
use redress_fixtures::script_server::Server;
use redress_reqwest::{RetryingClient, RetryingRequest, reqwest_classifier};
use reqwest::{Error, Response};

use crate::support::{BUSY, HOUR, OK, bad, client, plain, retry};

/// A timer whose time has passed at once. Without a wait between the attempts, only the limit of
/// reading ahead is slept for.
#[derive(Clone, Default)]
struct Limits(Arc<Mutex<Vec<Duration>>>);

impl Timer for Limits {
    type Sleep = Ready<()>;

    fn sleep(&self, duration: Duration) -> Ready<()> {
        self.0.lock().unwrap().push(duration);
        ready(())
    }

    fn timeout(&self, _: Duration) -> Option<Ready<()>> {
        None
    }
}

/// How often a call over this answer reads ahead.
async fn reads<C>(
    answer: &str,
    classifier: C,
    retry: RetryBuilder,
    request: impl for<'c> FnOnce(&'c RetryingClient<AsyncPolicy<C, Limits>>, String) -> RetryingRequest<'c, C, Limits>,
) -> usize
where
    C: Classifier<Response, Error> + Clone,
{
    let server = Server::answers(&[answer]).await;
    let limits = Limits::default();
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(limits.clone()).classifier(classifier).retry(retry);
    let client = RetryingClient::new(plain().build().unwrap(), policy.build().unwrap()).drain(65536, HOUR);
    let _ = request(&client, server.uri("/").to_string()).execute().await;
    let limits = limits.0.lock().unwrap();
    assert!(limits.iter().all(|limit| !limit.is_zero()));
    limits.len()
}

#[tokio::test]
async fn those_of_every_attempt_but_the_last() {
    for attempts in 1..=3 {
        let of_each = reads(BUSY, reqwest_classifier(), retry().max_attempts(attempts), RetryingClient::get);
        assert_eq!(of_each.await, attempts as usize - 1);
    }
}

#[tokio::test]
async fn none_of_a_request_that_is_not_sent_again() {
    assert_eq!(reads(BUSY, reqwest_classifier(), retry(), |client, url| client.post(url).body("order")).await, 0);
    let stream = || reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from("order")));
    assert_eq!(reads(BUSY, reqwest_classifier(), retry(), |client, url| client.put(url).body(stream())).await, 0);
}

#[tokio::test]
async fn none_over_a_connection_that_the_answer_blames() {
    assert_eq!(reads(&bad(421, ""), reqwest_classifier(), retry(), RetryingClient::get).await, 0);
}

#[tokio::test]
async fn none_without_time() {
    let bound = Duration::ZERO;
    assert_eq!(reads(BUSY, reqwest_classifier(), retry(), |client, url| client.get(url).drain(65536, bound)).await, 0);
}

#[tokio::test]
async fn none_that_the_classifier_ends_the_call_with() {
    let ends: [fn() -> Classification; 3] = [
        || ErrorClass::Permanent.into(),
        Classification::abort,
        || Classification::new(ErrorClass::ServerError).forbid_retry("no more"),
    ];
    for end in ends {
        let classifier = move |_: &Result<Response, Error>| Some(end());
        assert_eq!(reads(BUSY, classifier, retry(), RetryingClient::get).await, 0, "{:?}", end());
    }
}

#[tokio::test]
async fn what_was_read_ahead_ends_where_it_ends() {
    for (answer, text) in [(BUSY, "busy"), (&*bad(503, ""), "")] {
        let server = Server::answers(&[answer, OK]).await;
        let context = CallContext::new().sleep_handler(|_, _| SleepDecision::Defer);
        let outcome = client().get(server.uri("/").to_string()).context(context).execute().await;
        let mut body = http::Response::from(outcome.into_last_value().unwrap()).into_body();
        assert_eq!(body.is_end_stream(), text.is_empty());
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            read.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
        assert!(read == text.as_bytes() && body.is_end_stream());
    }
}
