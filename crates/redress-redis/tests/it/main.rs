//! The crate through its public names, with redis 1. `tests/it_2` runs the same files with redis 2.

use redis as client;

mod arbitrary;
mod chain;
mod codes;
mod kinds;
mod pipelines;
mod policy;
mod reply;
mod stub;
mod watch;
