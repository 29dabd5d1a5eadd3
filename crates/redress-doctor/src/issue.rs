//! The values of issues as people read them. A builder keeps them in their `Debug` form.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::error::ConfigIssue;

use crate::words::time;

/// The units of a duration's `Debug` form, with their nanoseconds. The last one ends all others.
const UNITS: [(&str, u128); 4] = [("ns", 1), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// The value of an issue, and its class if the setting is per class.
pub(crate) fn value(issue: &ConfigIssue) -> (String, Option<ErrorClass>) {
    let text = issue.value();
    let pair = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).and_then(|pair| pair.split_once(", "));
    let of_class = pair.and_then(|(class, value)| Some((class_of(class)?, value)));
    match of_class {
        Some((class, value)) => (single(value), Some(class)),
        None => (list(text).unwrap_or_else(|| single(text)), None),
    }
}

fn list(text: &str) -> Option<String> {
    let items = text.strip_prefix('[')?.strip_suffix(']')?;
    if items.is_empty() {
        return Some("an empty list".to_owned());
    }
    Some(items.split(", ").map(single).collect::<Vec<_>>().join(", "))
}

fn single(text: &str) -> String {
    let class = || class_of(text).map(|class| class.to_string());
    duration(text).map(time).or_else(class).unwrap_or_else(|| text.to_owned())
}

fn class_of(name: &str) -> Option<ErrorClass> {
    ErrorClass::ALL.iter().copied().find(|class| format!("{class:?}") == name)
}

fn duration(text: &str) -> Option<Duration> {
    let (number, scale) = UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let tenths = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()?.checked_mul(scale)? / tenths };
    let nanos = whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(part)?;
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use redress_core::ErrorClass;
    use redress_core::error::ConfigIssue;

    use super::{duration, value};

    fn shown(of: impl std::fmt::Debug) -> (String, Option<ErrorClass>) {
        value(&ConfigIssue::new("retry.max_attempts", of, "be another"))
    }

    #[test]
    fn durations_and_classes_are_in_words() {
        let text = |of| (String::from(of), None);
        assert_eq!(shown(Duration::from_millis(1_500)), text("1.5 s"));
        assert_eq!(shown(Duration::ZERO), text("0 s"));
        assert_eq!(shown(Duration::MAX), text("no limit"));
        assert_eq!(shown(ErrorClass::RateLimit), text("RATE_LIMIT"));
        assert_eq!(shown([ErrorClass::Auth, ErrorClass::Permanent]), text("AUTH, PERMANENT"));
        assert_eq!(shown([ErrorClass::Auth; 0]), text("an empty list"));
        assert_eq!(shown((ErrorClass::RateLimit, 5)), ("5".to_owned(), Some(ErrorClass::RateLimit)));
        let wait = (ErrorClass::Transient, Duration::from_secs(9));
        assert_eq!(shown(wait), ("9 s".to_owned(), Some(ErrorClass::Transient)));
    }

    #[test]
    fn other_values_stay_as_they_are() {
        for (of, text) in [
            (shown(0.5), "0.5"),
            (shown(5), "5"),
            (shown("9s"), "\"9s\""),
            (shown((1, 2)), "(1, 2)"),
            (shown(format_args!("none")), "none"),
            (shown(format_args!("s")), "s"),
        ] {
            assert_eq!(of, (text.to_owned(), None));
        }
    }

    #[test]
    fn the_debug_form_of_a_duration_is_read_exactly() {
        for nanos in [1, 999, 1_000, 1_001, 1_500_000, 1_234_567_891, 90_000_000_000, u64::MAX] {
            let time = Duration::from_nanos(nanos);
            assert_eq!(duration(&format!("{time:?}")), Some(time), "{time:?}");
        }
    }
}
