//! SQL databases: the failures of PostgreSQL, MariaDB and SQLite, each produced by a real server or
//! file, as every driver reports them.
//!
//! A scenario is written once, for any [`Session`](session::Session), and a test runs it with each
//! driver. Scenarios never wait for time: two sessions act in a fixed order, or one polls until the
//! server says that the other waits.

mod session;
mod support;
mod cutting_proxy;

mod drivers {
    //! A session with each driver.

    pub(crate) mod mysql_async;
    pub(crate) mod odbc;
    pub(crate) mod sqlx_0_8;
    pub(crate) mod sqlx_0_9;
    pub(crate) mod tokio_postgres;
}

mod postgres;
mod postgres_connections;
mod mariadb;
mod mariadb_connections;
mod sqlite;
mod pools;
mod transactions;
