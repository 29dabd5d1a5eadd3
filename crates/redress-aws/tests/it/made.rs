//! Errors of the SDK made by hand.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};
use redress::Classification;
use redress::integration::aws::aws_classifier;

/// The error of an operation, as the SDK generates it.
#[derive(Debug)]
pub(crate) struct OperationError {
    metadata: ErrorMetadata,
    kind: Option<ErrorKind>,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the service refused")
    }
}

impl std::error::Error for OperationError {}

impl ProvideErrorMetadata for OperationError {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl ProvideErrorKind for OperationError {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    fn code(&self) -> Option<&str> {
        self.metadata.code()
    }
}

pub(crate) type Error = SdkError<OperationError, HttpResponse>;

/// A response with these headers.
pub(crate) fn response(status: u16, headers: &[(&'static str, &'static str)]) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::empty());
    for (name, value) in headers {
        response.headers_mut().append(*name, *value);
    }
    response
}

/// An answer of the service with this code.
pub(crate) fn answered(code: &str, response: HttpResponse) -> Error {
    modelled(code, None, response)
}

/// An answer that the service's model calls retryable.
pub(crate) fn modelled(code: &str, kind: impl Into<Option<ErrorKind>>, response: HttpResponse) -> Error {
    let metadata = ErrorMetadata::builder().code(code).build();
    SdkError::service_error(OperationError { metadata, kind: kind.into() }, response)
}

/// A failure of the connector.
pub(crate) fn dispatch(error: ConnectorError) -> Error {
    SdkError::dispatch_failure(error)
}

pub(crate) fn classify(error: &Error) -> Classification {
    aws_classifier().classify_error(error)
}
