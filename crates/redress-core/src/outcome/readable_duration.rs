//! Formats durations for people: "250 ms", "1.5 s", "2 min".

use std::fmt;
use std::time::Duration;

/// The units below a minute, written with a fraction: nanoseconds per unit, the limit in
/// nanoseconds from which the next unit is used, and the name.
const SHORT: [(u128, u128, &str); 4] = [
    (1, 1_000, "ns"),
    (1_000, 1_000_000, "µs"),
    (1_000_000, 1_000_000_000, "ms"),
    (1_000_000_000, 60_000_000_000, "s"),
];

/// The units from a minute up: seconds per unit and its name, the same for the smaller unit written
/// after it, and the limit in seconds from which the next unit is used.
const LONG: [(u64, &str, u64, &str, u64); 3] =
    [(60, "min", 1, "s", 3_600), (3_600, "h", 60, "min", 86_400), (86_400, "d", 3_600, "h", u64::MAX)];

/// Displays a duration in a unit that suits its size.
///
/// Rounds to three decimals below a minute, and to the smaller of two units from a minute up: "1
/// min 30 s".
///
/// ```
/// use std::time::Duration;
/// use redress::observe::Readable;
///
/// assert_eq!(Readable(Duration::from_millis(1_500)).to_string(), "1.5 s");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Readable(pub Duration);

/// The smallest step that is printed of times below a limit, both in nanoseconds.
const STEPS: [(u128, u128); 5] = [
    (1_000_000, 1),
    (1_000_000_000, 1_000),
    (60_000_000_000, 1_000_000),
    (3_600_000_000_000, 1_000_000_000),
    (86_400_000_000_000, 60_000_000_000),
];

/// The step of times from a day up.
const HOUR: u128 = 3_600_000_000_000;

impl Readable {
    /// The shortest time that is printed exactly and is not shorter than this one.
    pub(crate) fn up(time: Duration) -> Self {
        Self::rounded(time, u128::div_ceil)
    }

    /// The longest time that is printed exactly and is not longer than this one.
    pub(crate) fn down(time: Duration) -> Self {
        Self::rounded(time, |nanos, step| nanos / step)
    }

    fn rounded(time: Duration, divide: fn(u128, u128) -> u128) -> Self {
        let nanos = time.as_nanos();
        let step = STEPS.iter().find(|(end, _)| nanos < *end).map_or(HOUR, |(_, step)| *step);
        // A time near the longest one, 584 years of nanoseconds, is printed in hours anyway.
        let nanos = u64::try_from(divide(nanos, step) * step).unwrap_or(u64::MAX);
        Self(Duration::from_nanos(nanos))
    }
}

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0 s");
        }
        for (unit, end, name) in SHORT {
            // Rounded before the comparison, so that a value that rounds up to the next unit is
            // written in that unit.
            let thousandths = (nanos * 1_000 + unit / 2) / unit;
            if thousandths * unit < end * 1_000 {
                return write_thousandths(f, thousandths, name);
            }
        }
        let seconds = self.0.as_secs().saturating_add(u64::from(self.0.subsec_millis() >= 500));
        for (unit, name, small, small_name, end) in LONG {
            let smalls = seconds.saturating_add(small / 2) / small;
            let (whole, rest) = (smalls / (unit / small), smalls % (unit / small));
            if smalls * small < end {
                write!(f, "{whole} {name}")?;
                return if rest == 0 { Ok(()) } else { write!(f, " {rest} {small_name}") };
            }
        }
        Ok(())
    }
}

fn write_thousandths(f: &mut fmt::Formatter<'_>, thousandths: u128, unit: &str) -> fmt::Result {
    let (whole, fraction) = (thousandths / 1_000, thousandths % 1_000);
    if fraction == 0 {
        return write!(f, "{whole} {unit}");
    }
    let digits = format!("{fraction:03}");
    write!(f, "{whole}.{} {unit}", digits.trim_end_matches('0'))
}
