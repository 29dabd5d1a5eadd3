//! Whole calls through policies, with reqwest, hyper and ureq over real sockets, in virtual time.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress::ErrorClass::{self, Auth, Permanent, RateLimit, ServerError, Transient};
use redress::integration::llm::anthropic::{AnthropicClassifier, anthropic_classifier};
use redress::integration::llm::openai::{OpenAiClassifier, openai_classifier, openai_response_classifier};
use redress::integration::llm::reqwest::{RequestError, error_for_status};
use redress::integration::llm::{BODY_LIMIT, ErrorResponse, Output, StreamError, anthropic, openai};
use redress::runtime::tokio::AsyncPolicy;
use redress::{Cause, Policy, Retry, RetryOutcome, StopReason, fixed};

use crate::support::{Server, answer, typed};

const QUOTA: &str = r#"{"error": {"type": "insufficient_quota", "code": "credit_balance_exhausted"}}"#;
const LIMITED: &str = r#"{"error": {"type": "tokens", "code": "rate_limit_exceeded"}}"#;

const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn retry() -> redress::policy::RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

/// A policy that cuts no attempt: a paused clock runs ahead of real sockets.
fn openai_policy() -> AsyncPolicy<OpenAiClassifier> {
    let policy = AsyncPolicy::builder().classifier(openai_classifier()).retry(retry());
    policy.deadline(MONTH).finish_running_attempt().build().expect("a policy")
}

fn anthropic_policy() -> AsyncPolicy<AnthropicClassifier> {
    let policy = AsyncPolicy::builder().classifier(anthropic_classifier()).retry(retry());
    policy.deadline(MONTH).finish_running_attempt().build().expect("a policy")
}

fn client() -> reqwest::Client {
    // Fails once another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .build()
        .expect("a client")
}

async fn complete(client: &reqwest::Client, server: &Server) -> Result<String, RequestError> {
    let response = error_for_status(client.post(server.uri()).body("{}").send().await?).await?;
    Ok(response.text().await?)
}

fn class<T, E>(outcome: &RetryOutcome<T, E>) -> Option<ErrorClass> {
    outcome.last_class()
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_as_its_headers_say() {
    let limited = answer(
        429,
        "x-ratelimit-remaining-requests: 59\r\nx-ratelimit-reset-requests: 1s\r\n\
         x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 6m0s\r\n",
        LIMITED,
    );
    let server = Server::answers([limited, answer(429, "retry-after-ms: 1500\r\n", LIMITED), answer(200, "", "text")]);
    let (client, started) = (client(), tokio::time::Instant::now());
    let outcome = openai_policy().execute(|| complete(&client, &server)).await;
    assert_eq!((outcome.value().map(String::as_str), outcome.attempts()), (Some("text"), 3));
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(361_500), "{waited:?}");
}

#[tokio::test]
async fn a_quota_ends_the_call() {
    let server = Server::answers([answer(429, "retry-after: 7\r\n", QUOTA)]);
    let client = client();
    let outcome = openai_policy().execute(|| complete(&client, &server)).await;
    assert_eq!((outcome.attempts(), class(&outcome), server.requests()), (1, Some(Permanent), 1));
    assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!(failure.detail("quota"), Some("credit_balance_exhausted"));
    let Some(RequestError::Response(response)) = outcome.last_error() else { panic!("a response") };
    assert_eq!(response.body(), QUOTA.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn an_overload_is_waited_for() {
    let overloaded = answer(529, "retry-after: 7\r\n", &typed("overloaded_error"));
    let server = Server::answers([overloaded, answer(200, "", "text")]);
    let (client, started) = (client(), tokio::time::Instant::now());
    let outcome = anthropic_policy().execute(|| complete(&client, &server)).await;
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 2));
    assert!(started.elapsed() >= Duration::from_secs(7));
}

