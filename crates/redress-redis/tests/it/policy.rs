//! Calls through a policy, over a socket.

use std::sync::Mutex;
use std::time::Duration;

use redress::integration::redis::{RedisClassifier, redis_classifier};
use redress::{Classifier, Event, Policy, Retry, StopReason, classifier, fixed};

use crate::client::{Commands as _, RedisError, cmd};
use crate::stub::{self, Answer};

fn policy() -> Policy<RedisClassifier> {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    Policy::builder().classifier(redis_classifier()).retry(retry).build().expect("valid")
}

#[test]
fn a_server_that_is_loading_is_asked_again() {
    let mut loading = 2;
    let server = stub::serve(move |_| {
        if loading == 0 {
            return ":7".into();
        }
        loading -= 1;
        "-LOADING Redis is loading the dataset in memory".into()
    });
    let mut connection = server.connect();
    let stock: i64 = policy().call(|| connection.get("stock")).expect("the third answer");
    assert_eq!((stock, server.commands().len()), (7, 3));
}

#[test]
fn a_wrong_type_is_asked_once() {
    let server = stub::serve(|_| "-WRONGTYPE Operation against a key holding the wrong kind of value".into());
    let mut connection = server.connect();
    let outcome = policy().execute(|| connection.incr::<_, _, i64>("stock", 1));
    assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
    assert_eq!(server.commands(), ["INCRBY"]);
}

#[test]
fn the_code_is_the_label_of_the_failure() {
    let labels = Mutex::new(Vec::new());
    let server = stub::serve(|_| "-WRONGTYPE Operation against a key holding the wrong kind of value".into());
    let mut connection = server.connect();
    let outcome = policy()
        .context()
        .observer(|event: &Event| labels.lock().expect("no panic").push(event.detail().map(str::to_owned)))
        .execute(|| connection.incr::<_, _, i64>("stock", 1));
    drop(outcome);
    assert_eq!(labels.into_inner().expect("no panic"), [Some("WRONGTYPE".to_owned())]);
}

#[test]
fn a_lost_connection_is_made_again_inside_the_operation() {
    let mut answers = [Answer::Close, ":7".into()].into_iter();
    let server = stub::serve(move |_| answers.next().expect("two answers"));
    let client = server.client();
    let outcome = policy().execute(|| client.get_connection()?.get::<_, i64>("stock"));
    assert_eq!((outcome.attempts(), outcome.into_result().expect("the second answer")), (2, 7));
}

/// Forbids the retry of what may have run.
fn once() -> impl Classifier<i64, RedisError> {
    classifier(|result: &Result<i64, RedisError>| {
        let failure = redis_classifier().classify(result)?;
        Some(if failure.is_unsent() { failure } else { failure.forbid_retry("may_have_run") })
    })
}

#[test]
fn what_may_have_run_can_be_left_alone() {
    let mut answers = ["-BUSY wait".into(), Answer::Close, ":7".into()].into_iter();
    let server = stub::serve(move |_| answers.next().expect("three answers"));
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    let policy = Policy::builder().classifier(once()).retry(retry).build().expect("valid");
    let mut connection = server.connect();
    let outcome = policy.execute(|| cmd("INCR").arg("stock").query::<i64>(&mut connection));
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (2, Some(StopReason::RetryForbidden)));
}
