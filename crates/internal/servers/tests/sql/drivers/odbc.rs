//! PostgreSQL and SQLite through ODBC, with the drivers' files named by path.

use std::error::Error as StdError;
use std::path::Path;

use odbc_api::{Connection, ConnectionOptions, Cursor as _, Error, environment};
use redress::{Classification, ErrorClass};
use redress_servers::{Postgres, find_odbc_driver};
use redress_sql::odbc_classifier;

use crate::session::{Local, Login, Remote, Session};

/// A connection that blocks on a thread of its own, as its transactions do.
pub(crate) struct Odbc(Option<Connection<'static>>);

impl Odbc {
    async fn connect_by(text: String) -> Result<Self, Error> {
        let connect = move || environment()?.connect_with_connection_string(&text, ConnectionOptions::default());
        let connected = tokio::task::spawn_blocking(connect).await;
        connected.expect("connecting does not panic").map(|connection| Self(Some(connection)))
    }

    async fn with<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&Connection<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let connection = self.0.take().expect("the last statement has ended");
        let acted = tokio::task::spawn_blocking(move || (act(&connection), connection));
        let (result, connection) = acted.await.expect("a statement does not panic");
        self.0 = Some(connection);
        result
    }
}

impl Remote for Odbc {
    async fn connect(login: Login<'_>) -> Result<Self, Error> {
        let driver = find_odbc_driver("psqlodbcw.so", "odbc-postgresql");
        let (driver, Login { port, user, password }, database) = (driver.display(), login, Postgres::DATABASE);
        Self::connect_by(format!(
            "Driver={driver};Servername=127.0.0.1;Port={port};Database={database};Uid={user};Pwd={password};SSLmode=disable;"
        ))
        .await
    }
}

impl Local for Odbc {
    async fn open(file: &Path) -> Result<Self, Error> {
        let driver = find_odbc_driver("libsqlite3odbc.so", "libsqliteodbc");
        Self::connect_by(format!("Driver={};Database={};Timeout=1;", driver.display(), file.display())).await
    }
}

impl Session for Odbc {
    type Error = Error;

    /// psqlODBC sets a savepoint before each statement, unless its `Protocol` says otherwise.
    const HAS_SAVEPOINTS: bool = true;
    /// psqlODBC reports it as 08001, as it reports a server that does not answer.
    const WRONG_PASSWORD: ErrorClass = ErrorClass::Transient;

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        let sql = sql.to_owned();
        self.with(move |connection| connection.execute(&sql, (), None).map(drop)).await
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Error> {
        let sql = sql.to_owned();
        let read = move |connection: &Connection<'static>| {
            let mut cursor = connection.execute(&sql, (), None)?.expect("a query has a result");
            let mut row = cursor.next_row()?.expect("a row");
            let mut text = Vec::new();
            row.get_text(1, &mut text)?;
            Ok(String::from_utf8_lossy(&text).parse().expect("a number"))
        };
        self.with(read).await
    }

    async fn begin(&mut self) -> Result<(), Error> {
        self.with(|connection| connection.set_autocommit(false)).await
    }

    async fn commit(&mut self) -> Result<(), Error> {
        self.with(|connection| connection.commit().and_then(|()| connection.set_autocommit(true))).await
    }

    async fn roll_back(&mut self) -> Result<(), Error> {
        self.with(|connection| connection.rollback().and_then(|()| connection.set_autocommit(true))).await
    }

    fn classify(error: &(dyn StdError + 'static)) -> Classification {
        odbc_classifier().classify_error(error)
    }
}
