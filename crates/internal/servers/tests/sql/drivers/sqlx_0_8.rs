//! PostgreSQL through sqlx 0.8.

use std::error::Error as StdError;

use redress::Classification;
use redress_servers::Postgres;
use redress_sql::sqlx_classifier;
use sqlx_0_8::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx_0_8::{Connection as _, Error, Row as _, raw_sql};

use crate::session::{Login, Remote, Session};

pub(crate) struct OldSqlxPostgres(PgConnection);

impl Remote for OldSqlxPostgres {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(login.port);
        let options = options.database(Postgres::DATABASE).ssl_mode(PgSslMode::Disable);
        let options = options.username(login.user).password(login.password);
        Ok(Self(PgConnection::connect_with(&options).await?))
    }
}

impl Session for OldSqlxPostgres {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        raw_sql(sql).execute(&mut self.0).await.map(drop)
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        raw_sql(sql).fetch_one(&mut self.0).await?.try_get_unchecked(0)
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        sqlx_classifier().classify_error(error)
    }
}
