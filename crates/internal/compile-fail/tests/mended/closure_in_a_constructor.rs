//! Closures that classify results, without the types of their arguments.

use redress::{ErrorClass, Policy, classifier};

fn main() {
    let failures = classifier(|result| result.is_err().then_some(ErrorClass::Transient));
    let _ = Policy::builder().classifier(failures).build().unwrap().call(|| std::fs::read("settings"));
    let everything = classifier(|_| Some(ErrorClass::Transient));
    let _ = Policy::builder().classifier(everything).build().unwrap().call(|| std::fs::read("settings"));
}
