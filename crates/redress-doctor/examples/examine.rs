//! Prints what is found about a policy, with its traffic: `cargo run -p redress-doctor --example
//! examine`.

use redress::doctor::{Circumstances, Traffic, WorstCase, examine};
use redress::{CircuitBreaker, Policy, Retry};

fn main() -> Result<(), redress::ConfigError> {
    let policy = Policy::builder()
        .name("orders")
        .retry(Retry::builder().max_attempts(4))
        .circuit_breaker(CircuitBreaker::builder())
        .build()?;
    let spec = policy.spec();
    let used = Circumstances::new().traffic(Traffic::new(700.0, 10)).layer("mesh", 2);
    println!("{spec}\n");
    for finding in examine(&spec, &used) {
        println!("{finding}");
    }
    println!("\nat worst: {:?}", WorstCase::of(&spec));
    Ok(())
}
