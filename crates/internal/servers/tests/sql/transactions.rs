//! Whole transactions as operations of a policy: conflicts are retried to a right result, and a
//! commit whose answer is lost is not repeated.

use std::error::Error;

use redress::{ErrorClass, StopReason};
use redress_sql::CommitError;
use tokio::join;
use tokio::sync::{Barrier, Mutex, Notify};

use crate::cutting_proxy;
use crate::session::{Login, Remote, Session};
use crate::support::{connect, execute, transaction, unique};

mod on_postgres {
    use crate::postgres::with_each_driver;
    use crate::session::Remote;
    use crate::support::{postgres, postgres_admin};

    const SERIALIZABLE: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE";

    with_each_driver!(write_skew, write_skew_found_at_commit, a_deadlock, a_lost_answer);

    async fn write_skew<S: Remote>() {
        let server = postgres();
        super::write_skew::<S>(postgres_admin(&server), SERIALIZABLE).await;
    }

    /// MariaDB has no counterpart: its transactions find conflicts by their locks.
    async fn write_skew_found_at_commit<S: Remote>() {
        let server = postgres();
        super::write_skew_found_at_commit::<S>(postgres_admin(&server), SERIALIZABLE).await;
    }

    async fn a_deadlock<S: Remote>() {
        let server = postgres();
        super::a_deadlock::<S>(postgres_admin(&server), "sqlstate", "40P01").await;
    }

    async fn a_lost_answer<S: Remote>() {
        let server = postgres();
        super::a_lost_answer::<S>(postgres_admin(&server)).await;
    }
}

mod on_mariadb {
    use crate::mariadb::with_each_driver;
    use crate::session::Remote;
    use crate::support::{mariadb, mariadb_admin};

    const SERIALIZABLE: &str = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";

    with_each_driver!(write_skew, a_deadlock, a_lost_answer);

    async fn write_skew<S: Remote>() {
        let server = mariadb();
        super::write_skew::<S>(mariadb_admin(&server), SERIALIZABLE).await;
    }

    async fn a_deadlock<S: Remote>() {
        let server = mariadb();
        super::a_deadlock::<S>(mariadb_admin(&server), "mysql", "1213").await;
    }

    async fn a_lost_answer<S: Remote>() {
        let server = mariadb();
        super::a_lost_answer::<S>(mariadb_admin(&server)).await;
    }
}

/// A table with one row of amount 1.
async fn ledger<S: Remote>(login: Login<'_>) -> String {
    let table = unique("ledger");
    let mut session: S = connect(login).await;
    session.must_run(&format!("CREATE TABLE {table} (amount int)")).await;
    session.must_run(&format!("INSERT INTO {table} VALUES (1)")).await;
    table
}

async fn total<S: Session>(session: &mut S, table: &str) -> Result<i64, S::Error> {
    session.number(&format!("SELECT SUM(amount) FROM {table}")).await
}

async fn book<S: Session>(session: &mut S, table: &str, amount: i64) -> Result<(), S::Error> {
    session.run(&format!("INSERT INTO {table} VALUES ({amount})")).await
}

/// Two transactions double the sum at the same time. Each reads before the other has written, so
/// that only one of them can be committed as it is.
async fn write_skew<S: Remote>(login: Login<'_>, serializable: &str) {
    let table = ledger::<S>(login).await;
    let (both_have_read, one_is_committed) = (Barrier::new(2), Notify::new());
    let double = async || {
        let mut session: S = connect(login).await;
        session.must_run(serializable).await;
        let (session, is_first) = (Mutex::new(session), Mutex::new(true));
        let outcome = execute::<S, _, _, _>(|| async {
            let is_first = std::mem::take(&mut *is_first.lock().await);
            let doubled = async |session: &mut S| {
                let sum = total(session, &table).await?;
                if is_first {
                    both_have_read.wait().await;
                }
                book(session, &table, sum).await
            };
            // Beside the other transaction, a second attempt could fail like the first.
            if !is_first {
                one_is_committed.notified().await;
            }
            let ended = transaction(&mut *session.lock().await, doubled).await;
            if ended.is_ok() {
                one_is_committed.notify_one();
            }
            ended
        });
        outcome.await
    };
    let (one, other) = join!(double(), double());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(one.attempts() + other.attempts(), 3, "one of them twice");
    let mut session: S = connect(login).await;
    assert_eq!(total(&mut session, &table).await.expect("a sum"), 4);
}

