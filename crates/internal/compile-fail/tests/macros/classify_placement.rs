//! Attributes in the wrong place, said twice, or without effect.

use redress::Classify;

#[derive(Classify)]
#[classify(Transient)]
enum ForAll {
    Slow,
}

#[derive(Classify)]
enum Notes {
    #[classify(Transient, retry_after = 0, retry_after = 0)]
    Twice(std::time::Duration),
    #[classify(abort, forbid_retry = "stopped")]
    Stopped,
    #[classify(RateLimit, retry_afer = 0)]
    Misspelt(std::time::Duration),
    #[classify(Transient, crate = redress)]
    Crate,
}

#[derive(Classify)]
union Either {
    one: u8,
    other: u8,
}

fn main() {}
