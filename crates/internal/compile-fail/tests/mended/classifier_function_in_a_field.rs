//! A policy with a classifier function, in a field.

use std::io;

use redress::classify::{ArcClassifier, ErrorClassifier};
use redress::{ErrorClass, Policy, error_classifier};

type ByKind = ErrorClassifier<fn(&io::Error) -> ErrorClass>;

struct Service {
    reads: Policy<ByKind>,
    writes: Policy<ArcClassifier<(), io::Error>>,
}

fn class(error: &io::Error) -> ErrorClass {
    if error.kind() == io::ErrorKind::NotFound { ErrorClass::Permanent } else { ErrorClass::Transient }
}

fn main() {
    let service = Service {
        reads: Policy::builder().classifier(error_classifier(class as fn(&io::Error) -> ErrorClass)).build().unwrap(),
        writes: Policy::builder().classifier(ArcClassifier::new(error_classifier(class))).build().unwrap(),
    };
    let _ = service.reads.call(|| std::fs::read("settings"));
    let _ = service.writes.call(|| std::fs::write("settings", "7"));
}
