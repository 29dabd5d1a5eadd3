//! What a policy around a service does, seen from outside.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod service;

mod auto_traits;
mod calls;
mod cancellation;
mod client;
mod contexts;
mod deadlines;
mod deadlines_sent;
mod nested;
mod protocol;
mod not_acted_on;
mod readiness;
mod replays;
mod reservations;
mod retry_budget;
mod server;
mod socket;
