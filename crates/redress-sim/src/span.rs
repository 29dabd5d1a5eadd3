//! Durations of scenario files and requirements, such as `1m30s`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

/// The units with their names, and their length in nanoseconds: those of policy files.
const UNITS: [(&[&str], u64); 7] = [
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["m", "min", "minute", "minutes"], 60_000_000_000),
    (&["s", "sec", "second", "seconds"], 1_000_000_000),
    (&["ms"], 1_000_000),
    (&["us", "µs"], 1_000),
    (&["ns"], 1),
];

/// What a duration must look like.
pub(crate) const RULE: &str = "a duration such as \"200ms\", \"1.5s\" or \"2m 30s\"";

/// Reads numbers with units, which are added up.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut nanos: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|letter: char| !letter.is_alphabetic()).unwrap_or(after.len()));
        let (_, length) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        nanos = nanos.checked_add(scaled(number, *length)?)?;
        rest = after.trim_start();
    }
    Some(Duration::from_nanos(nanos))
}

/// A decimal number times a length, without floating point. `None` if it is no whole number of
/// nanoseconds.
fn scaled(number: &str, length: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(length)?;
    let mut place = length;
    for digit in fraction.trim_end_matches('0').chars() {
        if place % 10 != 0 {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn durations_are_numbers_with_units() {
        let cases = [
            ("30s", Some(30_000)),
            ("1.5s", Some(1_500)),
            ("200ms", Some(200)),
            ("2m30s", Some(150_000)),
            (" 1h 1m ", Some(3_660_000)),
            ("30 s", Some(30_000)),
            ("2 minutes 1sec", Some(121_000)),
            ("1d", Some(86_400_000)),
            ("0.250 s", Some(250)),
            ("0s", Some(0)),
            ("5000us", Some(5)),
            ("", None),
            ("30", None),
            ("s", None),
            ("1.s", None),
            (".5s", None),
            ("1..5s", None),
            ("-1s", None),
            ("30x", None),
            ("0.5ns", None),
            ("1.0000000001s", None),
            ("99999999999999999999h", None),
            ("9999999h", None),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
