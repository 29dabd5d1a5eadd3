//! The original's recorded tables about HTTP, row by row, through this crate's public functions.
//!
//! Owns how a Python exception of the tables becomes a Rust value. The list of rows that may differ is
//! `redress_http::differences`.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use redress_core::{Classification, Classifier, ErrorClass, StatusError};
use redress_http::differences::{self, covering};
use redress_http::{
    classify, classify_status, http_classifier, http_retry_after_classifier, parse_retry_after,
};
use serde_json::Value;

/// What both libraries are asked to say, in the words of the tables.
#[derive(Clone, Debug)]
struct Answer {
    class: Option<ErrorClass>,
    seconds: Option<f64>,
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        let close = match (self.seconds, other.seconds) {
            (Some(ours), Some(theirs)) => {
                (ours - theirs).abs() <= 2e-6 || (ours.min(theirs) >= 9.2e18)
            }
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        self.class == other.class && close
    }
}

impl From<Classification> for Answer {
    fn from(failure: Classification) -> Self {
        Self {
            class: Some(failure.class()),
            seconds: failure.retry_after().map(|wait| wait.as_secs_f64()),
        }
    }
}

struct Row {
    /// The row's input as `differences` spells it.
    input: String,
    original: Answer,
    ours: Answer,
}

#[test]
fn statuses_mean_what_they_mean_to_the_original() {
    judge("http", &tables(), http_row);
}

#[test]
fn header_values_say_what_they_say_to_the_original() {
    judge("http_retry_after_value", &tables(), header_value_row);
}

#[test]
fn hints_are_those_of_the_original() {
    judge("http_retry_after", &tables(), hint_row);
}

#[test]
fn every_listed_difference_still_exists() {
    for difference in differences::ALL {
        assert!(
            difference.covers(difference.table, difference.example),
            "{difference} does not cover its example"
        );
        assert_ne!(difference.original, difference.ours, "{difference}");
        assert_eq!(
            answer_to(difference.table, difference.example),
            difference.ours,
            "{difference}"
        );
    }
}

fn judge(table: &str, tables: &Value, read: impl Fn(&Value) -> Row) {
    let rows = tables["tables"][table]
        .as_array()
        .expect("a table of this name");
    let wrong: Vec<String> = rows
        .iter()
        .map(|row| (row, read(row)))
        .filter(|(_, row)| row.ours != row.original && covering(table, &row.input).is_none())
        .map(|(raw, row)| format!("{raw}: we say {:?}", row.ours))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} rows in {table}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

fn http_row(row: &Value) -> Row {
    let input = &row["input"];
    let status = carried_status(input);
    let error = Raised {
        name: input["name"].as_str().expect("a name").to_owned(),
        status: status.map(StatusError::new),
    };
    let failure = http_classifier()
        .classify(&Err::<Response<()>, _>(error))
        .expect("an error is a failure");
    if let Some(code) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        assert_eq!(
            classify_status(code).unwrap_or(ErrorClass::Unknown),
            failure.class(),
            "{row}: two answers"
        );
    }
    Row {
        input: status.map_or_else(String::new, |status| status.to_string()),
        original: recorded(row),
        ours: failure.into(),
    }
}

fn header_value_row(row: &Value) -> Row {
    let value = row["input"]["value"].as_str().expect("a value");
    let seconds = parse_retry_after(value, present()).map(|wait| wait.as_secs_f64());
    Row {
        input: value.to_owned(),
        original: Answer {
            class: None,
            seconds: row["expect"]["seconds"].as_f64(),
        },
        ours: Answer {
            class: None,
            seconds,
        },
    }
}

fn hint_row(row: &Value) -> Row {
    let input = &row["input"];
    let status = carried_status(input).expect("a status");
    let headers = headers(&input["headers"]);
    let value = headers
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let ours = if input["retry_after"].is_null() {
        let code = StatusCode::from_u16(status).expect("a status code");
        classify(code, &headers, present()).unwrap_or_else(|| ErrorClass::Unknown.into())
    } else {
        error_with_hint(status, &input["retry_after"])
    };
    Row {
        input: value.map_or_else(String::new, |value| {
            format!("{status} Retry-After: {value}")
        }),
        original: recorded(row),
        ours: ours.into(),
    }
}

/// An attribute `retry_after` of an exception is, here, the hint that an error was built with.
fn error_with_hint(status: u16, attribute: &Value) -> Classification {
    let hint = match attribute.as_f64() {
        Some(seconds) => Some(Duration::from_secs_f64(seconds)),
        None => parse_retry_after(attribute.as_str().expect("a number or text"), present()),
    };
    let error = hint
        .into_iter()
        .fold(StatusError::new(status), StatusError::with_retry_after);
    http_retry_after_classifier()
        .classify(&Err::<Response<()>, _>(error))
        .expect("an error is a failure")
}

/// Our answer to an input spelled as in `differences`.
fn answer_to(table: &str, input: &str) -> String {
    let seconds = |wait: Option<Duration>| {
        wait.map_or_else(|| "none".to_owned(), |wait| wait.as_secs_f64().to_string())
    };
    match table {
        "http" => {
            let status = input.parse().expect("a status code");
            classify_status(status)
                .unwrap_or(ErrorClass::Unknown)
                .to_string()
        }
        "http_retry_after_value" => seconds(parse_retry_after(input, present())),
        "http_retry_after" => {
            let (status, value) = input
                .split_once(" Retry-After: ")
                .expect("a status and a header");
            let headers = headers(&serde_json::json!({ "Retry-After": value }));
            let failure = classify(status.parse().expect("a status code"), &headers, present());
            seconds(failure.and_then(|failure| failure.retry_after()))
        }
        other => panic!("no table {other}"),
    }
}

/// The one status of an exception: the first attribute that is there, else the first argument that looks like one.
fn carried_status(input: &Value) -> Option<u16> {
    let attribute = ["status", "status_code", "code"]
        .into_iter()
        .find_map(|name| input[name].as_i64());
    let arguments = input["args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64);
    let number = attribute.or_else(|| {
        arguments
            .into_iter()
            .find(|number| (100..600).contains(number))
    })?;
    u16::try_from(number).ok()
}

fn headers(object: &Value) -> HeaderMap {
    let fields = object.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header's name");
            (
                name,
                HeaderValue::from_str(value.as_str().expect("text")).expect("a header's value"),
            )
        })
        .collect()
}

fn recorded(row: &Value) -> Answer {
    let class = row["expect"]["class"].as_str().expect("a class");
    Answer {
        class: ErrorClass::from_name(class),
        seconds: row["expect"]["retry_after_s"].as_f64(),
    }
}

fn tables() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../redress-testing/conformance/classifiers.json");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let tables: Value = serde_json::from_str(&text).expect("the tables are JSON");
    assert_eq!(
        tables["now"], "2031-03-04T05:06:07.250000Z",
        "the tables' present has moved: move `present` too"
    );
    tables
}

fn present() -> SystemTime {
    let second = httpdate::parse_http_date("Tue, 04 Mar 2031 05:06:07 GMT").expect("a date");
    second + Duration::from_millis(250)
}

/// An exception of the tables: a type's name, and the status it carries.
struct Raised {
    name: String,
    status: Option<StatusError>,
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation failed")
    }
}

impl Error for Raised {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.status.as_ref().map(|status| status as _)
    }
}