#[tokio::test]
async fn garbage_and_broken_bodies_leave_the_status_alone() {
    let rows = [
        (answer(500, "", "\u{0}\u{1}<html>"), ServerError),
        (answer(401, "", "{\"error\""), Auth),
        ("HTTP/1.1 503 x\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{\"error\": {".to_owned(), ServerError),
        ("HTTP/1.1 429 x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"err\r\nnonsense\r\n".to_owned(), RateLimit),
    ];
    let client = client();
    for (answer, expected) in rows {
        let server = Server::answers([answer.clone()]);
        let outcome = openai_policy().execute(|| complete(&client, &server)).await;
        assert_eq!(class(&outcome), Some(expected), "{answer}");
        let Some(RequestError::Response(_)) = outcome.last_error() else { panic!("a response: {answer}") };
    }
}

/// Sends a bad response whose body never ends, until the client leaves.
fn endless() -> Server {
    Server::start(|mut stream, _| {
        let head = "HTTP/1.1 429 x\r\nconnection: close\r\n\r\n";
        let mut is_open = stream.write_all(head.as_bytes()).is_ok();
        while is_open {
            is_open = stream.write_all(&[b' '; 8192]).is_ok();
        }
    })
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit() {
    let (client, server) = (client(), endless());
    let response = client.get(server.uri()).send().await.expect("a response");
    let error = error_for_status(response).await.expect_err("a bad status");
    assert_eq!((error.status().as_u16(), error.body().len()), (429, BODY_LIMIT));
    assert_eq!(openai::classify_error(&error).class(), RateLimit);
}

#[tokio::test]
async fn a_body_that_goes_on_at_the_limit_is_not_parsed() {
    // A whole error of the vendor of 64 KiB, and one byte after it.
    let limit = 65_536;
    let whole = format!("{QUOTA}{}", " ".repeat(limit - QUOTA.len()));
    let head = "HTTP/1.1 429 x\r\ntransfer-encoding: chunked\r\n\r\n";
    for (rest, expected) in [("", Permanent), ("1\r\n \r\n", RateLimit)] {
        let server = Server::answers([format!("{head}{limit:x}\r\n{whole}\r\n{rest}0\r\n\r\n")]);
        let response = client().get(server.uri()).send().await.expect("a response");
        let error = error_for_status(response).await.expect_err("a bad status");
        assert_eq!((openai::classify_error(&error).class(), error.body().len()), (expected, limit));
    }
}

#[tokio::test]
async fn a_status_is_bad_from_400_on() {
    for status in [399, 400] {
        let server = Server::answers([answer(status, "", "text")]);
        let response = error_for_status(client().get(server.uri()).send().await.expect("a response")).await;
        assert_eq!(response.is_err(), status == 400);
    }
}

#[tokio::test]
async fn a_good_response_is_not_read() {
    let server = Server::answers([answer(200, "", "text")]);
    let response = error_for_status(client().get(server.uri()).send().await.expect("a response")).await;
    assert_eq!(response.expect("a good status").text().await.expect("a body"), "text");
}

#[tokio::test]
async fn the_errors_of_reqwest_have_its_classes() {
    let client = client();
    let gone = Server::answers([""]);
    let outcome = openai_policy().execute(|| complete(&client, &gone)).await;
    assert_eq!((class(&outcome), outcome.attempts(), outcome.cause()), (Some(Transient), 3, Some(Cause::Error)));

    let broken = "HTTP/1.1 200 x\r\ncontent-length: 100\r\nconnection: close\r\n\r\n[";
    for (answer, expected) in [(answer(200, "", "not JSON"), (Permanent, 1)), (broken.to_owned(), (Transient, 3))] {
        let server = Server::answers([answer]);
        let parsed = || async { Ok::<Vec<u8>, RequestError>(client.get(server.uri()).send().await?.json().await?) };
        let outcome = openai_policy().execute(parsed).await;
        assert_eq!((class(&outcome), outcome.attempts()), (Some(expected.0), expected.1));
    }

    let silent = Server::start(|stream, _| std::mem::forget(stream));
    let slow =
        || async { Ok::<_, RequestError>(client.get(silent.uri()).timeout(Duration::from_millis(1)).send().await?) };
    let outcome = openai_policy().execute(slow).await;
    assert_eq!((class(&outcome), outcome.cause()), (Some(Transient), Some(Cause::Timeout)));

    let refused =
        client.get("http://127.0.0.1:1/").timeout(Duration::from_secs(60)).send().await.expect_err("no server");
    let failure = anthropic::classify_error(&refused);
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_timeout()), (Transient, true, false));
}

/// Collects the data of the events of a stream.
async fn stream(client: &reqwest::Client, server: &Server, output: Output) -> Result<usize, RequestError> {
    let mut response = error_for_status(client.post(server.uri()).send().await?).await?;
    let (mut text, mut events) = (String::new(), 0);
    loop {
        let chunk = response.chunk().await.map_err(|error| StreamError::interrupted(error, output))?;
        let Some(chunk) = chunk else { return Ok(events) };
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            for data in event.lines().filter_map(|line| line.strip_prefix("data: ")) {
                anthropic::check_event(data, output)?;
                events += 1;
            }
        }
    }
}

