//! The table of the default classifier and the strict one, and how its errors become Rust values.
//!
//! `default_differences.rs` lists the intended differences.

use std::error::Error;
use std::io;
use std::time::SystemTime;

use redress_core::classify::strict_classifier;
use redress_core::error::{ConcurrencyError, PermanentError, RateLimitError, ServerError, StatusError};
use redress_core::{ErrorClass, default_classifier};
use serde::Deserialize;
use serde_json::Value;

use super::default_differences::named_and_status;
use super::difference::{Difference, listed};
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

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

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    let (name, status) = named_and_status(example);
    let error = error(name, None, status);
    Some(default_classifier().classify_error(&error).class().to_string())
}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let status = carried_status([input.status, input.code]);
    let error = error(&input.name, input.marker, status);
    let ours = [default_classifier(), strict_classifier()].map(|classifier| classifier.classify_error(&error).class());
    let spelled = match (input.marker, status) {
        // Neither classifier comes to the name or the status.
        (Some(_), _) => "marked".to_owned(),
        (None, Some(status)) => format!("{} {status}", input.name),
        (None, None) => input.name,
    };
    let [default, strict] = ours;
    let of_strict = || listed("default", &spelled, expect.strict.0.as_str(), strict.as_str());
    // If both of our classifiers agree, they did not use the name, even where the original did.
    let of_default = || {
        listed("default", &spelled, expect.default.0.as_str(), default.as_str())
            .or_else(|| of_strict().filter(|_| default == strict))
    };
    let judgement = match (default == expect.default.0, strict == expect.strict.0) {
        (true, true) => Judgement::AsOriginal,
        (false, true) => intended(of_default(), ours),
        (true, false) => intended(of_strict(), ours),
        (false, false) => intended(of_default().filter(|_| of_strict().is_some()), ours),
    };
    let answers = [[expect.default.0, default], [expect.strict.0, strict]];
    Ok(Judged::new(judgement, spelled, answers.map(|both| both.map(|class| class.to_string()))))
}

fn intended(listed: Option<&'static Difference>, ours: [ErrorClass; 2]) -> Judgement {
    listed.map_or_else(|| Judgement::Wrong(spelled_answer(ours)), Judgement::Intended)
}

fn spelled_answer([default, strict]: [ErrorClass; 2]) -> String {
    format!("default {default}, strict {strict}")
}

/// The status of an exception with these attributes: the first that is present and not zero.
fn carried_status(attributes: [Option<i64>; 2]) -> Option<u16> {
    let number = attributes.into_iter().flatten().find(|number| *number != 0)?;
    u16::try_from(number).ok()
}

/// An error of this name with a marker and a status in its chain. The marker stands for the
/// exception's type in the original, so it comes before the status, which is an attribute.
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
