//! PostgreSQL through tokio-postgres.

use std::error::Error as StdError;

use redress::Classification;
use redress_servers::Postgres;
use redress_sql::postgres_classifier;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};

use crate::session::{Login, Remote, Session};

pub(crate) struct TokioPostgres(Client);

impl Remote for TokioPostgres {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(login.port).dbname(Postgres::DATABASE);
        config.user(login.user).password(login.password);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(Self(client))
    }
}

impl Session for TokioPostgres {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.0.batch_execute(sql).await
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        let messages = self.0.simple_query(sql).await?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = row.and_then(|row| row.get(0)).expect("a row with a value");
        Ok(text.parse().expect("a number"))
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        postgres_classifier().classify_error(error)
    }
}