#[tokio::test]
async fn an_error_in_a_stream_is_retried_until_output_was_delivered() {
    let failing = format!(
        "event: message_start\ndata: {{\"type\": \"message_start\"}}\n\nevent: error\ndata: {}\n\n",
        typed("overloaded_error")
    );
    let answers = [answer(200, "content-type: text/event-stream\r\n", &failing), answer(200, "", "data: {}\n\n")];
    let client = client();

    let server = Server::answers(answers.clone());
    let outcome = anthropic_policy().execute(|| stream(&client, &server, Output::Undelivered)).await;
    assert_eq!((outcome.value(), outcome.attempts()), (Some(&1), 2));

    let server = Server::answers(answers);
    let outcome = anthropic_policy().execute(|| stream(&client, &server, Output::Delivered)).await;
    assert_eq!((class(&outcome), outcome.attempts()), (Some(ServerError), 1));
    assert_eq!(outcome.stop_reason(), Some(StopReason::RetryForbidden));
}

#[tokio::test]
async fn a_stream_that_breaks_is_retried_until_output_was_delivered() {
    let broken = "HTTP/1.1 200 x\r\ncontent-length: 100\r\nconnection: close\r\n\r\ndata: {}\n\n";
    let client = client();
    for (output, attempts) in [(Output::Undelivered, 3), (Output::Delivered, 1)] {
        let server = Server::answers([broken]);
        let outcome = anthropic_policy().execute(|| stream(&client, &server, output)).await;
        assert_eq!((class(&outcome), outcome.attempts()), (Some(Transient), attempts));
    }
}

type HyperClient = Client<hyper_util::client::legacy::connect::HttpConnector, Empty<Bytes>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Collects a response of hyper's client, whose body may be too long.
async fn collect(client: &HyperClient, server: &Server) -> Result<Response<Bytes>, std::io::Error> {
    let request = Request::get(server.uri()).body(Empty::new()).expect("a request");
    let (head, body) = client.request(request).await.map_err(std::io::Error::other)?.into_parts();
    let body = match Limited::new(body, 1 << 20).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => Bytes::new(),
        Err(error) => return Err(std::io::Error::other(error)),
    };
    Ok(Response::from_parts(head, body))
}

#[tokio::test]
async fn hyper_answers_with_responses() -> Result<(), BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let policy = AsyncPolicy::builder().classifier(openai_response_classifier()).retry(retry()).build()?;

    let server = Server::answers([answer(429, "retry-after: 0\r\n", LIMITED), answer(200, "", "text")]);
    let outcome = policy.execute(|| collect(&client, &server)).await;
    assert_eq!((outcome.value().map(|response| &response.body()[..]), outcome.attempts()), (Some(&b"text"[..]), 2));

    let server = Server::answers([answer(429, "", QUOTA)]);
    let outcome = policy.execute(|| collect(&client, &server)).await;
    assert_eq!((class(&outcome), outcome.attempts()), (Some(Permanent), 1));
    let response = outcome.into_last_value()?;
    assert_eq!(response.body(), QUOTA);

    let server = endless();
    let outcome = policy.execute(|| collect(&client, &server)).await;
    assert_eq!((class(&outcome), outcome.attempts()), (Some(RateLimit), 3));
    Ok(())
}

fn ask(agent: &ureq::Agent, server: &Server) -> Result<String, BoxError> {
    let request = agent.post(server.uri()).config().http_status_as_error(false).build();
    let (head, mut body) = request.send("{}")?.into_parts();
    if head.status.as_u16() >= 400 {
        return Err(ErrorResponse::read(head.status, head.headers, body.as_reader()).into());
    }
    Ok(body.read_to_string()?)
}

#[test]
fn ureq_answers_with_readers() {
    let policy = Policy::builder()
        .classifier(redress::classify::error_classifier(|error: &BoxError| openai::classify_error(error.as_ref())))
        .retry(retry())
        .build()
        .expect("a policy");
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let run = |server: &Server| policy.execute(|| ask(&agent, server));

    let server = Server::answers([answer(503, "retry-after-ms: 0\r\n", ""), answer(200, "", "text")]);
    let outcome = run(&server);
    assert_eq!((outcome.value().map(String::as_str), outcome.attempts()), (Some("text"), 2));

    let outcome = run(&Server::answers([answer(429, "", QUOTA)]));
    assert_eq!((class(&outcome), outcome.attempts()), (Some(Permanent), 1));
    let outcome = run(&endless());
    assert_eq!((class(&outcome), outcome.attempts()), (Some(RateLimit), 3));
    let outcome = run(&Server::answers(["HTTP/1.1 529 x\r\ncontent-length: 9\r\n\r\n{\"er"]));
    assert_eq!((class(&outcome), outcome.attempts()), (Some(ServerError), 3));
}
