//! Real servers for tests: each has a folder and a port of loopback, and stops when it is dropped.
//!
//! The tests in `tests/` start what they need. `cargo xtask servers` installs the programs first;
//! a test that does not find a program fails and names the package.

mod program;
mod process;
mod shared;

mod mariadb;
mod moto;
mod postgres;
mod redis;

pub use crate::mariadb::MariaDb;
pub use crate::moto::Moto;
pub use crate::postgres::Postgres;
pub use crate::process::{Process, Settings, free_port};
pub use crate::program::{find_odbc_driver, find_program};
pub use crate::redis::Redis;
pub use crate::shared::Shared;
