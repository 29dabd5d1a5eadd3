//! A request that is not idempotent is retried only if it certainly had no effect, redirects
//! included.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use redress_core::{Cause, Classification, ErrorClass, StopReason};
use redress_fixtures::script_server::Server;
use redress_reqwest::{IdempotencyGuard, RetryingClient};
use reqwest::redirect;

use crate::support::{OK, bad, builder, client, client_with, closed_port, plain, policy, retry};

/// A client whose exchanges nothing counts, as a program would build it without `client_builder`.
fn uncounted() -> reqwest::ClientBuilder {
    plain().retry(reqwest::retry::never())
}

#[tokio::test]
async fn a_post_is_sent_again_where_the_answer_says_that_nothing_was_done() {
    for status in [408, 409, 421, 423, 425, 429, 500, 503] {
        let server = Server::answers(&[&bad(status, ""), OK]).await;
        let outcome = client().post(server.uri("/").to_string()).body("order").execute().await;
        let is_sent_again = [421, 425].contains(&status);
        assert_eq!(outcome.attempts(), if is_sent_again { 2 } else { 1 }, "{status}");
        assert_eq!(outcome.retry_forbidden(), (!is_sent_again).then_some("not_idempotent"), "{status}");
        assert!(server.arrived().iter().all(|arrived| arrived.body == b"order"));
    }
}

#[tokio::test]
async fn other_answers_are_allowed_by_name() {
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE);
    for client in [client(), RetryingClient::new(uncounted().build().unwrap(), policy())] {
        for (status, attempts) in [(503, 2), (429, 1), (500, 1), (425, 2)] {
            let server = Server::answers(&[&bad(status, ""), OK]).await;
            let outcome = client.clone().guard(guard).post(server.uri("/#x").to_string()).body("order").execute().await;
            assert_eq!(outcome.attempts(), attempts, "{status}");
        }
    }
}

#[tokio::test]
async fn keys_and_permissions_allow_a_repetition() {
    let server = Server::answers(&[&bad(503, "")]).await;
    let post = || client();
    let url = server.uri("/").to_string();
    let keyed = post().post(&url).header("idempotency-key", "\"7\"").execute().await;
    let allowed = post().post(&url).retry_non_idempotent(true).execute().await;
    let put = post().put(&url).body("order").execute().await;
    for outcome in [keyed, allowed, put] {
        assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (3, None));
    }
    let keys: Vec<_> =
        server.arrived().iter().take(3).map(|it| it.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, vec![Some("\"7\"".to_owned()); 3]);
}

#[tokio::test]
async fn a_post_is_sent_again_after_no_connection() {
    let url = format!("http://{}/", closed_port().await);
    let outcome = client().post(&url).body("order").execute().await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::MaxAttempts)));
}

#[tokio::test]
async fn an_error_of_an_uncounted_client_says_too_little() {
    let url = format!("http://{}/", closed_port().await);
    let client = RetryingClient::new(uncounted().build().unwrap(), policy());
    let outcome = client.post(&url).body("order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));

    let get = client.get(&url).execute().await;
    assert_eq!(get.attempts(), 3);

    let without_redirects = uncounted().redirect(redirect::Policy::none()).build().unwrap();
    let client = RetryingClient::new(without_redirects, policy()).follows_redirects(false);
    assert_eq!(client.post(&url).body("order").execute().await.attempts(), 3);
}

/// A server that acts on the first request, and sends the client on to this place.
async fn sends_on(status: u16, place: String) -> (Server, Arc<AtomicU32>) {
    let acted = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&acted);
    let server = Server::start(move |mut peer| {
        let (place, count) = (place.clone(), Arc::clone(&count));
        async move {
            while peer.next().await.is_some() {
                count.fetch_add(1, Ordering::SeqCst);
                peer.send(bad(status, &format!("location: {place}\r\n"))).await;
            }
        }
    })
    .await;
    (server, acted)
}

/// Attacks N4.
#[tokio::test]
async fn what_fails_after_a_redirect_says_nothing_about_the_first_request() {
    let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE);
    let (early, busy) = (Server::answers(&[&bad(425, "")]).await, Server::answers(&[&bad(503, "")]).await);
    let of = |address| format!("http://{address}/");
    let places = [of(closed_port().await), of(early.address()), of(busy.address())];
    for status in [301, 302, 303, 307, 308] {
        for place in &places {
            for http in [plain(), uncounted()] {
                let (server, acted) = sends_on(status, place.clone()).await;
                let client = RetryingClient::new(http.build().unwrap(), policy()).guard(guard);
                let outcome = client.post(server.uri("/").to_string()).body("order").execute().await;
                assert_eq!(
                    (outcome.attempts(), outcome.retry_forbidden()),
                    (1, Some("not_idempotent")),
                    "{status} {place}"
                );
                assert_eq!(acted.load(Ordering::SeqCst), 1, "{status} {place}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_idempotent_is_sent_again_after_a_redirect() {
    let (server, acted) = sends_on(307, format!("http://{}/", closed_port().await)).await;
    assert_eq!(client().put(server.uri("/").to_string()).execute().await.attempts(), 3);
    assert_eq!(acted.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_redirect_back_to_the_same_url_is_counted() {
    let server = Server::answers(&[&bad(303, "location: /\r\n"), &bad(425, ""), OK]).await;
    let outcome = client().post(server.uri("/").to_string()).body("order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
}

#[tokio::test]
async fn exchanges_are_counted_for_each_attempt() {
    let server = Server::answers(&[&bad(425, ""), &bad(425, ""), OK]).await;
    let outcome = client().post(server.uri("/").to_string()).body("order").execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 3));
}

#[tokio::test]
async fn a_custom_classifier_need_not_mark_what_was_not_sent() {
    let url = format!("http://{}/", closed_port().await);
    let plain_classes =
        |_: &Result<reqwest::Response, reqwest::Error>| Some(Classification::new(ErrorClass::Transient));
    let policy = redress_core::AsyncPolicy::<_, redress_core::driver::NoTimer>::builder()
        .timer(redress_tokio::TokioTimer)
        .classifier(plain_classes)
        .retry(retry())
        .build()
        .unwrap();
    let client = RetryingClient::new(plain().build().unwrap(), policy);
    assert_eq!(client.post(&url).body("order").execute().await.attempts(), 3);
}

/// Resolves nothing, ever.
struct Silent;

impl reqwest::dns::Resolve for Silent {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_timeout_of_connecting_is_no_connection() {
    let http = plain().dns_resolver(Arc::new(Silent)).connect_timeout(Duration::from_millis(1));
    let client = RetryingClient::new(http.build().unwrap(), policy());
    let outcome = client.post("http://host.example/").body("order").execute().await;
    assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)));
}

#[tokio::test]
async fn a_timeout_of_the_policy_may_have_been_acted_on() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let policy = builder().attempt_timeout(Duration::from_millis(1)).build().unwrap();
    let outcome = client_with(policy).post(server.uri("/").to_string()).body("order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
}
