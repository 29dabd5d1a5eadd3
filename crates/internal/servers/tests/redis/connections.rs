//! Connections of the client, commands as text, and policies without waits.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use redress::integration::redis::{RedisClassifier, redis_classifier};
use redress::{Classification, Policy, Retry, fixed};
use redress_servers::Redis;

use crate::client::{Client, Cmd, Connection, FromRedisValue, RedisError, RedisResult};

/// How long a state of the server may take to come, on two busy cores.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn client(server: &Redis) -> Client {
    Client::open(server.url()).expect("an address")
}

pub(crate) fn connect(server: &Redis) -> Connection {
    client(server).get_connection().expect("the server listens")
}

/// A command as one types it: words between spaces.
pub(crate) fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    for word in words.split(' ') {
        command.arg(word);
    }
    command
}

pub(crate) fn run<T: FromRedisValue>(connection: &mut Connection, words: &str) -> RedisResult<T> {
    command(words).query(connection)
}

pub(crate) fn ok(connection: &mut Connection, words: &str) {
    run::<crate::client::Value>(connection, words).unwrap_or_else(|error| panic!("{words}: {error}"));
}

pub(crate) fn refused(connection: &mut Connection, words: &str) -> RedisError {
    match run::<crate::client::Value>(connection, words) {
        Ok(value) => panic!("{words}: {value:?}"),
        Err(error) => error,
    }
}

pub(crate) fn classify(error: &(dyn Error + 'static)) -> Classification {
    redis_classifier().classify_error(error)
}

/// Class, code and whether it certainly did not run, as one line.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let failure = classify(error);
    let label = failure.detail("redis").or_else(|| failure.detail("io")).unwrap_or("-").to_owned();
    let unsent = if failure.is_unsent() { ", not run" } else { "" };
    let timeout = if failure.is_timeout() { ", timeout" } else { "" };
    format!("{} {label}{unsent}{timeout}", failure.class())
}

pub(crate) fn retry() -> redress::policy::RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

pub(crate) fn policy() -> Policy<RedisClassifier> {
    Policy::builder().classifier(redis_classifier()).retry(retry()).build().expect("valid")
}

/// Asks until the answer is as awaited.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < LIMIT, "it does not come");
        thread::yield_now();
    }
}
