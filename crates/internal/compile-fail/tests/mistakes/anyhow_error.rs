//! `anyhow::Error` does not implement `std::error::Error`: it needs the classifier for boxes.

use redress::Policy;

fn load() -> anyhow::Result<u32> {
    Ok(7)
}

fn main() {
    let _ = Policy::default().call(load);
}
