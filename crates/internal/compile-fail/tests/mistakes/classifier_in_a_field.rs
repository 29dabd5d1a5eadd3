//! A policy with a classifier, in a field whose type is that of the default classifier.

use std::io;

use redress::{ErrorClass, Policy, error_classifier};

struct Service {
    policy: Policy,
}

fn class(error: &io::Error) -> ErrorClass {
    if error.kind() == io::ErrorKind::NotFound { ErrorClass::Permanent } else { ErrorClass::Transient }
}

fn main() {
    let policy = Policy::builder().classifier(error_classifier(class)).build().unwrap();
    let service = Service { policy };
    let _ = service.policy.call(|| std::fs::read("settings"));
}
