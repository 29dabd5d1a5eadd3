//! A closure that classifies results, without the type of its argument, which it does not use.

use redress::{ErrorClass, Policy};

fn main() {
    let policy = Policy::builder().classifier(|_| Some(ErrorClass::Transient)).build().unwrap();
    let _ = policy.call(|| std::fs::read("settings"));
}
