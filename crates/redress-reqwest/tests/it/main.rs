//! The retrying client over reqwest, against scripted servers on real sockets.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod bad_answers;
#[cfg(feature = "blocking")]
mod blocking;
mod classes;
mod classes_http2;
mod drops;
#[cfg(feature = "middleware")]
mod exchanges;
mod requests;

#[cfg(feature = "middleware")]
mod middleware;
mod not_acted_on;
mod own_retries;
mod read_ahead;
mod responses;
mod secrets;
mod settings;
mod support;
