//! The intended differences between redress-http and the original, and the inputs that each covers.

use http::StatusCode;
use redress_core::ErrorClass;
use redress_http::classify_status;

use super::difference::Difference;

/// The intended differences in the three tables about HTTP.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        table: "http",
        example: "422",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the request was understood and its content refused; the same content is refused again",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.21",
        covers: |status| status == "422",
    },
    Difference {
        table: "http",
        example: "421",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "this connection leads to the wrong server; the request may be sent again on another, with any method",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20",
        covers: |status| status == "421",
    },
    Difference {
        table: "http",
        example: "425",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the server declines to act before TLS is set up, and expects the request again afterwards",
        source: "https://www.rfc-editor.org/rfc/rfc8470#section-5.2",
        covers: |status| status == "425",
    },
    Difference {
        table: "http",
        example: "423",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "another client holds a lock on the resource, and may release it",
        source: "https://www.rfc-editor.org/rfc/rfc4918#section-11.3",
        covers: |status| status == "423",
    },
    Difference {
        table: "http",
        example: "407",
        original: "UNKNOWN",
        ours: "AUTH",
        reason: "a 401 of the proxy: without other credentials it stays so",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8",
        covers: |status| status == "407",
    },
    Difference {
        table: "http",
        example: "410",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "4xx says that the client seems to have erred, and an unregistered one is read as a 400",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5",
        covers: is_a_client_error,
    },
    Difference {
        table: "http",
        example: "501",
        original: "SERVER_ERROR",
        ours: "PERMANENT",
        reason: "the server does not have the method, the version or the variant, and repeating the request does not change that",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.2",
        covers: |status| ["501", "505", "506", "508", "510"].contains(&status),
    },
    Difference {
        table: "http",
        example: "511",
        original: "SERVER_ERROR",
        ours: "AUTH",
        reason: "a 401 of the network: without credentials it stays so",
        source: "https://www.rfc-editor.org/rfc/rfc6585#section-6",
        covers: |status| status == "511",
    },
    Difference {
        table: "http_retry_after",
        example: "503 Retry-After: 7",
        original: "none",
        ours: "7",
        reason: "the header is defined for every response; the original reads it for 429 alone",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: hints_at_another_class_than_rate_limit,
    },
    Difference {
        table: "http_retry_after",
        example: "429 Retry-After: 1, 2",
        original: "1",
        ours: "2",
        reason: "of several headers the original reads the first; the longest wait satisfies all of them",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
        covers: |input| {
            let value = input.split_once("429 Retry-After: ").map_or("", |(_, value)| value);
            value.contains(", ") && value.split(", ").all(is_digits)
        },
    },
    Difference {
        table: "http_retry_after_value",
        example: "\u{663}",
        original: "3",
        ours: "none",
        reason: "a number of seconds is ASCII digits; digits of other scripts and `1_000` are Python's",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: |value| !value.is_ascii() || value.contains('_'),
    },
    Difference {
        table: "http_retry_after_value",
        example: "5.",
        original: "none",
        ours: "5",
        reason: "a server that sends a fraction means a time; rounded up, the client does not come back too early",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: |value| value.split_once('.').is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction)),
    },
    Difference {
        table: "http_retry_after_value",
        example: "5,6",
        original: "none",
        ours: "6",
        reason: "proxies join headers of one name to a list; the longest wait satisfies all of them",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
        covers: |value| value.contains(',') && value.split(',').all(is_digits),
    },
    Difference {
        table: "http_retry_after_value",
        example: "5 seconds",
        original: "none",
        ours: "5",
        reason: "a number with a unit is clear; no hint would mean a retry too early",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: |value| ["5s", "5 seconds", "1d"].contains(&value),
    },
    Difference {
        table: "http_retry_after_value",
        example: "\"5\"",
        original: "none",
        ours: "5",
        reason: "quotes do not change the meaning of a number; no hint would mean a retry too early",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: |value| value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).is_some_and(is_digits),
    },
    Difference {
        table: "http_retry_after_value",
        example: "Mon, 04 Mar 2031 05:07:07 GMT",
        original: "59.75",
        ours: "none",
        reason: "a date with the wrong weekday names no day: no hint is better than a guess between two",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7",
        covers: has_a_wrong_weekday,
    },
    Difference {
        table: "http_retry_after_value",
        example: "Tue, 04 Mar 2031 05:07:07 +0000",
        original: "59.75",
        ours: "none",
        reason: "HTTP defines three forms, all in GMT and in exact spelling; mail has other zones, any case, no weekday, \
                 years before 1970, and the original reads them all",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7",
        covers: |value| is_a_date_of_mail(value) && !is_a_date(value) && !has_a_wrong_weekday(value),
    },
    Difference {
        table: "http_retry_after_value",
        example: "Tuesday, 01-Jan-69 00:00:00 GMT",
        original: "0",
        ours: "1193856832.75",
        reason: "two-digit years are 1970 to 2069; Python starts at 1969",
        source: "https://docs.rs/httpdate",
        covers: |value| value.contains("-69 ") && is_a_date(value),
    },
];

/// Whether this is a 4xx without a row here or in the original's table.
fn is_a_client_error(status: &str) -> bool {
    let classed = ["400", "401", "403", "404", "407", "408", "409", "421", "422", "423", "425", "429"];
    let is_of_4xx = status.parse().is_ok_and(|status: u16| (400..500).contains(&status));
    is_of_4xx && !classed.contains(&status)
}

fn hints_at_another_class_than_rate_limit(input: &str) -> bool {
    let status =
        input.split_once(" Retry-After: ").and_then(|(status, _)| StatusCode::from_bytes(status.as_bytes()).ok());
    status.and_then(classify_status).is_some_and(|class| class.is_retryable() && class != ErrorClass::RateLimit)
}

/// Whether the text holds nothing but digits; true if empty.
fn is_digits(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_a_date(value: &str) -> bool {
    httpdate::parse_http_date(value).is_ok()
}

/// Whether the text is a day that there is, and a time of it, as mail writes them and Python reads
/// them: `Tue, 04 Mar 2031 05:07:07 +0000`, with or without the weekday and the zone, in any case.
fn is_a_date_of_mail(value: &str) -> bool {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let value = value.to_ascii_lowercase();
    let date = value.split_once(',').map_or(value.as_str(), |(_, date)| date);
    let parts: Vec<&str> = date.split_whitespace().collect();
    let [day, month, year, time, ..] = parts[..] else { return false };
    let Some(month) = MONTHS.iter().position(|name| *name == month) else { return false };
    let (Ok(day), Ok(year)) = (day.parse(), year.parse::<u16>()) else { return false };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last: u8 = match month {
        1 if is_leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    (1..=last).contains(&day) && is_a_time_of_day(time)
}

fn is_a_time_of_day(time: &str) -> bool {
    let numbers: Option<Vec<u8>> = time.split(':').map(|number| number.parse().ok()).collect();
    matches!(numbers.as_deref(), Some([hour, minute, second]) if *hour < 24 && *minute < 60 && *second < 60)
}

/// Whether it becomes a valid date with another weekday.
fn has_a_wrong_weekday(value: &str) -> bool {
    const LONG: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let value = value.trim();
    let end = value.find([',', ' ']).unwrap_or(value.len());
    let (weekday, rest) = value.split_at(end);
    let others = LONG.iter().map(|day| if weekday.len() == 3 { &day[..3] } else { day });
    !is_a_date(value) && others.into_iter().any(|day| is_a_date(&format!("{day}{rest}")))
}
