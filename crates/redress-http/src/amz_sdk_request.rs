//! Reads `amz-sdk-request`, in which AWS's clients send an attempt's number and the end of its
//! call: `ttl=20200914T221505Z; attempt=1; max=3`. It is never written.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName};

use crate::deadline_header::number;

pub(crate) const NAME: HeaderName = HeaderName::from_static("amz-sdk-request");

/// Returns the time from `now` until the earliest `ttl=`. A time in the past is zero.
pub(crate) fn time_to_live(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let ends = members(headers, b"ttl").filter_map(time_of_day);
    let left = |seconds: u64| {
        let end = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        Some(end.duration_since(now).unwrap_or_default())
    };
    left(ends.min()?)
}

/// Returns the largest `attempt=`.
pub(crate) fn attempt(headers: &HeaderMap) -> Option<u64> {
    members(headers, b"attempt").filter_map(number).max()
}

/// The values of the members of this name.
fn members<'h>(headers: &'h HeaderMap, name: &'static [u8]) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(NAME).iter();
    let members = values.flat_map(|value| value.as_bytes().split(|byte| matches!(byte, b';' | b',')));
    members.filter_map(move |member| {
        let at = member.iter().position(|byte| *byte == b'=')?;
        let (key, value) = member.split_at(at);
        key.trim_ascii().eq_ignore_ascii_case(name).then(|| value[1..].trim_ascii())
    })
}

/// Parses a time of day in UTC, such as `20200914T221505Z`, to seconds since 1970.
fn time_of_day(text: &[u8]) -> Option<u64> {
    let [date @ .., b'Z'] = text else { return None };
    if date.len() != 15 || date[8] != b'T' {
        return None;
    }
    let part = |from: usize, to: usize| number(&date[from..to]);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    // A leap second is the first second of the next minute.
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Counts days by years that begin in March, so that the leap day is the last of its year. Source:
/// [Howard Hinnant, `days_from_civil`](https://howardhinnant.github.io/date_algorithms.html).
const fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_those_of_http_dates() {
        for days in 0..60_000_u64 {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + 8_130);
            let date = httpdate::fmt_http_date(at);
            // Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
            let (day, month, year) = (&date[5..7], &date[8..11], &date[12..16]);
            let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let month = names.iter().position(|name| *name == month).expect("a month") + 1;
            let text = format!("{year}{month:02}{day}T021530Z");
            assert_eq!(time_of_day(text.as_bytes()), Some(days * 86_400 + 8_130), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_of_day_is_not_read() {
        let rows = [
            "",
            "Z",
            "20200914T221505",
            "20200914 221505Z",
            "20200914T2215051Z",
            "2020-09-14T22:15:05Z",
            "19691231T235959Z",
            "20201314T221505Z",
            "20200014T221505Z",
            "20200932T221505Z",
            "20200900T221505Z",
            "20200914T241505Z",
            "20200914T226005Z",
            "20200914T221561Z",
            "2020091aT221505Z",
            "+2020914T221505Z",
            "20200914T221505z",
            "\u{ff}\u{ff}",
        ];
        for text in rows {
            assert_eq!(time_of_day(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(time_of_day(b"19700101T000000Z"), Some(0));
        assert_eq!(time_of_day(b"99991231T235960Z"), Some(253_402_300_800));
    }
}
