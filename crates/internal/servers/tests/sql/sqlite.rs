//! SQLite: failures of a file that two connections use.

use std::fs;
use std::path::PathBuf;

use redress::{ErrorClass, StopReason};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::session::Local;
use crate::support::{assert_class, execute, judged};

/// A test for each driver.
macro_rules! with_each_driver {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use crate::drivers::{odbc, sqlx_0_9};

            #[tokio::test]
            async fn sqlx_0_9() {
                super::$scenario::<sqlx_0_9::SqlxSqlite>().await;
            }

            #[tokio::test]
            async fn odbc() {
                super::$scenario::<odbc::Odbc>().await;
            }
        }
    )+};
}

with_each_driver!(wrong_statements, a_file_that_is_no_database, a_busy_file, an_old_snapshot);

/// The file of a database, in a folder that is deleted with it.
struct Database {
    folder: TempDir,
}

impl Database {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("orders.sqlite")
    }

    async fn open<S: Local>(&self) -> S {
        S::open(&self.file()).await.expect("the file is a database")
    }
}

/// Extended result codes are those of their primary code in the low byte; ODBC reports that alone.
async fn wrong_statements<S: Local>() {
    let database = Database::new();
    let mut session: S = database.open().await;
    session.must_run("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
    session.must_run("INSERT INTO orders VALUES (1)").await;
    for (codes, class, statement) in [
        (["1555", "19"], ErrorClass::Permanent, "INSERT INTO orders VALUES (1)"),
        (["20", "20"], ErrorClass::Permanent, "INSERT INTO orders VALUES ('a')"),
        (["1", "1"], ErrorClass::Permanent, "SELEKT 1"),
        (["1", "1"], ErrorClass::Permanent, "SELECT * FROM no_such_table"),
    ] {
        let failure = judged::<S, _>(session.run(statement).await);
        assert_class(&failure, class);
        let code = failure.detail("sqlite").expect("a result code");
        assert!(codes.contains(&code), "{code} is none of {codes:?}");
    }
    session.must_run("PRAGMA query_only = ON").await;
    let failure = judged::<S, _>(session.run("INSERT INTO orders VALUES (2)").await);
    assert_class(&failure, ErrorClass::Permission);
    assert_eq!(failure.detail("sqlite"), Some("8"));
}

async fn a_file_that_is_no_database<S: Local>() {
    let database = Database::new();
    fs::write(database.file(), "a letter, long enough to be taken for the head of a database".repeat(20))
        .expect("the folder can be written");
    let failed = match S::open(&database.file()).await {
        Ok(mut session) => session.run("SELECT * FROM sqlite_master").await.expect_err("the file is none"),
        Err(error) => error,
    };
    let failure = S::classify(&failed);
    assert_class(&failure, ErrorClass::Permanent);
    assert_eq!(failure.detail("sqlite"), Some("26"));
}

async fn a_busy_file<S: Local>() {
    let database = Database::new();
    let (mut holder, mut session): (S, S) = (database.open().await, database.open().await);
    holder.must_run("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
    holder.must_run("BEGIN IMMEDIATE").await;
    let failure = judged::<S, _>(session.run("INSERT INTO orders VALUES (1)").await);
    assert_class(&failure, ErrorClass::Concurrency);
    assert_eq!(failure.detail("sqlite"), Some("5"));

    let (holder, session) = (Mutex::new(holder), Mutex::new(session));
    let outcome = execute::<S, _, _, _>(|| async {
        let inserted = session.lock().await.run("INSERT INTO orders VALUES (1)").await;
        if inserted.is_err() {
            holder.lock().await.run("COMMIT").await.expect("the holder has no conflict");
        }
        inserted
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.is_ok()), (2, true), "free at the second attempt");
    assert_eq!(session.lock().await.number("SELECT count(*) FROM orders").await.expect("a number"), 1);
}

/// A transaction that has read before another has written cannot write: a retry of the statement
/// does not help, a retry of the transaction does.
async fn an_old_snapshot<S: Local>() {
    let database = Database::new();
    let (mut rival, mut session): (S, S) = (database.open().await, database.open().await);
    rival.must_run("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
    rival.number("SELECT count(*) FROM orders").await.expect("a number");
    rival.must_run("PRAGMA journal_mode = WAL").await;
    session.must_run("BEGIN").await;
    assert_eq!(session.number("SELECT count(*) FROM orders").await.expect("a number"), 0);
    rival.must_run("INSERT INTO orders VALUES (1)").await;

    let session = Mutex::new(session);
    let insert = "INSERT INTO orders SELECT count(*) + 1 FROM orders";
    let outcome = execute::<S, _, _, _>(|| async { session.lock().await.run(insert).await }).await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::MaxAttempts)));
    let failure = S::classify(outcome.last_error().expect("it failed"));
    assert_class(&failure, ErrorClass::Concurrency);
    let code = failure.detail("sqlite");
    assert!(code == Some("517") || code == Some("5"), "{code:?}");

    session.lock().await.must_run("ROLLBACK").await;
    let rival = Mutex::new(Some(rival));
    let outcome = execute::<S, _, _, _>(|| async {
        let mut session = session.lock().await;
        session.run("BEGIN").await?;
        session.number("SELECT count(*) FROM orders").await?;
        if let Some(mut rival) = rival.lock().await.take() {
            rival.run("INSERT INTO orders VALUES (2)").await?;
        }
        let done = session.run(insert).await;
        session.run(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        done
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.is_ok()), (2, true), "{outcome:?}");
    assert_eq!(session.lock().await.number("SELECT count(*) FROM orders").await.expect("a number"), 3);
}
