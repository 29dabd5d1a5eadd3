//! Testing code that uses redress: time that passes when told to, operations that follow a script, and fakes.

#![forbid(unsafe_code)]

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;

pub use crate::clock::VirtualClock;
