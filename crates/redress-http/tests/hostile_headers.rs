//! Arbitrary header bytes through the public classifiers: classification never panics, and no
//! policy waits longer than its bounds.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use redress_core::{Classifier, Policy, Retry, fixed};
use redress_http::{classify, http_retry_after_classifier, parse_retry_after, retry_after};
use redress_testing::VirtualClock;

fn header_values() -> impl Strategy<Value = Vec<HeaderValue>> {
    // Random bytes are hardly ever a hint, so every second value is a number.
    let bytes = prop::collection::vec(any::<u8>(), 0..100);
    let bytes = bytes.prop_filter_map("a header value", |bytes| HeaderValue::from_bytes(&bytes).ok());
    let numbers = any::<u32>().prop_map(HeaderValue::from);
    prop::collection::vec(prop_oneof![bytes, numbers], 0..4)
}

fn response(status: u16, values: &[HeaderValue]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).expect("a code between 100 and 999");
    for value in values {
        response.headers_mut().append(RETRY_AFTER, value.clone());
    }
    response
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500), now in any::<u32>()) {
        let _ = parse_retry_after(&bytes, UNIX_EPOCH + Duration::from_secs(now.into()));
    }

    #[test]
    fn text_made_of_the_pieces_of_dates_is_read_or_refused(
        text in "((Sun|Monday|Feb|Nov|29|31|00|1994|9999|0000|94|-|\\+|,| |:|08:49:37|GMT|\\+0130){0,12})",
    ) {
        let _ = parse_retry_after(text, UNIX_EPOCH);
    }

    #[test]
    fn bytes_outside_ascii_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..50), high in 128_u8..) {
        bytes.push(high);
        prop_assert_eq!(parse_retry_after(&bytes, UNIX_EPOCH), None);
    }

    #[test]
    fn seconds_are_read_with_anything_around_them(
        seconds in any::<u64>(),
        before in "[ \t]{0,3}",
        after in "[ \t]{0,3}",
    ) {
        let value = format!("{before}{seconds}{after}");
        prop_assert_eq!(parse_retry_after(value, SystemTime::now()), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn numbers_beyond_u64_saturate(digits in "[1-9][0-9]{20,300}") {
        prop_assert_eq!(parse_retry_after(digits, UNIX_EPOCH), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn dates_are_the_time_until_then(then in 0_u64..253_402_300_800, now in 0_u64..253_402_300_800) {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let value = httpdate::fmt_http_date(at(then));
        prop_assert_eq!(parse_retry_after(value, at(now)), Some(Duration::from_secs(then.saturating_sub(now))));
    }

    #[test]
    fn headers_decide_the_hint_and_never_the_class(status in 100_u16..1000, values in header_values()) {
        let classifier = http_retry_after_classifier();
        let class = |values: &[HeaderValue]| {
            classifier.classify(&Ok::<_, io::Error>(response(status, values))).map(|failure| failure.class())
        };
        prop_assert_eq!(class(&values), class(&[]));
    }

    #[test]
    fn no_wait_exceeds_the_cap_on_hints(values in header_values(), cap in 1_u32..) {
        let cap = Duration::from_secs(cap.into());
        let clock = VirtualClock::new();
        let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2).max_retry_after(cap);
        let builder = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).no_deadline();
        let policy = builder.classifier(http_retry_after_classifier()).retry(retry).build().expect("valid");
        let outcome = policy.execute(|| Ok::<_, io::Error>(response(503, &values)));
        prop_assert_eq!(outcome.attempts(), 2);
        prop_assert!(clock.slept().iter().all(|wait| *wait <= cap));
    }
}

#[test]
fn a_flood_of_headers_is_read_to_its_longest_hint() {
    let mut headers = HeaderMap::new();
    for _ in 0..10_000 {
        headers.append(RETRY_AFTER, HeaderValue::from_static("soon"));
    }
    headers.append(RETRY_AFTER, HeaderValue::from_static("3"));
    assert_eq!(retry_after(&headers, UNIX_EPOCH), Some(Duration::from_secs(3)));
    let busy = classify(StatusCode::SERVICE_UNAVAILABLE, &headers, UNIX_EPOCH).expect("503 is a failure");
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(3)));
}
