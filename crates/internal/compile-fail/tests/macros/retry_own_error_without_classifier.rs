//! An error that knows its class, under a policy that does not ask it.

use redress::{CallError, Classify, retry};

#[derive(Debug, Classify)]
#[classify(Transient)]
struct Busy;

#[retry]
fn load() -> Result<u8, CallError<Busy>> {
    Err(Busy)
}

fn main() {}
