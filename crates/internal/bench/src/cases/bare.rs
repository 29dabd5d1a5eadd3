//! The operation without a guard, for every row that runs it, and the reading of the clock that
//! some guards make.

use std::hint::black_box;
use std::time::Instant;

use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat};
use crate::operation::{Alternating, OperationResult, fail, poll_once, succeed};

pub(super) const CASES: &[Case] = &[
    case("retry", Blocking, "bare", || blocking(succeed)),
    case("retry", Async, "bare", || asynchronous(succeed)),
    case("retry-deadline", Blocking, "bare", || blocking(succeed)),
    case("retry-deadline", Async, "bare", || asynchronous(succeed)),
    case("breaker", Blocking, "bare", || blocking(succeed)),
    case("breaker", Async, "bare", || asynchronous(succeed)),
    case("ratio", Blocking, "bare", || blocking(succeed)),
    case("ratio", Async, "bare", || asynchronous(succeed)),
    case("stack", Blocking, "bare", || blocking(succeed)),
    case("stack", Async, "bare", || asynchronous(succeed)),
    case("stack-deadline", Blocking, "bare", || blocking(succeed)),
    case("stack-deadline", Async, "bare", || asynchronous(succeed)),
    case("earned", Blocking, "bare", || blocking(succeed)),
    case("earned", Async, "bare", || asynchronous(succeed)),
    case("second-try", Blocking, "bare, twice", twice),
    case("second-try", Async, "bare, twice", twice_async),
    case("failure-recorded", Blocking, "bare", || blocking(fail)),
    case("failure-recorded", Async, "bare", || asynchronous(fail)),
    case("clock", Blocking, "std::time::Instant::now", clock),
];

const fn case(row: &'static str, kind: Kind, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Bare, kind, name, prepare)
}

fn blocking(operation: impl Fn() -> OperationResult + Send + Sync + 'static) -> Batch {
    repeat(operation)
}

fn asynchronous(operation: impl Fn() -> OperationResult + Send + Sync + 'static) -> Batch {
    repeat(move || poll_once(async { operation() }))
}

fn twice() -> Batch {
    let operation = Alternating::default();
    repeat(move || {
        black_box(&operation.run());
        operation.run()
    })
}

fn twice_async() -> Batch {
    let operation = Alternating::default();
    repeat(move || {
        black_box(&poll_once(async { operation.run() }));
        poll_once(async { operation.run() })
    })
}

fn clock() -> Batch {
    repeat(Instant::now)
}
