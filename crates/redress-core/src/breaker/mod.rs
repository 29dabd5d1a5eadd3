//! Circuit breakers: stop calls to a dependency that keeps failing, and detect when it has
//! recovered.
//!
//! A [`CircuitBreaker`] is shared by the policies that call one dependency. It counts calls, or
//! attempts if asked, and as failures only those in classes that suggest the dependency is
//! unhealthy. A [`Permit`] is the admission of one call outside a policy. [`KeyedBreakers`] are a
//! breaker for each of many hosts, tenants or shards.

mod builder;
mod cell;
mod divisor;
mod interface;
mod keyed;
mod mode;
mod opening;
mod permit;
mod ramp;
mod registry;
mod rules;
mod settings;
mod share;
mod spec;
mod state;
pub(crate) mod tally;
mod trial;
mod trip;
mod wait;
mod word;

pub use self::builder::CircuitBreakerBuilder;
pub use self::cell::CircuitBreaker;
pub(crate) use self::interface::BreakerChoice;
pub use self::interface::{Admission, Breaker, BreakerSource, IntoBreaker, Report, Seen};
pub use self::keyed::{IntoKeyedBreakers, KeyedBreakers, KeyedBreakersBuilder, KeyedBreakersSource, WeakKeyedBreakers};
pub use self::mode::Mode;
pub use self::permit::Permit;
pub use self::ramp::Ramp;
pub use self::spec::{BreakerSpec, ProbeLease, RecoveryGrowth};
pub use self::state::{CircuitState, Transition};
pub use self::trial::Trial;
pub use self::trip::{Trip, TripRule};
