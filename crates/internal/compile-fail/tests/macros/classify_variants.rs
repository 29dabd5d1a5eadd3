//! Variants without a class, or with one that does not exist.

use redress::Classify;

#[derive(Classify)]
enum StoreError {
    #[classify(Transiet)]
    Slow,
    #[classify(RATE_LIMIT)]
    Busy,
    Gone,
    #[classify()]
    Odd(u8),
    #[classify(Broken)]
    Broken,
    #[classify(ErrorClass::Transient)]
    Path,
    #[classify(Transient, Permanent)]
    Both,
    #[classify(Transient)]
    #[classify(forward)]
    Twice(std::io::Error),
}

#[derive(Classify)]
struct Denied;

fn main() {}
