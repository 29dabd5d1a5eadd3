//! The tables about HTTP, statuses, values of `Retry-After` and hints, and how their exceptions
//! become Rust values.
//!
//! `http_differences.rs` lists the intended differences.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use redress_core::error::StatusError;
use redress_core::{Classification, Classifier, ErrorClass};
use redress_http::{classify, classify_status, http_classifier, http_retry_after_classifier, parse_retry_after};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::difference::listed;
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;
use crate::number::duration;

/// The format lets numbers from here on saturate.
const HUGE: f64 = 9.2e18;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusInput {
    status: Option<i64>,
    status_code: Option<i64>,
    code: Option<i64>,
    args: Vec<Value>,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassOnly {
    class: ClassName,
}

pub(super) fn judge_status(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (StatusInput, ClassOnly) = read_row(row)?;
    let status = input.carried_status();
    let error =
        Named { name: input.name.clone(), source: status.map(|status| Box::new(StatusError::new(status)) as _) };
    let ours = of_error(&http_classifier(), error).class();
    let plain = status.and_then(|status| classify_status(StatusCode::from_u16(status).ok()?));
    let spelled = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let (original, class) = (expect.class.0.as_str(), ours.as_str());
    let judgement = match plain.filter(|other| *other != ours) {
        Some(other) => Judgement::Wrong(format!("{ours} as an error and {other} as a status")),
        None if original == class => Judgement::AsOriginal,
        None => listed("http", &spelled, original, class)
            .or_else(|| listed("default", &input.name, original, class))
            .map_or_else(|| Judgement::Wrong(class.to_owned()), Judgement::Intended),
    };
    Ok(Judged::of_one(judgement, spelled, original, class))
}

impl StatusInput {
    /// The status of an exception: the first attribute that is present, else the first argument
    /// that looks like one. A number outside HTTP's range becomes a status without a class.
    fn carried_status(&self) -> Option<u16> {
        let attribute = [self.status, self.status_code, self.code].into_iter().flatten().next();
        let mut arguments = self.args.iter().filter_map(Value::as_i64);
        let number = attribute.or_else(|| arguments.find(|number| (100..600).contains(number)))?;
        Some(u16::try_from(number).unwrap_or(0))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueInput {
    pub(super) value: String,
    #[serde(rename = "form")]
    _form: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondsOnly {
    pub(super) seconds: Option<f64>,
}

pub(super) fn judge_value(row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (ValueInput, SecondsOnly) = read_row(row)?;
    let ours = parse_retry_after(&input.value, now);
    Ok(judge_seconds("http_retry_after_value", input.value, expect.seconds, ours))
}

/// A row whose answers are seconds.
pub(super) fn judge_seconds(table: &str, input: String, original: Option<f64>, ours: Option<Duration>) -> Judged {
    let answers = spelled_apart(original, ours);
    let judgement = match &answers {
        None => Judgement::AsOriginal,
        Some([original, ours]) => {
            listed(table, &input, original, ours).map_or_else(|| Judgement::Wrong(ours.clone()), Judgement::Intended)
        }
    };
    Judged::new(judgement, input, answers)
}

/// Both answers, if they do not agree.
pub(super) fn spelled_apart(original: Option<f64>, ours: Option<Duration>) -> Option<[String; 2]> {
    (!agree(original, ours)).then(|| [spelled_number(original), spelled(ours)])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HintInput {
    status: u16,
    retry_after: Option<Attribute>,
    headers: Option<BTreeMap<String, String>>,
}

/// The attribute of an exception that corresponds to the hint that an error is built with.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attribute {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassAndHint {
    class: ClassName,
    retry_after_s: Option<f64>,
}

pub(super) fn judge_hint(row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (HintInput, ClassAndHint) = read_row(row)?;
    let headers = header_map(input.headers.iter().flatten())?;
    let attribute = input.retry_after.as_ref();
    let (ours, value) =
        match (attribute.and_then(|attribute| attribute.as_hint(now)), StatusCode::from_u16(input.status)) {
            // An unreadable attribute counts as absent, so the header decides.
            (None, Ok(status)) => {
                let values: Vec<_> =
                    headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok()).collect();
                let header = (!values.is_empty()).then(|| values.join(", "));
                let value = header.or_else(|| attribute.map(Attribute::to_string)).unwrap_or_default();
                (classify(status, &headers, now).unwrap_or_else(|| ErrorClass::Unknown.into()), value)
            }
            (hint, _) => (of_status_error(input.status, hint), attribute.map(Attribute::to_string).unwrap_or_default()),
        };
    let spelled = format!("{} Retry-After: {value}", input.status);
    let judgement = judge_parts(&input, &expect, &ours, &value);
    Ok(Judged::new(judgement, spelled, spelled_apart(expect.retry_after_s, ours.retry_after())))
}

/// Class and hint may differ for different reasons, but each difference needs one.
fn judge_parts(input: &HintInput, expect: &ClassAndHint, ours: &Classification, value: &str) -> Judgement {
    let by_class = (ours.class() != expect.class.0)
        .then(|| listed("http", &input.status.to_string(), expect.class.0.as_str(), ours.class().as_str()));
    let by_hint = (!agree(expect.retry_after_s, ours.retry_after())).then(|| {
        let (original, ours) = (spelled_number(expect.retry_after_s), spelled(ours.retry_after()));
        listed("http_retry_after", &format!("{} Retry-After: {value}", input.status), &original, &ours)
            .or_else(|| listed("http_retry_after_value", value, &original, &ours))
    });
    match (by_class, by_hint) {
        (None, None) => Judgement::AsOriginal,
        (Some(Some(intended)), None | Some(Some(_))) | (None, Some(Some(intended))) => Judgement::Intended(intended),
        (Some(None), _) | (_, Some(None)) => {
            Judgement::Wrong(format!("{}, retry after {}", ours.class(), spelled(ours.retry_after())))
        }
    }
}

impl Attribute {
    fn as_hint(&self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::Number(seconds) => Some(duration(*seconds)),
            Self::Text(text) => parse_retry_after(text, now),
        }
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(seconds) => seconds.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

fn of_status_error(status: u16, hint: Option<Duration>) -> Classification {
    let error = hint.into_iter().fold(StatusError::new(status), StatusError::with_retry_after);
    of_error(&http_retry_after_classifier(), error)
}

fn of_error<E>(classifier: &impl Classifier<Response<()>, E>, error: E) -> Classification {
    classifier.classify(&Err(error)).unwrap_or_else(|| ErrorClass::Unknown.into())
}

fn header_map<'h>(fields: impl Iterator<Item = (&'h String, &'h String)>) -> Result<HeaderMap, serde_json::Error> {
    let field = |(name, value): (&String, &String)| {
        let name = HeaderName::try_from(name).map_err(serde_json::Error::custom)?;
        Ok((name, HeaderValue::try_from(value).map_err(serde_json::Error::custom)?))
    };
    fields.map(field).collect()
}

pub(super) fn agree(original: Option<f64>, ours: Option<Duration>) -> bool {
    match (original, ours.map(|wait| wait.as_secs_f64())) {
        (Some(original), Some(ours)) => (original - ours).abs() <= 2e-6 || original.min(ours) >= HUGE,
        (original, ours) => original.is_none() && ours.is_none(),
    }
}

pub(super) fn spelled(wait: Option<Duration>) -> String {
    spelled_number(wait.map(|wait| wait.as_secs_f64()))
}

pub(super) fn spelled_number(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "none".to_owned(), |seconds| seconds.to_string())
}

/// 2031-03-04T05:06:07.25Z, the present for the examples of the differences.
pub(super) const PRESENT: Duration = Duration::from_millis(1_930_367_167_250);

/// Our answer to the example of a difference in the statuses.
pub(super) fn answer_status(example: &str) -> Option<String> {
    classify_status(example.parse().ok()?).map(|class| class.to_string())
}

/// Our answer to the example of a difference in the values of the header.
pub(super) fn answer_value(example: &str) -> Option<String> {
    Some(spelled(parse_retry_after(example, SystemTime::UNIX_EPOCH + PRESENT)))
}

/// Our answer to the example of a difference in the hints of responses.
pub(super) fn answer_hint(example: &str) -> Option<String> {
    let (status, value) = example.split_once(" Retry-After: ")?;
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::try_from(value).ok()?)]);
    Some(spelled(classify(status.parse().ok()?, &headers, SystemTime::UNIX_EPOCH + PRESENT)?.retry_after()))
}
