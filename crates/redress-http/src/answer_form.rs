//! [`AnswerForm`], the form of an answer's body, and its choice by a request's `Accept`.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

/// The form of an answer's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerForm {
    /// `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with `type`,
    /// `title` and `status`. The default.
    #[default]
    Problem,
    /// `text/plain` with the title alone.
    Text,
}

impl AnswerForm {
    /// Returns the content type.
    #[must_use]
    pub const fn content_type(self) -> HeaderValue {
        match self {
            Self::Problem => HeaderValue::from_static("application/problem+json"),
            Self::Text => HeaderValue::from_static("text/plain; charset=utf-8"),
        }
    }

    /// Returns the form that the `Accept` of a request prefers ([RFC 9110, section
    /// 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)); [`Problem`](Self::Problem)
    /// if it prefers none, accepts none, or is missing. `application/json` accepts a problem too.
    ///
    /// Parts that cannot be parsed are ignored, as are parameters other than `q`.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use redress::integration::http::AnswerForm;
    ///
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(AnswerForm::accepted(&headers), AnswerForm::Problem);
    /// headers.insert("accept", "text/*, application/json;q=0.5".parse()?);
    /// assert_eq!(AnswerForm::accepted(&headers), AnswerForm::Text);
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Self {
        let (mut problem, mut text) = (Weight::default(), Weight::default());
        for range in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(ranges) {
            let Some(range) = Range::parse(range) else { continue };
            problem.learn(range, "application", &["problem+json", "json"]);
            text.learn(range, "text", &["plain"]);
        }
        if text.quality > problem.quality { Self::Text } else { Self::Problem }
    }
}

/// Splits at the commas outside of quoted strings.
fn ranges(value: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |letter| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match letter {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        letter == ',' && !is_quoted
    })
}

/// A media range, with its quality in thousandths.
#[derive(Clone, Copy)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut weights = parts.filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("q").then_some(value)
        });
        let quality = weights.next().map_or(Some(1_000), thousandths)?;
        Some(Self { kind, subtype, quality })
    }

    /// How closely this range describes the type: by name, by `type/*`, by `*/*`, or not at all.
    fn closeness(self, kind: &str, subtypes: &[&str]) -> Option<u8> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (own, "*") if own.eq_ignore_ascii_case(kind) => Some(1),
            (own, subtype) if own.eq_ignore_ascii_case(kind) => {
                // The first is the type itself; the others are those that include it.
                let place = subtypes.iter().position(|known| subtype.eq_ignore_ascii_case(known))?;
                Some(if place == 0 { 3 } else { 2 })
            }
            _ => None,
        }
    }
}

/// The value of `q`: 0 to 1 with up to three digits after the point (RFC 9110, section 12.4.2).
fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    match whole {
        "0" => format!("{fraction:0<3}").parse().ok(),
        "1" if fraction.bytes().all(|digit| digit == b'0') => Some(1_000),
        _ => None,
    }
}

/// What the closest range so far says about a type.
#[derive(Default)]
struct Weight {
    closeness: Option<u8>,
    quality: u16,
}

impl Weight {
    /// The closest range decides, and among equally close ones the last.
    fn learn(&mut self, range: Range<'_>, kind: &str, subtypes: &[&str]) {
        let closeness = range.closeness(kind, subtypes);
        if closeness.is_some() && closeness >= self.closeness {
            (self.closeness, self.quality) = (closeness, range.quality);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(values: &[&str]) -> AnswerForm {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        AnswerForm::accepted(&headers)
    }

    #[test]
    fn the_form_is_the_one_that_accept_prefers() {
        let text: [&[&str]; 15] = [
            &["text/plain"],
            &["TEXT/Plain"],
            &["text/*"],
            &["text/plain;charset=utf-8;q=0.5, */*;q=0.1"],
            &["*/*;q=0.1", "text/plain"],
            &["application/problem+json;q=0, */*"],
            &["application/json;q=0, */*"],
            &["application/*;q=0.001, text/*; q=0.002"],
            &["text/plain; Q=1.000, application/json; q=0.999"],
            &["application/json, application/problem+json;q=0.2, text/plain;q=0.3"],
            &["application/problem+json;q=0.2, application/json, text/plain;q=0.3"],
            &["text/plain;q=0, text/plain"],
            &[r#"text/plain;x="a,application/json,b""#],
            &[r#"text/plain;x="a\",application/json,b""#],
            &[r#"image/png;x="\\", text/plain"#],
        ];
        for values in text {
            assert_eq!(accepted(values), AnswerForm::Text, "{values:?}");
        }
    }

    #[test]
    fn a_problem_is_the_form_of_all_others() {
        let problem: [&[&str]; 14] = [
            &[],
            &[""],
            &["*/*"],
            &["application/json"],
            &["application/problem+json"],
            &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            &["text/html"],
            &["text/plain;q=0"],
            &["text/plain, text/plain;q=0"],
            &["text/plain;q=0.5, application/json;q=0.5"],
            &["text/plain;q=0.5, application/*"],
            &["image/png;q=0.1"],
            &["text/plain;q=0, application/problem+json;q=0"],
            &["text/plain;q=0.9", "application/problem+json"],
        ];
        for values in problem {
            assert_eq!(accepted(values), AnswerForm::Problem, "{values:?}");
        }
    }

    #[test]
    fn parts_that_cannot_be_parsed_are_ignored() {
        let ignored = [
            "text",
            "/",
            "text/",
            "/plain",
            "*/plain",
            ";q=1",
            "text/plain;q=",
            "text/plain;q=2",
            "text/plain;q=1.001",
            "text/plain;q=0.0001",
            "text/plain;q=-1",
            "text/plain;q=.5",
            "text/plain;q=0.5x",
            "text/plain;q=nan",
            "text/plain;q=1e0",
            "text/plain;q=\u{e9}",
        ];
        for value in ignored {
            assert_eq!(accepted(&[value]), AnswerForm::Problem, "{value}");
            assert_eq!(accepted(&[&format!("{value}, text/plain")]) == AnswerForm::Text, value.is_ascii(), "{value}");
        }
    }
}
