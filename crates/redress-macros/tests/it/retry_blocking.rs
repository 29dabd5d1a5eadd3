//! Blocking functions: attempts, names, arguments.

use std::cell::Cell;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use redress::testing::instant_retries;
use redress::{CallError, Policy, Retry, StopReason, fixed, retry};

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

static INSTANT: LazyLock<Policy> =
    LazyLock::new(|| Retry::builder().strategy(instant_retries()).build().expect("valid").into());

/// Fails until the third attempt.
#[retry(policy = INSTANT)]
fn third_time(attempts: &Cell<u32>) -> Result<u32, CallError<io::Error>> {
    attempts.set(attempts.get() + 1);
    if attempts.get() < 3 {
        return Err(reset());
    }
    Ok(attempts.get())
}

#[test]
fn the_body_runs_once_for_each_attempt() {
    let attempts = Cell::new(0);
    assert_eq!(third_time(&attempts).unwrap(), 3);
    assert_eq!(attempts.get(), 3);
}

#[retry]
fn r#move(path: &str) -> Result<String, CallError<io::Error>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text)
}

#[retry(operation = "read_settings")]
fn named(path: &str) -> Result<String, CallError<io::Error>> {
    std::fs::read_to_string(path)
}

#[retry(operation = format!("read {kind}"))]
fn named_by_an_argument(kind: &str) -> Result<(), CallError<io::Error>> {
    Err(io::ErrorKind::NotFound.into())
}

#[test]
fn the_operation_is_the_functions_name_unless_another_is_given() {
    assert_eq!(r#move("/no/such/file").unwrap_err().operation(), Some("move"));
    assert_eq!(named("/no/such/file").unwrap_err().operation(), Some("read_settings"));
    assert_eq!(named_by_an_argument("stock").unwrap_err().operation(), Some("read stock"));
    assert!(r#move("Cargo.toml").unwrap().contains("redress-macros"));
}

#[retry(strategy = fixed(Duration::ZERO), max_attempts = 4)]
fn limited(attempts: &Cell<u32>) -> Result<(), CallError<io::Error>> {
    attempts.set(attempts.get() + 1);
    Err(reset())
}

#[test]
fn settings_are_those_of_the_functions_policy() {
    let attempts = Cell::new(0);
    let failed = limited(&attempts).unwrap_err();
    assert_eq!((failed.stop_reason(), failed.attempts(), attempts.get()), (StopReason::MaxAttempts, 4, 4));
}

#[retry(policy = INSTANT, clone(left, order))]
fn takes(mut left: u32, order: Vec<u8>, sums: &Cell<u32>) -> Result<Vec<u8>, CallError<io::Error>> {
    left += 1;
    sums.set(sums.get() + left);
    let sent = order; // moves it
    if sums.get() < 30 { Err(reset()) } else { Ok(sent) }
}

#[test]
fn each_attempt_has_clones_of_the_arguments_that_are_named() {
    let sums = Cell::new(0);
    assert_eq!(takes(9, vec![1, 2], &sums).unwrap(), [1, 2]);
    assert_eq!(sums.get(), 30, "three attempts from the same number");
}
