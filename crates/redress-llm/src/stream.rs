//! The errors of a stream of events that began with 200.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use redress_core::Classification;
use redress_http::classify_client;

/// Whether the operation has passed on output of the stream before it failed.
///
/// A second attempt begins again. Output that a user has seen, or a tool call that was made, would
/// come twice, so a retry is [forbidden](Classification::forbid_retry) after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// No output has left the operation: it is collected, or none has arrived.
    Undelivered,
    /// Some output has left the operation.
    Delivered,
}

impl Output {
    /// Forbids a retry after delivered output.
    pub(crate) fn judge(self, failure: Classification) -> Classification {
        match self {
            Self::Undelivered => failure,
            Self::Delivered => failure.forbid_retry("output_delivered"),
        }
    }
}

/// The error of a stream that began with 200: an event that reports one, or a connection that broke
/// in the middle. The classifiers of [`openai`](crate::openai) and [`anthropic`](crate::anthropic)
/// find it in any source chain.
///
/// Made by `check_event` of both modules and by [`interrupted`](Self::interrupted). Its `Display`
/// shows the class and the vendor's type of the error, not the message, which may quote the
/// request.
#[derive(Clone, Debug)]
pub struct StreamError {
    failure: Classification,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StreamError {
    pub(crate) const fn of_event(failure: Classification) -> Self {
        Self { failure, source: None }
    }

    /// Creates the error of a stream whose connection broke, from the client's error. Its class is
    /// that of [`classify_client`], and no retry is allowed after delivered output.
    ///
    /// ```
    /// use std::io;
    /// use redress::ErrorClass;
    /// use redress::integration::llm::{Output, StreamError};
    ///
    /// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    /// let error = StreamError::interrupted(reset, Output::Delivered);
    /// assert_eq!(error.classification().class(), ErrorClass::Transient);
    /// assert_eq!(error.classification().retry_forbidden(), Some("output_delivered"));
    /// ```
    pub fn interrupted(error: impl Error + Send + Sync + 'static, output: Output) -> Self {
        let failure = output.judge(classify_client(&error));
        Self { failure, source: Some(Arc::new(error)) }
    }

    /// The classification of the failure.
    pub const fn classification(&self) -> &Classification {
        &self.failure
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.source.is_some() { "the stream was interrupted" } else { "the stream ended with an error" };
        write!(f, "{what}: {}", self.failure.class())?;
        match self.failure.detail("quota").or_else(|| self.failure.detail("error")) {
            Some(word) => write!(f, " ({word})"),
            None => Ok(()),
        }
    }
}

impl Error for StreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
