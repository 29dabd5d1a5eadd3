//! `grpc-retry-pushback-ms` by gRFC A6.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use redress_tonic::{Pushback, RETRY_PUSHBACK};

fn metadata(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (RETRY_PUSHBACK, HeaderValue::from_str(value).expect("a value"))).collect()
}

#[test]
fn milliseconds_are_waited_and_everything_else_is_never() {
    for (value, millis) in [("0", 0), ("1", 1), ("250", 250), ("2147483647", 2_147_483_647)] {
        assert_eq!(Pushback::parse(value), Pushback::Wait(Duration::from_millis(millis)), "{value}");
    }
    let never = [
        "-1",
        "-0",
        "-2147483648",
        "",
        " ",
        "soon",
        "1.5",
        "+5",
        "007",
        "00",
        "0x10",
        "1 ",
        " 1",
        "1,2",
        "2147483648",
        "99999999999999999999999999",
        "\u{661}",
    ];
    for value in never {
        assert_eq!(Pushback::parse(value), Pushback::Never, "{value:?}");
    }
}

#[test]
fn two_values_are_none() {
    assert_eq!(Pushback::from_headers(&metadata(&[])), None);
    assert_eq!(Pushback::from_headers(&metadata(&["5"])), Some(Pushback::Wait(Duration::from_millis(5))));
    assert_eq!(Pushback::from_headers(&metadata(&["5", "5"])), Some(Pushback::Never));
}

proptest! {
    #[test]
    fn every_count_of_32_bits_is_read_by_its_sign(number in any::<i32>()) {
        let expected = u64::try_from(number).map_or(Pushback::Never, |millis| Pushback::Wait(Duration::from_millis(millis)));
        prop_assert_eq!(Pushback::parse(number.to_string()), expected);
    }

    #[test]
    fn any_bytes_are_an_answer(value in proptest::collection::vec(any::<u8>(), 0..16)) {
        if let Pushback::Wait(wait) = Pushback::parse(&value) {
            prop_assert_eq!(wait.as_millis().to_string().into_bytes(), value);
        }
    }
}
