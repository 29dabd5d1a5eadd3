//! Arguments of the attribute that do not exist, do not fit each other, or do not fit the function.

use std::io;

use redress::{CallError, CircuitBreaker, Policy, retry};

#[retry(max_attemps = 3)]
fn misspelt() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(jitter = 3)]
fn unknown() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(max_attempts = 3, max_attempts = 4)]
fn twice() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(policy = policy, max_attempts = 3)]
fn both(policy: &Policy) -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(policy = Policy::builder().circuit_breaker(CircuitBreaker::builder()).build().unwrap())]
fn built_for_each_call() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(policy = (Policy::default()))]
fn made_for_each_call() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(runtime = tokio)]
fn blocking() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(policy = policy, runtime = tokio)]
async fn two_timers(policy: &redress::runtime::tokio::AsyncPolicy) -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry(clone(order))]
fn no_such_argument(orders: &[u8]) -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

fn main() {}
