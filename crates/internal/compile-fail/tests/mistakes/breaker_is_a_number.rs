//! A threshold is a part of the breaker, not the breaker.

use redress::Policy;

fn main() {
    let _ = Policy::builder().circuit_breaker(5).build();
}
