//! The target `llm_response`: the response of a vendor's API, and the data of an event.
//!
//! The input resembles HTTP: a status, header lines, an empty line, and the body. Anything the
//! types of `http` refuse is left out. Both vendors read the same response.

use std::str;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use redress_core::{Classification, ErrorClass};
use redress_http::retry_after;
use redress_llm::{BODY_LIMIT, EVENT_LIMIT, ErrorResponse, Output, anthropic, openai};

type Classify = fn(StatusCode, &HeaderMap, &[u8], SystemTime) -> Option<Classification>;
type ClassifyEvent = fn(&[u8], Output) -> Option<Classification>;

/// Takes any response. Checks that nothing panics, the order in which status, body and headers
/// decide, and that the hint is that of the header it names.
///
/// # Panics
///
/// If a law is broken.
pub fn llm_response(bytes: &[u8]) {
    let (head, body) = halves(bytes, b"\n\n");
    let (status, lines) = halves(head, b"\n");
    let headers = read_headers(lines);
    let now = UNIX_EPOCH + Duration::from_secs(1_930_367_167);
    if let Some(status) = str::from_utf8(status).ok().and_then(|status| StatusCode::from_u16(status.parse().ok()?).ok())
    {
        let vendors: [Classify; 2] = [
            |status, headers, body, now| openai::classify(status, headers, body, now),
            |status, headers, body, now| anthropic::classify(status, headers, body, now),
        ];
        for classify in vendors {
            a_response_is_classified(classify, status, &headers, body, now);
        }
        an_error_is_classified_as_its_response(status, &headers, body);
    }
    let vendors: [ClassifyEvent; 2] =
        [|data, output| openai::classify_event(data, output), |data, output| anthropic::classify_event(data, output)];
    for classify in vendors {
        output_only_forbids(classify, body);
    }
    for value in headers.values().filter_map(|value| str::from_utf8(value.as_bytes()).ok()) {
        a_duration_is_a_sum(value);
        a_moment_is_of_its_day(value, now);
    }
}

/// Splits at the first `end`, or leaves the second half empty.
fn halves<'b>(bytes: &'b [u8], end: &[u8]) -> (&'b [u8], &'b [u8]) {
    match bytes.windows(end.len()).position(|window| window == end) {
        Some(at) => (&bytes[..at], &bytes[at + end.len()..]),
        None => (bytes, &[]),
    }
}

fn read_headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let (name, value) = halves(line, b":");
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

fn a_response_is_classified(classify: Classify, status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) {
    let found = classify(status, headers, body, now);
    assert_eq!(found.is_some(), status.as_u16() >= 400, "{status}");
    let Some(failure) = found else { return };
    assert_eq!(failure.detail("status"), Some(status.as_str()));
    assert!(!failure.is_abort());
    if failure.detail("quota").is_some() {
        assert_eq!(failure.class(), ErrorClass::Permanent, "a quota");
    }
    let asked = headers.get("x-should-retry").map(|value| value.as_bytes().trim_ascii());
    assert_eq!(failure.retry_forbidden().is_some(), asked == Some(b"false"), "{asked:?}");
    if asked == Some(b"true") {
        assert!(failure.class().is_retryable() || failure.detail("quota").is_some(), "{failure:?}");
    }
    a_hint_is_that_of_its_header(&failure, headers, now);

    // A body that cannot be parsed is none.
    let plain = classify(status, headers, b"", now);
    let unreadable = [body, b"{"].concat();
    assert_eq!(classify(status, headers, &unreadable, now), plain, "{status}");
    let too_long = [body, " ".repeat(BODY_LIMIT + 1).as_bytes()].concat();
    assert_eq!(classify(status, headers, &too_long, now), plain, "{status}");
    let padded = [body, b" \n"].concat();
    if padded.len() <= BODY_LIMIT {
        assert_eq!(classify(status, headers, &padded, now), Some(failure), "{status}");
    }
}

fn a_hint_is_that_of_its_header(failure: &Classification, headers: &HeaderMap, now: SystemTime) {
    let (hint, source) = (failure.retry_after(), failure.detail("retry_after_source"));
    assert_eq!(hint.is_some(), source.is_some(), "{failure:?}");
    let (Some(hint), Some(source)) = (hint, source) else { return };
    assert!(failure.class().is_retryable(), "{failure:?}");
    let text =
        |name: &str| headers.get(name).and_then(|value| str::from_utf8(value.as_bytes()).ok()).map(str::trim_ascii);
    let value = text(source).expect("the header that it names");
    let there = text("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    match source {
        "retry-after-ms" => {
            let milliseconds: f64 = value.parse().expect("a number");
            let seconds = milliseconds.max(0.0) / 1000.0;
            assert!(is_close(hint, seconds), "{hint:?} of {value} ms");
        }
        "retry-after" => assert_eq!(Some(hint), retry_after(headers, now)),
        _ if source.starts_with("x-") => assert_eq!(Some(hint), openai::parse_reset(value), "{source}"),
        _ => assert_eq!(Some(hint), anthropic::parse_reset(value, there), "{source}"),
    }
}

