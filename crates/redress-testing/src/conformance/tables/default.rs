//! The table of the default classifier and of the strict one.
//!
//! Owns how an error of the table becomes a Rust value, and the list of what differs on purpose.

use std::error::Error;
use std::io;
use std::time::SystemTime;

use redress_core::{
    ConcurrencyError, ErrorClass, PermanentError, RateLimitError, ServerError, StatusError, default_classifier,
    strict_classifier,
};
use serde::Deserialize;
use serde_json::Value;

use super::difference::{Covers, IntendedDifference};
use super::named::Named;
use super::{Judgement, read_row};
use crate::conformance::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: String,
    status: Option<i64>,
    code: Option<i64>,
    marker: Option<Marker>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Marker {
    Permanent,
    RateLimit,
    Concurrency,
    Server,
    Timeout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    default: ClassName,
    strict: ClassName,
}

/// What differs on purpose, each with the inputs it covers: an error's name, after `timeout STATUS` for an error that
/// is the runtime's timeout and carries a status.
pub(super) const DIFFERENCES: [(IntendedDifference, Covers); 2] = [
    (
        IntendedDifference {
            table: "default",
            example: "TimedOut",
            original: "UNKNOWN",
            ours: "TRANSIENT",
            reason: "`TimedOut` is how Rust's libraries spell a timeout, the standard library first",
            source: "https://doc.rust-lang.org/std/io/enum.ErrorKind.html#variant.TimedOut",
        },
        |input| input.to_ascii_lowercase().contains("timedout"),
    ),
    (
        IntendedDifference {
            table: "default",
            example: "Elapsed",
            original: "UNKNOWN",
            ours: "TRANSIENT",
            reason: "`Elapsed` is what tokio and tower call the error of a timeout",
            source: "https://docs.rs/tokio/latest/tokio/time/error/struct.Elapsed.html",
        },
        |input| input.to_ascii_lowercase().contains("elapsed"),
    ),
];

/// The difference that covers this input, if there is one.
pub(super) fn covering(input: &str) -> Option<IntendedDifference> {
    DIFFERENCES.iter().find(|(_, covers)| covers(input)).map(|(difference, _)| *difference)
}

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    let (name, marker, status) = match example.strip_prefix("timeout ") {
        Some(status) => ("Marked", Some(Marker::Timeout), Some(status.parse().ok()?)),
        None => (example, None, None),
    };
    let error = error(name, marker, status);
    Some(default_classifier().classify_error(&error).class().to_string())
}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judgement, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let status = carried_status([input.status, input.code]);
    let error = error(&input.name, input.marker, status);
    let ours = [default_classifier(), strict_classifier()].map(|classifier| classifier.classify_error(&error).class());
    if ours == [expect.default.0, expect.strict.0] {
        return Ok(Judgement::AsOriginal);
    }
    let spelled = match (input.marker, status) {
        (Some(Marker::Timeout), Some(status)) => format!("timeout {status}"),
        _ => input.name,
    };
    let intended = covering(&spelled).filter(|listed| listed.original == expect.default.0.as_str());
    Ok(match intended {
        Some(difference) => Judgement::Intended(difference),
        None => Judgement::Wrong(spelled_answer(ours)),
    })
}

fn spelled_answer([default, strict]: [ErrorClass; 2]) -> String {
    format!("default {default}, strict {strict}")
}

/// The status of an exception with these attributes: the first that is there and not zero.
fn carried_status(attributes: [Option<i64>; 2]) -> Option<u16> {
    let number = attributes.into_iter().flatten().find(|number| *number != 0)?;
    u16::try_from(number).ok()
}

/// An error of this name with a marker and a status in its chain. The marker, by which the original's exceptions say what they
/// are, comes before the status, which is something they have.
fn error(name: &str, marker: Option<Marker>, status: Option<u16>) -> Named {
    let carried = status.map(|status| Box::new(StatusError::new(status)) as Box<dyn Error + Send + Sync>);
    let source = match marker {
        Some(marker) => Some(marked(marker, carried)),
        None => carried,
    };
    Named { name: name.to_owned(), source }
}

fn marked(marker: Marker, carried: Option<Box<dyn Error + Send + Sync>>) -> Box<dyn Error + Send + Sync> {
    macro_rules! marked {
        ($marker:ident) => {{
            let marker = $marker::new("marked");
            Box::new(match carried {
                Some(carried) => marker.with_source(carried),
                None => marker,
            })
        }};
    }
    match marker {
        Marker::Permanent => marked!(PermanentError),
        Marker::RateLimit => marked!(RateLimitError),
        Marker::Concurrency => marked!(ConcurrencyError),
        Marker::Server => marked!(ServerError),
        Marker::Timeout => Box::new(match carried {
            Some(carried) => io::Error::new(io::ErrorKind::TimedOut, carried),
            None => io::ErrorKind::TimedOut.into(),
        }),
    }
}
