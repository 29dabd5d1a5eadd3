//! The circuit breaker: stops calling a dependency that keeps failing, and finds out when it has recovered.
//!
//! The state table is `state.rs`, the cell that calls share `cell.rs`, the right to one call `permit.rs`, configuration
//! `builder.rs`. None of them knows what a call is.

mod builder;
mod cell;
mod permit;
mod interface;
mod state;

pub use self::builder::CircuitBreakerBuilder;
pub use self::cell::CircuitBreaker;
pub(crate) use self::interface::BreakerChoice;
pub use self::interface::{Admission, Breaker, BreakerSource, Report};
pub use self::permit::Permit;
pub use self::state::{CircuitState, Transition};
