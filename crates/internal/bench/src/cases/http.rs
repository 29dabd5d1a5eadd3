//! The cases over HTTP: reqwest alone, below redress and below reqwest-retry, each over its own
//! kept-alive connection to a server in this process.
//!
//! A client's task runs on the thread that measures, so that its allocations count as the call's.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use redress_core::{CircuitBreaker, Retry, fixed};
use redress_reqwest::middleware::PolicyMiddleware;
use redress_reqwest::{ReqwestClassifier, RetryingClient, client_builder, reqwest_classifier};
use redress_tokio::AsyncPolicy;
use reqwest_middleware::ClientWithMiddleware;
use reqwest_retry::{RetryDecision, RetryPolicy, RetryTransientMiddleware};

use crate::case::Kind::Async;
use crate::case::{Batch, Case, Who};
use crate::server::{self, Answers, BODY};

pub(super) const CASES: &[Case] = &[
    case("http", Who::Bare, "reqwest", || bare(own_retries(), 1)),
    case("http", Who::Bare, "reqwest, its retries off", || bare(no_retries(), 1)),
    case("http", Who::Redress, "redress-reqwest", || redress(client(), Answers::Ok)),
    case("http", Who::Redress, "redress-reqwest, breaker per host", || redress(per_host(), Answers::Ok)),
    case("http", Who::Redress, "redress-reqwest, middleware", || middleware(with_policy(), Answers::Ok)),
    case("http", Who::Peer, "reqwest-retry", || middleware(with_retry(own_retries()), Answers::Ok)),
    case("http", Who::Peer, "reqwest-retry, reqwest's retries off", || {
        middleware(with_retry(no_retries()), Answers::Ok)
    }),
    case("http-second-try", Who::Bare, "reqwest, twice", || bare(own_retries(), 2)),
    case("http-second-try", Who::Bare, "reqwest, its retries off, twice", || bare(no_retries(), 2)),
    case("http-second-try", Who::Redress, "redress-reqwest", || redress(client(), Answers::BusyThenOk)),
    case("http-second-try", Who::Redress, "redress-reqwest, breaker per host", || {
        redress(per_host(), Answers::BusyThenOk)
    }),
    case("http-second-try", Who::Redress, "redress-reqwest, middleware", || {
        middleware(with_policy(), Answers::BusyThenOk)
    }),
    case("http-second-try", Who::Peer, "reqwest-retry", || middleware(with_retry(own_retries()), Answers::BusyThenOk)),
    case("http-second-try", Who::Peer, "reqwest-retry, reqwest's retries off", || {
        middleware(with_retry(no_retries()), Answers::BusyThenOk)
    }),
];

const fn case(row: &'static str, who: Who, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, who, Async, name, prepare)
}

/// The status of a response and its body, which a call reads.
type Read = (StatusCode, Bytes);

/// A batch of calls over one client, each of which ends with a 200.
fn batch<C>(client: C, answers: Answers, call: impl AsyncFn(&C, &str) -> Read + Send + Sync + 'static) -> Batch
where
    C: Send + Sync + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = server::start(answers);
    let batch = move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let (status, body) = call(&client, &url).await;
                assert!(status == StatusCode::OK && body == BODY, "a call ended with {status} {body:?}");
            }
        });
    };
    // Connects.
    batch(3);
    Box::new(batch)
}

async fn read(response: reqwest::Response) -> Read {
    (response.status(), response.bytes().await.expect("a body"))
}

fn bare(client: reqwest::Client, exchanges: u32) -> Batch {
    let answers = if exchanges == 1 { Answers::Ok } else { Answers::BusyThenOk };
    batch(client, answers, async move |client, url| {
        for _ in 1..exchanges {
            read(client.get(url).send().await.expect("a response")).await;
        }
        read(client.get(url).send().await.expect("a response")).await
    })
}

fn redress(client: RetryingClient<Policy>, answers: Answers) -> Batch {
    batch(client, answers, async |client, url| read(client.get(url).send().await.expect("a response")).await)
}

fn middleware(client: ClientWithMiddleware, answers: Answers) -> Batch {
    batch(client, answers, async |client, url| read(client.get(url).send().await.expect("a response")).await)
}

/// A client as reqwest builds it, without proxies of the environment.
fn own_retries() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn no_retries() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().expect("a client")
}

fn for_redress() -> reqwest::Client {
    client_builder().no_proxy().build().expect("a client")
}

type Policy = AsyncPolicy<ReqwestClassifier>;

/// With the default deadline.
fn policy() -> Policy {
    let retry = Retry::builder().max_attempts(4).strategy(fixed(Duration::ZERO));
    AsyncPolicy::builder().classifier(reqwest_classifier()).retry(retry).build().expect("a valid policy")
}

fn client() -> RetryingClient<Policy> {
    RetryingClient::new(for_redress(), policy())
}

fn per_host() -> RetryingClient<Policy> {
    let policy = policy();
    let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(100)).expect("a valid breaker");
    RetryingClient::new(for_redress(), policy).per_host(&hosts)
}

fn with_policy() -> ClientWithMiddleware {
    reqwest_middleware::ClientBuilder::new(for_redress()).with(PolicyMiddleware::new(policy())).build()
}

fn with_retry(client: reqwest::Client) -> ClientWithMiddleware {
    let retries = RetryTransientMiddleware::new_with_policy(AtOnce);
    reqwest_middleware::ClientBuilder::new(client).with(retries).build()
}

/// Three retries without a delay.
struct AtOnce;

impl RetryPolicy for AtOnce {
    fn should_retry(&self, _: SystemTime, past: u32) -> RetryDecision {
        if past < 3 { RetryDecision::Retry { execute_after: SystemTime::now() } } else { RetryDecision::DoNotRetry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocations::per_call;

    #[test]
    fn a_success_allocates_less_than_with_reqwest_retry() {
        rustls::crypto::ring::default_provider().install_default().expect("the only provider");
        let redress = per_call(&redress(client(), Answers::Ok));
        let peer = per_call(&middleware(with_retry(no_retries()), Answers::Ok));
        assert!(redress < peer, "{redress} with redress-reqwest, {peer} with reqwest-retry");
    }
}
