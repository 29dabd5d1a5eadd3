//! The list of intended differences: each covers its example and similar inputs, and no input that
//! has the original's answer.

use redress_conformance::{Difference, differences};

const VALUE: &str = "http_retry_after_value";

fn covering(table: &str, input: &str) -> Option<&'static Difference> {
    differences().find(|difference| difference.covers(table, input))
}

#[test]
fn each_covers_its_example_in_its_own_table_alone() {
    for difference in differences() {
        assert!(difference.covers(difference.table, difference.example), "{difference}");
        assert!(!difference.covers("another table", difference.example), "{difference}");
        let Difference { table, example, original, ours, reason, source, .. } = difference;
        let printed = difference.to_string();
        for part in [table, example, original, ours, reason, source] {
            assert!(printed.contains(part), "{part} in {printed}");
        }
    }
}

#[test]
fn what_is_like_an_example_is_covered_for_the_same_reason() {
    let rows = [
        ("http", "402", "the client seems to have erred"),
        ("http", "418", "the client seems to have erred"),
        ("http", "499", "the client seems to have erred"),
        ("http", "505", "does not have the method"),
        ("http", "511", "a 401 of the network"),
        (VALUE, "0.0", "rounded up"),
        (VALUE, "1,5", "join headers"),
        (VALUE, "1d", "a number with a unit"),
        ("http_retry_after", "429 Retry-After: 7, 1", "of several headers"),
        (VALUE, "1_000", "digits of other scripts"),
        (VALUE, "Tue, 04 Mar 2031 05:07:07 -0500", "HTTP defines three forms"),
        (VALUE, "tue, 04 mar 2031 05:07:07 gmt", "HTTP defines three forms"),
        (VALUE, "Mon Mar  4 05:07:07 2031", "names no day"),
        (VALUE, "Friday, 04-Mar-31 05:07:07 GMT", "names no day"),
        (VALUE, "Wednesday, 12-Mar-69 05:07:07 GMT", "names no day"),
        (VALUE, "Tuesday, 12-Mar-69 05:07:07 GMT", "two-digit years"),
        ("http_retry_after", "500 Retry-After: 7", "defined for every response"),
        ("boto3", "RequestThrottled 408", "throttling codes"),
        ("boto3", "EC2ThrottledException 302", "throttling codes"),
        ("boto3", "ReplicatedWriteConflictException 409", "was in the way"),
        ("boto3", "RequestExpired 400", "credentials or the signature"),
        ("boto3", "NotAuthorized 400", "lacks the right"),
        ("boto3", "InternalFailure 400", "failed itself"),
        ("boto3", "PreconditionFailed 500", "is refused again"),
        ("boto3", "none 425", "would rather not act"),
        ("boto3", "throttling 423", "a conflict"),
        ("boto3", "IncompleteReadError", "hung up"),
        ("boto3", "RangeError", "cannot be built"),
        ("grpc", "OUT_OF_RANGE", "answers the same the next time"),
        ("redis", "SlotNotCoveredError", "no node serves the slot"),
        ("openai", "APIStatusError 404 / {\"code\":\"x\"}", "the status decides"),
        (
            "openai",
            "RateLimitError 429 / {\"code\":\"project_spend_limit_exceeded\"}",
            "do not bring back a spent quota",
        ),
        ("openai", "NotFoundError 404 / {\"error\":{\"type\":\"server_error\"}}", "the type says why"),
        ("openai", "InternalServerError 500 / retry-after: 1 / retry-after-ms: 5", "the vendor's own clients"),
        ("openai_reset_duration", "1.5h", "as Go writes them"),
        ("openai_reset_duration", "1h0.5m", "as Go writes them"),
        ("openai_reset_duration", "7\u{b5}s", "as Go writes them"),
        ("openai_reset_duration", "1m\u{663}s", "digits of other scripts"),
        ("anthropic", "PaymentRequiredError 402", "the status decides"),
        ("anthropic", "APIStatusError 418 / {\"error\":{\"type\":\"api_error\"}}", "the status decides"),
        (
            "anthropic",
            "APIStatusError 413 / {\"error\":{\"type\":\"overloaded_error\"}}",
            "an overload is the server's",
        ),
        (
            "anthropic",
            "RateLimitError 429 / {\"error\":{\"type\":\"billing_error\"}}",
            "do not bring back a spent quota",
        ),
        ("anthropic", "ConflictError 409 / retry-after: 9", "defined for every response"),
        ("anthropic_reset", "2031-03-05", "RFC 3339 alone"),
        ("anthropic_reset", "2031-03-04T05:07Z", "RFC 3339 alone"),
        ("anthropic_reset", "2031-03-04T05:07:00,5Z", "RFC 3339 alone"),
        ("anthropic_reset", "20310304T050700Z", "RFC 3339 alone"),
        ("anthropic_reset", "2031-03-04T05:07:00.5z", "a lower-case z"),
        ("sql", "40P02", "was rolled back"),
        ("sql", "42S22", "the statement is wrong"),
        ("sql", "22003", "the values are refused"),
        ("sql", "40002", "the values are refused"),
        ("sql", "IM014", "configuration"),
        ("sql", "57P03", "is starting"),
        ("sql", "58030", "the server's system"),
        ("sql", "0800", "five characters"),
        ("sql", "text: [08S01] [Microsoft] link failure", "no code is read out of prose"),
        ("sql", "text: login 28P01 refused", "no code is read out of prose"),
        ("sql", "text: SERIA [40001]", "no code is read out of prose"),
        ("default", "DeadlineElapsed", "`Elapsed` is what tokio and tower call"),
        ("default", "CredentialElapsed", "no answer came in time, so no credentials"),
        ("default", "OpError 418", "the client seems to have erred"),
    ];
    for (table, input, reason) in rows {
        let covers = covering(table, input).unwrap_or_else(|| panic!("{input} is covered"));
        assert!(covers.reason.contains(reason), "{input}: {covers}");
    }
}

