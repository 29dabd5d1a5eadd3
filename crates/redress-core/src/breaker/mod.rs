//! Circuit breakers: stop calls to a dependency that keeps failing, and detect when it has
//! recovered.
//!
//! A [`CircuitBreaker`] is shared by the policies that call one dependency. It counts calls, not
//! attempts, and only failures in classes that suggest the dependency is unhealthy. A [`Permit`] is
//! the admission of one call outside a policy. [`KeyedBreakers`] are a breaker for each of many
//! hosts, tenants or shards.

mod builder;
mod cell;
mod divisor;
mod interface;
mod keyed;
mod permit;
mod registry;
mod spec;
mod state;
#[cfg_attr(not(test), expect(dead_code, reason = "the ratio rule reads it"))]
pub(crate) mod tally;
mod wait;
mod windows;
mod word;

pub use self::builder::CircuitBreakerBuilder;
pub use self::cell::CircuitBreaker;
pub(crate) use self::interface::BreakerChoice;
pub use self::interface::{Admission, Breaker, BreakerSource, IntoBreaker, Report};
pub use self::keyed::{IntoKeyedBreakers, KeyedBreakers, KeyedBreakersBuilder, KeyedBreakersSource, WeakKeyedBreakers};
pub use self::permit::Permit;
pub use self::spec::{BreakerSpec, ProbeLease};
pub use self::state::{CircuitState, Transition};
