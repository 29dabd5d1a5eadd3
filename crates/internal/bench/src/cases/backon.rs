//! The cases of backon: retry alone, and with recloser as its breaker, since it has none.

use std::future::ready;
use std::hint::black_box;
use std::time::Duration;

use backon::{BlockingRetryable as _, ConstantBuilder, Retryable as _};
use recloser::{AsyncRecloser, Recloser};

use super::DEADLINE;
use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat};
use crate::operation::{Alternating, poll_once, succeed};

pub(super) const CASES: &[Case] = &[
    case("retry", Blocking, "backon", retry),
    case("retry", Async, "backon", retry_async),
    case("retry-deadline", Async, "backon in tokio's timeout", retry_deadline),
    case("stack", Blocking, "backon over recloser", stack),
    case("stack", Async, "backon over recloser", stack_async),
    case("stack-deadline", Async, "backon over recloser in tokio's timeout", stack_deadline),
    case("second-try", Blocking, "backon", second_try),
    case("second-try", Async, "backon", second_try_async),
];

const fn case(row: &'static str, kind: Kind, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, kind, name, prepare)
}

fn backoff() -> ConstantBuilder {
    ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(5)
}

fn retry() -> Batch {
    let backoff = backoff();
    repeat(move || succeed.retry(black_box(&backoff)).call())
}

fn retry_async() -> Batch {
    let backoff = backoff();
    repeat(move || poll_once((|| async { succeed() }).retry(black_box(&backoff)).into_future()))
}

fn retry_deadline() -> Batch {
    let backoff = backoff();
    repeat(move || {
        let retried = (|| async { succeed() }).retry(black_box(&backoff)).into_future();
        poll_once(tokio::time::timeout(DEADLINE, retried))
    })
}

fn stack() -> Batch {
    let (backoff, breaker) = (backoff(), Recloser::custom().closed_len(100).build());
    repeat(move || {
        let guarded = || black_box(&breaker).call(succeed);
        guarded.retry(black_box(&backoff)).call()
    })
}

fn stack_async() -> Batch {
    let (backoff, breaker) = (backoff(), AsyncRecloser::from(Recloser::custom().closed_len(100).build()));
    repeat(move || {
        let guarded = || black_box(&breaker).call(async { succeed() });
        poll_once(guarded.retry(black_box(&backoff)).into_future())
    })
}

fn stack_deadline() -> Batch {
    let (backoff, breaker) = (backoff(), AsyncRecloser::from(Recloser::custom().closed_len(100).build()));
    repeat(move || {
        let guarded = || black_box(&breaker).call(async { succeed() });
        let retried = guarded.retry(black_box(&backoff)).into_future();
        poll_once(tokio::time::timeout(DEADLINE, retried))
    })
}

fn second_try() -> Batch {
    let (backoff, operation) = (backoff(), Alternating::default());
    assert_eq!((|| operation.run()).retry(&backoff).call(), succeed());
    repeat(move || (|| operation.run()).retry(black_box(&backoff)).call())
}

fn second_try_async() -> Batch {
    let (backoff, operation) = (backoff(), Alternating::default());
    repeat(move || {
        // backon's sleep waits a tick of tokio's timer, even for a delay of zero.
        let retried = (|| async { operation.run() }).retry(black_box(&backoff)).sleep(|_| ready(()));
        poll_once(retried.into_future())
    })
}
