//! `ErrorResponse`, a bad response as an error.

use std::error::Error;
use std::fmt;
use std::io::Read;

use http::{HeaderMap, StatusCode};

use crate::body::BODY_LIMIT;

/// A response that reports an error, as an error: status, headers and the beginning of the body, up
/// to [`BODY_LIMIT`].
///
/// An operation returns it in place of a bad response, alone or as the source of another error. The
/// classifiers of [`openai`](crate::openai) and [`anthropic`](crate::anthropic) find it in any
/// source chain.
///
/// ```
/// use redress::integration::llm::ErrorResponse;
/// use redress::integration::llm::anthropic::anthropic_classifier;
/// use redress::{Classifier, ErrorClass};
///
/// let overloaded = http::Response::builder().status(529).header("retry-after", "7").body(r#"{"type": "error"}"#).unwrap();
/// let (head, body) = overloaded.into_parts();
/// let result: Result<String, _> = Err(ErrorResponse::new(head.status, head.headers, body));
/// let failure = anthropic_classifier().classify(&result).unwrap();
/// assert_eq!(failure.class(), ErrorClass::ServerError);
/// assert_eq!(failure.retry_after().unwrap().as_secs(), 7);
/// ```
///
/// `Display` and `Debug` show the status and no header and no body, which may quote the request or
/// a key.
#[derive(Clone)]
pub struct ErrorResponse(Box<Inner>);

#[derive(Clone)]
struct Inner {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl ErrorResponse {
    /// Creates the error of a response whose body was read. Keeps the first [`BODY_LIMIT`] bytes of
    /// it.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let kept = &body[..body.len().min(BODY_LIMIT + 1)];
        Self::of(status, headers, kept.to_vec())
    }

    /// Creates the error of a response of a blocking client, and reads its body up to
    /// [`BODY_LIMIT`]. A body that breaks is as long as it came: the status decides without it. Set
    /// a timeout on the client, because a body may come slowly.
    ///
    /// ```no_run
    /// use redress::integration::llm::ErrorResponse;
    ///
    /// # fn complete(agent: &ureq::Agent, request: &str) -> Result<String, Box<dyn std::error::Error>> {
    /// let request = agent.post("https://api.anthropic.com/v1/messages").config().http_status_as_error(false).build();
    /// let (head, mut body) = request.send("{}")?.into_parts();
    /// if head.status.as_u16() >= 400 {
    ///     return Err(ErrorResponse::read(head.status, head.headers, body.as_reader()).into());
    /// }
    /// # Ok(body.read_to_string()?)
    /// # }
    /// ```
    #[must_use]
    pub fn read(status: StatusCode, headers: HeaderMap, body: impl Read) -> Self {
        let mut kept = Vec::new();
        // What arrived before an error is kept.
        let _ = body.take(BODY_LIMIT as u64 + 1).read_to_end(&mut kept);
        Self::of(status, headers, kept)
    }

    /// A body of one byte more than the limit is one that was cut, and is not parsed.
    pub(crate) fn of(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self(Box::new(Inner { status, headers, body }))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The first [`BODY_LIMIT`] bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.0.body[..self.0.body.len().min(BODY_LIMIT)]
    }

    /// The body with the byte that shows that it was cut.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.0.body
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}", self.status())
    }
}

impl fmt::Debug for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorResponse").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Error for ErrorResponse {}
