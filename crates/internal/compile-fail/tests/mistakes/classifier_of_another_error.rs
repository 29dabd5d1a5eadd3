//! A classifier of one error type, and an operation with another.

use std::io;
use std::num::ParseIntError;

use redress::{ErrorClass, Policy, error_classifier};

fn load() -> Result<u32, ParseIntError> {
    "7".parse()
}

fn main() {
    let classifier = error_classifier(|_: &io::Error| ErrorClass::Transient);
    let policy = Policy::builder().classifier(classifier).build().unwrap();
    let _ = policy.call(load);
}
