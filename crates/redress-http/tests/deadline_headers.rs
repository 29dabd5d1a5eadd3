//! The time left and the attempt's number on the wire: what is written is never more than what is
//! there, and nothing that a peer writes does harm. Attacks E2.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use redress_core::Attempt;
use redress_http::{AttemptNumber, DeadlineHeader, RequestRules, TimeFormat, time_left, time_left_from_now};

const FORMATS: [TimeFormat; 5] = [
    TimeFormat::Nanoseconds,
    TimeFormat::Microseconds,
    TimeFormat::Milliseconds,
    TimeFormat::Seconds,
    TimeFormat::Grpc,
];

const ENVOY: &str = "x-envoy-expected-rq-timeout-ms";

fn header(format: TimeFormat) -> DeadlineHeader {
    DeadlineHeader::new(HeaderName::from_static("x-time-left"), format)
}

type Headers<'h> = &'h [(&'static str, &'h str)];

fn of(pairs: Headers<'_>) -> HeaderMap {
    let pairs =
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
    let mut headers = HeaderMap::new();
    pairs.for_each(|(name, value)| _ = headers.append(name, value));
    headers
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// 2020-09-14, 22:15:00.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_121_700)
}

#[test]
fn values_are_read_as_data() {
    let rows: &[(&[&str], Option<Duration>)] = &[
        (&[], None),
        (&["250"], Some(millis(250))),
        (&[" 250 "], Some(millis(250))),
        (&["0"], Some(Duration::ZERO)),
        (&["000"], Some(Duration::ZERO)),
        (&["-1"], Some(Duration::ZERO)),
        (&["-99999999999999999999999999"], Some(Duration::ZERO)),
        (&["18446744073709551615"], Some(millis(u64::MAX))),
        (&["99999999999999999999999999999999999999999999"], Some(millis(u64::MAX))),
        (&["", " ", "soon", "1.5", "+1", "1e3", "0x10", "5 0", "--1", "-", "\u{661}", "1s"], None),
        (&["900", "250", "700"], Some(millis(250))),
        (&["900, 250,, soon"], Some(millis(250))),
        (&["soon", "250"], Some(millis(250))),
        (&["900", "-0"], Some(Duration::ZERO)),
    ];
    for (values, left) in rows {
        let pairs: Vec<_> = values.iter().map(|value| (ENVOY, *value)).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(DeadlineHeader::default().read(&headers), *left, "{values:?}");
        assert_eq!(time_left(&headers, now()), *left, "{values:?}");
        assert_eq!(time_left_from_now(&headers), *left, "{values:?}");
    }
}

#[test]
fn numbers_beyond_the_longest_time_saturate() {
    let huge = HeaderMap::from_iter([(HeaderName::from_static("x-time-left"), HeaderValue::from(u64::MAX))]);
    assert_eq!(header(TimeFormat::Seconds).read(&huge), Some(Duration::from_secs(u64::MAX)));
    assert_eq!(header(TimeFormat::Nanoseconds).read(&huge), Some(Duration::from_nanos(u64::MAX)));
    let mut written = HeaderMap::new();
    header(TimeFormat::Nanoseconds).write(&mut written, Duration::MAX);
    assert_eq!(written["x-time-left"], i64::MAX.to_string());
}

