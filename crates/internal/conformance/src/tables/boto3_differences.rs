//! The intended differences between redress-aws and the original, and the answers and exceptions
//! that each covers.

use redress_aws::code;
use redress_core::ErrorClass;

use super::difference::Difference;

/// The SDK's own lists of codes.
const RETRY_BEHAVIOR: &str = "https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html";
/// The codes that all services share.
const COMMON: &str = "https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html";
const DYNAMODB: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html";
const RFC_9110: &str = "https://www.rfc-editor.org/rfc/rfc9110#section-15.5";
const SDK_ERROR: &str =
    "https://docs.rs/aws-smithy-runtime-api/latest/aws_smithy_runtime_api/client/result/enum.SdkError.html";

/// A table of codes: class, reason and source, and for each answer of the original an example.
macro_rules! by_code {
    ($($class:ident $ours:literal, $reason:literal, $source:ident: $($example:literal $original:literal),+;)+) => {
        &[$($(
            Difference {
                table: "boto3",
                example: $example,
                original: $original,
                ours: $ours,
                reason: $reason,
                source: $source,
                covers: |input| is_of_code(input, ErrorClass::$class, $original),
            },
        )+)+]
    };
}

/// Answers whose code the original does not have, so that it reads the status.
pub(super) const BY_CODE: &[Difference] = by_code! {
    RateLimit "RATE_LIMIT", "one of the SDK's throttling codes, which services send under several statuses", RETRY_BEHAVIOR:
        "RequestThrottled 400" "PERMANENT",
        "BandwidthLimitExceeded 509" "SERVER_ERROR",
        "ThrottledException 401" "AUTH",
        "LimitExceededException 403" "PERMISSION",
        "ProvisionedThroughputExceededException none" "UNKNOWN";
    Transient "TRANSIENT", "the SDK's code for a request that did not arrive in time", RETRY_BEHAVIOR:
        "RequestTimeout 400" "PERMANENT",
        "RequestTimeout 503" "SERVER_ERROR",
        "RequestTimeout 401" "AUTH",
        "RequestTimeout 403" "PERMISSION",
        "RequestTimeout 429" "RATE_LIMIT",
        "RequestTimeoutException none" "UNKNOWN";
    Concurrency "CONCURRENCY", "another request was in the way, and will be done", DYNAMODB:
        "TransactionConflictException 400" "PERMANENT",
        "OperationAborted 503" "SERVER_ERROR",
        "TransactionConflictException 401" "AUTH",
        "TransactionConflictException 403" "PERMISSION",
        "TransactionConflictException 429" "RATE_LIMIT",
        "TransactionConflictException none" "UNKNOWN";
    Auth "AUTH", "the credentials or the signature are refused, under any status", COMMON:
        "ExpiredTokenException 400" "PERMANENT",
        "InvalidAccessKeyId 403" "PERMISSION",
        "ExpiredTokenException 500" "SERVER_ERROR",
        "SignatureDoesNotMatch 429" "RATE_LIMIT",
        "AuthFailure none" "UNKNOWN";
    Permission "PERMISSION", "the caller is known and lacks the right, under any status", COMMON:
        "OptInRequired 400" "PERMANENT",
        "NotAuthorized 401" "AUTH",
        "OptInRequired 503" "SERVER_ERROR",
        "OptInRequired 429" "RATE_LIMIT",
        "OptInRequired none" "UNKNOWN";
    ServerError "SERVER_ERROR", "the service says that it failed itself, under any status", COMMON:
        "InternalError 404" "PERMANENT",
        "ServiceUnavailable 401" "AUTH",
        "ServiceUnavailable 403" "PERMISSION",
        "ServiceUnavailable 429" "RATE_LIMIT",
        "InternalServerError 600" "UNKNOWN";
    Permanent "PERMANENT", "the request is refused for what it says, and is refused again", DYNAMODB:
        "ValidationException 504" "SERVER_ERROR",
        "ValidationException 401" "AUTH",
        "ValidationException 403" "PERMISSION",
        "ValidationException 429" "RATE_LIMIT",
        "NoSuchBucket none" "UNKNOWN";
};

