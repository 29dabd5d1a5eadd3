//! Pipelines and transactions with failures, over a socket.

use redress::ErrorClass::{Auth, Permanent, Permission, ServerError, Transient, Unknown};

use crate::client::{RedisError, pipe};
use crate::reply::classify;
use crate::stub;

/// The error of a pipeline whose commands are answered so.
fn failed(answers: &'static [&'static str]) -> RedisError {
    let mut next = answers.iter();
    let server = stub::serve(move |_| (*next.next().expect("an answer to each")).into());
    let mut pipeline = pipe();
    for _ in answers {
        pipeline.cmd("PING");
    }
    pipeline.exec(&mut server.connect()).expect_err("an answer is an error")
}

#[test]
fn the_worst_class_decides() {
    let rows = [
        (&["+OK", "-LOADING wait", "+OK"][..], Transient, Some("LOADING")),
        (&["-LOADING wait", "-OOM full"], ServerError, Some("OOM")),
        (&["-OOM full", "-LOADING wait"], ServerError, Some("OOM")),
        (&["-OOM full", "-SOMETHING else"], Unknown, None),
        (&["-SOMETHING else", "-OOM full"], Unknown, None),
        (&["-WRONGTYPE no", "-SOMETHING else"], Permanent, Some("WRONGTYPE")),
        (&["-SOMETHING else", "-WRONGTYPE no", "-LOADING wait"], Permanent, Some("WRONGTYPE")),
        (&["-NOPERM no", "-ERR no"], Permission, Some("NOPERM")),
        (&["-NOPERM no", "-NOAUTH who", "-ERR no"], Auth, Some("NOAUTH")),
    ];
    for (answers, class, code) in rows {
        let failure = classify(&failed(answers));
        assert_eq!((failure.class(), failure.detail("redis")), (class, code), "{answers:?}");
        // The other commands have run.
        assert!(!failure.is_unsent(), "{answers:?}");
    }
}

#[test]
fn even_one_refused_command_leaves_the_others_run() {
    let failure = classify(&failed(&["+OK", "-BUSY wait"]));
    assert_eq!((failure.class(), failure.is_unsent()), (Transient, false));
    let failure = classify(&failed(&["-EXECABORT no", "+OK"]));
    assert_eq!((failure.class(), failure.is_unsent()), (Permanent, false));
}

/// The error of a transaction of two commands that are answered so.
fn discarded(queued: [&'static str; 2], executed: &'static str) -> RedisError {
    let mut next = queued.into_iter();
    let server = stub::serve(move |command| match command {
        "MULTI" => "+OK".into(),
        "EXEC" => executed.into(),
        _ => next.next().expect("two commands").into(),
    });
    pipe().atomic().cmd("PING").cmd("PING").exec(&mut server.connect()).expect_err("it is discarded")
}

#[test]
fn a_transaction_that_was_not_queued_ran_nothing() {
    let aborted = "-EXECABORT Transaction discarded because of previous errors.";
    let rows = [
        (["-ERR unknown command", "+QUEUED"], Permanent),
        (["+QUEUED", "-READONLY You can't write against a read only replica."], Transient),
        (["-READONLY no", "-OOM no"], ServerError),
    ];
    for (queued, class) in rows {
        let error = discarded(queued, aborted);
        let failure = classify(&error);
        assert_eq!((failure.class(), failure.is_unsent()), (class, true), "{queued:?}: {error}");
    }
}

#[test]
fn the_client_drops_an_error_of_exec() {
    let error = discarded(["+QUEUED", "+QUEUED"], "-EXECABORT Transaction discarded because of: OOM full");
    let failure = classify(&error);
    assert_eq!((failure.class(), failure.is_unsent()), (Unknown, false), "{error}");
}

#[test]
fn a_transaction_that_failed_in_the_middle_has_run() {
    let failure = classify(&discarded(["+QUEUED", "+QUEUED"], "*2\r\n+OK\r\n-OOM full"));
    assert_eq!((failure.class(), failure.is_unsent()), (ServerError, false));
}
