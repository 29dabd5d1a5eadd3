//! A transport without a network, for the tests of code that sends requests.
//!
//! Behind the feature `testing`, for dev-dependencies. Each request goes over a new in-memory hyper
//! connection, whose peer follows the script, so errors are hyper's.

mod exchange;
mod fake_body;
mod fake_transport;
mod fault;
mod recorded;
mod wire;

#[cfg(feature = "http2")]
mod tasks;

pub use fake_body::FakeBody;
pub use fake_transport::FakeTransport;
pub use fault::Fault;
