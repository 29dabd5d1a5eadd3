//! The pool of sqlx, which retries by itself while it connects and then hides why it could not.

use std::time::Duration;

use redress::{Classification, ErrorClass};
use redress_servers::{Postgres, free_port};
use redress_sql::sqlx_classifier;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Mutex;

use crate::drivers::sqlx_0_9::{SqlxPostgres, postgres_options};
use crate::session::Login;
use crate::support::{assert_unsent, execute, postgres, postgres_admin};

/// A pool with one connection. A busy machine connects within its limit.
fn pool(login: Login<'_>) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    options.acquire_timeout(Duration::from_secs(3)).connect_lazy_with(postgres_options(login))
}

#[track_caller]
fn assert_timed_out(failure: &Classification) {
    assert_unsent(failure, ErrorClass::Transient);
    assert!(failure.is_timeout(), "{failure:?}");
}

#[tokio::test]
async fn no_connection_is_free() {
    let server = postgres();
    let pool = pool(postgres_admin(&server));
    let taken = Mutex::new(Some(pool.acquire().await.expect("the first connection")));
    assert_timed_out(&sqlx_classifier().classify_error(&pool.acquire().await.expect_err("the second one")));

    let outcome = execute::<SqlxPostgres, _, _, _>(|| async {
        let acquired = pool.acquire().await;
        if acquired.is_err() {
            drop(taken.lock().await.take());
        }
        acquired
    });
    assert_eq!(outcome.await.attempts(), 2);
}

#[tokio::test]
async fn nobody_listens() {
    let pool = pool(Login { port: free_port(), user: Postgres::USER, password: Postgres::PASSWORD });
    assert_timed_out(&sqlx_classifier().classify_error(&pool.acquire().await.expect_err("the port is closed")));
}

#[tokio::test]
async fn the_pool_is_closed() {
    let server = postgres();
    let pool = pool(postgres_admin(&server));
    pool.close().await;
    let failure = sqlx_classifier().classify_error(&pool.acquire().await.expect_err("it is closed"));
    assert_unsent(&failure, ErrorClass::Permanent);
}
