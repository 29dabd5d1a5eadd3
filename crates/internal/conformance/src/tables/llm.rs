//! The tables about OpenAI and Anthropic: responses by status, headers and body, and values of the
//! headers that say when a rate limit resets.
//!
//! `llm_differences.rs` and `reset_differences.rs` list the intended differences.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use redress_core::{Classification, ErrorClass};
use redress_llm::{Output, anthropic, openai};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::difference::{Difference, listed};
use super::http::{PRESENT, SecondsOnly, ValueInput, agree, judge_seconds, spelled, spelled_apart, spelled_number};
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    kind: String,
    status: Option<u16>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What the original's SDK reads from the body, in `openai` and in `anthropic`.
    #[serde(rename = "code")]
    _code: Option<Value>,
    #[serde(rename = "type")]
    _type: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    class: ClassName,
    retry_after_s: Option<f64>,
    /// The header that the hint is from.
    source: Option<String>,
}

pub(super) fn judge_openai(row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    judge("openai", row, now)
}

pub(super) fn judge_anthropic(row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    judge("anthropic", row, now)
}

fn judge(table: &'static str, row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let case = Case::new(input);
    let ours = case.classify(table, now).map_err(serde_json::Error::custom)?;
    let (original, hint) = (expect.class.0, ours.retry_after());
    let by_class = (ours.class() != original).then(|| case.listed_class(table, original, ours.class()));
    // The hint follows from the class where only one of both classes has one.
    let follows = by_class.is_some() && (expect.retry_after_s.is_none() || hint.is_none());
    let by_hint = (!follows && !agree(expect.retry_after_s, hint))
        .then(|| case.listed_hint(table, &spelled_number(expect.retry_after_s), &spelled(hint)));
    let found = ours.detail("retry_after_source");
    let wrong = || Judgement::Wrong(format!("{}, retry after {} by {found:?}", ours.class(), spelled(hint)));
    let judgement = match (by_class, by_hint) {
        (None, None) if same_header(expect.source.as_deref(), found) => Judgement::AsOriginal,
        (Some(Some(intended)), None | Some(Some(_))) | (None, Some(Some(intended))) => Judgement::Intended(intended),
        _ => wrong(),
    };
    let classes = [original, ours.class()].map(|class| class.to_string());
    let hints = spelled_apart(expect.retry_after_s, hint);
    Ok(Judged::new(judgement, case.to_string(), [classes].into_iter().chain(hints)))
}

fn same_header(original: Option<&str>, ours: Option<&str>) -> bool {
    original.map(str::to_lowercase).as_deref() == ours
}

/// An input, spelled as `RateLimitError 429 / {"error":{..}} / retry-after: 7`: the exception of
/// the original, the status, the body and the headers, each if there is one.
pub(super) struct Case {
    pub(super) kind: String,
    pub(super) status: Option<u16>,
    pub(super) body: Value,
    /// With lower-case names.
    pub(super) headers: BTreeMap<String, String>,
}

impl Case {
    fn new(input: Input) -> Self {
        let headers = input.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Self { kind: input.kind, status: input.status, body: input.body, headers }
    }

    pub(super) fn parse(spelled: &str) -> Option<Self> {
        let mut parts = spelled.split(" / ");
        let mut words = parts.next()?.split(' ');
        let kind = words.next()?.to_owned();
        let status = words.next().map(str::parse).transpose().ok()?;
        let (mut body, mut headers) = (Value::Null, BTreeMap::new());
        for part in parts {
            if part.starts_with(['{', '[', '"']) {
                body = serde_json::from_str(part).ok()?;
            } else {
                let (name, value) = part.split_once(": ")?;
                headers.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(Self { kind, status, body, headers })
    }

    pub(super) fn classify(&self, table: &str, now: SystemTime) -> Result<Classification, String> {
        let is_openai = table == "openai";
        let Some(status) = self.status else {
            let error = Named { name: self.kind.clone(), source: None };
            return Ok(if is_openai { openai::classify_error(&error) } else { anthropic::classify_error(&error) });
        };
        let status = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        let headers = self.header_map()?;
        // An error with the status of a success is one of a stream.
        let failure = match (status.is_success(), is_openai) {
            (true, true) => openai::classify_event(&body, Output::Undelivered),
            (true, false) => anthropic::classify_event(&body, Output::Undelivered),
            (false, true) => openai::classify(status, &headers, &body, now),
            (false, false) => anthropic::classify(status, &headers, &body, now),
        };
        Ok(failure.unwrap_or_else(|| ErrorClass::Unknown.into()))
    }

    fn header_map(&self) -> Result<HeaderMap, String> {
        let field = |(name, value): (&String, &String)| {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            Ok((name, HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?))
        };
        self.headers.iter().map(field).collect()
    }

    fn listed_class(&self, table: &str, original: ErrorClass, ours: ErrorClass) -> Option<&'static Difference> {
        let (original, ours) = (original.as_str(), ours.as_str());
        let by_status = || listed("http", &self.status?.to_string(), original, ours);
        listed(table, &self.to_string(), original, ours).or_else(by_status)
    }

    /// Reasons of redress-http count as well, and those for the value of a single reset.
    fn listed_hint(&self, table: &str, original: &str, ours: &str) -> Option<&'static Difference> {
        let value = self.headers.get("retry-after").map_or("", String::as_str);
        let of_value = || listed("http_retry_after_value", value, original, ours);
        let values = if table == "openai" { "openai_reset_duration" } else { "anthropic_reset" };
        let of_reset = || {
            let mut resets = self.headers.iter().filter(|(name, _)| name.contains("reset"));
            resets.find_map(|(_, value)| listed(values, value, original, ours))
        };
        listed(table, &self.to_string(), original, ours).or_else(of_value).or_else(of_reset)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if !self.body.is_null() {
            write!(f, " / {}", self.body)?;
        }
        self.headers.iter().try_for_each(|(name, value)| write!(f, " / {name}: {value}"))
    }
}

pub(super) fn judge_duration(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    judge_reset("openai_reset_duration", row, openai::parse_reset)
}

pub(super) fn judge_moment(row: &Value, now: SystemTime) -> Result<Judged, serde_json::Error> {
    judge_reset("anthropic_reset", row, |value| anthropic::parse_reset(value, now))
}

fn judge_reset(
    table: &str,
    row: &Value,
    parse: impl Fn(&str) -> Option<Duration>,
) -> Result<Judged, serde_json::Error> {
    let (input, expect): (ValueInput, SecondsOnly) = read_row(row)?;
    let ours = parse(&input.value);
    Ok(judge_seconds(table, input.value, expect.seconds, ours))
}

/// Our answer to the example of a difference: a class, or a hint where the difference is one.
pub(super) fn answer_openai(example: &str) -> Option<String> {
    answer("openai", example)
}

pub(super) fn answer_anthropic(example: &str) -> Option<String> {
    answer("anthropic", example)
}

fn answer(table: &str, example: &str) -> Option<String> {
    let failure = Case::parse(example)?.classify(table, SystemTime::UNIX_EPOCH + PRESENT).ok()?;
    let is_of_class = super::differences().any(|listed| {
        listed.table == table && listed.example == example && ErrorClass::from_name(listed.ours).is_some()
    });
    Some(if is_of_class { failure.class().to_string() } else { spelled(failure.retry_after()) })
}

pub(super) fn answer_duration(example: &str) -> Option<String> {
    Some(spelled(openai::parse_reset(example)))
}

pub(super) fn answer_moment(example: &str) -> Option<String> {
    Some(spelled(anthropic::parse_reset(example, SystemTime::UNIX_EPOCH + PRESENT)))
}
