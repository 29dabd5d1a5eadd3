//! The crate through its public names: an axum server on a real socket, and a hyper client.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod server;

mod auto_traits;
mod bad_answers;
mod chain;
mod deadlines;
mod disconnects;
mod endings;
mod forms;
mod hostile;
mod repetition;
mod routes;
mod state;
