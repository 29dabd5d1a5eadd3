//! Durations as text: those of scenario files and requirements, such as `1m30s`, and those that
//! people read.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

/// The units, with their length in nanoseconds. A unit comes before one that it begins with.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// What a duration must look like.
pub(crate) const RULE: &str = "a duration such as \"200ms\", \"1.5s\" or \"2m30s\"";

/// Reads numbers with units, longest unit first or not.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut nanos: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|letter: char| letter.is_ascii_digit() || letter == ' ').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(scaled(number, *length)?)?;
        rest = after.trim_start();
    }
    Some(Duration::from_nanos(nanos))
}

/// A decimal number times a length, without floating point.
fn scaled(number: &str, length: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(length)?;
    let mut place = length;
    for digit in fraction.chars() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit.to_digit(10)?) * place)?;
    }
    Some(nanos)
}

/// A duration of a scenario file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).map(Self).ok_or_else(|| D::Error::custom(format_args!("expected {RULE}, found {text:?}")))
    }
}

/// A duration for people: two or three digits and a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readable(pub(crate) Duration);

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX);
        let (unit, length) = match nanos {
            0 => ("s", 1_000_000_000),
            1..1_000_000 => ("µs", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            1_000_000_000..600_000_000_000 => ("s", 1_000_000_000),
            _ => ("min", 60_000_000_000),
        };
        let tenths = nanos / (length / 10);
        let (whole, tenth) = (tenths / 10, tenths % 10);
        let text = if whole < 10 && tenth > 0 { format!("{whole}.{tenth} {unit}") } else { format!("{whole} {unit}") };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Readable, parse};

    #[test]
    fn durations_are_numbers_with_units() {
        let cases = [
            ("30s", Some(30_000)),
            ("1.5s", Some(1_500)),
            ("200ms", Some(200)),
            ("2m30s", Some(150_000)),
            (" 1h 1m ", Some(3_660_000)),
            ("0s", Some(0)),
            ("5000us", Some(5)),
            ("", None),
            ("30", None),
            ("s", None),
            ("1.s", None),
            (".5s", None),
            ("1..5s", None),
            ("-1s", None),
            ("30 s", None),
            ("30x", None),
            ("99999999999999999999h", None),
            ("9999999h", None),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn people_read_a_few_digits() {
        let cases = [
            (0, "0 s"),
            (850, "850 µs"),
            (1_200, "1.2 ms"),
            (12_900, "12 ms"),
            (2_000_000, "2 s"),
            (23_456_000, "23 s"),
            (720_000_000, "12 min"),
        ];
        for (micros, text) in cases {
            assert_eq!(Readable(Duration::from_micros(micros)).to_string(), text);
        }
    }
}
