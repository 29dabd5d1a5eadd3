//! The idempotent methods, and the guard that decides whether a request may be sent again. Its
//! results are in `retry_safety.rs`.

use http::{HeaderMap, Method, StatusCode};
use redress_core::Classification;

use crate::evidence::{STATUS, is_not_acted_on};
use crate::retry_safety::RetrySafety;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Returns whether the method is idempotent by its definition: sending the request twice has the
/// same effect as sending it once.
///
/// GET, HEAD, OPTIONS, TRACE, PUT and DELETE ([RFC 9110, section
/// 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)), and QUERY
/// ([draft](https://datatracker.ietf.org/doc/draft-ietf-httpbis-safe-method-w-body/)). Every other
/// method, known or not, counts as not idempotent, including `get`, because methods are
/// case-sensitive.
///
/// ```
/// use http::Method;
/// use redress::integration::http::is_idempotent_method;
///
/// assert!(is_idempotent_method(&Method::PUT));
/// assert!(!is_idempotent_method(&Method::POST));
/// ```
#[must_use]
pub fn is_idempotent_method(method: &Method) -> bool {
    // By name, because not every supported release of `http` has a constant for QUERY.
    matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE" | "QUERY")
}

/// Decides whether a request may be sent again after a failure.
///
/// After a failed attempt, it is usually unknown whether the server acted on it. By default a
/// request may be retried if
///
/// - its [method is idempotent](is_idempotent_method);
/// - it carries an `Idempotency-Key`, by which the server recognises the repetition
///   ([draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)). The
///   key must be the same on every attempt, and an empty one does not count;
/// - the failure says that the request was [not acted on](Classification::is_unsent): no connection
///   was made, a 421, a 425 or a 408 with `Connection: close`, a refused HTTP/2 stream ([RFC 9110,
///   section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)).
///
/// A 429 or a 503 gives no such guarantee.
/// [`retry_non_idempotent_on`](Self::retry_non_idempotent_on) allows single statuses, for servers
/// that refuse requests before they act, and [`retry_non_idempotent`](Self::retry_non_idempotent)
/// allows everything.
///
/// **Invariant N1**: a request that is not idempotent and was received completely is sent again
/// only if the server or the transport said that it was not acted on.
///
/// **Invariant N4**: what an exchange says about the request counts only if it was the attempt's
/// only one. After a redirect, the failure is that of another request, and the first one may have
/// been acted on. Clients that follow redirects pass the guard what it may count.
///
/// ```
/// use http::{HeaderMap, HeaderValue, Method};
/// use redress::integration::http::{IdempotencyGuard, RetrySafety};
///
/// let guard = IdempotencyGuard::new();
/// let mut headers = HeaderMap::new();
/// assert!(guard.safety(&Method::GET, &headers).may_retry());
/// assert_eq!(guard.safety(&Method::POST, &headers), RetrySafety::NotIdempotent);
///
/// headers.insert("Idempotency-Key", HeaderValue::from_static("\"8e03978e\""));
/// assert_eq!(guard.safety(&Method::POST, &headers), RetrySafety::IdempotencyKey);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyGuard {
    retry_non_idempotent: bool,
    /// The statuses that allow a retry: one bit for each of 4xx and 5xx.
    allowed_statuses: [u64; 4],
}

impl IdempotencyGuard {
    /// Creates a guard with the default: only requests that are known to be idempotent may be sent
    /// again.
    #[must_use]
    pub const fn new() -> Self {
        Self { retry_non_idempotent: false, allowed_statuses: [0; 4] }
    }

    /// Sets whether requests that are not known to be idempotent are retried as well. Default:
    /// `false`.
    ///
    /// For services whose operations can be repeated even though their methods are not idempotent,
    /// such as a search by POST. With any other service a retry may charge, send or create twice.
    ///
    /// ```
    /// use http::{HeaderMap, Method};
    /// use redress::integration::http::{IdempotencyGuard, RetrySafety};
    ///
    /// let guard = IdempotencyGuard::new().retry_non_idempotent(true);
    /// assert_eq!(guard.safety(&Method::POST, &HeaderMap::new()), RetrySafety::OptIn);
    /// ```
    #[must_use]
    pub const fn retry_non_idempotent(mut self, retry: bool) -> Self {
        self.retry_non_idempotent = retry;
        self
    }