#[test]
fn the_shortest_of_the_known_headers_counts() {
    let rows: &[(Headers<'_>, Option<u64>)] = &[
        (&[], None),
        (&[("grpc-timeout", "3S")], Some(3_000)),
        (&[("grpc-timeout", "3S"), (ENVOY, "2000")], Some(2_000)),
        (&[("grpc-timeout", "1S"), (ENVOY, "2000")], Some(1_000)),
        (&[("amz-sdk-request", "attempt=1; max=3")], None),
        (&[("amz-sdk-request", "ttl=20200914T221507Z; attempt=1; max=3")], Some(7_000)),
        (&[("amz-sdk-request", "attempt=1;max=3;TTL = 20200914T221507Z")], Some(7_000)),
        (&[("amz-sdk-request", "ttl=20200914T221500Z")], Some(0)),
        (&[("amz-sdk-request", "ttl=19990914T221507Z")], Some(0)),
        (&[("amz-sdk-request", "ttl=20200914T221507Z, ttl=20200914T221503Z")], Some(3_000)),
        (&[("amz-sdk-request", "ttl=20200914T221507Z"), (ENVOY, "9000")], Some(7_000)),
        (&[("amz-sdk-request", "ttl=soon; ttl; =; ;;")], None),
        (&[("amz-sdk-request", "xttl=20200914T221507Z")], None),
        (&[("x-time-left", "1")], None),
    ];
    for (pairs, left) in rows {
        assert_eq!(time_left(&of(pairs), now()), left.map(millis), "{pairs:?}");
    }
    // By the system's clock, which is past that day.
    assert_eq!(time_left_from_now(&of(&[("amz-sdk-request", "ttl=20200914T221507Z")])), Some(Duration::ZERO));
    assert_eq!(time_left_from_now(&of(&[(ENVOY, "5")])), Some(millis(5)));
}

#[test]
fn the_number_of_an_attempt_is_the_largest_that_is_claimed() {
    let rows: &[(Headers<'_>, Option<u32>)] = &[
        (&[], None),
        (&[("x-envoy-attempt-count", "1")], Some(1)),
        (&[("x-envoy-attempt-count", "0")], None),
        (&[("x-envoy-attempt-count", "-1"), ("grpc-previous-rpc-attempts", "many")], None),
        (&[("grpc-previous-rpc-attempts", "0")], Some(1)),
        (&[("grpc-previous-rpc-attempts", "2")], Some(3)),
        (&[("amz-sdk-request", "ttl=20200914T221507Z; attempt=2; max=3")], Some(2)),
        (&[("amz-sdk-request", "attempt=0")], None),
        (&[("x-envoy-attempt-count", "2"), ("x-envoy-attempt-count", "4"), ("amz-sdk-request", "attempt=3")], Some(4)),
        (&[("x-envoy-attempt-count", "99999999999999999999999")], Some(u32::MAX)),
        (&[("grpc-previous-rpc-attempts", "18446744073709551615")], Some(u32::MAX)),
    ];
    for (pairs, number) in rows {
        assert_eq!(AttemptNumber::of(&of(pairs)).map(AttemptNumber::get), *number, "{pairs:?}");
    }
    assert_eq!((AttemptNumber::new(0), AttemptNumber::new(1)), (AttemptNumber::FIRST, AttemptNumber::FIRST));
    assert!(!AttemptNumber::FIRST.is_retry() && AttemptNumber::new(2).is_retry());
    assert_eq!(AttemptNumber::new(7).to_string(), "7");
}

#[test]
fn a_number_is_written_in_place_of_another() {
    let mut headers =
        of(&[("x-envoy-attempt-count", "8"), ("x-envoy-attempt-count", "9"), ("grpc-previous-rpc-attempts", "9")]);
    AttemptNumber::new(2).write(&mut headers);
    assert_eq!(headers.get_all("x-envoy-attempt-count").iter().collect::<Vec<_>>(), ["2"]);
    AttemptNumber::new(2).write_grpc(&mut headers);
    assert_eq!(headers["grpc-previous-rpc-attempts"], "1");
    AttemptNumber::FIRST.write_grpc(&mut headers);
    assert_eq!(headers.get("grpc-previous-rpc-attempts"), None);
}

/// The headers that an attempt of these rules sends.
fn sent(rules: &RequestRules, number: u32, left: Option<Duration>, mut headers: HeaderMap) -> HeaderMap {
    rules.prepare(&mut headers, Attempt::new(number, left));
    headers
}

#[test]
fn nothing_is_sent_unless_it_is_asked_for() {
    let left = Some(millis(1_500));
    assert!(sent(&RequestRules::new(), 2, left, HeaderMap::new()).is_empty());
    assert!(sent(&RequestRules::new().send_deadline(true).send_deadline(false), 2, left, HeaderMap::new()).is_empty());
    assert!(sent(&RequestRules::new().send_attempt(true).send_attempt(false), 2, left, HeaderMap::new()).is_empty());
    assert!(sent(&RequestRules::new().send_deadline(true), 2, None, HeaderMap::new()).is_empty(), "no limit");
}

#[test]
fn each_attempt_sends_its_number_and_its_time() {
    let rules = RequestRules::new().send_deadline(true).send_attempt(true);
    let first = sent(&rules, 1, Some(Duration::from_micros(1_999_999)), HeaderMap::new());
    assert_eq!((&first[ENVOY], &first["x-envoy-attempt-count"]), (&"1999".parse().unwrap(), &"1".parse().unwrap()));
    let second = sent(&rules, 2, Some(millis(40)), HeaderMap::new());
    assert_eq!((&second[ENVOY], &second["x-envoy-attempt-count"]), (&"40".parse().unwrap(), &"2".parse().unwrap()));

    let own = header(TimeFormat::Seconds);
    for rules in [
        RequestRules::new().send_deadline_as(own.clone()),
        RequestRules::new().send_deadline_as(own.clone()).send_deadline(true),
        RequestRules::new().send_deadline(true).send_deadline_as(own),
    ] {
        let headers = sent(&rules, 1, Some(millis(2_900)), HeaderMap::new());
        assert_eq!((headers.len(), &headers["x-time-left"]), (1, &"2".parse().unwrap()));
    }
}

#[test]
fn a_shorter_time_that_was_set_by_hand_stays() {
    let rules = RequestRules::new().send_deadline(true).attempt_headers(|headers, attempt| {
        if attempt.number() == 2 {
            headers.insert(ENVOY, "30".parse().unwrap());
        }
    });
    let rows = [
        (1, &[][..], "100"),
        (1, &["50"], "50"),
        (1, &["100"], "100"),
        (1, &["101"], "100"),
        (1, &["soon"], "100"),
        (1, &["500", "70"], "70"),
        (1, &["0"], "0"),
        (2, &[], "30"),
        (2, &["50"], "30"),
    ];
    for (number, by_hand, expected) in rows {
        let pairs: Vec<_> = by_hand.iter().map(|value| (ENVOY, *value)).collect();
        let headers = sent(&rules, number, Some(millis(100)), of(&pairs));
        assert_eq!(headers.get_all(ENVOY).iter().collect::<Vec<_>>(), [expected], "{by_hand:?} of {number}");
    }
}

fn durations() -> impl Strategy<Value = Duration> {
    // Of every magnitude, not only of the largest.
    (any::<u64>(), 0_u32..64, 0_u32..1_000_000_000).prop_map(|(bits, shift, nanos)| Duration::new(bits >> shift, nanos))
}

fn formats() -> impl Strategy<Value = TimeFormat> {
    prop::sample::select(FORMATS.to_vec())
}

/// Attacks E2. Some read zero as "no limit".
#[test]
fn less_than_one_unit_is_written_as_one() {
    for (format, unit) in [
        (TimeFormat::Seconds, Duration::from_secs(1)),
        (TimeFormat::Milliseconds, millis(1)),
        (TimeFormat::Microseconds, Duration::from_micros(1)),
        (TimeFormat::Nanoseconds, Duration::from_nanos(1)),
        (TimeFormat::Grpc, Duration::from_nanos(1)),
    ] {
        for left in [Duration::ZERO, unit - Duration::from_nanos(1), unit] {
            let mut headers = HeaderMap::new();
            header(format).write(&mut headers, left);
            assert_eq!(header(format).read(&headers), Some(unit), "{left:?} in {format:?}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_never_more_than_what_is_left(left in durations(), format in formats()) {
        let mut headers = HeaderMap::new();
        header(format).write(&mut headers, left);
        let read = header(format).read(&headers).unwrap();
        let unit = match format {
            TimeFormat::Seconds => Duration::from_secs(1),
            TimeFormat::Milliseconds => millis(1),
            TimeFormat::Microseconds => Duration::from_micros(1),
            _ => Duration::from_nanos(1),
        };
        prop_assert!(!read.is_zero(), "zero means no limit to some");
        if left < unit {
            prop_assert_eq!(read, unit);
        } else {
            prop_assert!(read <= left);
        }
    }

    #[test]
    fn hops_never_add_time(left in durations(), hops in prop::collection::vec(formats(), 1..6)) {
        // Each hop reads what the last one wrote, and passes it on.
        let mut time = left;
        for format in hops {
            let mut headers = HeaderMap::new();
            header(format).write(&mut headers, time);
            let read = header(format).read(&headers).unwrap();
            prop_assert!(read <= time.max(Duration::from_secs(1)), "{:?} of {:?}", read, time);
            prop_assert!(read <= time || time < Duration::from_secs(1), "{:?} of {:?}", read, time);
            time = read;
        }
    }

    #[test]
    fn a_value_that_is_there_only_shortens(
        left in durations(),
        there in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..24), 0..4),
        format in formats(),
    ) {
        let (header, mut headers) = (header(format), HeaderMap::new());
        for value in there {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(header.name(), value);
            }
        }
        let before = header.read(&headers);
        header.write(&mut headers, left);
        let after = header.read(&headers).unwrap();
        prop_assert!(after <= left.max(Duration::from_secs(1)));
        prop_assert!(before.is_none_or(|before| after <= before || before > left));
        prop_assert_eq!(headers.get_all(header.name()).iter().count(), 1);
    }

    #[test]
    fn any_headers_can_be_read(
        values in prop::collection::vec((0_usize..4, "[0-9TZ=;, .attemplSmun-]{0,40}"), 0..6),
        seconds in any::<u32>(),
    ) {
        let names = [ENVOY, "grpc-timeout", "amz-sdk-request", "x-envoy-attempt-count"];
        let pairs: Vec<_> = values.iter().map(|(name, value)| (names[*name], value.as_str())).collect();
        let headers = of(&pairs);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
        let all = time_left(&headers, now);
        // One header more never gives more time.
        let mut more = headers.clone();
        more.append(ENVOY, HeaderValue::from_static("7"));
        let seven = millis(7);
        prop_assert_eq!(time_left(&more, now), Some(all.map_or(seven, |all| all.min(seven))));
        prop_assert!(AttemptNumber::of(&headers).is_none_or(|number| number.get() >= 1));
    }
}
