//! The circuit breaker: stops calling a dependency that keeps failing, and finds out when it has
//! recovered.
//!
//! The state table is `state.rs`, the cell that calls share `cell.rs`, the right to one call
//! `permit.rs`, configuration `spec.rs` and `builder.rs`. None of them knows what a call is.

mod builder;
mod cell;
mod interface;
mod permit;
mod spec;
mod state;
mod wait;
mod windows;
mod word;

pub use self::builder::CircuitBreakerBuilder;
pub use self::cell::CircuitBreaker;
pub(crate) use self::interface::BreakerChoice;
pub use self::interface::{Admission, Breaker, BreakerSource, IntoBreaker, Report};
pub use self::permit::Permit;
pub use self::spec::{BreakerSpec, ProbeLease};
pub use self::state::{CircuitState, Transition};