    /// Also retries requests that are not known to be idempotent if the response has this status,
    /// such as 429 or 503 from a server that refuses requests before it acts on them. Call it once
    /// for each status. Default: none.
    ///
    /// A status outside 4xx and 5xx is not a failure and has no effect here.
    ///
    /// ```
    /// use http::StatusCode;
    /// use redress::integration::http::IdempotencyGuard;
    ///
    /// let guard = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::TOO_MANY_REQUESTS);
    /// # let _ = guard;
    /// ```
    #[must_use]
    pub const fn retry_non_idempotent_on(mut self, status: StatusCode) -> Self {
        if let Some((word, bit)) = place(status) {
            self.allowed_statuses[word] |= bit;
        }
        self
    }

    /// Returns whether the request with this method and these headers may be sent again after this
    /// failure, and why. `answer` is the status of the response, if there was one.
    ///
    /// All integrations decide here. They only add whether the [body](RetrySafety::with_body) can
    /// be sent again.
    ///
    /// ```
    /// use http::{HeaderMap, Method, StatusCode};
    /// use redress::integration::http::{IdempotencyGuard, RetrySafety, classify_response};
    /// use std::time::SystemTime;
    ///
    /// let guard = IdempotencyGuard::new();
    /// let headers = HeaderMap::new();
    /// let early = classify_response(StatusCode::TOO_EARLY, &headers, SystemTime::now()).unwrap();
    /// let safety = guard.safety_after(&Method::POST, &headers, Some(StatusCode::TOO_EARLY), &early);
    /// assert_eq!(safety, RetrySafety::NeverSent);
    /// ```
    #[must_use]
    pub fn safety_after(
        &self,
        method: &Method,
        headers: &HeaderMap,
        answer: Option<StatusCode>,
        failure: &Classification,
    ) -> RetrySafety {
        self.after(self.safety(method, headers), answer, failure)
    }

    /// Like [`safety_after`](Self::safety_after), for integrations that kept the result of
    /// [`safety`](Self::safety).
    #[must_use]
    pub fn after(&self, safety: RetrySafety, answer: Option<StatusCode>, failure: &Classification) -> RetrySafety {
        if safety != RetrySafety::NotIdempotent {
            return safety;
        }
        let of_error = || failure.detail(STATUS).and_then(|status| status.parse().ok());
        match answer.or_else(of_error) {
            _ if failure.is_unsent() => RetrySafety::NeverSent,
            Some(status) if is_not_acted_on(status.as_u16()) => RetrySafety::NeverSent,
            Some(status) if self.is_turned_away(status) => RetrySafety::AllowedStatus,
            _ => safety,
        }
    }

    const fn is_turned_away(&self, status: StatusCode) -> bool {
        match place(status) {
            Some((word, bit)) => self.allowed_statuses[word] & bit != 0,
            None => false,
        }
    }

    /// Returns whether the request with this method and these headers may be sent again after any
    /// failure, and why.
    #[must_use]
    pub fn safety(&self, method: &Method, headers: &HeaderMap) -> RetrySafety {
        if is_idempotent_method(method) {
            RetrySafety::IdempotentMethod
        } else if has_idempotency_key(headers) {
            RetrySafety::IdempotencyKey
        } else if self.retry_non_idempotent {
            RetrySafety::OptIn
        } else {
            RetrySafety::NotIdempotent
        }
    }
}

/// The position of a status' bit, or `None` for a status that is not a failure.
const fn place(status: StatusCode) -> Option<(usize, u64)> {
    match status.as_u16() {
        // Any 64 codes in a row have 64 different remainders.
        code @ 400..=599 => Some(((code as usize - 400) / 64, 1 << (code % 64))),
        _ => None,
    }
}

