//! Durations in files, such as `"30s"` and `"1m 30s"`: reads and writes them.

use std::fmt::Write as _;
use std::time::Duration;

/// The units in files, longest first: the name that is written, other names, and nanoseconds.
const UNITS: [(&str, &[&str], u128); 7] = [
    ("d", &["day", "days"], 86_400_000_000_000),
    ("h", &["hour", "hours"], 3_600_000_000_000),
    ("m", &["min", "minute", "minutes"], 60_000_000_000),
    ("s", &["sec", "second", "seconds"], 1_000_000_000),
    ("ms", &[], 1_000_000),
    ("us", &["µs"], 1_000),
    ("ns", &[], 1),
];

/// The texts that [`parse`] reads, except those with too many digits, as a regular expression.
pub(crate) const PATTERN: &str =
    "^\\s*([0-9]+(\\.[0-9]+)?\\s*(d|days?|h|hours?|m|min|minutes?|s|sec|seconds?|ms|us|µs|ns)\\s*)+$";

/// Why a text is no duration, phrased to follow "must".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoDuration {
    NoUnit,
    UnknownUnit,
    NoNumber,
    TooLong,
    TooFine,
}

impl NoDuration {
    /// The rule that the text breaks.
    pub(crate) fn rule(self, text: &str) -> String {
        match self {
            Self::NoUnit => {
                let number = text.trim();
                format!("have a unit: write \"{number}s\" for seconds or \"{number}ms\" for milliseconds")
            }
            Self::UnknownUnit => "have units of d, h, m, s, ms, us or ns, as in \"1m 30s\"".to_owned(),
            Self::NoNumber => "be a duration, such as \"250ms\", \"30s\" or \"1m 30s\"".to_owned(),
            Self::TooLong => "be at most 584 years".to_owned(),
            Self::TooFine => "be a whole number of nanoseconds".to_owned(),
        }
    }
}

/// Reads a duration: numbers with units, which are added up.
pub(crate) fn parse(text: &str) -> Result<Duration, NoDuration> {
    let mut rest = text.trim();
    let mut nanos = 0_u128;
    if rest.is_empty() {
        return Err(NoDuration::NoNumber);
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len()));
        nanos = nanos.checked_add(part(number, unit)?).ok_or(NoDuration::TooLong)?;
        rest = after.trim_start();
    }
    // Builders refuse what exceeds 2^64 nanoseconds. Only what `Duration` cannot hold is refused
    // here.
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let seconds = u64::try_from(seconds).map_err(|_| NoDuration::TooLong)?;
    Ok(Duration::new(seconds, u32::try_from(nanos).unwrap_or_default()))
}

/// The nanoseconds of a number with its unit.
fn part(number: &str, unit: &str) -> Result<u128, NoDuration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(NoDuration::NoNumber);
    }
    let found = UNITS.iter().find(|(name, others, _)| *name == unit || others.contains(&unit));
    let scale = match found {
        Some((_, _, scale)) => *scale,
        None if unit.is_empty() => return Err(NoDuration::NoUnit),
        None => return Err(NoDuration::UnknownUnit),
    };
    let whole: u128 = whole.parse().map_err(|_| NoDuration::TooLong)?;
    let nanos = whole.checked_mul(scale).ok_or(NoDuration::TooLong)?;
    nanos.checked_add(fraction_of(fraction, scale)?).ok_or(NoDuration::TooLong)
}

/// The nanoseconds of the digits after the point, exactly.
fn fraction_of(digits: &str, scale: u128) -> Result<u128, NoDuration> {
    let digits = digits.trim_end_matches('0');
    // A day has 14 digits of nanoseconds, so more digits are always a part of one.
    if digits.len() > 14 {
        return Err(NoDuration::TooFine);
    }
    let Ok(number) = digits.parse::<u128>() else { return Ok(0) };
    let tenths = 10_u128.pow(u32::try_from(digits.len()).unwrap_or_default());
    if number * scale % tenths == 0 { Ok(number * scale / tenths) } else { Err(NoDuration::TooFine) }
}

/// Writes a duration as [`parse`] reads it, exactly.
pub(crate) fn written(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, _, scale) in UNITS {
        let count = rest / scale;
        rest %= scale;
        if count > 0 {
            let separator = if text.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{separator}{count}{name}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NoDuration, parse, written};

    #[test]
    fn durations_are_read_in_every_unit() {
        let millis = |text| parse(text).map(|duration| duration.as_millis());
        for (text, expected) in [
            ("30s", 30_000),
            ("1m 30s", 90_000),
            ("1min30sec", 90_000),
            (" 2 h ", 7_200_000),
            ("1.5s", 1_500),
            ("0.250 s", 250),
            ("1d 1ms", 86_400_001),
            ("0s", 0),
            ("1000us", 1),
            ("1000µs", 1),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        assert_eq!(parse("1.000000001s"), Ok(Duration::new(1, 1)));
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, expected) in [
            ("20", NoDuration::NoUnit),
            ("1m 30", NoDuration::NoUnit),
            ("5 parsecs", NoDuration::UnknownUnit),
            ("", NoDuration::NoNumber),
            ("soon", NoDuration::NoNumber),
            ("-3s", NoDuration::NoNumber),
            ("1.s", NoDuration::NoNumber),
            ("1.2.3s", NoDuration::NoNumber),
            ("1,5s", NoDuration::NoUnit),
            ("0.5ns", NoDuration::TooFine),
            ("1.0000000000000001d", NoDuration::TooFine),
            ("99999999999999999999999999d", NoDuration::TooLong),
            ("999999999999999999999999999999999999999999s", NoDuration::TooLong),
            ("18446744073709551616s", NoDuration::TooLong),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_written_duration_is_read_as_itself() {
        for duration in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_millis(90_250),
            Duration::from_secs(86_400),
            Duration::MAX,
        ] {
            assert_eq!(parse(&written(duration)), Ok(duration), "{}", written(duration));
        }
        assert_eq!(written(Duration::from_millis(90_250)), "1m 30s 250ms");
    }
}
