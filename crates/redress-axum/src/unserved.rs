//! [`Unserved`], the error of a handler whose call failed, as a response.

use std::error::Error;
use std::fmt;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use redress_core::{CallError, ErrorClass, OutcomeSummary};
use redress_http::{Answer, AnswerForm};

/// The error of a handler whose call to a dependency ended without success. Becomes the response of
/// an [`Answer`], whose documentation has the table of statuses.
///
/// The body is a problem ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with `type`, `title`
/// and `status`. It contains nothing of the dependency's error, which is dropped here; observers of
/// the policy have reported the call. An [`AnswerLayer`](crate::AnswerLayer) or a
/// [`HandlerLayer`](crate::HandlerLayer) around the handler writes the body in the form that the
/// request accepts.
///
/// ```
/// use axum::http::StatusCode;
/// use axum::response::IntoResponse;
/// use redress::integration::axum::Unserved;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// async fn page(policy: AsyncPolicy) -> Result<String, Unserved> {
///     Ok(policy.call(async || std::fs::read_to_string("page.html")).await?)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redress::ConfigError> {
/// let response = page(AsyncPolicy::builder().build()?).await.into_response();
/// assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
/// # Ok(())
/// # }
/// ```
///
/// A failure that the caller must see, such as a record that does not exist, is an answer of the
/// handler's own: read it with [`CallError::error`] before `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved(Answer);

impl Unserved {
    /// Returns the error for an outcome without success, for `?`: with `execute`, and with
    /// integrations that return the dependency's bad response.
    ///
    /// ```
    /// use redress::integration::axum::Unserved;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// async fn stock(policy: AsyncPolicy) -> Result<String, Unserved> {
    ///     let outcome = policy.execute(async || std::fs::read_to_string("stock")).await;
    ///     Unserved::unless_ok(outcome.summary())?;
    ///     Ok(outcome.into_value().unwrap_or_default())
    /// }
    /// # let _ = stock;
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error if the call did not succeed.
    pub fn unless_ok(summary: &OutcomeSummary) -> Result<(), Self> {
        Answer::unless_ok(summary).map_err(Self)
    }

    /// Returns the answer: its status, and why the call ended.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.0
    }
}

impl<E> From<CallError<E>> for Unserved {
    fn from(error: CallError<E>) -> Self {
        Self(error.into())
    }
}

impl From<ErrorClass> for Unserved {
    /// For a failure outside of a call, such as a response whose body cannot be read.
    fn from(class: ErrorClass) -> Self {
        Self(class.into())
    }
}

impl From<Answer> for Unserved {
    /// For an answer with [another status](Answer::with_status).
    fn from(answer: Answer) -> Self {
        Self(answer)
    }
}

impl IntoResponse for Unserved {
    fn into_response(self) -> Response {
        self.0.to_response(AnswerForm::default()).map(Body::from)
    }
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered with {}", self.0.status())?;
        self.0.stop_reason().map_or(Ok(()), |reason| write!(f, ": {}", reason.description()))
    }
}

impl Error for Unserved {}
