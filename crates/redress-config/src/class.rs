//! The names of classes in files.

use std::sync::LazyLock;

use redress_core::ErrorClass;
use redress_core::classify::PerClass;

/// The rule for the name of a class.
pub(crate) const CLASS_RULE: &str = "be a class of failures";

/// The class with this name, in the spelling of Rust or in that of metrics.
pub(crate) fn class_of(name: &str) -> Option<ErrorClass> {
    ErrorClass::from_name(name).or_else(|| ErrorClass::ALL.iter().copied().find(|class| class_key(*class) == name))
}

/// The name of a class in files that redress writes: the spelling of Rust.
pub(crate) fn class_key(class: ErrorClass) -> &'static str {
    static KEYS: LazyLock<PerClass<String>> = LazyLock::new(|| PerClass::from_fn(|class| format!("{class:?}")));
    &KEYS[class]
}

/// Both spellings of the names of classes.
pub(crate) fn class_names() -> impl Iterator<Item = &'static str> {
    let all = || ErrorClass::ALL.iter().copied();
    all().map(class_key).chain(all().map(ErrorClass::as_str))
}
