//! MariaDB: failures of statements.

use redress::ErrorClass;
use tokio::join;
use tokio::sync::Mutex;

use crate::session::{Login, Remote};
use crate::support::{assert_class, connect, execute, judged, mariadb, mariadb_admin, unique, until};

/// A test for each driver.
macro_rules! with_each_driver {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use crate::drivers::{mysql_async, sqlx_0_9};

            #[tokio::test]
            async fn mysql_async() {
                super::$scenario::<mysql_async::MySqlAsync>().await;
            }

            #[tokio::test]
            async fn sqlx_0_9() {
                super::$scenario::<sqlx_0_9::SqlxMariaDb>().await;
            }
        }
    )+};
}

pub(crate) use with_each_driver;

with_each_driver!(
    wrong_statements,
    a_privilege_that_is_missing,
    a_read_only_transaction,
    a_lock_timeout,
    a_statement_timeout,
    a_killed_statement,
);

async fn wrong_statements<S: Remote>() {
    let server = mariadb();
    let mut session: S = connect(mariadb_admin(&server)).await;
    let table = unique("orders");
    session.must_run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, code varchar(3))")).await;
    session.must_run(&format!("INSERT INTO {table} VALUES (1, NULL)")).await;
    for (number, statement) in [
        ("1062", format!("INSERT INTO {table} VALUES (1, NULL)")),
        ("1406", format!("INSERT INTO {table} VALUES (2, 'too long')")),
        ("1064", "SELEKT 1".to_owned()),
        ("1146", "SELECT * FROM no_such_table".to_owned()),
        ("1054", format!("SELECT no_such_column FROM {table}")),
    ] {
        let failure = judged::<S, _>(session.run(&statement).await);
        assert_class(&failure, ErrorClass::Permanent);
        assert_eq!(failure.detail("mysql"), Some(number));
    }
    let outcome = execute::<S, _, _, _>(|| async { connect::<S>(mariadb_admin(&server)).await.run("SELEKT 1").await });
    assert_eq!(outcome.await.attempts(), 1, "not retried");
}

async fn a_privilege_that_is_missing<S: Remote>() {
    let server = mariadb();
    let mut admin: S = connect(mariadb_admin(&server)).await;
    let (table, forbidden, guest) = (unique("orders"), unique("orders"), unique("guest"));
    admin.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    admin.must_run(&format!("CREATE TABLE {forbidden} (id int)")).await;
    admin.must_run(&format!("CREATE USER {guest} IDENTIFIED BY 'guest'")).await;
    admin.must_run(&format!("GRANT SELECT ON {table} TO {guest}")).await;
    let mut session: S = connect(Login { user: &guest, password: "guest", ..mariadb_admin(&server) }).await;
    let failure = judged::<S, _>(session.run(&format!("INSERT INTO {forbidden} VALUES (1)")).await);
    assert_class(&failure, ErrorClass::Permission);
    assert_eq!(failure.detail("mysql"), Some("1142"));
}

async fn a_read_only_transaction<S: Remote>() {
    let server = mariadb();
    let mut session: S = connect(mariadb_admin(&server)).await;
    let table = unique("orders");
    session.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    session.must_run("START TRANSACTION READ ONLY").await;
    let failure = judged::<S, _>(session.run(&format!("INSERT INTO {table} VALUES (1)")).await);
    assert_class(&failure, ErrorClass::Unknown);
    assert_eq!(failure.detail("mysql"), Some("1792"));
}

async fn a_lock_timeout<S: Remote>() {
    let server = mariadb();
    let (mut holder, mut session): (S, S) =
        (connect(mariadb_admin(&server)).await, connect(mariadb_admin(&server)).await);
    let table = unique("orders");
    holder.must_run(&format!("CREATE TABLE {table} (id int)")).await;
    holder.must_run(&format!("INSERT INTO {table} VALUES (7)")).await;
    let select = format!("SELECT id FROM {table} FOR UPDATE");
    holder.begin().await.expect("a transaction begins");
    holder.must_run(&select).await;
    session.must_run("SET innodb_lock_wait_timeout = 0").await;
    let failure = judged::<S, _>(session.run(&select).await);
    assert_class(&failure, ErrorClass::Concurrency);
    assert_eq!(failure.detail("mysql"), Some("1205"));

    let (holder, session) = (Mutex::new(holder), Mutex::new(session));
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

async fn a_statement_timeout<S: Remote>() {
    let server = mariadb();
    let mut session: S = connect(mariadb_admin(&server)).await;
    session.must_run("SET max_statement_time = 0.01").await;
    // The end of a sleep in the last row is no error: the server sees the timeout before the next.
    let failure = judged::<S, _>(session.run("SELECT SLEEP(600) FROM seq_1_to_2").await);
    assert_class(&failure, ErrorClass::Transient);
    assert_eq!(failure.detail("mysql"), Some("1969"));
}

async fn a_killed_statement<S: Remote>() {
    let server = mariadb();
    let (mut session, mut other): (S, S) =
        (connect(mariadb_admin(&server)).await, connect(mariadb_admin(&server)).await);
    let thread = session.number("SELECT CONNECTION_ID()").await.expect("a number");
    let killed = async {
        until(&mut other, &sleeps(thread), 1).await;
        other.must_run(&format!("KILL QUERY {thread}")).await;
    };
    let (result, ()) = join!(session.run("SELECT SLEEP(600) FROM seq_1_to_2"), killed);
    let failure = judged::<S, _>(result);
    assert_class(&failure, ErrorClass::Transient);
    assert_eq!(failure.detail("mysql"), Some("1317"));
    assert_eq!(session.number("SELECT 7").await.expect("a number"), 7, "the session lives");
}

/// A query that counts the sessions with that number that are in `SLEEP`.
pub(crate) fn sleeps(thread: i64) -> String {
    format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {thread} AND STATE = 'User sleep'")
}
