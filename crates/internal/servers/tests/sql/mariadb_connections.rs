//! MariaDB: failures of connections, before and while they are used.

use redress::ErrorClass;
use redress_servers::{MariaDb, free_port};
use tokio::join;
use tokio::sync::Mutex;

use crate::mariadb::{sleeps, with_each_driver};
use crate::session::{Login, Remote};
use crate::support::{assert_class, assert_unsent, connect, execute, judged, mariadb, mariadb_admin, unique, until};

with_each_driver!(
    nobody_listens,
    a_wrong_password,
    too_many_connections_of_a_user,
    too_many_connections,
    killed_while_idle,
    killed_while_busy,
    a_restart_in_the_middle,
);

async fn nobody_listens<S: Remote>() {
    let nowhere = Login { port: free_port(), user: MariaDb::USER, password: MariaDb::PASSWORD };
    let failure = S::classify(&S::connect(nowhere).await.err().expect("the port is closed"));
    assert_unsent(&failure, ErrorClass::Transient);
}

async fn a_wrong_password<S: Remote>() {
    let server = mariadb();
    let intruder = Login { password: "wrong", ..mariadb_admin(&server) };
    let failure = S::classify(&S::connect(intruder).await.err().expect("the password is wrong"));
    assert_eq!((failure.class(), failure.detail("mysql")), (ErrorClass::Auth, Some("1045")));
}

async fn too_many_connections_of_a_user<S: Remote>() {
    let server = mariadb();
    let mut admin: S = connect(mariadb_admin(&server)).await;
    let user = unique("lonely");
    admin.must_run(&format!("CREATE USER {user} IDENTIFIED BY 'lonely' WITH MAX_USER_CONNECTIONS 1")).await;
    admin.must_run(&format!("GRANT ALL ON {}.* TO {user}", MariaDb::DATABASE)).await;
    let login = Login { user: &user, password: "lonely", ..mariadb_admin(&server) };
    let _first: S = connect(login).await;
    let failure = S::classify(&S::connect(login).await.err().expect("there is one connection"));
    assert_eq!((failure.class(), failure.detail("mysql")), (ErrorClass::RateLimit, Some("1226")));
}

/// The server has one more connection than `max_connections`, for an administrator.
async fn too_many_connections<S: Remote>() {
    let server = MariaDb::start();
    let login = mariadb_admin(&server);
    let mut admin: S = connect(login).await;
    admin.must_run("SET GLOBAL max_connections = 10").await;
    let connections = Mutex::new(Vec::new());
    let failure = loop {
        match S::connect(login).await {
            Ok(session) => connections.lock().await.push(session),
            Err(error) => break S::classify(&error),
        }
    };
    assert_unsent(&failure, ErrorClass::Transient);
    assert_eq!(failure.detail("mysql"), Some("1040"));

    let admin = Mutex::new(admin);
    let outcome = execute::<S, _, _, _>(|| async {
        let connected = S::connect(login).await;
        if connected.is_err() {
            let count = "SELECT COUNT(*) FROM information_schema.PROCESSLIST";
            let mut admin = admin.lock().await;
            let before = admin.number(count).await.expect("a number");
            drop(connections.lock().await.pop());
            until(&mut *admin, count, before - 1).await;
        }
        connected?.number("SELECT 7").await
    });
    let outcome = outcome.await;
    assert_eq!((outcome.attempts(), outcome.into_value()), (2, Some(7)));
}

async fn killed_while_idle<S: Remote>() {
    let server = mariadb();
    let (mut session, mut other): (S, S) =
        (connect(mariadb_admin(&server)).await, connect(mariadb_admin(&server)).await);
    let thread = session.number("SELECT CONNECTION_ID()").await.expect("a number");
    other.must_run(&format!("KILL {thread}")).await;
    let is_left = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {thread}");
    until(&mut other, &is_left, 0).await;
    assert_class(&judged::<S, _>(session.run("SELECT 7").await), ErrorClass::Transient);
}

async fn killed_while_busy<S: Remote>() {
    let server = mariadb();
    let (mut session, mut other): (S, S) =
        (connect(mariadb_admin(&server)).await, connect(mariadb_admin(&server)).await);
    let thread = session.number("SELECT CONNECTION_ID()").await.expect("a number");
    let killed = async {
        until(&mut other, &sleeps(thread), 1).await;
        other.must_run(&format!("KILL {thread}")).await;
    };
    let (result, ()) = join!(session.run("SELECT SLEEP(600)"), killed);
    assert_class(&judged::<S, _>(result), ErrorClass::Transient);
}

/// Every attempt opens a connection if the last one is broken, as a pool does.
async fn a_restart_in_the_middle<S: Remote>() {
    let server = MariaDb::start();
    let login = mariadb_admin(&server);
    let session: Mutex<Option<S>> = Mutex::new(Some(connect(login).await));
    server.stop();
    let failures = Mutex::new(Vec::new());
    let outcome = execute::<S, _, _, _>(|| async {
        let used = match session.lock().await.take() {
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
