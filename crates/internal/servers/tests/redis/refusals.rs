//! Refusals by the state of the server, each met by a policy while the state changes.

use std::thread;

use redress_servers::Redis;

use crate::client::{Commands as _, Value, cmd};
use crate::connections::{connect, ok, policy, refused, run, told, until};

/// `words` fail as expected after `before`, also through a policy, until `after`.
fn is_refused_until(before: &[&str], words: &str, expected: &str, after: &[&str]) {
    let server = Redis::start(&[]);
    let (mut connection, mut admin) = (connect(&server), connect(&server));
    before.iter().for_each(|words| ok(&mut admin, words));
    let error = refused(&mut connection, words);
    assert_eq!(told(&error), expected, "{words}: {error}");
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            after.iter().for_each(|words| ok(&mut admin, words));
        }
        run::<Value>(&mut connection, words)
    });
    assert_eq!(outcome.attempts(), 2, "{words}");
    outcome.into_result().unwrap_or_else(|error| panic!("{words}: {error}"));
}

#[test]
fn the_memory_is_full() {
    is_refused_until(
        &["CONFIG SET maxmemory 1"],
        "SET text hello",
        "SERVER_ERROR OOM, not run",
        &["CONFIG SET maxmemory 0"],
    );
}

#[test]
fn there_are_too_few_replicas() {
    is_refused_until(
        &["CONFIG SET min-replicas-to-write 1"],
        "SET text hello",
        "SERVER_ERROR NOREPLICAS, not run",
        &["CONFIG SET min-replicas-to-write 0"],
    );
}

#[test]
fn the_server_is_a_replica_since_the_failover() {
    is_refused_until(&["REPLICAOF 127.0.0.1 1"], "INCR stock", "TRANSIENT READONLY, not run", &["REPLICAOF NO ONE"]);
}

#[test]
fn the_replica_has_lost_its_primary() {
    is_refused_until(
        &["CONFIG SET replica-serve-stale-data no", "REPLICAOF 127.0.0.1 1"],
        "GET stock",
        "TRANSIENT MASTERDOWN, not run",
        &["REPLICAOF NO ONE"],
    );
}

#[test]
fn a_script_runs_on() {
    let server = Redis::start(&["--busy-reply-threshold", "1"]);
    let (mut connection, mut admin) = (connect(&server), connect(&server));
    let mut runner = connect(&server);
    let script = thread::spawn(move || cmd("EVAL").arg("while true do end").arg(0).query::<Value>(&mut runner));
    let busy = until(|| run::<Value>(&mut connection, "PING").err());
    assert_eq!(told(&busy), "TRANSIENT BUSY, not run", "{busy}");
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            ok(&mut admin, "SCRIPT KILL");
            until(|| run::<Value>(&mut admin, "PING").ok());
        }
        connection.incr::<_, _, i64>("stock", 1)
    });
    assert_eq!((outcome.attempts(), outcome.into_result().expect("the script is over")), (2, 1));
    let killed = script.join().expect("the thread ends").expect_err("the script was killed");
    assert_eq!(told(&killed), "PERMANENT ERR", "{killed}");
}

#[test]
fn a_refusal_inside_a_script_says_nothing_about_the_script() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "CONFIG SET maxmemory 1");
    let failed = cmd("EVAL").arg("return redis.call('set', 'text', 'hello')").arg(0).query::<Value>(&mut connection);
    let error = failed.expect_err("there is no memory");
    assert_eq!(told(&error), "SERVER_ERROR OOM", "{error}");
}

#[test]
fn the_server_has_enough_clients() {
    let server = Redis::start(&[]);
    let mut admin = connect(&server);
    ok(&mut admin, "CONFIG SET maxclients 1");
    let client = crate::connections::client(&server);
    let error = client.get_connection().and_then(|mut connection| run::<Value>(&mut connection, "GET stock"));
    let error = error.expect_err("there is no room");
    // The server writes why and closes; the client has written meanwhile, so the reply is lost.
    assert!(told(&error).starts_with("TRANSIENT "), "{error}");
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            ok(&mut admin, "CONFIG SET maxclients 10");
        }
        client.get_connection()?.incr::<_, _, i64>("stock", 1)
    });
    assert_eq!(outcome.attempts(), 2);
    assert_eq!(outcome.into_result().expect("there is room"), 1);
}
