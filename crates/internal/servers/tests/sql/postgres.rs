//! PostgreSQL: failures of statements.

use redress::ErrorClass;
use tokio::join;
use tokio::sync::Mutex;

use crate::session::{Login, Remote};
use crate::support::{assert_class, connect, execute, judged, postgres, postgres_admin, transaction, unique, until};

/// A test for each driver.
macro_rules! with_each_driver {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use crate::drivers::{odbc, sqlx_0_8, sqlx_0_9, tokio_postgres};

            #[tokio::test]
            async fn tokio_postgres() {
                super::$scenario::<tokio_postgres::TokioPostgres>().await;
            }

            #[tokio::test]
            async fn sqlx_0_9() {
                super::$scenario::<sqlx_0_9::SqlxPostgres>().await;
            }

            #[tokio::test]
            async fn sqlx_0_8() {
                super::$scenario::<sqlx_0_8::OldSqlxPostgres>().await;
            }

            #[tokio::test]
            async fn odbc() {
                super::$scenario::<odbc::Odbc>().await;
            }
        }
    )+};
}

pub(crate) use with_each_driver;

with_each_driver!(
    wrong_statements,
    a_privilege_that_is_missing,
    a_read_only_transaction,
    a_lock_that_is_taken,
    a_lock_timeout,
    a_statement_timeout,
    a_cancelled_statement,
    a_failed_transaction,
);

async fn wrong_statements<S: Remote>() {
    let server = postgres();
    let mut session: S = connect(postgres_admin(&server)).await;
    let table = unique("orders");
    session.must_run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, code varchar(3))")).await;
    session.must_run(&format!("INSERT INTO {table} VALUES (1)")).await;
    for (state, statement) in [
        ("23505", format!("INSERT INTO {table} VALUES (1)")),
        ("22001", format!("INSERT INTO {table} VALUES (2, 'too long')")),
        ("42601", "SELEKT 1".to_owned()),
        ("42P01", "SELECT * FROM no_such_table".to_owned()),
        ("22012", "SELECT 1 / 0".to_owned()),
    ] {
        let failure = judged::<S, _>(session.run(&statement).await);
        assert_class(&failure, ErrorClass::Permanent);
        assert_eq!(failure.detail("sqlstate"), Some(state));
    }
    let outcome = execute::<S, _, _, _>(|| async { connect::<S>(postgres_admin(&server)).await.run("SELEKT 1").await });
    assert_eq!(outcome.await.attempts(), 1, "not retried");
}

async fn a_privilege_that_is_missing<S: Remote>() {
    let server = postgres();
    let mut admin: S = connect(postgres_admin(&server)).await;
    let (table, role) = (unique("orders"), unique("guest"));
    admin.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    admin.must_run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'guest'")).await;
    let mut guest: S = connect(Login { user: &role, password: "guest", ..postgres_admin(&server) }).await;
    let failure = judged::<S, _>(guest.run(&format!("INSERT INTO {table} VALUES (1)")).await);
    assert_class(&failure, ErrorClass::Permission);
    assert_eq!(failure.detail("sqlstate"), Some("42501"));
}

/// A standby after a failover and a read-only transaction answer alike.
async fn a_read_only_transaction<S: Remote>() {
    let server = postgres();
    let mut session: S = connect(postgres_admin(&server)).await;
    let table = unique("orders");
    session.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    session.must_run("SET default_transaction_read_only = on").await;
    let failure = judged::<S, _>(session.run(&format!("INSERT INTO {table} VALUES (1)")).await);
    assert_class(&failure, ErrorClass::Unknown);
    assert_eq!(failure.detail("sqlstate"), Some("25006"));
}

