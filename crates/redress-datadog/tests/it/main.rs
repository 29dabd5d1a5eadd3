//! Policies whose metrics arrive at an agent, over UDP and over a Unix socket, and are parsed by
//! the grammar of DogStatsD.
//!
//! The tests check what the agent receives. redress-metrics tests the mapping of events to metrics,
//! and the core what the events mean.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod agent;
mod grammar;

mod calls;
mod drops;
mod hostile;
