//! The servers that the tests share, a policy that never waits, and transactions.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress::runtime::tokio::AsyncPolicy;
use redress::{Classification, ErrorClass, Retry, RetryOutcome, error_classifier, fixed};
use redress_servers::{MariaDb, Postgres, Shared};
use tokio::time::timeout;

use crate::session::{Login, Remote, Session};

static POSTGRES: Shared<Postgres> = Shared::new();
static MARIADB: Shared<MariaDb> = Shared::new();

pub(crate) fn postgres() -> Arc<Postgres> {
    POSTGRES.get(Postgres::start)
}

pub(crate) fn mariadb() -> Arc<MariaDb> {
    MARIADB.get(MariaDb::start)
}

/// The users that may do everything.
pub(crate) fn postgres_admin(server: &Postgres) -> Login<'static> {
    Login { port: server.port(), user: Postgres::USER, password: Postgres::PASSWORD }
}

pub(crate) fn mariadb_admin(server: &MariaDb) -> Login<'static> {
    Login { port: server.port(), user: MariaDb::USER, password: MariaDb::PASSWORD }
}

pub(crate) async fn connect<S: Remote>(login: Login<'_>) -> S {
    S::connect(login).await.expect("the server accepts the user")
}

/// A name that no other test of this run uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NAMES: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}_{}", NAMES.fetch_add(1, Ordering::Relaxed))
}

/// What the classifier of the driver says about a failure.
#[track_caller]
pub(crate) fn judged<S: Session, T: Debug>(result: Result<T, S::Error>) -> Classification {
    S::classify(&result.expect_err("the statement must fail"))
}

/// Asserts the class of a failure that the server may have acted on.
#[track_caller]
pub(crate) fn assert_class(failure: &Classification, class: ErrorClass) {
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_abort()), (class, false, false), "{failure:?}");
}

/// Asserts the class of a failure that certainly had no effect.
#[track_caller]
pub(crate) fn assert_unsent(failure: &Classification, class: ErrorClass) {
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_abort()), (class, true, false), "{failure:?}");
}

/// Executes an operation with the classifier of a driver: up to three attempts without waits. The
/// operation fails with the error of the driver, or with one that wraps it.
pub(crate) async fn execute<S: Session, T, E: Error + 'static, Fut: Future<Output = Result<T, E>>>(
    operation: impl FnMut() -> Fut,
) -> RetryOutcome<T, E> {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    let classifier = error_classifier(|error: &E| S::classify(error));
    let policy = AsyncPolicy::builder().classifier(classifier).retry(retry).build().expect("a policy");
    policy.execute(operation).await
}

/// Asks until the server's answer is `expected`.
pub(crate) async fn until<S: Session>(session: &mut S, query: &str, expected: i64) {
    let asked = async { while session.number(query).await.expect("the query is right") != expected {} };
    let limit = Duration::from_secs(60);
    timeout(limit, asked).await.unwrap_or_else(|_| panic!("`{query}` does not become {expected} within {limit:?}"));
}

/// Runs `work` from the begin of a transaction to its end, and rolls back if it fails.
pub(crate) async fn transaction<S: Session, T>(
    session: &mut S,
    work: impl AsyncFnOnce(&mut S) -> Result<T, S::Error>,
) -> Result<T, S::Error> {
    session.begin().await?;
    let done = match work(session).await {
        Ok(value) => session.commit().await.map(|()| value),
        failed => failed,
    };
    if done.is_err() {
        // Fails where the connection is gone; the first failure says more.
        let _ = session.roll_back().await;
    }
    done
}
