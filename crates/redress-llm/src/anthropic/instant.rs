//! Parses a moment of RFC 3339. The grammar is here, the calendar is jiff's, which reads more forms
//! than this one.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// The digits of a fraction that count.
const FRACTION: usize = 9;

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

pub(super) fn parse_instant(text: &str) -> Option<SystemTime> {
    let mut rest = Rest(text);
    let (year, month, day) = (rest.number(4)?, rest.after(&['-'], 2)?, rest.after(&['-'], 2)?);
    let (hour, minute, second) = (rest.after(&['T', 't', ' '], 2)?, rest.after(&[':'], 2)?, rest.after(&[':'], 2)?);
    let nanos = rest.fraction()?;
    let offset = rest.offset()?;
    let small = |number: u32| i8::try_from(number).ok();
    // Refuses a second number 60 as well.
    let moment = DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        i32::try_from(nanos).ok()?,
    );
    // A `Timestamp` of jiff ends a day before the year 9999 does.
    let since = moment.ok()?.duration_since(EPOCH).checked_sub(SignedDuration::from_secs(offset))?;
    let distance = since.unsigned_abs();
    if since.is_negative() { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// What is left of a text.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
    }

    /// A number after one of these characters.
    fn after(&mut self, before: &[char], digits: usize) -> Option<u32> {
        self.0 = self.0.strip_prefix(before)?;
        self.number(digits)
    }

    /// Nanoseconds, zero without a point. `None` for a point without digits.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix('.') else { return Some(0) };
        let (digits, rest) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()));
        self.0 = rest;
        let counted = &digits[..digits.len().min(FRACTION)];
        let number: u32 = counted.parse().ok()?;
        Some((counted.len()..FRACTION).fold(number, |number, _| number * 10))
    }

    /// The offset in seconds, at the end of the text.
    fn offset(&mut self) -> Option<i64> {
        if matches!(self.0, "Z" | "z") {
            return Some(0);
        }
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = (self.after(&['+', '-'], 2)?, self.after(&[':'], 2)?);
        let is_offset = self.0.is_empty() && hours < 24 && minutes < 60;
        is_offset.then(|| sign * i64::from(hours * 3600 + minutes * 60))
    }
}
