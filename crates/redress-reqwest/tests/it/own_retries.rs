//! reqwest's own retries: what they do below a policy, and that `client_builder` turns them off.

use redress_fixtures::FrameServer;
use redress_fixtures::frames::reset;
use redress_reqwest::{RetryingClient, client_builder};

use crate::support::{plain, policy};

const REFUSED_STREAM: u32 = 7;

async fn sent_by(http: reqwest::ClientBuilder) -> (u32, usize) {
    let server = FrameServer::answers(|_, stream| reset(stream, REFUSED_STREAM)).await;
    let client = RetryingClient::new(http.http2_prior_knowledge().build().unwrap(), policy());
    let outcome = client.get(server.uri().to_string()).execute().await;
    (outcome.attempts(), server.heard().0)
}

#[tokio::test]
async fn a_client_of_the_builder_sends_what_the_policy_attempts() {
    let _ = plain();
    assert_eq!(sent_by(client_builder().no_proxy()).await, (3, 3));
}

#[tokio::test]
async fn reqwests_own_retries_multiply_those_of_the_policy() {
    let _ = plain();
    assert_eq!(sent_by(reqwest::Client::builder().no_proxy()).await, (3, 9));
}

#[tokio::test]
async fn reqwests_own_retries_can_be_turned_off_by_hand() {
    let _ = plain();
    let http = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
    assert_eq!(sent_by(http).await, (3, 3));
}
