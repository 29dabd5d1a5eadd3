//! Tests of the tables, the hints, streams, and whole calls over real sockets.

mod classes;
mod clients;
mod errors;
mod events;
mod hints;
mod resets;
mod support;
