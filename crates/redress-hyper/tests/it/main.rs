//! The client over real sockets, against servers that behave well and badly.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod auto_traits;
mod bad_answers;
mod bodies;
mod connections;
mod draining;
mod fake_transport;
mod not_acted_on;
mod other_connections;
mod requests;
mod rules;
mod support;