/// The rival commits between the last statement of a transaction and its commit, which then fails.
async fn write_skew_found_at_commit<S: Remote>(login: Login<'_>, serializable: &str) {
    let table = ledger::<S>(login).await;
    let (mut session, mut rival): (S, S) = (connect(login).await, connect(login).await);
    session.must_run(serializable).await;
    rival.must_run(serializable).await;
    let (session, rival) = (Mutex::new(session), Mutex::new(Some(rival)));
    let failures = Mutex::new(Vec::new());
    let outcome = execute::<S, _, _, _>(|| async {
        let (mut session, mut rival) = (session.lock().await, rival.lock().await.take());
        session.begin().await?;
        let sum = total(&mut *session, &table).await?;
        if let Some(rival) = &mut rival {
            rival.begin().await?;
            let sum = total(rival, &table).await?;
            book(rival, &table, sum).await?;
        }
        book(&mut *session, &table, sum).await?;
        if let Some(rival) = &mut rival {
            rival.commit().await?;
        }
        let committed = session.commit().await;
        if let Err(error) = &committed {
            failures.lock().await.push(S::classify(error));
            // Only ODBC is still in manual commit.
            session.roll_back().await?;
        }
        committed.map_err(TransactionError::commit)
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.is_ok()), (2, true), "{outcome:?}");
    let failures = failures.into_inner();
    assert_eq!(failures.len(), 1, "the first commit fails");
    assert_eq!(failures[0].detail("sqlstate"), Some("40001"));
    assert_eq!(failures[0].class(), ErrorClass::Concurrency);
    assert_eq!(total(&mut *session.lock().await, &table).await.expect("a sum"), 4);
}

/// Two transactions change two rows in opposite order, each its first before the other's second.
/// The victim begins again after the other's end: it could take its first row once more before the
/// other is woken.
async fn a_deadlock<S: Remote>(login: Login<'_>, detail: &str, code: &str) {
    let table = ledger::<S>(login).await;
    let mut session: S = connect(login).await;
    book(&mut session, &table, 10).await.expect("a second row");
    session.must_run(&format!("CREATE UNIQUE INDEX {table}_amount ON {table} (amount)")).await;
    let (both_hold_one, one_has_ended, failures) = (Barrier::new(2), Notify::new(), Mutex::new(Vec::new()));
    let change = async |rows: [i64; 2]| {
        let (session, is_first) = (Mutex::new(connect::<S>(login).await), Mutex::new(true));
        let outcome = execute::<S, _, _, _>(|| async {
            let is_first = std::mem::take(&mut *is_first.lock().await);
            if !is_first {
                one_has_ended.notified().await;
            }
            let update = |row| format!("UPDATE {table} SET amount = amount WHERE amount = {row}");
            let changed = async |session: &mut S| {
                session.run(&update(rows[0])).await?;
                if is_first {
                    both_hold_one.wait().await;
                }
                session.run(&update(rows[1])).await
            };
            let changed = transaction(&mut *session.lock().await, changed).await;
            match &changed {
                Ok(()) => one_has_ended.notify_one(),
                Err(error) => failures.lock().await.push(S::classify(error)),
            }
            changed
        });
        outcome.await
    };
    let (one, other) = join!(change([1, 10]), change([10, 1]));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(one.attempts() + other.attempts(), 3, "the victim twice");
    let failures = failures.into_inner();
    assert_eq!((failures[0].class(), failures[0].detail(detail)), (ErrorClass::Concurrency, Some(code)));
}

/// The server commits, and the connection ends before it can say so.
async fn a_lost_answer<S: Remote>(login: Login<'_>) {
    let table = ledger::<S>(login).await;
    let cut = Login { port: cutting_proxy::start(login.port, "COMMIT").await, ..login };
    let outcome = execute::<S, _, _, _>(|| async {
        let mut session = S::connect(cut).await?;
        session.begin().await?;
        book(&mut session, &table, 10).await?;
        session.commit().await.map_err(TransactionError::commit)
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::RetryForbidden)), "{outcome:?}");
    assert_eq!(outcome.retry_forbidden(), Some("completion_unknown"));
    let mut session: S = connect(login).await;
    assert_eq!(total(&mut session, &table).await.expect("a sum"), 11, "booked once");
}

/// The failure of a transaction, with that of its commit apart.
#[derive(Debug, thiserror::Error)]
enum TransactionError<E: Error + 'static> {
    #[error(transparent)]
    Statement(#[from] E),
    #[error(transparent)]
    Commit(CommitError),
}

impl<E: Error + Send + Sync + 'static> TransactionError<E> {
    fn commit(error: E) -> Self {
        Self::Commit(CommitError::new(error))
    }
}
