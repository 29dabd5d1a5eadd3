//! reqwest's own retries: what they do below a policy, and that `client_builder` turns them off.

use redress_fixtures::FrameServer;
use redress_fixtures::frames::{goaway, reset};
use redress_reqwest::{RetryingClient, client_builder};

use crate::support::{plain, policy, retry};

const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;

/// The attempts of a policy over this client, and the requests that a server gets which refuses
/// each stream, or closes each connection by a GOAWAY.
async fn sent_by(http: impl Fn() -> reqwest::ClientBuilder) -> Vec<(u32, usize)> {
    let answers: [fn(u32) -> Vec<u8>; 2] = [|stream| reset(stream, REFUSED_STREAM), |_| goaway(0, NO_ERROR)];
    let mut sent = Vec::new();
    for answer in answers {
        let server = FrameServer::answers(move |_, stream| answer(stream)).await;
        let client = RetryingClient::new(http().http2_prior_knowledge().build().unwrap(), policy());
        let outcome = client.get(server.uri().to_string()).execute().await;
        sent.push((outcome.attempts(), server.heard().0));
    }
    sent
}

#[tokio::test]
async fn a_client_of_the_builder_sends_what_the_policy_attempts() {
    let _ = plain();
    assert_eq!(sent_by(|| client_builder().no_proxy().tls_certs_only([])).await, [(3, 3); 2]);
}

#[cfg(feature = "blocking")]
#[tokio::test]
async fn a_blocking_client_of_the_builder_sends_what_the_policy_attempts() {
    use redress_reqwest::blocking;

    let _ = plain();
    let server = FrameServer::answers(|_, stream| reset(stream, REFUSED_STREAM)).await;
    let url = server.uri().to_string();
    let call = move || {
        let http = blocking::client_builder().no_proxy().tls_certs_only([]).http2_prior_knowledge().build().unwrap();
        let policy = redress_core::Policy::builder().classifier(redress_reqwest::reqwest_classifier()).retry(retry());
        blocking::RetryingClient::new(http, policy.build().unwrap()).get(url).execute().attempts()
    };
    assert_eq!((tokio::task::spawn_blocking(call).await.unwrap(), server.heard().0), (3, 3));
}

#[tokio::test]
async fn reqwests_own_retries_multiply_those_of_the_policy() {
    let _ = plain();
    assert_eq!(sent_by(|| reqwest::Client::builder().no_proxy().tls_certs_only([])).await, [(3, 9); 2]);
}

#[tokio::test]
async fn reqwests_own_retries_can_be_turned_off_by_hand() {
    let _ = plain();
    let http = || reqwest::Client::builder().no_proxy().tls_certs_only([]).retry(reqwest::retry::never());
    assert_eq!(sent_by(http).await, [(3, 3); 2]);
}