/// The key is a quoted string in the draft and an unquoted one in common use; neither may be empty.
fn has_idempotency_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    keys.any(|key| !matches!(key.as_bytes().trim_ascii(), b"" | b"\"\""))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use redress_core::ErrorClass;

    use super::*;

    fn method(name: &str) -> Method {
        name.parse().expect("a method")
    }

    fn key(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("Idempotency-Key", HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn methods_are_idempotent_by_definition_only() {
        for name in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"] {
            assert!(is_idempotent_method(&method(name)), "{name}");
        }
        for name in ["POST", "PATCH", "CONNECT", "PROPFIND", "PURGE", "get", "Query", "GETT"] {
            assert!(!is_idempotent_method(&method(name)), "{name}");
        }
    }

    #[test]
    fn the_guard_names_the_first_reason_that_holds() {
        let (guard, opted_in) = (IdempotencyGuard::new(), IdempotencyGuard::new().retry_non_idempotent(true));
        let (get, post) = (Method::GET, Method::POST);
        let rows = [
            (guard, &get, HeaderMap::new(), RetrySafety::IdempotentMethod),
            (guard, &get, key("k"), RetrySafety::IdempotentMethod),
            (guard, &post, HeaderMap::new(), RetrySafety::NotIdempotent),
            (guard, &post, key("k"), RetrySafety::IdempotencyKey),
            (opted_in, &get, HeaderMap::new(), RetrySafety::IdempotentMethod),
            (opted_in, &post, key("k"), RetrySafety::IdempotencyKey),
            (opted_in, &post, HeaderMap::new(), RetrySafety::OptIn),
            (opted_in.retry_non_idempotent(false), &post, HeaderMap::new(), RetrySafety::NotIdempotent),
        ];
        for (guard, method, headers, safety) in rows {
            assert_eq!(guard.safety(method, &headers), safety, "{guard:?} {method} {headers:?}");
        }
    }

    #[test]
    fn a_failure_allows_what_was_certainly_not_acted_on_or_was_named() {
        let named = IdempotencyGuard::new()
            .retry_non_idempotent_on(StatusCode::SERVICE_UNAVAILABLE)
            .retry_non_idempotent_on(StatusCode::TOO_MANY_REQUESTS);
        let plain = Classification::new(ErrorClass::ServerError);
        let after = |guard: IdempotencyGuard, code: u16, failure: &Classification| {
            let status = StatusCode::from_u16(code).expect("a status");
            guard.safety_after(&Method::POST, &HeaderMap::new(), Some(status), failure)
        };
        for code in 400..=599 {
            let by_itself =
                if [421, 425].contains(&code) { RetrySafety::NeverSent } else { RetrySafety::NotIdempotent };
            let allowed = if [429, 503].contains(&code) { RetrySafety::AllowedStatus } else { by_itself };
            assert_eq!(after(named, code, &plain), allowed, "{code}");
            assert_eq!(after(IdempotencyGuard::new(), code, &plain), by_itself, "{code}");
            assert_eq!(after(named, code, &plain.clone().unsent()), RetrySafety::NeverSent, "{code}");
        }
        let of_error = plain.with_detail("status", "503");
        assert_eq!(named.safety_after(&Method::POST, &HeaderMap::new(), None, &of_error), RetrySafety::AllowedStatus);
        let of_get = named.safety_after(&Method::GET, &HeaderMap::new(), None, &of_error);
        assert_eq!(of_get, RetrySafety::IdempotentMethod);
        let no_failure = IdempotencyGuard::new().retry_non_idempotent_on(StatusCode::OK);
        assert_eq!(no_failure, IdempotencyGuard::new());
    }

    #[test]
    fn an_empty_key_is_none() {
        let safety = |headers: &HeaderMap| IdempotencyGuard::new().safety(&Method::POST, headers);
        for empty in ["", " ", "\"\"", " \"\" "] {
            assert_eq!(safety(&key(empty)), RetrySafety::NotIdempotent, "{empty:?}");
        }
        let mut two = key("");
        two.append("idempotency-key", HeaderValue::from_static("k"));
        assert_eq!(safety(&two), RetrySafety::IdempotencyKey);
    }

    #[test]
    fn a_key_is_opaque_bytes() {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_bytes(b"\xff\xfe").expect("opaque bytes"));
        assert_eq!(IdempotencyGuard::new().safety(&Method::PATCH, &headers), RetrySafety::IdempotencyKey);
    }
}
