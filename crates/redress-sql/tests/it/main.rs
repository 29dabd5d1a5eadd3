//! Tests of the tables against their documentation, and of each classifier on its driver's errors.

mod chain;
mod commit;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "odbc")]
mod odbc;
mod odbc_records;
#[cfg(feature = "tokio-postgres")]
mod postgres;
#[cfg(feature = "tokio-postgres")]
mod postgres_server;
#[cfg(feature = "sqlx")]
mod sqlite;
#[cfg(feature = "sqlx")]
mod sqlx_0_9;
#[cfg(feature = "sqlx-0-8")]
mod sqlx_0_8;
mod support;
mod tables;
