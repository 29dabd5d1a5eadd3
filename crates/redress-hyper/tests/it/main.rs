//! The client against real servers on real sockets: orderly ones, and scripted ones that are not.
//!
//! No test sleeps or looks at a clock: delays are zero, and waits that matter are recorded.

mod bad_answers;
mod bodies;
mod connections;
mod draining;
mod repetition;
mod server;
mod settings;
