//! The table of botocore's exceptions, and how one becomes an error of the SDK.
//!
//! `boto3_differences.rs` lists the intended differences.

use std::io;
use std::time::SystemTime;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use redress_aws::aws_classifier;
use serde::Deserialize;
use serde_json::Value;

use super::difference::listed;
use super::named::Named;
use super::{Judged, Judgement, read_row};
use crate::class_name::ClassName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    kind: String,
    code: Option<String>,
    status: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    class: ClassName,
}

pub(super) fn judge(row: &Value, _now: SystemTime) -> Result<Judged, serde_json::Error> {
    let (input, expect): (Input, Expect) = read_row(row)?;
    let spelled = spelled(&input);
    let (original, ours) = (expect.class.0.as_str(), class_of(&input));
    let judgement = if original == ours {
        Judgement::AsOriginal
    } else {
        let intended = listed("boto3", &spelled, original, &ours);
        intended.map_or_else(|| Judgement::Wrong(ours.clone()), Judgement::Intended)
    };
    Ok(Judged::of_one(judgement, spelled, original, &ours))
}

/// Our answer to the example of a difference.
pub(super) fn answer(example: &str) -> Option<String> {
    let input = match example.split_once(' ') {
        Some((code, status)) => {
            let code = Some(code.to_owned()).filter(|code| code != "none");
            Input { kind: CLIENT_ERROR.to_owned(), code, status: status.parse().ok() }
        }
        None => Input { kind: example.to_owned(), code: None, status: None },
    };
    Some(class_of(&input))
}

/// The exception for every answer of a service.
const CLIENT_ERROR: &str = "ClientError";

/// A `ClientError` by code and status, any other exception by its name.
fn spelled(input: &Input) -> String {
    if input.kind != CLIENT_ERROR {
        return input.kind.clone();
    }
    let status = input.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    format!("{} {status}", input.code.as_deref().unwrap_or("none"))
}

fn class_of(input: &Input) -> String {
    aws_classifier().classify_error(&error(input)).class().to_string()
}

type Error = SdkError<ErrorMetadata, HttpResponse>;

/// The error with which the SDK reports the same.
fn error(input: &Input) -> Error {
    match input.kind.as_str() {
        CLIENT_ERROR => {
            let mut metadata = ErrorMetadata::builder();
            if let Some(code) = &input.code {
                metadata = metadata.code(code);
            }
            SdkError::service_error(metadata.build(), response(input.status))
        }
        "ConnectionClosedError"
        | "ConnectionError"
        | "EndpointConnectionError"
        | "ProxyConnectionError"
        | "SSLError" => {
            SdkError::dispatch_failure(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into()))
        }
        "ConnectTimeoutError" | "ReadTimeoutError" => {
            SdkError::dispatch_failure(ConnectorError::timeout("too slow".into()))
        }
        "ResponseStreamingError" | "IncompleteReadError" | "ChecksumError" | "FlexibleChecksumError" => {
            SdkError::response_error("the body was cut off", response(None))
        }
        "NoCredentialsError" | "PartialCredentialsError" => before_sending("CredentialsNotLoaded(..)"),
        "CredentialRetrievalError" | "TokenRetrievalError" => before_sending("ProviderError(..)"),
        "NoRegionError"
        | "InvalidRegionError"
        | "UnknownRegionError"
        | "UnknownEndpointError"
        | "EndpointResolutionError" => before_sending("ResolveEndpointError { .. }"),
        "ParamValidationError"
        | "MissingParametersError"
        | "ValidationError"
        | "RangeError"
        | "UnknownParameterError" => SdkError::construction_failure("a parameter is missing"),
        // No counterpart: a connector's error that nothing is known of.
        name => before_sending(name),
    }
}

/// An error of what the SDK does before it sends, which prints this.
fn before_sending(printed: &str) -> Error {
    let error = Named { name: printed.to_owned(), source: None };
    SdkError::dispatch_failure(ConnectorError::other(Box::new(error), None))
}

/// A response with this status. One without a status, or with one that HTTP does not have, says as
/// little as a success.
fn response(status: Option<i64>) -> HttpResponse {
    let status = status.and_then(|status| StatusCode::try_from(u16::try_from(status).ok()?).ok());
    let mut response =
        HttpResponse::new(StatusCode::try_from(200).unwrap_or_else(|_| unreachable!()), SdkBody::empty());
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}
