//! A strategy is a part of the retry component, not the component.

use redress::{Policy, decorrelated_jitter};

fn main() {
    let _ = Policy::builder().retry(decorrelated_jitter()).build();
}
