//! Answers of services: codes, the service's model, statuses and hints.

use std::time::Duration;

use aws_smithy_types::retry::ErrorKind;
use redress::ErrorClass::{self, Auth, Concurrency, Permanent, Permission, RateLimit, ServerError, Transient, Unknown};
use redress::integration::aws::code;

use crate::made::{answered, classify, modelled, response};

const TABLE: &[(ErrorClass, &[&str])] = &[
    (
        RateLimit,
        &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "TransactionInProgressException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceededException",
            "SlowDown",
            "PriorRequestNotComplete",
            "EC2ThrottledException",
            "KMS.ThrottlingException",
            "KmsThrottled",
        ],
    ),
    (Transient, &["RequestTimeout", "RequestTimeoutException"]),
    (
        Concurrency,
        &[
            "ReplicatedWriteConflictException",
            "TransactionConflictException",
            "OperationAborted",
            "ConditionalRequestConflict",
            "ConcurrentModificationException",
        ],
    ),
    (
        Auth,
        &[
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "AuthFailure",
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "IncompleteSignature",
            "IncompleteSignatureException",
        ],
    ),
    (Permission, &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired"]),
    (
        ServerError,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
    ),
    (
        Permanent,
        &[
            "ValidationException",
            "ConditionalCheckFailedException",
            "ResourceNotFoundException",
            "NoSuchKey",
            "NoSuchBucket",
            "PreconditionFailed",
        ],
    ),
];

#[test]
fn a_known_code_decides_under_every_status() {
    for (class, codes) in TABLE {
        for code in *codes {
            assert_eq!(code::class(code), Some(*class), "{code}");
            for status in [200, 302, 400, 403, 409, 429, 500, 503] {
                let failure = classify(&answered(code, response(status, &[])));
                assert_eq!(failure.class(), *class, "{code} {status}");
                assert_eq!(failure.detail("aws"), Some(*code));
                assert_eq!(failure.detail("status"), Some(status.to_string()).as_deref());
            }
        }
    }
}

#[test]
fn an_unknown_code_leaves_it_to_the_status() {
    for code in ["", "throttling", "Unknown", "404", "NoSuchTagSet"] {
        assert_eq!(code::class(code), None, "{code}");
        let rows = [
            (200, Unknown),
            (302, Unknown),
            (400, Permanent),
            (401, Auth),
            (403, Permission),
            (404, Permanent),
            (408, Transient),
            (409, Concurrency),
            (429, RateLimit),
            (500, ServerError),
            (501, Permanent),
            (503, ServerError),
            (509, ServerError),
        ];
        for (status, class) in rows {
            let failure = classify(&answered(code, response(status, &[])));
            assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{code} {status}");
            assert_eq!(failure.detail("status"), Some(status.to_string()).as_deref(), "{code} {status}");
        }
    }
}

#[test]
fn what_the_service_calls_retryable_is_retried() {
    let rows = [
        (ErrorKind::ThrottlingError, 400, RateLimit),
        (ErrorKind::ServerError, 500, ServerError),
        (ErrorKind::TransientError, 400, Transient),
        (ErrorKind::ClientError, 400, Transient),
        (ErrorKind::ClientError, 409, Concurrency),
        (ErrorKind::ServerError, 409, ServerError),
    ];
    for (kind, status, class) in rows {
        let failure = classify(&modelled("OfThisService", kind, response(status, &[])));
        assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{kind} {status}");
    }
    // The table is more exact than the model.
    let known = classify(&modelled("ReplicatedWriteConflictException", ErrorKind::ClientError, response(400, &[])));
    assert_eq!(known.class(), Concurrency);
}

#[test]
fn a_throttled_request_has_not_run() {
    for (code, status, is_unsent) in [
        ("ThrottlingException", 400, true),
        ("SlowDown", 503, true),
        ("TransactionInProgressException", 400, false),
        ("InternalError", 500, false),
        ("Unknown", 429, false),
        ("Unknown", 421, true),
        ("Unknown", 425, true),
    ] {
        let failure = classify(&answered(code, response(status, &[])));
        assert_eq!(failure.is_unsent(), is_unsent, "{code} {status}");
    }
    let closing = classify(&answered("", response(408, &[("connection", "close")])));
    assert!(closing.is_unsent());
}

#[test]
fn the_longest_hint_counts() {
    type Headers = &'static [(&'static str, &'static str)];
    let rows: [(Headers, Option<u64>); 9] = [
        (&[], None),
        (&[("x-amz-retry-after", "1500")], Some(1500)),
        (&[("x-amz-retry-after", " 20 ")], Some(20)),
        (&[("x-amz-retry-after", "20"), ("x-amz-retry-after", "30")], Some(30)),
        (&[("retry-after", "2")], Some(2000)),
        (&[("x-amz-retry-after", "1500"), ("retry-after", "1")], Some(1500)),
        (&[("x-amz-retry-after", "1500"), ("retry-after", "2")], Some(2000)),
        (&[("x-amz-retry-after", "soon"), ("retry-after", "1")], Some(1000)),
        (&[("x-amz-retry-after", "-1"), ("x-amz-retry-after", "1.5"), ("x-amz-retry-after", "")], None),
    ];
    for (headers, millis) in rows {
        for (code, status) in [("ThrottlingException", 400), ("", 500), ("TransactionConflictException", 400)] {
            let failure = classify(&answered(code, response(status, headers)));
            assert_eq!(failure.retry_after(), millis.map(Duration::from_millis), "{headers:?} {code}");
            assert!(!failure.has_exact_delay());
        }
        for (code, status) in [("AccessDenied", 403), ("", 404), ("ValidationException", 503)] {
            assert_eq!(classify(&answered(code, response(status, headers))).retry_after(), None, "{headers:?} {code}");
        }
    }
}

#[test]
fn a_date_is_measured_by_the_clock_of_the_service() {
    let headers = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "Sun, 06 Nov 1994 08:49:30 GMT")];
    let failure = classify(&answered("SlowDown", response(503, &headers)));
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(7)));
    let cached = [headers[0], headers[1], ("age", "2")];
    assert_eq!(classify(&answered("", response(503, &cached))).retry_after(), Some(Duration::from_secs(5)));
}

#[test]
fn a_code_that_is_no_word_is_no_detail() {
    let failure = classify(&answered("<html>", response(400, &[])));
    assert_eq!((failure.class(), failure.detail("aws")), (Permanent, None));
    let qualified = classify(&answered("com.amazonaws.sqs#SlowDown:http://example.com/", response(400, &[])));
    assert_eq!((qualified.class(), qualified.detail("aws")), (RateLimit, Some("SlowDown")));
}
