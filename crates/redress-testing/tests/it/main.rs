//! Tests of every tool in the crate, used as in a user's tests.

mod assertions;
mod breaker;
mod callers;
mod classified;
mod clock;
mod executor;
mod explain;
mod recorder;
mod script;
mod strategy;

use std::io::{Error, ErrorKind};
use std::panic::{UnwindSafe, catch_unwind};
use std::time::Duration;

/// Returns a duration in seconds.
const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An error of class `Transient`.
fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// Returns the message of the panic of `act`.
fn panic_message(act: impl FnOnce() + UnwindSafe) -> String {
    let payload = catch_unwind(act).expect_err("it should have panicked");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("panics carry text")).to_string(),
    }
}
