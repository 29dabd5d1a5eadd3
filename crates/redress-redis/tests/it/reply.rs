//! Error replies as the client reads them, and their classification.

use std::error::Error;

use redress::Classification;
use redress::integration::redis::redis_classifier;

use crate::client::{RedisError, ServerError, parse_redis_value};

/// The client's error for a reply of the server.
pub(crate) fn reply(line: &str) -> RedisError {
    let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("a reply");
    value.extract_error().expect_err("an error reply")
}

/// The reply alone, as a pipeline holds it.
pub(crate) fn server_error(line: &str) -> ServerError {
    ServerError::try_from(reply(line)).expect("an error of the server")
}

pub(crate) fn classify(error: &(dyn Error + 'static)) -> Classification {
    redis_classifier().classify_error(error)
}
