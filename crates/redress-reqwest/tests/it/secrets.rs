//! No text and no label shows user, password or query of a URL.

use redress_core::classify::source_chain;
use redress_core::{CallContext, CallError};
use redress_fixtures::script_server::Server;

use crate::support::{BUSY, Log, bad, client, closed_port};

const SECRETS: [&str; 3] = ["hunter2", "token", "fragment"];

fn texts(error: &CallError<reqwest::Error>) -> String {
    let chain: Vec<String> = source_chain(error).map(|error| format!("{error} {error:?}")).collect();
    format!("{error} {error:?} {chain:?}")
}

#[tokio::test]
async fn errors_and_events_keep_them() {
    let looping = Server::answers(&[&bad(302, "location: /again?token=hunter2\r\n")]).await;
    let closed = closed_port().await;
    let bad_port = "http://me:hunter2@localhost:99999/?token=hunter2".to_owned();
    let of = |address| format!("http://me:hunter2@{address}/path?token=hunter2#fragment");
    for url in [of(closed), of(looping.address()), bad_port, "ftp://me:hunter2@host/?token=hunter2".into()] {
        let log = Log::default();
        let context = CallContext::new().observer(log.clone());
        let error = client().get(&url).context(context).send().await.unwrap_err();
        let printed = format!("{} {:?}", texts(&error), log.lines());
        assert!(SECRETS.iter().all(|secret| !printed.contains(secret)), "{printed}");
    }
}

#[tokio::test]
async fn a_failure_shows_status_and_path() {
    let server = Server::answers(&[BUSY]).await;
    let log = Log::default();
    let context = CallContext::new().observer(log.clone());
    client().get(server.uri("/orders?token=hunter2").to_string()).context(context).send().await.unwrap();
    assert_eq!(
        log.lines(),
        ["GET /orders retry 503 -", "GET /orders retry 503 -", "GET /orders max_attempts_exceeded 503 -"]
    );
}

#[test]
fn debug_shows_no_request() {
    let client = client();
    let printed =
        format!("{:?} {client:?}", client.get("http://me:hunter2@localhost/?token=hunter2").bearer_auth("hunter2"));
    assert!(SECRETS.iter().all(|secret| !printed.contains(secret)), "{printed}");
    assert!(printed.contains("RetryingRequest {") && printed.contains("RetryingClient {"), "{printed}");
}
