//! Headers with the time left and the attempt's number: read a second way, and written back.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use redress_http::{AttemptNumber, DeadlineHeader, TimeFormat, time_left};

const NAMES: [&str; 5] = [
    "x-envoy-expected-rq-timeout-ms",
    "grpc-timeout",
    "amz-sdk-request",
    "x-envoy-attempt-count",
    "grpc-previous-rpc-attempts",
];

/// Reads any bytes as the lines of these headers: the first byte of a line names the header.
pub(crate) fn sent_time(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(16) {
        let Some((name, value)) = line.split_first() else { continue };
        let name = HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_121_700);
    let all = time_left(&headers, now);
    assert_eq!(DeadlineHeader::envoy().read(&headers), millis(&headers), "{headers:?}");
    assert!(AttemptNumber::of(&headers).is_none_or(|number| number.get() >= 1), "{headers:?}");

    // One header more only shortens.
    let mut more = headers.clone();
    more.append(NAMES[0], HeaderValue::from_static("7"));
    let seven = Duration::from_millis(7);
    assert_eq!(time_left(&more, now), Some(all.map_or(seven, |all| all.min(seven))), "{headers:?}");

    // The next hop gets no more than there is.
    let left = all.unwrap_or_else(|| Duration::from_secs(bytes.len() as u64));
    for header in [DeadlineHeader::envoy(), DeadlineHeader::grpc(), of_seconds()] {
        let mut passed = headers.clone();
        header.write(&mut passed, left);
        let read = header.read(&passed).expect("what was written can be read");
        let unit = if header == of_seconds() { Duration::from_secs(1) } else { Duration::from_millis(1) };
        assert!(read <= left || (read == unit && left < unit) || left.is_zero(), "{read:?} of {left:?}: {headers:?}");
    }
}

fn of_seconds() -> DeadlineHeader {
    DeadlineHeader::new(HeaderName::from_static("x-seconds"), TimeFormat::Seconds)
}

/// The shortest number of milliseconds, by the standard library's parser.
fn millis(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(NAMES[0]).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let elements: Vec<_> = values.flat_map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>()).collect();
    let parse = |element: &String| {
        let element = element.trim_matches([' ', '\t']);
        let digits = element.strip_prefix('-').unwrap_or(element);
        let is_number = !digits.is_empty() && digits.chars().all(|letter| letter.is_ascii_digit());
        let count = || if element.starts_with('-') { 0 } else { digits.parse().unwrap_or(u64::MAX) };
        is_number.then(|| Duration::from_millis(count()))
    };
    elements.iter().filter_map(parse).min()
}
