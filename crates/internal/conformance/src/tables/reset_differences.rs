//! The intended differences between redress-llm and the original in the values of resets, and the
//! values that each covers.

use redress_llm::openai;

use super::difference::Difference;
use super::llm_differences::of;

/// OpenAI's page on the headers of rate limits.
pub(super) const OPENAI_LIMITS: &str = "https://developers.openai.com/api/docs/guides/rate-limits";

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
        |value| has_the_form_of_iso_8601(value) && !has_the_form_of_rfc_3339(value),
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
    let mut units = value.trim().split(|letter: char| letter.is_ascii_digit() || letter == '.');
    let is_below_a_second = units.any(|unit| unit.len() > 1);
    let has_fraction = value
        .split('.')
        .skip(1)
        .any(|rest| !rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).starts_with('s'));
    openai::parse_reset(value).is_some() && (is_below_a_second || has_fraction)
}

/// Whether it is a day as ISO 8601 writes one, alone or with a time after any character, as Python
/// reads it: the time is digits with colons, a point or a comma, and at most one zone.
fn has_the_form_of_iso_8601(value: &str) -> bool {
    const DAYS: [&str; 6] = ["dddd-dd-dd", "dddd-Wdd-d", "dddd-Wdd", "ddddWddd", "ddddWdd", "dddddddd"];
    let form = form(value);
    let Some(rest) = DAYS.iter().find_map(|day| form.strip_prefix(day)) else { return false };
    let time = rest.chars().next().map_or("", |separator| &rest[separator.len_utf8()..]);
    let (time, offset) = time.split_at(time.find(['+', '-']).unwrap_or(time.len()));
    let time = if offset.is_empty() { time.strip_suffix('Z').unwrap_or(time) } else { time };
    let is_numeric = |text: &str, others: &str| text.chars().all(|letter| letter == 'd' || others.contains(letter));
    let is_a_time = time.starts_with("dd") && is_numeric(time, ":.,");
    rest.is_empty() || (is_a_time && is_numeric(offset, "+-:"))
}

/// The text with a `d` for each digit.
fn form(value: &str) -> String {
    value.trim().chars().map(|letter| if letter.is_ascii_digit() { 'd' } else { letter }).collect()
}

/// Whether each character is of the kind that RFC 3339 has in its place.
fn has_the_form_of_rfc_3339(value: &str) -> bool {
    let form = form(value);
    let Some(rest) = ["T", "t", " "].iter().find_map(|t| form.strip_prefix(&format!("dddd-dd-dd{t}dd:dd:dd"))) else {
        return false;
    };
    let zone = rest.strip_prefix(".d").map_or(rest, |rest| rest.trim_start_matches('d'));
    ["Z", "z", "+dd:dd", "-dd:dd"].contains(&zone)
}
