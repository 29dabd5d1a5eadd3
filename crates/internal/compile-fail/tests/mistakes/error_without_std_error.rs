//! The default classifier reads errors that implement `std::error::Error`, and this one does not.

use redress::Policy;

struct StoreError;

fn load() -> Result<u32, StoreError> {
    Ok(7)
}

fn main() {
    let policy = Policy::builder().build().unwrap();
    let _ = policy.call(load);
}
