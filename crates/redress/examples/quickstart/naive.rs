//! The loop that services often have instead: try, wait a little, try again.
//!
//! It is there to be measured against, on a server of its own that follows the same script.

use std::time::Duration;

use hyper::{StatusCode, Uri};
use tokio::time::{sleep, timeout};

use crate::client::{ATTEMPT_TIMEOUT, HttpClient, MAX_ATTEMPTS};

pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Whether a page came, after as many attempts as the policy allows.
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
