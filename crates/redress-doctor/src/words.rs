//! Numbers, times and lists as people write them.

use std::time::Duration;

use redress_core::observe::Readable;

/// A duration in a unit that suits its size; [`Duration::MAX`] is no limit.
pub(crate) fn time(duration: Duration) -> String {
    if duration == Duration::MAX { "no limit".into() } else { Readable(duration).to_string() }
}

/// Seconds as a time: "50 s", "2 h", "61 years".
pub(crate) fn seconds(seconds: f64) -> String {
    const YEAR: f64 = 365.25 * 86_400.0;
    if seconds >= YEAR {
        return format!("{} years", number(seconds / YEAR));
    }
    // Three digits, so that a computed time is not printed to the microsecond.
    let step = 10_f64.powf(seconds.log10().floor() - 2.0);
    let rounded = if seconds > 0.0 { (seconds / step).round() * step } else { 0.0 };
    Readable(Duration::try_from_secs_f64(rounded).unwrap_or(Duration::MAX)).to_string()
}

/// A number with at most three significant digits after a leading zero or below a thousand, and
/// with its thousands grouped.
pub(crate) fn number(value: f64) -> String {
    if value.abs() >= 100.0 {
        return grouped(value.round() as u64);
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = usize::try_from(2 - value.abs().log10().floor() as i32).unwrap_or(0);
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole number with its thousands grouped: "1,000".
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: "1 attempt", "4 attempts".
pub(crate) fn count(value: u64, thing: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(value))
}

/// Tokens of a budget: "1 token", "0.5 tokens".
pub(crate) fn tokens(value: f64) -> String {
    format!("{} token{}", number(value), if value == 1.0 { "" } else { "s" })
}

/// A share as a percentage: "1 %".
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::{count, grouped, number, percent, seconds};

    #[test]
    fn numbers_have_three_digits_and_groups() {
        let written = [0.0, 0.5, 4.7619, 47.619, 476.19, 12_345.6, 0.000_123_4].map(number);
        assert_eq!(written, ["0", "0.5", "4.76", "47.6", "476", "12,346", "0.000123"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([count(1, "attempt"), count(4, "attempt")], ["1 attempt", "4 attempts"]);
        assert_eq!([percent(0.01), percent(0.083_33)], ["1 %", "8.33 %"]);
    }

    #[test]
    fn computed_times_are_rounded_to_three_digits() {
        assert_eq!([0.0, 4.761_904, 47.6, 7_200.0].map(seconds), ["0 s", "4.76 s", "47.6 s", "2 h"]);
        assert_eq!(seconds(61.2 * 365.25 * 86_400.0), "61.2 years");
    }
}
