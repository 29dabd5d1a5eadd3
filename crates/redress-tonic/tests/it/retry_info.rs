//! Valid and invalid `google.rpc.RetryInfo` in a status' details.

use std::time::Duration;

use proptest::prelude::*;
use prost::Message;
use redress_tonic::retry_delay;
use tonic_types::pb;

/// The bytes of a message with one length-delimited field after another.
fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    [&[number << 3 | 2, length], payload].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

/// A `google.rpc.RetryInfo` with this delay, by hand, since no library writes one that is out of
/// range.
fn retry_info(seconds: i64, nanos: i32) -> Vec<u8> {
    let seconds = varint(u64::from_le_bytes(seconds.to_le_bytes()));
    let nanos = varint(u64::from_le_bytes(i64::from(nanos).to_le_bytes()));
    field(1, &[&[0x08][..], &seconds, &[0x10], &nanos].concat())
}

fn details(url: &str, infos: &[Vec<u8>]) -> Vec<u8> {
    let any = |info: &Vec<u8>| field(3, &[field(1, url.as_bytes()), field(2, info)].concat());
    infos.iter().flat_map(any).collect()
}

const URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

#[test]
fn a_delay_of_any_length_is_read_unless_it_is_negative() {
    let rows = [
        (0, 0, Some(Duration::ZERO)),
        (7, 500_000_000, Some(Duration::from_millis(7_500))),
        (i64::MAX, 999_999_999, Some(Duration::new(i64::MAX.unsigned_abs(), 999_999_999))),
        (-1, 0, None),
        (0, -1, None),
        (i64::MIN, i32::MIN, None),
        (1, 1_000_000_000, None),
        (1, i32::MAX, None),
    ];
    for (seconds, nanos, expected) in rows {
        assert_eq!(retry_delay(&details(URL, &[retry_info(seconds, nanos)])), expected, "{seconds} {nanos}");
    }
}

#[test]
fn the_first_that_can_be_read_counts() {
    let (bad, none) = (vec![0xff, 0xff], Vec::new());
    let infos = [bad, none, retry_info(-3, 0), retry_info(4, 0), retry_info(5, 0)];
    assert_eq!(retry_delay(&details(URL, &infos)), Some(Duration::from_secs(4)));
    assert_eq!(retry_delay(&details("example.org/google.rpc.RetryInfo", &infos)), Some(Duration::from_secs(4)));
    assert_eq!(retry_delay(&details("type.googleapis.com/google.rpc.DebugInfo", &infos)), None);
    assert_eq!(retry_delay(b""), None);
    assert_eq!(retry_delay(b"not a protobuf"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = retry_delay(&bytes);
        let _ = retry_delay(&details(URL, &[bytes]));
    }

    #[test]
    fn what_the_library_writes_is_read(seconds in 0_u64..315_576_000_000, nanos in 0_u32..1_000_000_000) {
        let delay = Duration::new(seconds, nanos);
        let info = pb::RetryInfo { retry_delay: Some(delay.try_into().expect("in range")) };
        prop_assert_eq!(retry_delay(&details(URL, &[info.encode_to_vec()])), Some(delay));
    }
}
