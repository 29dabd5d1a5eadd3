//! Which failures of SQL databases are worth a retry, for any driver.
//!
//! | module | codes |
//! |---|---|
//! | [`sqlstate`] | SQLSTATEs, of PostgreSQL, ODBC and the standard |
//! | [`mysql`] | error numbers of MySQL and MariaDB |
//! | [`sqlite`] | result codes of SQLite |
//! | [`mssql`] | error numbers of SQL Server and Azure SQL |
//! | [`odbc`] | diagnostic records of ODBC: a state, a native number and the name of their source |
//!
//! Each table is a function of its code, and no table depends on a driver. [`sqlstate_classifier`]
//! makes a classifier of an error that carries a SQLSTATE.
//!
//! The classifiers for drivers are behind features. Each finds its driver's error anywhere in a
//! source chain, inside an `Arc` or a `Box`, and below errors that wrap it with thiserror's
//! `#[error(transparent)]`:
//!
//! | feature | classifier | driver |
//! |---|---|---|
//! | `sqlx` | `sqlx_classifier` | sqlx 0.9, from Rust 1.94 on |
//! | `sqlx-0-8` | `sqlx_classifier` | sqlx 0.8; both versions at once with both features |
//! | `tokio-postgres` | `postgres_classifier` | tokio-postgres 0.7, and postgres 0.19 |
//! | `mysql` | `mysql_classifier` | mysql_async 0.37 |
//! | `odbc` | `odbc_classifier` | odbc-api 29, which links libodbc |
//!
//! # A whole transaction is the operation
//!
//! A retry of one statement inside a transaction does not help: PostgreSQL refuses every further
//! statement (25P02), and a deadlock has rolled all of it back. A serialization failure may arrive
//! as late as COMMIT. So the operation holds everything from BEGIN to COMMIT.
//!
//! The error of COMMIT itself needs care: if the connection broke, the transaction may have been
//! committed. Wrap it in a [`CommitError`], and it is retried only if the database reported a
//! rollback.

#![forbid(unsafe_code)]

pub mod mssql;
pub mod mysql;
pub mod odbc;
pub mod sqlite;
pub mod sqlstate;

mod classifier;
pub use classifier::{SqlStateClassifier, sqlstate_classifier};

mod commit;
pub use commit::CommitError;

#[cfg(any(feature = "mysql", feature = "sqlx", feature = "sqlx-0-8", feature = "tokio-postgres"))]
mod connection;

#[cfg(feature = "mysql")]
mod mysql_classifier;
#[cfg(feature = "mysql")]
pub use mysql_classifier::{MySqlClassifier, mysql_classifier};

#[cfg(feature = "odbc")]
mod odbc_classifier;
#[cfg(feature = "odbc")]
pub use odbc_classifier::{OdbcClassifier, odbc_classifier};

#[cfg(feature = "tokio-postgres")]
mod postgres_classifier;
#[cfg(feature = "tokio-postgres")]
pub use postgres_classifier::{PostgresClassifier, postgres_classifier};

#[cfg(any(feature = "sqlx", feature = "sqlx-0-8"))]
mod sqlx_classifier;
#[cfg(any(feature = "sqlx", feature = "sqlx-0-8"))]
pub use sqlx_classifier::{SqlxClassifier, sqlx_classifier};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
