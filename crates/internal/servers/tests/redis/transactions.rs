//! Pipelines, transactions, and lost watches.

use redress::integration::redis::watch_classifier;
use redress::{Policy, StopReason};
use redress_servers::Redis;

use crate::client::{Commands as _, Value, cmd, pipe};
use crate::connections::{connect, ok, policy, refused, retry, run, told};

#[test]
fn a_pipeline_has_the_worst_class_of_its_failures() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "SET text hello");
    ok(&mut connection, "CONFIG SET maxmemory 1");
    let mut full = pipe();
    full.cmd("GET").arg("text").cmd("SET").arg("stock").arg(7);
    let error = full.exec(&mut connection).expect_err("there is no memory");
    assert_eq!(told(&error), "SERVER_ERROR OOM", "{error}");
    // A retry would fail for the second reason.
    full.cmd("HGET").arg("text").arg("field");
    let error = full.exec(&mut connection).expect_err("and the type is wrong");
    assert_eq!(told(&error), "PERMANENT WRONGTYPE", "{error}");
    let outcome = policy().execute(|| full.exec(&mut connection));
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::NonRetryableClass)));
}

#[test]
fn a_transaction_that_cannot_be_queued_is_discarded() {
    let server = Redis::start(&[]);
    let (mut connection, mut other) = (connect(&server), connect(&server));
    let wrong = pipe().atomic().cmd("INCR").arg("stock").cmd("GTE").arg("stock").exec(&mut connection);
    let error = wrong.expect_err("a command is unknown");
    assert_eq!(told(&error), "PERMANENT ERR, not run", "{error}");

    ok(&mut other, "REPLICAOF 127.0.0.1 1");
    let outcome = policy().execute_with(|attempt| {
        if attempt.number() == 2 {
            ok(&mut other, "REPLICAOF NO ONE");
        }
        pipe().atomic().incr("stock", 1).query::<(i64,)>(&mut connection)
    });
    assert_eq!((outcome.attempts(), outcome.into_result().expect("it is the primary")), (2, (1,)));
}

#[test]
fn a_transaction_refused_at_its_end_says_why() {
    let server = Redis::start(&[]);
    let (mut connection, mut other) = (connect(&server), connect(&server));
    ok(&mut connection, "MULTI");
    ok(&mut connection, "SET stock 7");
    ok(&mut other, "CONFIG SET min-replicas-to-write 1");
    let error = refused(&mut connection, "EXEC");
    assert_eq!(told(&error), "SERVER_ERROR NOREPLICAS, not run", "{error}");

    ok(&mut connection, "MULTI");
    let _ = refused(&mut connection, "GTE");
    let error = refused(&mut connection, "EXEC");
    assert_eq!(told(&error), "PERMANENT EXECABORT, not run", "{error}");
}

#[test]
fn a_transaction_that_fails_in_the_middle_has_run() {
    let server = Redis::start(&[]);
    let mut connection = connect(&server);
    ok(&mut connection, "SET text hello");
    let failed = pipe().atomic().incr("stock", 1).cmd("INCR").arg("text").exec(&mut connection);
    let error = failed.expect_err("a text cannot be counted");
    assert_eq!(told(&error), "PERMANENT ERR", "{error}");
    assert_eq!(run::<i64>(&mut connection, "GET stock").expect("a number"), 1);
}

#[test]
fn a_lost_watch_runs_the_transaction_again() {
    let server = Redis::start(&[]);
    let (mut connection, mut other) = (connect(&server), connect(&server));
    ok(&mut connection, "SET stock 7");
    let policy = Policy::builder().classifier(watch_classifier()).retry(retry()).build().expect("valid");
    let outcome = policy.execute_with(|attempt| {
        cmd("WATCH").arg("stock").exec(&mut connection)?;
        let stock: i64 = connection.get("stock")?;
        if attempt.number() == 1 {
            ok(&mut other, "SET stock 20");
        }
        pipe().atomic().set("stock", 2 * stock).ignore().get("stock").query::<Option<(i64,)>>(&mut connection)
    });
    assert_eq!((outcome.attempts(), outcome.into_result().expect("the second is not lost")), (2, Some((40,))));
    ok(&mut connection, "PING");
    let _: Value = run(&mut connection, "GET stock").expect("a value");
}
