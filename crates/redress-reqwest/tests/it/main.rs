//! The retrying client over reqwest, against scripted servers on real sockets.

mod classes;
mod classes_http2;
mod drops;
mod requests;

mod not_acted_on;
mod own_retries;
mod responses;
mod secrets;
mod settings;
mod support;
