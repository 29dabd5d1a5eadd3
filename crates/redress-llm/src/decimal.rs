//! Decimal numbers as vendors write durations: ASCII digits, with a fraction or without.

use std::time::Duration;

/// The most digits before the point, without leading zeros, as in redress-http.
const MOST_DIGITS: usize = 308;

/// The digits of a fraction that count; an hour has 13 digits of nanoseconds.
const FRACTION: usize = 15;

const NANOS_OF_A_SECOND: u128 = 1_000_000_000;

/// Splits the number off the beginning of a text, and returns it with the rest. A point needs
/// digits on both sides.
pub(crate) fn split(text: &str) -> Option<(Decimal<'_>, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            if fraction.is_empty() {
                return None;
            }
            (fraction, rest)
        }
    };
    let is_readable = !whole.is_empty() && whole.trim_start_matches('0').len() <= MOST_DIGITS;
    is_readable.then_some((Decimal { whole, fraction }, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

/// A number that is not negative.
pub(crate) struct Decimal<'t> {
    whole: &'t str,
    fraction: &'t str,
}

impl Decimal<'_> {
    /// So many times a unit of this many nanoseconds, saturating.
    pub(crate) fn nanos(&self, unit: u64) -> u128 {
        // A string of digits only fails to parse if it overflows.
        let whole = self.whole.parse().unwrap_or(u64::MAX);
        let fraction = &self.fraction[..self.fraction.len().min(FRACTION)];
        let scale = fraction.bytes().fold(1, |scale: u128, _| scale * 10);
        let part = fraction.parse().map_or(0, |part: u64| u128::from(part) * u128::from(unit) / scale);
        u128::from(whole) * u128::from(unit) + part
    }
}

/// A duration of so many nanoseconds. More than `u64::MAX` seconds are that many.
pub(crate) fn duration(nanos: u128) -> Duration {
    match u64::try_from(nanos / NANOS_OF_A_SECOND) {
        Ok(seconds) => Duration::new(seconds, u32::try_from(nanos % NANOS_OF_A_SECOND).unwrap_or(0)),
        Err(_) => Duration::from_secs(u64::MAX),
    }
}
