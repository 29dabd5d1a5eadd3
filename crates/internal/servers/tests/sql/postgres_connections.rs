//! PostgreSQL: failures of connections, before and while they are used.

use std::error::Error;
use std::time::Duration;

use redress::ErrorClass;
use redress_servers::{Postgres, free_port};
use tokio::join;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::postgres::{sleeps, with_each_driver};
use crate::session::{Login, Remote};
use crate::support::{assert_class, assert_unsent, connect, execute, judged, postgres, postgres_admin, unique, until};

with_each_driver!(
    nobody_listens,
    a_wrong_password,
    too_many_connections,
    a_server_that_shuts_down,
    killed_while_idle,
    killed_while_busy,
    a_restart_in_the_middle,
);

async fn nobody_listens<S: Remote>() {
    let nowhere = Login { port: free_port(), user: Postgres::USER, password: Postgres::PASSWORD };
    let failure = S::classify(&S::connect(nowhere).await.err().expect("the port is closed"));
    assert_unsent(&failure, ErrorClass::Transient);
}

async fn a_wrong_password<S: Remote>() {
    let server = postgres();
    let intruder = Login { password: "wrong", ..postgres_admin(&server) };
    let failure = S::classify(&S::connect(intruder).await.err().expect("the password is wrong"));
    assert_eq!(failure.class(), S::WRONG_PASSWORD, "{failure:?}");
}

async fn too_many_connections<S: Remote>() {
    let server = postgres();
    let mut admin: S = connect(postgres_admin(&server)).await;
    let role = unique("lonely");
    admin.must_run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'lonely' CONNECTION LIMIT 1")).await;
    let login = Login { user: &role, password: "lonely", ..postgres_admin(&server) };
    let first: Mutex<Option<S>> = Mutex::new(Some(connect(login).await));
    let failure = S::classify(&S::connect(login).await.err().expect("there is one connection"));
    assert_unsent(&failure, ErrorClass::Transient);

    let admin = Mutex::new(admin);
    let outcome = execute::<S, _, _, _>(|| async {
        let connected = S::connect(login).await;
        if connected.is_err() {
            drop(first.lock().await.take());
            let left = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
            until(&mut *admin.lock().await, &left, 0).await;
        }
        connected?.number("SELECT 7").await
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (2, Some(7)));
}

/// A server that starts answers with the same code.
async fn a_server_that_shuts_down<S: Remote>() {
    let server = Postgres::start();
    let login = postgres_admin(&server);
    let last: Mutex<Option<S>> = Mutex::new(Some(connect(login).await));
    server.stop_with_last_session();
    let refused = async { while S::connect(login).await.is_ok() {} };
    timeout(Duration::from_secs(60), refused).await.expect("the server refuses further sessions");
    let failures = Mutex::new(Vec::new());
    let outcome = execute::<S, _, _, _>(|| async {
        let connected = S::connect(login).await;
        if let Err(error) = &connected {
            failures.lock().await.push(S::classify(error));
            drop(last.lock().await.take());
            server.restart();
        }
        connected?.number("SELECT 7").await
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (2, Some(7)));
    assert_unsent(&failures.lock().await[0], ErrorClass::Transient);
}

async fn killed_while_idle<S: Remote>() {
    let server = postgres();
    let (mut session, mut other): (S, S) =
        (connect(postgres_admin(&server)).await, connect(postgres_admin(&server)).await);
    let process = session.number("SELECT pg_backend_pid()").await.expect("a number");
    other.must_run(&format!("SELECT pg_terminate_backend({process}, 60000)")).await;
    let error = session.run("SELECT 7").await.expect_err("it is killed");
    assert_class(&S::classify(&error), ErrorClass::Transient);
    assert_class(&S::classify(&OrderFailed(error)), ErrorClass::Transient);
}

/// The error of an application.
#[derive(Debug, thiserror::Error)]
#[error("the order failed")]
struct OrderFailed<E: Error + 'static>(#[source] E);

async fn killed_while_busy<S: Remote>() {
    let server = postgres();
    let (mut session, mut other): (S, S) =
        (connect(postgres_admin(&server)).await, connect(postgres_admin(&server)).await);
    let process = session.number("SELECT pg_backend_pid()").await.expect("a number");
    let killed = async {
        until(&mut other, &sleeps(process), 1).await;
        other.must_run(&format!("SELECT pg_terminate_backend({process})")).await;
    };
    let (result, ()) = join!(session.run("SELECT pg_sleep(600)"), killed);
    assert_class(&judged::<S, _>(result), ErrorClass::Transient);
}

/// Every attempt opens a connection if the last one is broken, as a pool does.
async fn a_restart_in_the_middle<S: Remote>() {
    let server = Postgres::start();
    let login = postgres_admin(&server);
    let session: Mutex<Option<S>> = Mutex::new(Some(connect(login).await));
    server.stop();
    let failures = Mutex::new(Vec::new());
    let outcome = execute::<S, _, _, _>(|| async {
        let mut session = session.lock().await;
        let used = match session.take() {
            Some(used) => Ok(used),
            None => S::connect(login).await,
        };
        let done = match used {
            Ok(mut used) => used.number("SELECT 7").await,
            Err(refused) => {
                server.restart();
                Err(refused)
            }
        };
        if let Err(error) = &done {
            failures.lock().await.push(S::classify(error));
        }
        done
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (3, Some(7)));
    let failures = failures.into_inner();
    assert_class(&failures[0], ErrorClass::Transient);
    assert_unsent(&failures[1], ErrorClass::Transient);
}
