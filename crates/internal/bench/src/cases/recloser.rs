//! The cases of recloser: a breaker over a ring of the last calls.

use std::hint::black_box;
use std::time::Duration;

use recloser::{AsyncRecloser, Error, Recloser};

use super::DEADLINE;
use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat, repeat_while};
use crate::operation::{fail, poll_once, succeed};

pub(super) const CASES: &[Case] = &[
    case("breaker", Blocking, success),
    case("breaker", Async, success_async),
    case("ratio", Blocking, success),
    Case::new("ratio", Who::Peer, Async, "recloser in tokio's timeout", success_timed),
    case("rejected", Blocking, rejected),
    case("failure-recorded", Blocking, failure),
];

const fn case(row: &'static str, kind: Kind, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, kind, "recloser", prepare)
}

fn success() -> Batch {
    let breaker = Recloser::custom().closed_len(100).build();
    repeat(move || black_box(&breaker).call(succeed))
}

fn success_async() -> Batch {
    let breaker = AsyncRecloser::from(Recloser::custom().closed_len(100).build());
    repeat(move || poll_once(black_box(&breaker).call(async { succeed() })))
}

fn success_timed() -> Batch {
    let breaker = AsyncRecloser::from(Recloser::custom().closed_len(100).build());
    repeat(move || poll_once(tokio::time::timeout(DEADLINE, black_box(&breaker).call(async { succeed() }))))
}

fn rejected() -> Batch {
    let breaker = Recloser::custom().closed_len(1).open_wait(Duration::from_secs(86_400)).build();
    let _ = breaker.call(fail);
    let _ = breaker.call(fail);
    assert!(matches!(breaker.call(succeed), Err(Error::Rejected)));
    repeat(move || black_box(&breaker).call(succeed))
}

fn failure() -> Batch {
    // A failure rate that is never reached: the breaker records each failure and stays closed.
    let breaker = Recloser::custom().closed_len(100).error_rate(2.0).build();
    repeat_while(breaker, |breaker| breaker.call(fail), |breaker| matches!(breaker.call(fail), Err(Error::Inner(_))))
}
