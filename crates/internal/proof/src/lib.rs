//! A second, plain implementation of a call and of the circuit breaker, with the laws and the
//! random cases that the tests, the fuzzer and the storms share. Not published.
//!
//! In reading order: what a case is (`world`), how bytes describe one (`bytes`, `draw`), the user
//! code of a case (`stage`) and the record of what happens (`note`), the model of a call (`naive`),
//! the reference breaker (`breaker`, `doubt`), the real policies (`subject`), the play of both
//! (`play`), permits without calls (`permits`), and the laws (`laws`).
//!
//! Attacks R1, R2, R3, R4, B1, C1, C2, C3, C4, C5.

#![forbid(unsafe_code)]

mod bytes;
mod world;
mod draw;

mod note;
mod stage;

mod doubt;
mod breaker;
mod naive;
mod subject;

mod play;
mod permits;
mod laws;

#[cfg(test)]
mod tests;

pub use crate::laws::call::{Ended, Record};
pub use crate::laws::spending::check_grants;
pub use crate::laws::{Law, Laws};
pub use crate::permits::{PermitGame, permit_schedule};
pub use crate::play::engine_schedule;
