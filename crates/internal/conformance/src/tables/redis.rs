//! The table of Redis's errors, and how the name of an exception becomes an error of the client.
//!
//! `redis_differences.rs` lists the intended differences.

use std::io;
use std::time::SystemTime;

use redis::{ErrorKind, RedisError, make_extension_error};
use redress_core::{Classification, Classifier, ErrorClass};
use redress_redis::{redis_classifier, watch_classifier};
use serde::Deserialize;
use serde_json::Value;

use super::difference::listed;
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    kind: String,
    #[serde(rename = "bases")]
    _bases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    class: ClassName,
}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let (original, ours) = (expect.class.0.as_str(), class_of(&input.kind).as_str());
    let judgement = if original == ours {
        Judgement::AsOriginal
    } else {
        let intended = listed("redis", &input.kind, original, ours);
        intended.map_or_else(|| Judgement::Wrong(ours.to_owned()), Judgement::Intended)
    };
    Ok(Judged::of_one(judgement, input.kind, original, ours))
}

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    Some(class_of(example).to_string())
}

/// Our class for what redis-py makes this exception of.
fn class_of(kind: &str) -> ErrorClass {
    let failure = match kind {
        "WatchError" => watch_classifier().classify(&Ok::<Option<()>, RedisError>(None)),
        _ => match counterpart(kind) {
            Some(error) => Some(redis_classifier().classify_error(&error)),
            // Of a part that the client does not have: locks, modules, policies of routing.
            None => Some(redis_classifier().classify_error(&Named { name: kind.to_owned(), source: None })),
        },
    };
    failure.as_ref().map_or(ErrorClass::Unknown, Classification::class)
}

/// What the client returns where redis-py raises the exception.
fn counterpart(kind: &str) -> Option<RedisError> {
    let reply = |code: &str, text: &str| make_extension_error(code.to_owned(), Some(text.to_owned()));
    Some(match kind {
        "AuthenticationError" => reply("WRONGPASS", "invalid username-password pair or user is disabled."),
        "AuthenticationWrongNumberOfArgsError" => reply("ERR", "wrong number of arguments for 'auth' command"),
        "BusyLoadingError" => reply("LOADING", "Redis is loading the dataset in memory"),
        "ClusterDownError" => reply("CLUSTERDOWN", "The cluster is down"),
        "MovedError" => reply("MOVED", "3999 127.0.0.1:6381"),
        "NoScriptError" => reply("NOSCRIPT", "No matching script. Please use EVAL."),
        "ReadOnlyError" => reply("READONLY", "You can't write against a read only replica."),
        "ResponseError" => reply("ERR", "syntax error"),
        "DataError" => (ErrorKind::Client, "an argument of a type that cannot be sent").into(),
        "ExternalAuthProviderError" => (ErrorKind::AuthenticationFailed, "the provider has no token").into(),
        "InvalidResponse" => (ErrorKind::Parse, "the reply is not RESP").into(),
        "SlotNotCoveredError" => (ErrorKind::Client, "Missing slot coverage").into(),
        "builtin ConnectionError" => io::Error::from(io::ErrorKind::ConnectionReset).into(),
        "builtin PermissionError" => io::Error::from(io::ErrorKind::PermissionDenied).into(),
        _ => return None,
    })
}
