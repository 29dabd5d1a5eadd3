//! The circuit breaker: stops calling a dependency that keeps failing, and finds out when it has recovered.
//!
//! The state table is `state.rs`, the cell that calls share `cell.rs`, the right to one call `permit.rs`, configuration
//! `builder.rs`. None of them knows what a call is.

mod builder;
mod cell;
mod permit;
mod seam;
mod state;

pub use self::builder::CircuitBreakerBuilder;
pub use self::cell::CircuitBreaker;
pub use self::permit::Permit;
pub(crate) use self::seam::BreakerChoice;
pub use self::seam::{Admission, Breaker, BreakerSource, Report};
pub use self::state::{CircuitState, Transition};
