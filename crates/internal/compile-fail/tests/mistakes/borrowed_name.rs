//! The name of a breaker, borrowed from a text that does not live long enough.

use redress::CircuitBreaker;

fn breaker_for(host: &str) -> CircuitBreaker {
    CircuitBreaker::builder().name(host).build().unwrap()
}

fn main() {
    let _ = breaker_for("db.internal");
}
