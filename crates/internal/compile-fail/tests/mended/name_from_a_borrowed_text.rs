//! A name for each host, taken from a text that does not live long enough to be kept.

use redress::{CircuitBreaker, Policy};

fn policy_for(host: &str) -> Policy {
    let breaker = CircuitBreaker::builder().name(host.to_owned());
    Policy::builder().name(host.to_owned()).circuit_breaker(breaker).build().unwrap()
}

fn main() {
    let _ = policy_for("db.internal");
}
