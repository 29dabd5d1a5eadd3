//! A policy without a timer makes no calls. If awaited, rustc would report the error three times.

use std::io;
use std::time::Duration;

use redress::{AsyncPolicy, Retry, fixed};

async fn load() -> io::Result<u32> {
    Ok(7)
}

fn main() {
    let retry = Retry::builder().strategy(fixed(Duration::from_millis(50)));
    let policy = AsyncPolicy::builder().retry(retry).build().unwrap();
    let _ = policy.call(load);
}