/// Whether both are the same but for the precision of a float, or both too long to tell.
fn is_close(wait: Duration, seconds: f64) -> bool {
    let wait = wait.as_secs_f64();
    (wait - seconds).abs() <= 2e-9 + seconds * 1e-9 || wait.min(seconds) >= 1.8e16
}

/// The clock is the system's, so the hint is left out.
fn an_error_is_classified_as_its_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let expected = openai::classify(status, headers, body, SystemTime::now());
    let class = expected.map_or(ErrorClass::Unknown, |failure| failure.class());
    let of_bytes = ErrorResponse::new(status, headers.clone(), body);
    let of_reader = ErrorResponse::read(status, headers.clone(), body);
    for error in [of_bytes, of_reader] {
        assert_eq!(openai::classify_error(&error).class(), class, "{status}");
        assert_eq!(error.body(), &body[..body.len().min(BODY_LIMIT)]);
    }
}

fn output_only_forbids(classify: ClassifyEvent, data: &[u8]) {
    let (before, after) = (classify(data, Output::Undelivered), classify(data, Output::Delivered));
    assert_eq!(before.as_ref().map(Classification::class), after.as_ref().map(Classification::class));
    let Some((before, after)) = before.zip(after) else { return };
    assert_eq!((before.retry_forbidden(), before.retry_after()), (None, None));
    assert_eq!(after.retry_forbidden(), Some("output_delivered"));
    assert!(data.windows(5).any(|word| word == b"error"));
    let repeats_the_response = data.windows(15).any(|word| word == b"response.failed");
    assert!(data.len() <= if repeats_the_response { EVENT_LIMIT } else { BODY_LIMIT });
}

/// A second reader of durations, in floats: a number and a unit, while the units grow shorter.
fn a_duration_is_a_sum(value: &str) {
    const UNITS: [(&str, f64); 8] = [
        ("h", 3600.0),
        ("m", 60.0),
        ("s", 1.0),
        ("ms", 1e-3),
        ("us", 1e-6),
        ("\u{b5}s", 1e-6),
        ("\u{3bc}s", 1e-6),
        ("ns", 1e-9),
    ];
    let trimmed = value.trim();
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let (mut rest, mut last, mut sum) = (trimmed, f64::INFINITY, 0.0);
    let mut is_duration = !trimmed.is_empty();
    while is_duration && !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|letter| !is_of_number(letter)).unwrap_or(rest.len()));
        let (unit, after) = after.split_at(after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len()));
        let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds);
        let has_digits = number.starts_with(|digit: char| digit.is_ascii_digit()) && !number.ends_with('.');
        let number: Option<f64> = number.parse().ok().filter(|_| has_digits);
        match number.zip(unit) {
            Some((number, unit)) if unit < last => (rest, last, sum) = (after, unit, number.mul_add(unit, sum)),
            _ => is_duration = false,
        }
    }
    // More digits than a float holds are a question of their own.
    if trimmed.len() < 300 {
        let found = openai::parse_reset(value);
        assert_eq!(found.is_some(), is_duration, "{value:?}");
        assert!(found.is_none_or(|wait| is_close(wait, sum)), "{found:?} and {sum} of {value:?}");
    }
}

/// A moment is at its time of the day, shifted by its zone, and never further off for a later
/// clock.
fn a_moment_is_of_its_day(value: &str, now: SystemTime) {
    let Some(wait) = anthropic::parse_reset(value, UNIX_EPOCH) else { return };
    assert!(anthropic::parse_reset(value, now).is_some_and(|later| later <= wait), "{value:?}");
    if wait.is_zero() {
        return;
    }
    let text = value.trim();
    let number = |from: usize| text[from..from + 2].parse::<i64>().expect("two digits");
    let zone = match text.as_bytes()[text.len() - 6] {
        _ if text.ends_with(['Z', 'z']) => 0,
        sign => (number(text.len() - 5) * 60 + number(text.len() - 2)) * if sign == b'-' { -60 } else { 60 },
    };
    let of_day = (number(11) * 60 + number(14)) * 60 + number(17) - zone;
    let seconds = i64::try_from(wait.as_secs()).expect("a year of four digits");
    assert_eq!((seconds - of_day).rem_euclid(86_400), 0, "{value:?}");
}