#[test]
fn what_is_answered_alike_is_not_covered() {
    let rows = [
        (VALUE, "7"),
        (VALUE, "soon"),
        (VALUE, "Tue, 04 Mar 2031 05:07:07 GMT"),
        (VALUE, "Tuesday, 04-Mar-31 05:07:07 GMT"),
        (VALUE, "Tue Mar  4 05:07:07 2031"),
        (VALUE, "-69 "),
        (VALUE, "Sat, 30 Feb 2041 00:00:00 GMT"),
        (VALUE, "Thu, 29 Feb 2035 00:00:00 GMT"),
        (VALUE, "Tue, 04 Mar 2031 25:00:00 GMT"),
        (VALUE, "2031-03-04T05:07:00Z"),
        ("http", "500"),
        ("http", "507"),
        ("http", "302"),
        ("http", "400"),
        ("http", "404"),
        ("http", "409"),
        ("http", "429"),
        ("http_retry_after", "429 Retry-After: 7"),
        ("http_retry_after", "200 Retry-After: 7"),
        ("http_retry_after", "404 Retry-After: 7"),
        ("http_retry_after", "no status"),
        ("boto3", "Throttling 400"),
        ("boto3", "AccessDenied 409"),
        ("boto3", "RequestThrottled 429"),
        ("boto3", "InternalError 500"),
        ("boto3", "NoSuchKey 404"),
        ("boto3", "ExpiredTokenException 401"),
        ("boto3", "none 404"),
        ("boto3", "none none"),
        ("boto3", "throttling 400"),
        ("boto3", "ConnectionError"),
        ("boto3", "WaiterError"),
        ("grpc", "UNAVAILABLE"),
        ("grpc", "INTERNAL"),
        ("grpc", "UNAUTHENTICATED"),
        ("grpc", "NONSENSE"),
        ("redis", "BusyLoadingError"),
        ("redis", "AuthenticationError"),
        ("redis", "LockNotOwnedError"),
        ("openai", "RateLimitError 429 / retry-after: 7"),
        ("openai", "RateLimitError 429 / {\"code\":\"rate_limit_exceeded\"}"),
        ("openai", "RateLimitError 429 / {\"code\":\"insufficient_quota\"}"),
        ("openai", "BadRequestError 400 / {\"code\":\"project_spend_limit_exceeded\"}"),
        ("openai", "AuthenticationError 401 / retry-after-ms: 250"),
        ("openai", "ConflictError 409"),
        ("openai", "RateLimitError 429 / x-ratelimit-reset-tokens: 1.5"),
        ("openai", "APIStatusError 503"),
        ("openai", "APIError"),
        ("openai_reset_duration", "6m0s"),
        ("openai_reset_duration", "3.5s"),
        ("openai_reset_duration", "1min"),
        ("openai_reset_duration", "1.5"),
        ("openai_reset_duration", "1..5s"),
        ("anthropic", "OverloadedError 529 / retry-after: 7"),
        ("anthropic", "RateLimitError 429"),
        ("anthropic", "APIStatusError 400 / {\"error\":{\"type\":\"overloaded_error\"}}"),
        ("anthropic", "WorkloadIdentityError 401 / retry-after: 7"),
        ("anthropic", "WorkloadIdentityError 429"),
        ("anthropic", "APIStatusError 413"),
        ("anthropic_reset", "2031-03-04T05:07:00Z"),
        ("anthropic_reset", "2031-03-04t05:07:00.5+01:00"),
        ("anthropic_reset", "1930000000"),
        ("anthropic_reset", "60"),
        ("anthropic_reset", "2031-03-04T05:07:00ZZ"),
        ("anthropic_reset", "2031-3-4T05:07:00Z"),
        ("sql", "40001"),
        ("sql", "40P01"),
        ("sql", "08006"),
        ("sql", "08ABC"),
        ("sql", "28P01"),
        ("sql", "42000"),
        ("sql", "HY000"),
        ("sql", "HYT00"),
        ("sql", "S1000"),
        ("sql", "4000"),
        ("sql", "text: nothing useful"),
        ("sql", "text: [42S02] no such table"),
        ("sql", "text: ERROR: 40001"),
        ("sql", "text: [08s01] link failure"),
        ("default", "OpError"),
        ("default", "OpError 404"),
        ("default", "AuthError"),
        ("default", "UnauthorizedError"),
        ("default", "MyAuthority"),
        ("default", "auth_connection_forbid"),
        ("default", "AuthTimeout 404"),
    ];
    for (table, input) in rows {
        assert!(covering(table, input).is_none(), "{input}: {:?}", covering(table, input));
    }
}
