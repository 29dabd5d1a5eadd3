//! recloser: a breaker over a ring of the last calls.

use std::hint::black_box;
use std::time::Duration;

use recloser::{AsyncRecloser, Recloser};

use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who};
use crate::operation::{fail, finish, succeed};

pub(super) const CASES: &[Case] = &[
    case("breaker", Blocking, success),
    case("breaker", Async, success_async),
    case("rejected", Blocking, rejected),
    case("failure-recorded", Blocking, failure),
];

const fn case(row: &'static str, kind: Kind, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, kind, "recloser", prepare)
}

fn success() -> Batch {
    let breaker = Recloser::custom().closed_len(100).build();
    Box::new(move |times| {
        for _ in 0..times {
            let _ = black_box(black_box(&breaker).call(succeed));
        }
    })
}

fn success_async() -> Batch {
    let breaker = AsyncRecloser::from(Recloser::custom().closed_len(100).build());
    Box::new(move |times| {
        for _ in 0..times {
            let _ = black_box(finish(black_box(&breaker).call(async { succeed() })));
        }
    })
}

fn rejected() -> Batch {
    let breaker = Recloser::custom().closed_len(1).open_wait(Duration::from_secs(86_400)).build();
    let _ = breaker.call(fail);
    let _ = breaker.call(fail);
    assert!(matches!(breaker.call(succeed), Err(recloser::Error::Rejected)));
    Box::new(move |times| {
        for _ in 0..times {
            let _ = black_box(black_box(&breaker).call(succeed));
        }
    })
}

fn failure() -> Batch {
    // A rate that is never reached: it records each failure and stays closed.
    let breaker = Recloser::custom().closed_len(100).error_rate(2.0).build();
    Box::new(move |times| {
        for _ in 0..times {
            let result = black_box(black_box(&breaker).call(fail));
            debug_assert!(matches!(result, Err(recloser::Error::Inner(_))));
        }
    })
}
