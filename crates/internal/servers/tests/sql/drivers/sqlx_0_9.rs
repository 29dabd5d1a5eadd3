//! PostgreSQL, MariaDB and SQLite through sqlx 0.9.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use redress::Classification;
use redress_servers::{MariaDb, Postgres};
use redress_sql::sqlx_classifier;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Error, Row as _, raw_sql};

use crate::session::{Local, Login, Remote, Session};

pub(crate) struct SqlxPostgres(PgConnection);

pub(crate) fn postgres_options(login: Login<'_>) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(login.port);
    options.database(Postgres::DATABASE).username(login.user).password(login.password).ssl_mode(PgSslMode::Disable)
}

impl Remote for SqlxPostgres {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        Ok(Self(PgConnection::connect_with(&postgres_options(login)).await?))
    }
}

impl Session for SqlxPostgres {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await.map(drop)
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        raw_sql(AssertSqlSafe(sql)).fetch_one(&mut self.0).await?.try_get_unchecked(0)
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        sqlx_classifier().classify_error(error)
    }
}

pub(crate) struct SqlxMariaDb(MySqlConnection);

impl Remote for SqlxMariaDb {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        let options = MySqlConnectOptions::new().host("127.0.0.1").port(login.port).database(MariaDb::DATABASE);
        let options = options.username(login.user).password(login.password).ssl_mode(MySqlSslMode::Disabled);
        Ok(Self(MySqlConnection::connect_with(&options).await?))
    }
}

impl Session for SqlxMariaDb {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await.map(drop)
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        raw_sql(AssertSqlSafe(sql)).fetch_one(&mut self.0).await?.try_get_unchecked(0)
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        sqlx_classifier().classify_error(error)
    }
}

pub(crate) struct SqlxSqlite(SqliteConnection);

impl Local for SqlxSqlite {
    async fn open(file: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        Ok(Self(SqliteConnection::connect_with(&options.busy_timeout(Duration::ZERO)).await?))
    }
}

impl Session for SqlxSqlite {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        raw_sql(AssertSqlSafe(sql)).execute(&mut self.0).await.map(drop)
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        raw_sql(AssertSqlSafe(sql)).fetch_one(&mut self.0).await?.try_get_unchecked(0)
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        sqlx_classifier().classify_error(error)
    }
}
