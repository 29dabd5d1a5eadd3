//! Lost connections, and servers that are not there: a manager connects again below a policy.

use std::time::Duration;

use redress::ErrorClass;
use redress::integration::redis::{RedisClassifier, redis_classifier};
use redress::runtime::tokio::AsyncPolicy;
use redress_servers::{Redis, free_port};

use crate::client::aio::{ConnectionManager, ConnectionManagerConfig};
use crate::client::{AsyncCommands as _, Client, Value};
use crate::connections::{client, command, connect, ok, policy, retry, run, told, until};

fn asynchronous() -> AsyncPolicy<RedisClassifier> {
    AsyncPolicy::builder().classifier(redis_classifier()).retry(retry()).build().expect("valid")
}

async fn manager(server: &Redis, config: ConnectionManagerConfig) -> ConnectionManager {
    client(server).get_connection_manager_with_config(config).await.expect("the server listens")
}

/// Kills every connection but this one.
fn kill_others(server: &Redis) {
    ok(&mut connect(server), "CLIENT KILL TYPE normal SKIPME yes");
}

#[test]
fn a_port_without_a_server_was_sent_nothing() {
    let client = Client::open(format!("redis://127.0.0.1:{}", free_port())).expect("an address");
    let error = client.get_connection().err().expect("nothing listens");
    assert_eq!(told(&error), "TRANSIENT ConnectionRefused, not run", "{error}");
}

#[test]
fn a_socket_without_a_server_was_sent_nothing() {
    let error = Client::open("redis+unix:///nowhere/redis.sock").expect("a path").get_connection().err();
    let error = error.expect("nothing listens");
    assert_eq!(told(&error), "TRANSIENT NotFound, not run", "{error}");
}

#[test]
fn a_killed_connection_says_nothing_about_the_command() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    kill_others(&server);
    let error = run::<Value>(&mut connection, "GET stock").expect_err("it was killed");
    let told = told(&error);
    assert!(told.starts_with("TRANSIENT ") && !told.ends_with("not run"), "{told}: {error}");
}

#[test]
fn a_server_that_is_back_is_connected_to_inside_the_operation() {
    let mut server = Redis::start(&[]);
    let client = client(&server);
    server.kill();
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            server.restart(&[]);
        }
        run::<i64>(&mut client.get_connection()?, "INCR stock")
    });
    assert_eq!((outcome.attempts(), outcome.into_result().expect("it is back")), (2, 1));
}

#[tokio::test]
async fn a_retry_meets_the_manager_s_fresh_connection() {
    let server = Redis::start(&[]);
    let connection = manager(&server, ConnectionManagerConfig::new()).await;
    let mut first = connection.clone();
    assert_eq!(first.incr::<_, _, i64>("stock", 1).await.expect("connected"), 1);
    kill_others(&server);
    let outcome = asynchronous()
        .execute(|| {
            let mut connection = connection.clone();
            async move { connection.incr::<_, _, i64>("stock", 1).await }
        })
        .await;
    assert_eq!((outcome.attempts(), outcome.into_result().expect("a fresh connection")), (2, 2));
}

#[tokio::test]
async fn a_multiplexed_connection_stays_dead() {
    let server = Redis::start(&[]);
    let connection = client(&server).get_multiplexed_async_connection().await.expect("the server listens");
    kill_others(&server);
    let outcome = asynchronous()
        .execute(|| {
            let mut connection = connection.clone();
            async move { connection.incr::<_, _, i64>("stock", 1).await }
        })
        .await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(ErrorClass::Transient)));
}

#[tokio::test]
async fn a_restart_is_met_by_the_manager_as_well() {
    let mut server = Redis::start(&[]);
    let config = ConnectionManagerConfig::new().set_number_of_retries(0);
    let connection = manager(&server, config).await;
    server.kill();
    // The death of the connection, then refused connections.
    let mut told_so = Vec::new();
    while told_so.len() < 3 {
        let error = connection.clone().incr::<_, _, i64>("stock", 1).await.expect_err("nothing listens");
        told_so.push(told(&error));
    }
    assert!(told_so.contains(&"TRANSIENT ConnectionRefused, not run".to_owned()), "{told_so:?}");
    server.restart(&[]);
    let policy = AsyncPolicy::builder().classifier(redis_classifier()).retry(retry().max_attempts(20));
    let policy = policy.build().expect("valid");
    let stock: i64 = policy
        .call(|| {
            let mut connection = connection.clone();
            async move { connection.incr("stock", 1).await }
        })
        .await
        .expect("the server is back");
    assert_eq!(stock, 1);
}

#[tokio::test]
async fn no_response_in_time_is_a_timeout() {
    let server = Redis::start(&[]);
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_millis(20)));
    let mut connection = manager(&server, config).await;
    let error = command("BLPOP nothing 0").query_async::<Value>(&mut connection).await.expect_err("nothing comes");
    assert_eq!(told(&error), "TRANSIENT TimedOut, timeout", "{error}");
}

#[test]
fn a_read_timeout_of_a_blocking_socket_is_a_timeout() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    connection.set_read_timeout(Some(Duration::from_millis(20))).expect("a duration");
    let error = run::<Value>(&mut connection, "BLPOP nothing 0").expect_err("nothing comes");
    assert!(told(&error).ends_with(", timeout"), "{}", told(&error));
}

#[test]
fn a_blocked_command_ends_when_the_server_becomes_a_replica() {
    let server = Redis::start(&[]);
    let (mut connection, mut admin) = (connect(&server), connect(&server));
    let blocked = std::thread::spawn(move || run::<Value>(&mut connection, "BLPOP nothing 0"));
    until(|| run::<String>(&mut admin, "INFO clients").ok().filter(|info| info.contains("blocked_clients:1")));
    ok(&mut admin, "REPLICAOF 127.0.0.1 1");
    let error = blocked.join().expect("the thread ends").expect_err("it was unblocked");
    assert_eq!(told(&error), "TRANSIENT UNBLOCKED", "{error}");
}