/// Answers without a known code: the statuses on which redress-http differs.
pub(super) const BY_STATUS: &[Difference] = &[
    Difference {
        table: "boto3",
        example: "Unknown 409",
        original: "PERMANENT",
        ours: "CONCURRENCY",
        reason: "a conflict with the state of the resource, which another request may resolve",
        source: RFC_9110,
        covers: |input| is_of_status(input, &[409, 423]),
    },
    Difference {
        table: "boto3",
        example: "404 408",
        original: "PERMANENT",
        ours: "TRANSIENT",
        reason: "the server waited for the request in vain, or would rather not act on it here or now",
        source: RFC_9110,
        covers: |input| is_of_status(input, &[408, 421, 425]),
    },
    Difference {
        table: "boto3",
        example: "none 407",
        original: "PERMANENT",
        ours: "AUTH",
        reason: "a 401 of the proxy: without other credentials it stays so",
        source: RFC_9110,
        covers: |input| is_of_status(input, &[407]),
    },
    Difference {
        table: "boto3",
        example: "none 501",
        original: "SERVER_ERROR",
        ours: "PERMANENT",
        reason: "the server does not have what was asked for, and repeating the request does not change that",
        source: RFC_9110,
        covers: |input| is_of_status(input, &[501, 505, 506, 508, 510]),
    },
    Difference {
        table: "boto3",
        example: "none 511",
        original: "SERVER_ERROR",
        ours: "AUTH",
        reason: "a 401 of the network: without credentials it stays so",
        source: RFC_9110,
        covers: |input| is_of_status(input, &[511]),
    },
];

/// Exceptions without an answer.
pub(super) const BY_KIND: &[Difference] = &[
    Difference {
        table: "boto3",
        example: "SSLError",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "a handshake that broke; one that refused a certificate is permanent, and known by the certificate",
        source: SDK_ERROR,
        covers: |kind| kind == "SSLError",
    },
    Difference {
        table: "boto3",
        example: "ResponseStreamingError",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the SDK's `ResponseError`: the server hung up before the end of its answer",
        source: SDK_ERROR,
        covers: |kind| {
            ["ResponseStreamingError", "IncompleteReadError", "ChecksumError", "FlexibleChecksumError"].contains(&kind)
        },
    },
    Difference {
        table: "boto3",
        example: "ParamValidationError",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the SDK's `ConstructionFailure`: the request cannot be built of these parameters",
        source: SDK_ERROR,
        covers: |kind| {
            let kinds = [
                "ParamValidationError",
                "MissingParametersError",
                "ValidationError",
                "RangeError",
                "UnknownParameterError",
            ];
            kinds.contains(&kind)
        },
    },
    Difference {
        table: "boto3",
        example: "NoRegionError",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "no endpoint follows from the configuration, and the next attempt has the same",
        source: "https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html",
        covers: |kind| {
            let kinds = [
                "NoRegionError",
                "InvalidRegionError",
                "UnknownRegionError",
                "UnknownEndpointError",
                "EndpointResolutionError",
            ];
            kinds.contains(&kind)
        },
    },
    Difference {
        table: "boto3",
        example: "CredentialRetrievalError",
        original: "AUTH",
        ours: "UNKNOWN",
        reason: "the provider failed, such as STS with a 503; that credentials are wrong has other errors",
        source: "https://docs.rs/aws-credential-types/latest/aws_credential_types/provider/error/enum.CredentialsError.html",
        covers: |kind| kind == "CredentialRetrievalError",
    },
];

/// Whether the code has this class here, and the original does not have it and answers `original`
/// by the status.
fn is_of_code(input: &str, class: ErrorClass, original: &str) -> bool {
    const KNOWN_THERE: [&str; 11] = [
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredToken",
    ];
    let Some((code, status)) = input.split_once(' ') else { return false };
    !KNOWN_THERE.contains(&code) && code::class(code) == Some(class) && by_status_there(status) == original
}

fn is_of_status(input: &str, statuses: &[u16]) -> bool {
    let Some((code, status)) = input.split_once(' ') else { return false };
    code::class(code).is_none() && status.parse().is_ok_and(|status| statuses.contains(&status))
}

/// The original's class of a status.
fn by_status_there(status: &str) -> &'static str {
    match status.parse::<i64>() {
        Ok(429) => "RATE_LIMIT",
        Ok(401) => "AUTH",
        Ok(403) => "PERMISSION",
        Ok(500..=599) => "SERVER_ERROR",
        Ok(400..=499) => "PERMANENT",
        Ok(_) | Err(_) => "UNKNOWN",
    }
}
