//! Where redress-http answers differently from the Python original (redress 1.4.2), and why.
//!
//! Owns the list. The tables it speaks of are the original's recorded answers; every row of them that is not covered
//! here is answered as the original answers it, and the crate's tests hold both to that.
//!
//! ```
//! use redress_http::differences::{ALL, covering};
//!
//! for difference in ALL {
//!     println!("{difference}");
//! }
//! let unprocessable = covering("http", "422").unwrap();
//! assert_eq!((unprocessable.original, unprocessable.ours), ("UNKNOWN", "PERMANENT"));
//! ```

use std::fmt;

use redress_core::ErrorClass;

/// One way in which the answers differ: an example of it, and what it covers beyond the example.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The table: `http`, `http_retry_after_value` or `http_retry_after`.
    pub table: &'static str,
    /// An input: a status in `http`, a header's value in `http_retry_after_value`, and in `http_retry_after` both, as
    /// in `503 Retry-After: 7`.
    pub example: &'static str,
    /// The original's answer to the example: a class, or the seconds to wait (`none`: no hint).
    pub original: &'static str,
    /// Our answer to the example.
    pub ours: &'static str,
    /// Why ours is better.
    pub reason: &'static str,
    /// The document that says so.
    pub source: &'static str,
    covers: fn(&str) -> bool,
}

impl Difference {
    /// Whether the answers to `input`, spelled like [`example`](Self::example), may differ for this reason.
    #[must_use]
    pub fn covers(&self, table: &str, input: &str) -> bool {
        self.table == table && (self.covers)(input)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            example,
            original,
            ours,
            reason,
            source,
            ..
        } = self;
        write!(
            f,
            "{table}: {example}: {original} -> {ours}: {reason} ({source})"
        )
    }
}

/// The difference that covers this input of this table, if there is one.
#[must_use]
pub fn covering(table: &str, input: &str) -> Option<&'static Difference> {
    ALL.iter()
        .find(|difference| difference.covers(table, input))
}

/// Every difference. Dates are seen from the tables' present, 2031-03-04T05:06:07.25Z.
pub const ALL: &[Difference] = &[
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
        table: "http_retry_after",
        example: "503 Retry-After: 7",
        original: "none",
        ours: "7",
        reason: "the header is defined for every response; the original reads it for 429 alone",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: hints_at_another_class_than_rate_limit,
    },
    Difference {
        table: "http_retry_after_value",
        example: "\u{663}",
        original: "3",
        ours: "none",
        reason: "a number of seconds is ASCII digits; digits of other scripts and `1_000` are what Python reads",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
        covers: |value| !value.is_ascii() || value.contains('_'),
    },
    Difference {
        table: "http_retry_after_value",
        example: "Tuesday, 01-Jan-75 00:00:00 GMT",
        original: "0",
        ours: "1383159232.75",
        reason: "a two-digit year is past only if it would be more than fifty years ahead; Python starts at 1969",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7",
        covers: |value| two_digit_year(value).is_some_and(|year| (69..=81).contains(&year)),
    },
];

fn hints_at_another_class_than_rate_limit(input: &str) -> bool {
    let status = input
        .split_once(" Retry-After: ")
        .and_then(|(status, _)| status.parse().ok());
    let class = status.and_then(ErrorClass::from_status);
    class.is_some_and(|class| class.is_retryable() && class != ErrorClass::RateLimit)
}

/// The year of `Sunday, 06-Nov-94 ...`.
fn two_digit_year(value: &str) -> Option<u8> {
    let (_, year) = value.split_whitespace().nth(1)?.rsplit_once('-')?;
    if year.len() == 2 {
        year.parse().ok()
    } else {
        None
    }
}
