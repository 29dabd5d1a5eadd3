//! The values of resets: durations as Go writes them, and moments of RFC 3339.

use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::{any, prop_assert_eq, proptest};
use redress::integration::llm::{anthropic, openai};

use crate::support::present;

#[test]
fn durations_are_read_as_go_writes_them() {
    let rows = [
        ("0s", 0),
        ("2s", 2_000_000_000),
        ("6m0s", 360_000_000_000),
        ("1h2m3.5s", 3_723_500_000_000),
        ("00h00m00s", 0),
        ("90m", 5_400_000_000_000),
        ("1h30s", 3_630_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("0.5m", 30_000_000_000),
        ("1.5h0.5m", 5_430_000_000_000),
        ("12ms", 12_000_000),
        ("8.64ms", 8_640_000),
        ("1us", 1_000),
        ("1\u{b5}s", 1_000),
        ("1\u{3bc}s", 1_000),
        ("7ns", 7),
        ("1h1m1s1ms1us1ns", 3_661_001_001_001),
        ("0.123456789123456789s", 123_456_789),
        (" 2s ", 2_000_000_000),
        ("4s\n", 4_000_000_000),
    ];
    for (value, nanos) in rows {
        assert_eq!(openai::parse_reset(value), Some(Duration::from_nanos(nanos)), "{value:?}");
    }
}

#[test]
fn anything_else_is_no_duration() {
    let rows = [
        "", " ", "s", "m", "1", "1.5", "0", "+1s", "-1s", "1S", "1H", "1.s", ".5s", "1..5s", "1e3s", "1s1m", "2s2s",
        "1m1h", "1ns1us", "inf", "nans", "P1D", "PT5S", "1min", "1d", "1m,2s", "1m 2s", "s1", "1s1", "1msm",
        "\u{663}s", "1\u{b5}",
    ];
    for value in rows {
        assert_eq!(openai::parse_reset(value), None, "{value:?}");
    }
    assert_eq!(openai::parse_reset(&format!("{}s", "9".repeat(309))), None);
    assert_eq!(openai::parse_reset(&format!("{}s", "0".repeat(309))), Some(Duration::ZERO));
    assert_eq!(openai::parse_reset(&format!("{}h", "9".repeat(308))), Some(Duration::from_secs(u64::MAX)));
    let most = format!("{}h{}m{}s", u64::MAX, u64::MAX, u64::MAX);
    assert_eq!(openai::parse_reset(&most), Some(Duration::from_secs(u64::MAX)));
}

fn wait(value: &str) -> Option<f64> {
    anthropic::parse_reset(value, present()).map(|wait| wait.as_secs_f64())
}

#[test]
fn moments_are_those_of_rfc_3339() {
    let rows = [
        ("2031-03-04T05:07:00Z", 52.75),
        ("2031-03-04t05:07:00z", 52.75),
        ("2031-03-04 05:07:00Z", 52.75),
        (" 2031-03-04T05:07:00Z ", 52.75),
        ("2031-03-04T07:07:00+02:00", 52.75),
        ("2031-03-03T23:37:00-05:30", 52.75),
        ("2031-03-04T05:07:00-00:00", 52.75),
        ("2031-03-04T05:06:09.5Z", 2.25),
        ("2031-03-04T05:06:09.125Z", 1.875),
        ("2028-12-24T05:06:07Z", 0.0),
        ("0000-01-01T00:00:00+23:59", 0.0),
        ("9999-12-31T23:59:59Z", 251_471_933_631.75),
        ("9999-12-31T23:59:59-23:59", 251_472_019_971.75),
        ("2032-02-29T05:06:07.25Z", 362.0 * 86_400.0),
    ];
    for (value, seconds) in rows {
        assert_eq!(wait(value), Some(seconds), "{value:?}");
    }
    let digits = |value: &str| anthropic::parse_reset(value, UNIX_EPOCH).map(|wait| wait.subsec_nanos());
    assert_eq!(digits("1970-01-02T00:00:00.123456789Z"), Some(123_456_789));
    assert_eq!(digits("1970-01-02T00:00:00.1234567899999Z"), Some(123_456_789));
    assert_eq!(digits("1970-01-02T00:00:00.000000001Z"), Some(1));
}

#[test]
fn anything_else_is_no_moment() {
    let rows = [
        "",
        "60",
        "6m0s",
        "05:07:00",
        "2031-03-04",
        "2031-03-04T05:07Z",
        "2031-03-04T05:07:00",
        "2031-03-04T05:07:00,5Z",
        "2031-03-04T05:07:00.Z",
        "2031-03-04T05:07:00ZZ",
        "2031-03-04T05:07:00+02",
        "2031-03-04T05:07:00+0200",
        "2031-03-04T05:07:00+25:00",
        "2031-03-04T05:07:00+24:00",
        "2031-03-04T05:07:00+02:60",
        "2031-03-04T05:07:00+02:00Z",
        "2031-03-04T24:00:00Z",
        "2031-03-04T25:00:00Z",
        "2031-03-04T05:60:00Z",
        "2031-03-04T05:06:60Z",
        "2031-06-30T23:59:60Z",
        "2031-02-29T00:00:00Z",
        "2031-00-10T00:00:00Z",
        "2031-13-10T00:00:00Z",
        "2031-3-4T05:07:00Z",
        "2031/03/04 05:07:00",
        "2031-03-04_05:07:00Z",
        "20310304T050700Z",
        "+2031-03-04T05:07:00Z",
        "-2031-03-04T05:07:00Z",
        "12031-03-04T05:07:00Z",
        "2031-03-04T05:07:00\u{2212}02:00",
        "\u{662}031-03-04T05:07:00Z",
        "2031-03-04T05:07:00 Z",
    ];
    for value in rows {
        assert_eq!(wait(value), None, "{value:?}");
    }
}

proptest! {
    #[test]
    fn every_duration_is_read_back(hours in 0_u32.., minutes in 0_u64..60, seconds in 0_u64..60, millis in 0_u64..1000) {
        let written = format!("{hours}h{minutes}m{seconds}.{millis:03}s");
        let expected = Duration::from_millis(((u64::from(hours) * 60 + minutes) * 60 + seconds) * 1000 + millis);
        prop_assert_eq!(openai::parse_reset(&written), Some(expected));
    }

    #[test]
    fn no_text_and_no_bytes_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let _ = openai::parse_reset(&text);
        let _ = anthropic::parse_reset(&text, present());
        let _ = openai::classify_event(&bytes, redress::integration::llm::Output::Undelivered);
    }
}
