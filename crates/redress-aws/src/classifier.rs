//! The classifier for the SDK's errors. The table of codes is in `code.rs`.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ResponseError, SdkError, ServiceError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};
use redress_core::classify::{OrElse, strict_classifier};
use redress_core::{Classification, Classifier, ErrorClass};

use crate::code;
use crate::connector::{before_sending, classify_connector, of_kind};
use crate::response::{by_status, of_class};

/// The detail of an error code.
const AWS: &str = "aws";

/// Classifies the errors of AWS's SDK; every `Ok` is a success. Made by [`aws_classifier`].
///
/// Serves every operation of every service: their errors implement the two traits of smithy that it
/// asks for.
///
/// | error | class | certainly [not acted on](Classification::is_unsent) |
/// |---|---|---|
/// | an [`AbortRetryError`](redress_core::error::AbortRetryError) in the source chain, as of an interceptor | the call ends | |
/// | `ServiceError` with a code that [`code::class`] has | that | throttled requests |
/// | `ServiceError` that the service's model calls retryable | `RateLimit` for throttling, `ServerError` for a fault of the server; else `Concurrency` for a 409, and `Transient` | |
/// | any other `ServiceError` | by the status, as [`redress_http::classify_status`] has it; `Unknown` for a success whose body cannot be parsed | 421, 425, a 408 that closes the connection |
/// | `ResponseError`: a body that was cut off | by a status that is an error, else `Transient` | |
/// | `TimeoutError`, with the cause [`Timeout`](redress_core::Cause::Timeout) | `Transient` | |
/// | `DispatchFailure` by a timeout, with that cause; by the connection | `Transient`; `Permanent` for a refused certificate | while connecting |
/// | `DispatchFailure` by the caller, such as a URL that is none | `Permanent` | yes |
/// | `DispatchFailure` of another kind | that of [`redress_http::classify_client`], such as `ServerError` for an answer that is not HTTP | as that says |
/// | no credentials; loading them timed out; a provider or an endpoint that is not configured well | `Auth`; `Transient`; `Permanent` | yes |
/// | any other `ConstructionFailure` | `Permanent` | yes |
///
/// The hint is the longest of `x-amz-retry-after`, in milliseconds, and `Retry-After`. It is a
/// floor for the wait, and is not capped here; use
/// [`max_retry_after`](redress_core::policy::RetryBuilder::max_retry_after) on the policy's retry
/// component.
///
/// Failures have the detail `aws` with the code, as in `SlowDown`, and `status` with the status. A
/// code that is not a short word of ASCII letters, digits, `.`, `_` and `-` is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwsClassifier;

/// Creates a classifier of the errors of AWS's SDK. See [`AwsClassifier`].
///
/// ```no_run
/// use redress::integration::aws::{aws_classifier, retry_config};
/// use redress::runtime::tokio::AsyncPolicy;
/// use redress::Retry;
///
/// # async fn send(settings: aws_sdk_sqs::config::Builder) -> Result<(), Box<dyn std::error::Error>> {
/// let client = aws_sdk_sqs::Client::from_conf(settings.retry_config(retry_config()).build());
/// let policy = AsyncPolicy::builder().classifier(aws_classifier()).retry(Retry::default()).build()?;
///
/// let urls = policy.call(async || client.list_queues().send().await).await?;
/// # drop(urls);
/// # Ok(())
/// # }
/// ```
#[inline]
#[must_use]
pub const fn aws_classifier() -> AwsClassifier {
    AwsClassifier
}

impl AwsClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error, for operations whose error type wraps the SDK's.
    ///
    /// ```
    /// use aws_sdk_sqs::error::SdkError;
    /// use aws_sdk_sqs::operation::send_message::SendMessageError;
    /// use redress::ErrorClass;
    /// use redress::integration::aws::aws_classifier;
    ///
    /// let timed_out: SdkError<SendMessageError> = SdkError::timeout_error("too slow");
    /// let failure = aws_classifier().classify_error(&timed_out);
    /// assert_eq!((failure.class(), failure.is_timeout()), (ErrorClass::Transient, true));
    /// ```
    pub fn classify_error<E>(&self, error: &SdkError<E, HttpResponse>) -> Classification
    where
        E: Error + ProvideErrorMetadata + ProvideErrorKind + 'static,
    {
        if strict_classifier().classify_error(error).is_abort() {
            return Classification::abort();
        }
        match error {
            SdkError::ServiceError(answer) => of_service(answer),
            SdkError::ResponseError(answer) => of_response(answer),
            SdkError::TimeoutError(_) => Classification::new(ErrorClass::Transient).timed_out(),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) => classify_connector(error),
                None => ErrorClass::Transient.into(),
            },
            SdkError::ConstructionFailure(_) => {
                before_sending(error).unwrap_or(Classification::new(ErrorClass::Permanent).unsent())
            }
            _ => ErrorClass::Unknown.into(),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Classifier<T, SdkError<E, HttpResponse>> for AwsClassifier
where
    E: Error + ProvideErrorMetadata + ProvideErrorKind + 'static,
{
    fn classify(&self, result: &Result<T, SdkError<E, HttpResponse>>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

fn of_service<E>(answer: &ServiceError<E, HttpResponse>) -> Classification
where
    E: ProvideErrorMetadata + ProvideErrorKind,
{
    let code = ProvideErrorMetadata::code(answer.err()).unwrap_or_default();
    let class = code::class(code).or_else(|| of_model(answer));
    let failure = match class {
        Some(class) => of_class(class, answer.raw()),
        None => by_status(answer.raw()).unwrap_or_else(|| of_class(ErrorClass::Unknown, answer.raw())),
    };
    let failure = if code::is_refusal(code) { failure.unsent() } else { failure };
    match code::label(code) {
        Some(label) => failure.with_detail(AWS, label.to_owned()),
        None => failure,
    }
}

/// The class of an error that the service's model calls retryable.
fn of_model<E: ProvideErrorKind>(answer: &ServiceError<E, HttpResponse>) -> Option<ErrorClass> {
    let kind = answer.err().retryable_error_kind()?;
    let is_conflict = kind == ErrorKind::ClientError && answer.raw().status().as_u16() == 409;
    Some(if is_conflict { ErrorClass::Concurrency } else { of_kind(kind) })
}

/// The status of an answer whose body cannot be read is known all the same.
fn of_response(answer: &ResponseError<HttpResponse>) -> Classification {
    by_status(answer.raw()).unwrap_or_else(|| of_class(ErrorClass::Transient, answer.raw()))
}