async fn a_lock_that_is_taken<S: Remote>() {
    let server = postgres();
    let (holder, session) = (connect::<S>(postgres_admin(&server)).await, connect::<S>(postgres_admin(&server)).await);
    let (holder, session) = (Mutex::new(holder), Mutex::new(session));
    let table = unique("orders");
    let select = format!("SELECT id FROM {table} FOR UPDATE NOWAIT");
    {
        let mut holder = holder.lock().await;
        holder.must_run(&format!("CREATE TABLE {table} (id int)")).await;
        holder.must_run(&format!("INSERT INTO {table} VALUES (7)")).await;
        holder.begin().await.expect("a transaction begins");
        holder.must_run(&select).await;
    }
    let failure = judged::<S, _>(session.lock().await.run(&select).await);
    assert_class(&failure, ErrorClass::Concurrency);
    assert_eq!(failure.detail("sqlstate"), Some("55P03"));

    let outcome = execute::<S, _, _, _>(|| async {
        let selected = session.lock().await.number(&select).await;
        if selected.is_err() {
            holder.lock().await.commit().await.expect("the holder has no conflict");
        }
        selected
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (2, Some(7)), "free at the second attempt");
}

async fn a_lock_timeout<S: Remote>() {
    let server = postgres();
    let (mut holder, mut session): (S, S) =
        (connect(postgres_admin(&server)).await, connect(postgres_admin(&server)).await);
    let table = unique("orders");
    holder.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    holder.begin().await.expect("a transaction begins");
    holder.must_run(&format!("LOCK TABLE {table}")).await;
    session.must_run("SET lock_timeout = '1ms'").await;
    let failure = judged::<S, _>(session.number(&format!("SELECT count(*) FROM {table}")).await);
    assert_class(&failure, ErrorClass::Concurrency);
    assert_eq!(failure.detail("sqlstate"), Some("55P03"));
}

async fn a_statement_timeout<S: Remote>() {
    let server = postgres();
    let mut session: S = connect(postgres_admin(&server)).await;
    session.must_run("SET statement_timeout = '1ms'").await;
    let failure = judged::<S, _>(session.run("SELECT pg_sleep(600)").await);
    assert_class(&failure, ErrorClass::Transient);
    assert_eq!(failure.detail("sqlstate"), Some("57014"));
}

async fn a_cancelled_statement<S: Remote>() {
    let server = postgres();
    let (mut session, mut other): (S, S) =
        (connect(postgres_admin(&server)).await, connect(postgres_admin(&server)).await);
    let process = session.number("SELECT pg_backend_pid()").await.expect("a number");
    let cancelled = async {
        until(&mut other, &sleeps(process), 1).await;
        other.must_run(&format!("SELECT pg_cancel_backend({process})")).await;
    };
    let (result, ()) = join!(session.run("SELECT pg_sleep(600)"), cancelled);
    let failure = judged::<S, _>(result);
    assert_class(&failure, ErrorClass::Transient);
    assert_eq!(failure.detail("sqlstate"), Some("57014"));
    assert_eq!(session.number("SELECT 7").await.expect("a number"), 7, "the session lives");
}

/// A query that counts the sessions of that process that are in `pg_sleep`.
pub(crate) fn sleeps(process: i64) -> String {
    format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'PgSleep'")
}

/// After a failed statement, further ones of the transaction are refused: a retry of the statement
/// cannot help, a retry of the transaction does.
async fn a_failed_transaction<S: Remote>() {
    let server = postgres();
    let (mut holder, mut session): (S, S) =
        (connect(postgres_admin(&server)).await, connect(postgres_admin(&server)).await);
    let table = unique("orders");
    holder.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    holder.must_run(&format!("INSERT INTO {table} VALUES (7)")).await;
    let select = format!("SELECT id FROM {table} FOR UPDATE NOWAIT");
    holder.begin().await.expect("a transaction begins");
    holder.must_run(&select).await;
    session.begin().await.expect("a transaction begins");
    let session = Mutex::new(session);

    let outcome = execute::<S, _, _, _>(|| async { session.lock().await.number(&select).await }).await;
    let failure = S::classify(outcome.last_error().expect("it failed"));
    if S::HAS_SAVEPOINTS {
        assert_eq!((outcome.attempts(), failure.detail("sqlstate")), (3, Some("55P03")));
    } else {
        assert_class(&failure, ErrorClass::Permanent);
        assert_eq!((outcome.attempts(), failure.detail("sqlstate")), (2, Some("25P02")));
    }

    session.lock().await.roll_back().await.expect("a transaction is rolled back");
    let holder = Mutex::new(holder);
    let outcome = execute::<S, _, _, _>(|| async {
        let mut session = session.lock().await;
        let done = transaction(&mut *session, async |session: &mut S| session.number(&select).await).await;
        if done.is_err() {
            holder.lock().await.commit().await.expect("the holder has no conflict");
        }
        done
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (2, Some(7)));
}
