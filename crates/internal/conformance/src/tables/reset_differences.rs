//! The intended differences between redress-llm and the original in the values of resets, and the
//! values that each covers.

use super::difference::Difference;
use super::llm_differences::of;

/// OpenAI's page on the headers of rate limits.
pub(super) const OPENAI_LIMITS: &str = "https://platform.openai.com/docs/guides/rate-limits";

/// Why a duration is read that the original does not read.
pub(super) const GO: &str =
    "OpenAI sends durations as Go writes them: milliseconds and less, and any unit with a fraction";

/// The intended differences in the tables of resets.
pub(super) const DIFFERENCES: &[Difference] = &[
    of("openai_reset_duration", "250ms", ("none", "0.25"), (GO, OPENAI_LIMITS), is_new_to_the_original),
    of(
        "openai_reset_duration",
        "\u{663}s",
        ("3", "none"),
        ("a duration is ASCII digits; digits of other scripts are Python's", "https://pkg.go.dev/time#Duration.String"),
        |value| value.chars().any(|letter| letter.is_numeric() && !letter.is_ascii()),
    ),
    of(
        "anthropic_reset",
        "2031-03-04T05:07:00",
        ("52.75", "none"),
        (
            "RFC 3339 alone: a moment has seconds and a zone, a point before the fraction, and hyphens and colons; \
             Python reads the whole of ISO 8601",
            "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        ),
        |value| is_like_a_moment(value) && !has_the_form_of_rfc_3339(value),
    ),
    of(
        "anthropic_reset",
        "2031-03-04T05:07:00z",
        ("none", "52.75"),
        ("RFC 3339 allows a lower-case z", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
        |value| value.trim().ends_with('z'),
    ),
    of(
        "anthropic_reset",
        "0000-01-01T00:00:00Z",
        ("none", "0"),
        (
            "RFC 3339 has a year zero, which has passed; Python has none",
            "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        ),
        |value| value.trim().starts_with("0000-"),
    ),
];

/// Whether this is a duration with a unit below a second, or a fraction of an hour or a minute.
pub(super) fn is_new_to_the_original(value: &str) -> bool {
    let units: Vec<&str> = value.trim().split(|letter: char| letter.is_ascii_digit() || letter == '.').collect();
    let is_duration =
        units.iter().all(|unit| ["", "h", "m", "s", "ms", "us", "\u{b5}s", "\u{3bc}s", "ns"].contains(unit));
    let is_below_a_second = units.iter().any(|unit| unit.len() > 1);
    let has_fraction = value
        .split('.')
        .skip(1)
        .any(|rest| !rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).starts_with('s'));
    is_duration && (is_below_a_second || has_fraction)
}

/// Whether it begins with a year and has more than digits.
fn is_like_a_moment(value: &str) -> bool {
    let value = value.trim();
    let year = value.bytes().take_while(u8::is_ascii_digit).count();
    year >= 4 && value.contains(['-', 'T', 'W'])
}

/// Whether each character is of the kind that RFC 3339 has in its place.
fn has_the_form_of_rfc_3339(value: &str) -> bool {
    let form: String = value.trim().chars().map(|letter| if letter.is_ascii_digit() { 'd' } else { letter }).collect();
    let Some(rest) = ["T", "t", " "].iter().find_map(|t| form.strip_prefix(&format!("dddd-dd-dd{t}dd:dd:dd"))) else {
        return false;
    };
    let zone = rest.strip_prefix(".d").map_or(rest, |rest| rest.trim_start_matches('d'));
    ["Z", "z", "+dd:dd", "-dd:dd"].contains(&zone)
}
