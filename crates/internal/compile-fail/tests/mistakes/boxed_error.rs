//! A boxed error does not implement `std::error::Error`: it needs the classifier for boxes.

use std::error::Error;

use redress::Policy;

fn load() -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok(7)
}

fn main() {
    let policy = Policy::builder().build().unwrap();
    let _ = policy.call(load);
}
