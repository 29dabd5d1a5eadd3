//! Real errors of SQLite through sqlx: conflicts of two connections, and mistakes.

use std::time::Duration;

use redress::integration::sql::sqlx_classifier;
use redress::{Classification, ErrorClass};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Executor as _, SqliteConnection};

use crate::support::{Seen, seen};

/// Two connections to a database in a file, in WAL mode, which do not wait for locks.
async fn connections(folder: &tempfile::TempDir) -> [SqliteConnection; 2] {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("orders.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::ZERO);
    let mut first = options.connect().await.expect("a database");
    first.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)").await.expect("a table");
    [first, options.connect().await.expect("a second connection")]
}

async fn failure_of(connection: &mut SqliteConnection, statement: &'static str) -> Classification {
    let failed = connection.execute(statement).await.expect_err("the statement fails");
    sqlx_classifier().classify_error(&failed)
}

#[tokio::test]
async fn a_snapshot_that_is_old_needs_the_whole_transaction_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let [mut first, mut second] = connections(&folder).await;
    first.execute("BEGIN; SELECT * FROM orders").await.expect("a snapshot");
    second.execute("INSERT INTO orders (n) VALUES (1)").await.expect("a row");
    let conflict = failure_of(&mut first, "INSERT INTO orders (n) VALUES (2)").await;
    assert_eq!((conflict.class(), conflict.detail("sqlite")), (ErrorClass::Concurrency, Some("517")));
    // The statement alone does not help.
    assert_eq!(failure_of(&mut first, "INSERT INTO orders (n) VALUES (2)").await.class(), ErrorClass::Concurrency);
    first.execute("ROLLBACK; BEGIN; INSERT INTO orders (n) VALUES (2); COMMIT").await.expect("the transaction, again");
}

#[tokio::test]
async fn a_lock_of_another_connection_is_a_conflict() {
    let folder = tempfile::tempdir().expect("a folder");
    let [mut first, mut second] = connections(&folder).await;
    first.execute("BEGIN IMMEDIATE").await.expect("the lock");
    let locked = failure_of(&mut second, "BEGIN IMMEDIATE").await;
    assert_eq!((locked.class(), locked.detail("sqlite")), (ErrorClass::Concurrency, Some("5")));
}

#[tokio::test]
async fn mistakes_are_permanent() {
    let folder = tempfile::tempdir().expect("a folder");
    let [mut first, _] = connections(&folder).await;
    let rows = [
        ("SELECT * FROM nothing", "1"),
        ("INSERT INTO orders (id, n) VALUES (1, 1), (1, 1)", "1555"),
        ("INSERT INTO orders (n) VALUES (NULL)", "1299"),
    ];
    for (statement, code) in rows {
        let failure = failure_of(&mut first, statement).await;
        assert_eq!((failure.class(), failure.detail("sqlite")), (ErrorClass::Permanent, Some(code)), "{statement}");
    }
    let missing = SqliteConnectOptions::new().filename(folder.path().join("missing.db")).connect().await;
    let failure = sqlx_classifier().classify_error(&missing.expect_err("no such file"));
    assert_eq!((failure.class(), failure.detail("sqlite")), (ErrorClass::Permanent, Some("14")));
}

#[tokio::test]
async fn a_database_that_must_not_be_written_is_a_matter_of_permission() {
    let folder = tempfile::tempdir().expect("a folder");
    let [_first, _second] = connections(&folder).await;
    let options = SqliteConnectOptions::new().filename(folder.path().join("orders.db")).read_only(true);
    let mut reader = options.connect().await.expect("a reader");
    let refused = failure_of(&mut reader, "INSERT INTO orders (n) VALUES (1)").await;
    assert_eq!((refused.class(), refused.detail("sqlite")), (ErrorClass::Permission, Some("8")));
}

#[tokio::test]
async fn a_pool_that_is_closed_is_permanent_and_a_full_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteConnectOptions::new().filename(folder.path().join("orders.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().acquire_timeout(Duration::ZERO).connect_lazy_with(options);
    let late = sqlx_classifier().classify_error(&pool.acquire().await.expect_err("no time"));
    assert_eq!(seen(&late), Seen { is_unsent: true, ..Seen::timeout(ErrorClass::Transient) });
    pool.close().await;
    let closed = sqlx_classifier().classify_error(&pool.acquire().await.expect_err("closed"));
    assert_eq!(seen(&closed), Seen::unsent(ErrorClass::Permanent));
}
