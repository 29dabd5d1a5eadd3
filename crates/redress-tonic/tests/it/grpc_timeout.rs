//! `grpc-timeout` by its grammar: eight digits and a unit, never more than the time left.

use std::time::Duration;

use proptest::prelude::*;
use redress_tonic::{encode_grpc_timeout, parse_grpc_timeout};

/// Above it a value is cut to the most that can be written.
const MOST: Duration = Duration::from_secs(99_999_999 * 3600);

fn encoded(timeout: Duration) -> String {
    encode_grpc_timeout(timeout).to_str().expect("digits and a letter").to_owned()
}

#[test]
fn the_finest_unit_that_fits_is_written() {
    let rows = [
        (Duration::ZERO, "1n"),
        (Duration::from_nanos(1), "1n"),
        (Duration::from_nanos(99_999_999), "99999999n"),
        (Duration::from_nanos(100_000_000), "100000u"),
        (Duration::from_nanos(100_000_999), "100000u"),
        (Duration::from_micros(99_999_999), "99999999u"),
        (Duration::from_micros(100_000_000), "100000m"),
        (Duration::from_millis(100_000_000), "100000S"),
        (Duration::from_secs(100_000_000), "1666666M"),
        (Duration::from_secs(100_000_000 * 60), "1666666H"),
        (MOST, "99999999H"),
        (Duration::MAX, "99999999H"),
    ];
    for (timeout, value) in rows {
        assert_eq!(encoded(timeout), value, "{timeout:?}");
    }
}

#[test]
fn what_is_not_in_the_grammar_is_not_read() {
    for value in ["", "m", "1", "1s", "1h", "123456789m", "-1m", "+1m", "1.5S", " 1m", "1m ", "1mm", "\u{661}m", "1_0m"]
    {
        assert_eq!(parse_grpc_timeout(value), None, "{value:?}");
    }
    assert_eq!(parse_grpc_timeout([b'1', 0xff]), None);
    assert_eq!(parse_grpc_timeout("00000000n"), Some(Duration::ZERO));
    assert_eq!(parse_grpc_timeout("99999999H"), Some(MOST));
    assert_eq!(parse_grpc_timeout("2M"), Some(Duration::from_secs(120)));
    assert_eq!(parse_grpc_timeout("3S"), Some(Duration::from_secs(3)));
    assert_eq!(parse_grpc_timeout("4u"), Some(Duration::from_micros(4)));
}

fn durations() -> impl Strategy<Value = Duration> {
    // Of every magnitude, not only of the largest.
    (any::<u64>(), 0_u32..64, 0_u32..1_000_000_000).prop_map(|(bits, shift, nanos)| Duration::new(bits >> shift, nanos))
}

proptest! {
    #[test]
    fn it_is_at_most_eight_digits_and_a_unit(timeout in durations()) {
        let value = encoded(timeout);
        let (digits, unit) = value.split_at(value.len() - 1);
        prop_assert!((1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", value);
        prop_assert!("HMSmun".contains(unit), "{}", value);
    }

    #[test]
    fn it_is_never_more_than_there_is_and_little_less(timeout in durations()) {
        let read = parse_grpc_timeout(encoded(timeout)).expect("what was written can be read");
        if timeout.is_zero() {
            prop_assert_eq!(read, Duration::from_nanos(1));
        } else {
            prop_assert!(read <= timeout);
            // A unit is left when the number no longer fits, and the next has six digits of it at
            // least.
            let lost = timeout.min(MOST) - read;
            prop_assert!(lost < Duration::from_nanos(1).max(timeout / 99_999), "{:?} lost of {:?}", lost, timeout);
        }
    }

    #[test]
    fn any_bytes_can_be_read(value in proptest::collection::vec(any::<u8>(), 0..12)) {
        if let Some(timeout) = parse_grpc_timeout(&value) {
            prop_assert!(value.len() <= 9 && timeout <= MOST);
        }
    }
}
