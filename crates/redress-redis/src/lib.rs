//! Classifies the failures of Redis for redress.
//!
//! - [`redis_classifier`] reads the errors of the `redis` crate, of its versions 1 and 2.
//! - [`watch_classifier`] also reads the nil reply of a transaction whose watched key changed.
//! - [`code`] is the table of error codes, for every other client.
//!
//! A policy runs a command, a pipeline or a transaction again as a whole, on the connection that
//! the operation uses. A command whose connection broke may have run already: see
//! [`RedisClassifier`](RedisClassifier#what-may-have-run).
//!
//! # Features
//!
//! `redis-1`, on by default, reads the errors of redis 1; `redis-2` reads those of redis 2, from
//! 2.0.0-rc.2 on. The crate turns on no feature of redis. Without either it has no dependency
//! besides the core: [`code`] needs none.

#![forbid(unsafe_code)]

pub mod code;

mod classifier;
pub use classifier::{RedisClassifier, redis_classifier};

mod watch;
pub use watch::{WatchClassifier, watch_classifier};

#[cfg(any(feature = "redis-1", feature = "redis-2"))]
mod client;
#[cfg(any(feature = "redis-1", feature = "redis-2"))]
mod failure;

/// The README's examples, compiled and run.
#[cfg(all(doctest, feature = "redis-1"))]
#[doc = include_str!("../README.md")]
struct Readme;
