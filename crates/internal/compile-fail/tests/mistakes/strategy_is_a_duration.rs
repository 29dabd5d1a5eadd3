//! A delay is not a strategy, though `fixed(delay)` is.

use std::time::Duration;

use redress::Retry;

fn main() {
    let _ = Retry::builder().strategy(Duration::from_millis(50)).build();
}
