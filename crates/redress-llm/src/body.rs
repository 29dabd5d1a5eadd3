//! Reads the type and the codes of an error from the body of a response or the data of an event,
//! within a limit.

use serde_json::Value;

/// The most bytes of a body that are kept and parsed: 64 KiB. Both vendors' errors are smaller than
/// 2 KiB. A longer body is not parsed, and the status decides.
pub const BODY_LIMIT: usize = 64 * 1024;

/// What a body says about an error. All of it is the vendor's own vocabulary, or of whatever
/// answered in its place.
pub(crate) struct Report {
    object: Value,
}

impl Report {
    /// Parses a body. `None` if it is longer than [`BODY_LIMIT`] or not JSON.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > BODY_LIMIT {
            return None;
        }
        Some(Self { object: serde_json::from_slice(body).ok()? })
    }

    /// Parses the data of an event if it reports an error: `{"error": {..}}`, `{"type": "error",
    /// ..}`, or `{"type": "response.failed", "response": {"error": {..}}}`.
    ///
    /// Most events are output. Those that cannot be errors are not parsed.
    pub(crate) fn of_event(data: &[u8]) -> Option<Self> {
        const WORD: &[u8] = b"error";
        if !data.windows(WORD.len()).any(|window| window == WORD) {
            return None;
        }
        let mut report = Self::parse(data)?;
        match report.object.get("type").and_then(Value::as_str) {
            Some("error") => {}
            Some("response.failed") => report.object = report.object.get_mut("response")?.take(),
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
