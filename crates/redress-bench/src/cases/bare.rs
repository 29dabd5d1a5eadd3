//! The operation without a guard, in every row that runs it, and the clock that some guards read.

use std::hint::black_box;
use std::time::Instant;

use crate::case::{Batch, Case};
use crate::operation::{Alternating, fail, finish, succeed};

pub(super) const CASES: &[Case] = &[
    Case::bare("retry", "bare", success),
    Case::bare("retry", "bare async", success_async),
    Case::bare("retry-deadline", "bare", success),
    Case::bare("breaker", "bare", success),
    Case::bare("stack", "bare", success),
    Case::bare("stack", "bare async", success_async),
    Case::bare("stack-deadline", "bare", success),
    Case::bare("second-try", "bare, twice", twice),
    Case::bare("second-try", "bare async, twice", twice_async),
    Case::bare("failure-recorded", "bare", failure),
    Case::bare("clock", "std::time::Instant::now", clock),
];

fn success() -> Batch {
    Box::new(|times| {
        for _ in 0..times {
            let _ = black_box(succeed());
        }
    })
}

fn success_async() -> Batch {
    Box::new(|times| {
        for _ in 0..times {
            let _ = black_box(finish(async { succeed() }));
        }
    })
}

fn failure() -> Batch {
    Box::new(|times| {
        for _ in 0..times {
            let _ = black_box(fail());
        }
    })
}

fn twice() -> Batch {
    let operation = Alternating::default();
    Box::new(move |times| {
        for _ in 0..times {
            let _ = black_box(operation.run());
            let _ = black_box(operation.run());
        }
    })
}

fn twice_async() -> Batch {
    let operation = Alternating::default();
    Box::new(move |times| {
        for _ in 0..times {
            let _ = black_box(finish(async { operation.run() }));
            let _ = black_box(finish(async { operation.run() }));
        }
    })
}

fn clock() -> Batch {
    Box::new(|times| {
        for _ in 0..times {
            black_box(Instant::now());
        }
    })
}
