//! A retry loop as services often have it: try, wait a fixed time, try again.
//!
//! The example compares the policy with it, on a second server with the same script.

use std::time::Duration;

use hyper::{StatusCode, Uri};
use tokio::time::{sleep, timeout};

use super::client::{ATTEMPT_TIMEOUT, MAX_ATTEMPTS};
use super::net::HttpClient;

pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Makes as many attempts as the policy allows. Returns whether a page was received.
pub(crate) async fn fetch(client: HttpClient, uri: Uri) -> bool {
    for attempt in 1..=MAX_ATTEMPTS {
        match timeout(ATTEMPT_TIMEOUT, client.get(&uri)).await {
            Ok(Ok(page)) if page.status() == StatusCode::OK => return true,
            _ => {}
        }
        if attempt < MAX_ATTEMPTS {
            sleep(PAUSE).await;
        }
    }
    false
}
