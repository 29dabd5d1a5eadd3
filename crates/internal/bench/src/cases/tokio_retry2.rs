//! The cases of tokio-retry2: retry for futures.

use std::hint::black_box;
use std::time::Duration;

use tokio_retry2::strategy::FixedInterval;
use tokio_retry2::{Retry, RetryError};

use super::DEADLINE;
use crate::case::{Batch, Case, Kind, Who, repeat};
use crate::operation::{poll_once, succeed};

pub(super) const CASES: &[Case] = &[
    Case::new("retry", Who::Peer, Kind::Async, "tokio-retry2", retry),
    Case::new("retry-deadline", Who::Peer, Kind::Async, "tokio-retry2 in tokio's timeout", retry_deadline),
];

fn strategy() -> impl Iterator<Item = Duration> + Clone + Send + Sync {
    FixedInterval::new(Duration::ZERO).take(5)
}

fn retry() -> Batch {
    let strategy = strategy();
    repeat(move || {
        let operation = || async { succeed().map_err(RetryError::transient) };
        poll_once(Retry::spawn(black_box(&strategy).clone(), operation))
    })
}

fn retry_deadline() -> Batch {
    let strategy = strategy();
    repeat(move || {
        let operation = || async { succeed().map_err(RetryError::transient) };
        let retried = Retry::spawn(black_box(&strategy).clone(), operation);
        poll_once(tokio::time::timeout(DEADLINE, retried))
    })
}
