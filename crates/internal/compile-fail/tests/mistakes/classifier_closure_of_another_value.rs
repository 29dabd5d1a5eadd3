//! A closure that classifies results of one type, and an operation with another.

use std::io;

use redress::{ErrorClass, Policy};

fn load() -> io::Result<String> {
    Ok(String::from("7"))
}

fn main() {
    let classifier = |result: &io::Result<u32>| result.is_err().then_some(ErrorClass::Transient);
    let policy = Policy::builder().classifier(classifier).build().unwrap();
    let _ = policy.call(load);
}
