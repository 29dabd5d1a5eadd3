//! Every tool of the crate, used as its users would.

mod assertions;
mod breaker;
mod callers;
mod clock;
mod executor;
mod recorder;
mod script;
mod strategy;

use std::io::{Error, ErrorKind};
use std::panic::{UnwindSafe, catch_unwind};
use std::time::Duration;

/// So many seconds.
const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An error of class `Transient`.
fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// The message `act` panics with.
fn panic_message(act: impl FnOnce() + UnwindSafe) -> String {
    let payload = catch_unwind(act).expect_err("it should have panicked");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("panics carry text")).to_string(),
    }
}
