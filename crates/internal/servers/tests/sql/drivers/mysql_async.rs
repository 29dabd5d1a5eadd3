//! MariaDB through mysql_async.

use std::error::Error as StdError;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Opts, OptsBuilder};
use redress::Classification;
use redress_servers::MariaDb;
use redress_sql::mysql_classifier;

use crate::session::{Login, Remote, Session};

pub(crate) struct MySqlAsync(Conn);

impl Remote for MySqlAsync {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        let options = OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(login.port).prefer_socket(false);
        let options = options.user(Some(login.user)).pass(Some(login.password)).db_name(Some(MariaDb::DATABASE));
        Ok(Self(Conn::new(Opts::from(options)).await?))
    }
}

impl Session for MySqlAsync {
    type Error = Error;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.0.query_drop(sql).await
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        Ok(self.0.query_first(sql).await?.expect("a row"))
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        mysql_classifier().classify_error(error)
    }
}
