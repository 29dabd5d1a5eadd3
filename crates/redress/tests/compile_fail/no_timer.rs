//! The asynchronous policy before a timer is chosen makes no calls.

use std::io;
use std::time::Duration;

use redress::{AsyncPolicy, Retry, fixed};

async fn load() -> io::Result<u32> {
    Ok(7)
}

async fn run() {
    let retry = Retry::builder().strategy(fixed(Duration::from_millis(50)));
    let policy = AsyncPolicy::builder().retry(retry).build().unwrap();
    policy.call(load).await.unwrap();
}

fn main() {
    let _ = run();
}
