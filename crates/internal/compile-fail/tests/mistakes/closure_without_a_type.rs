//! A closure that classifies results, without the type of its argument.

use redress::{ErrorClass, Policy};

fn main() {
    let policy = Policy::builder().classifier(|result| result.is_err().then_some(ErrorClass::Transient)).build().unwrap();
    let _ = policy.call(|| std::fs::read("settings"));
}
