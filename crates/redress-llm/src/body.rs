//! Reads the type and the codes of an error from the body of a response or the data of an event,
//! within a limit.

use serde_json::Value;

/// The most bytes of a body that are kept and parsed: 64 KiB. An error is a handful of short texts.
/// A longer body is not parsed, and the status decides.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The most bytes of an event `response.failed` of OpenAI that are parsed: 1 MiB. The event repeats
/// the whole response with its instructions and tools, so it may be longer than [`BODY_LIMIT`]. A
/// longer one reports no error.
pub const EVENT_LIMIT: usize = 1024 * 1024;

/// The event of a response that failed.
const FAILED: &str = "response.failed";

/// What a body says about an error. All of it is the vendor's own vocabulary, or of whatever
/// answered in its place.
pub(crate) struct Report {
    object: Value,
}

impl Report {
    /// Parses a body. `None` if it is longer than [`BODY_LIMIT`] or not JSON.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        Self::parse_within(BODY_LIMIT, body)
    }

    fn parse_within(limit: usize, text: &[u8]) -> Option<Self> {
        if text.len() > limit {
            return None;
        }
        Some(Self { object: serde_json::from_slice(text).ok()? })
    }

    /// Parses the data of an event if it reports an error: `{"error": {..}}`, `{"type": "error",
    /// ..}`, or `{"type": "response.failed", "response": {"error": {..}}}`.
    ///
    /// Most events are output. Those that cannot be errors are not parsed.
    pub(crate) fn of_event(data: &[u8]) -> Option<Self> {
        let has = |word: &[u8]| data.windows(word.len()).any(|window| window == word);
        if !has(b"error") {
            return None;
        }
        let is_long = data.len() > BODY_LIMIT;
        if is_long && !has(FAILED.as_bytes()) {
            return None;
        }
        let mut report = Self::parse_within(EVENT_LIMIT, data)?;
        match report.object.get("type").and_then(Value::as_str) {
            Some(FAILED) => report.object = report.object.get_mut("response")?.take(),
            _ if is_long => return None,
            Some("error") => {}
            _ if report.error().is_some() => {}
            _ => return None,
        }
        Some(report)
    }

    /// The most specific first: the code, the code of the details, the type.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let (own, error) = (Some(&self.object), self.error());
        let details = error.and_then(|error| error.get("details"));
        let fields = [(own, "code"), (error, "code"), (details, "error_code"), (error, "type")];
        fields.into_iter().filter_map(|(of, key)| of?.get(key)?.as_str())
    }

    fn error(&self) -> Option<&Value> {
        self.object.get("error").filter(|error| error.is_object())
    }
}
