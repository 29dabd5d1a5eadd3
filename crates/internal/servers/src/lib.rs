//! Real servers for tests: each has a folder and a port of loopback, and stops when it is dropped.
//!
//! The tests in `tests/` start what they need. `cargo xtask servers` installs the programs first;
//! a test that does not find a program fails and names the package.

mod moto;
mod process;
mod program;
mod redis;
mod shared;

pub use moto::Moto;
pub use process::{Process, Settings, free_port};
pub use program::find_program;
pub use redis::Redis;
pub use shared::Shared;
