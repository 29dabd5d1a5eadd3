//! The error codes of AWS and their classes, as text: usable without an error of the SDK.

use redress_core::ErrorClass;

/// The longest code that becomes a detail. The longest in the table has 42 bytes.
const LONGEST: usize = 64;

/// Returns the class of an error code, or `None` if the table does not have it. Then the
/// [status](redress_http::classify_status) decides.
///
/// Accepts a code as services send it: in `x-amzn-errortype` or `__type`, a namespace may stand
/// before it and a URI after it. Codes are case-sensitive.
///
/// | class | codes |
/// |---|---|
/// | `RateLimit` | `Throttling`, `ThrottlingException`, `ThrottledException`, `RequestThrottled`, `RequestThrottledException`, `TooManyRequestsException`, `ProvisionedThroughputExceededException`, `TransactionInProgressException`, `RequestLimitExceeded`, `BandwidthLimitExceeded`, `LimitExceededException`, `SlowDown`, `PriorRequestNotComplete`, `EC2ThrottledException`; `KMS.ThrottlingException` and `KmsThrottled`, of SQS |
/// | `Transient` | `RequestTimeout`, `RequestTimeoutException` |
/// | `Concurrency` | `ReplicatedWriteConflictException`, `TransactionConflictException`, `OperationAborted`, `ConditionalRequestConflict`, `ConcurrentModificationException` |
/// | `Auth` | `UnrecognizedClientException`, `InvalidClientTokenId`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `InvalidSignatureException`, `AuthFailure`, `ExpiredToken`, `ExpiredTokenException`, `RequestExpired`, `RequestTimeTooSkewed`, `MissingAuthenticationToken`, `MissingAuthenticationTokenException`, `IncompleteSignature`, `IncompleteSignatureException` |
/// | `Permission` | `AccessDenied`, `AccessDeniedException`, `UnauthorizedOperation`, `NotAuthorized`, `OptInRequired` |
/// | `ServerError` | `InternalError`, `InternalFailure`, `InternalServerError`, `ServiceUnavailable`, `ServiceUnavailableException` |
/// | `Permanent` | `ValidationException`, `ConditionalCheckFailedException`, `ResourceNotFoundException`, `NoSuchKey`, `NoSuchBucket`, `PreconditionFailed` |
///
/// Sources: the first fourteen of `RateLimit` and both of `Transient` are the lists of the SDK, in
/// `aws_runtime::retries::classifiers` and in AWS's [guide to its
/// SDKs](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). The rest is
/// from the pages on errors of
/// [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
/// [S3](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html),
/// [EC2](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html),
/// [SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html)
/// and [STS](https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html), whose list all
/// services share.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::aws::code;
///
/// assert_eq!(code::class("SlowDown"), Some(ErrorClass::RateLimit));
/// assert_eq!(code::class("com.amazonaws.dynamodb.v20120810#ThrottlingException"), Some(ErrorClass::RateLimit));
/// assert_eq!(code::class("NoSuchTagSet"), None);
/// ```
#[must_use]
pub fn class(code: &str) -> Option<ErrorClass> {
    let name = name(code);
    of_what_heals(name).or_else(|| of_what_stays(name))
}

fn of_what_heals(name: &str) -> Option<ErrorClass> {
    Some(match name {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "TransactionInProgressException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException"
        | "KMS.ThrottlingException"
        | "KmsThrottled" => ErrorClass::RateLimit,
        "RequestTimeout" | "RequestTimeoutException" => ErrorClass::Transient,
        "ReplicatedWriteConflictException"
        | "TransactionConflictException"
        | "OperationAborted"
        | "ConditionalRequestConflict"
        | "ConcurrentModificationException" => ErrorClass::Concurrency,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorClass::ServerError,
        _ => return None,
    })
}

fn of_what_stays(name: &str) -> Option<ErrorClass> {
    Some(match name {
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException" => ErrorClass::Auth,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "OptInRequired" => {
            ErrorClass::Permission
        }
        "ValidationException"
        | "ConditionalCheckFailedException"
        | "ResourceNotFoundException"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "PreconditionFailed" => ErrorClass::Permanent,
        _ => return None,
    })
}

/// Whether a service that answers with this code has certainly not acted on the request: it was
/// denied before it ran. `TransactionInProgressException` is no such answer, because it says that
/// an earlier request with the same token is running.
pub(crate) fn is_refusal(code: &str) -> bool {
    class(code) == Some(ErrorClass::RateLimit) && name(code) != "TransactionInProgressException"
}

/// The code as a detail of a failure. A code comes from the network, so only short words of the
/// letters that codes have are kept: labels must stay few and printable.
pub(crate) fn label(code: &str) -> Option<&str> {
    let name = name(code);
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (is_word && !name.is_empty() && name.len() <= LONGEST).then_some(name)
}

/// The code without a namespace before it and a URI after it, as [Smithy's
/// protocols](https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html) ask of clients.
fn name(code: &str) -> &str {
    let before_uri = code.split(':').next().unwrap_or(code);
    before_uri.rsplit('#').next().unwrap_or(before_uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in `aws_runtime::retries::classifiers` 1.10.
    const THROTTLING_ERRORS: [&str; 14] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    ];

    #[test]
    fn a_refusal_is_a_throttled_request_that_did_not_run() {
        for code in THROTTLING_ERRORS {
            assert_eq!(class(code), Some(ErrorClass::RateLimit), "{code}");
            assert_eq!(is_refusal(code), code != "TransactionInProgressException", "{code}");
        }
        assert!(is_refusal("com.amazonaws.sqs#RequestThrottled"));
        assert!(!is_refusal("com.amazonaws.dynamodb#TransactionInProgressException"));
        for code in ["TransactionConflictException", "ServiceUnavailable", "AccessDenied", "RequestTimeout", ""] {
            assert!(!is_refusal(code), "{code}");
        }
    }

    #[test]
    fn a_detail_is_a_short_word() {
        let longest = "a".repeat(LONGEST);
        for code in
            ["SlowDown", "KMS.ThrottlingException", "AWS.SimpleQueueService.NonExistentQueue", "a-b_c", &longest]
        {
            assert_eq!(label(code), Some(code));
        }
        assert_eq!(label("ns#Code:http://example.com/#a"), Some("Code"));
        for code in ["", "two words", "ns#", ":x", "ä", "a/b", "line\nbreak", &"a".repeat(LONGEST + 1)] {
            assert_eq!(label(code), None, "{code:?}");
        }
    }

    #[test]
    fn namespaces_and_uris_are_cut_off() {
        for code in ["SlowDown", "a#SlowDown", "a#b#SlowDown", "SlowDown:http://x/#y", "a#SlowDown:b:c"] {
            assert_eq!(name(code), "SlowDown", "{code}");
        }
        for code in ["", "#", ":", "#:", ":#"] {
            assert_eq!(name(code), "", "{code}");
        }
    }
}
