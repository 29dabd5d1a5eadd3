//! The intended differences between redress-llm and the original in the tables of responses.
//! `llm_covers.rs` has the inputs that each covers, and `reset_differences.rs` those in the values
//! of resets.

use redress_core::ErrorClass;

use super::difference::Difference;
use super::llm::Case;
use super::llm_covers::{
    ANTHROPIC_QUOTA, OPENAI_QUOTA, REFUSALS, has_milliseconds, has_something_left, is_exhausted, is_overload,
    is_overload_as, is_refusal_with, is_unknown_to_anthropic, is_unknown_to_openai,
};
use super::reset_differences::{GO, OPENAI_LIMITS, is_new_to_the_original};

const OPENAI_ERRORS: &str = "https://developers.openai.com/api/docs/guides/error-codes";
/// The codes of quotas, and that retries do not help.
const OPENAI_SPENDING: &str = "https://help.openai.com/en/articles/6614457-troubleshooting-api-usage-and-spend-limits";
const OPENAI_CLIENT: &str = "https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py";
const ANTHROPIC_ERRORS: &str = "https://platform.claude.com/docs/en/api/errors";
const ANTHROPIC_LIMITS: &str = "https://platform.claude.com/docs/en/api/rate-limits";
const ANTHROPIC_CLIENT: &str =
    "https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/_base_client.py";
const ANTHROPIC_TIMEOUT: &str = "https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/beta_request_body_timeout_error.py";
const RETRY_AFTER: &str = "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3";

const BY_STATUS: &str = "the status decides, or the type where the status says only that the request was refused; \
                         the original looks at the SDK's subclass, and there is none";
const BY_WORD: &str = "the status says only that the request was refused, and the type says why";
const OVERLOADED: &str = "an overload is the server's, under any status";
const QUOTA: &str = "retries do not bring back a spent quota; its codes grow in number, and the original knows one";
const MILLISECONDS: &str = "the vendor's own clients read `retry-after-ms`, before `Retry-After`";
const NOT_EXHAUSTED: &str =
    "the vendor sends all limits with every response; one with something left does not stand in the way";
const EXHAUSTED: &str = "the limit with nothing left stands in the way, and not the one that resets first";
const NO_STATUS: &str = "an exception of the SDK without a counterpart in Rust: the default classifier reads its name";

/// A difference in the classes or the hints of a vendor's responses.
pub(super) const fn of(
    table: &'static str,
    example: &'static str,
    (original, ours): (&'static str, &'static str),
    (reason, source): (&'static str, &'static str),
    covers: fn(&str) -> bool,
) -> Difference {
    Difference { table, example, original, ours, reason, source, covers }
}

/// The intended differences in the tables of responses.
pub(super) const DIFFERENCES: &[Difference] = &[
    of("openai", "APIStatusError 401", ("UNKNOWN", "AUTH"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::Auth)
    }),
    of("openai", "APIStatusError 403", ("UNKNOWN", "PERMISSION"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::Permission)
    }),
    of("openai", "APIStatusError 409", ("UNKNOWN", "CONCURRENCY"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::Concurrency)
    }),
    of("openai", "APIStatusError 422", ("UNKNOWN", "PERMANENT"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::Permanent)
    }),
    of("openai", "APIStatusError 429", ("UNKNOWN", "RATE_LIMIT"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::RateLimit)
    }),
    of("openai", "APIStatusError 529", ("UNKNOWN", "SERVER_ERROR"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::ServerError)
    }),
    of("openai", "APIStatusError 421", ("UNKNOWN", "TRANSIENT"), (BY_STATUS, OPENAI_ERRORS), |input| {
        is_unknown_to_openai(input, ErrorClass::Transient)
    }),
    of(
        "openai",
        r#"RateLimitError 429 / {"error":{"type":"insufficient_quota"}}"#,
        ("RATE_LIMIT", "PERMANENT"),
        (QUOTA, OPENAI_SPENDING),
        |input| {
            Case::parse(input).is_some_and(|case| {
                case.kind == "RateLimitError"
                    && case.has_word(OPENAI_QUOTA)
                    && case.code() != Some("insufficient_quota")
            })
        },
    ),
    of(
        "openai",
        r#"BadRequestError 400 / {"error":{"code":"rate_limit_exceeded"}}"#,
        ("PERMANENT", "RATE_LIMIT"),
        (BY_WORD, OPENAI_ERRORS),
        |input| is_refusal_with(input, &["rate_limit_exceeded", "rate_limit_error", "slow_down"]),
    ),
    of(
        "openai",
        r#"BadRequestError 400 / {"error":{"type":"server_error"}}"#,
        ("PERMANENT", "SERVER_ERROR"),
        (BY_WORD, OPENAI_ERRORS),
        |input| {
            is_refusal_with(
                input,
                &["server_error", "service_unavailable_error", "server_is_overloaded", "vector_store_timeout"],
            )
        },
    ),
    of(
        "openai",
        r#"BadRequestError 400 / {"error":{"code":"invalid_api_key"}}"#,
        ("PERMANENT", "AUTH"),
        (BY_WORD, OPENAI_ERRORS),
        |input| is_refusal_with(input, &["invalid_api_key", "authentication_error"]),
    ),
    of("openai", "APIResponseValidationError 200", ("PERMANENT", "UNKNOWN"), (NO_STATUS, OPENAI_CLIENT), |input| {
        Case::parse(input).is_some_and(|case| case.kind == "APIResponseValidationError")
    }),
    of(
        "openai",
        "ConflictError 409 / retry-after: 7",
        ("none", "7"),
        ("the header is defined for every response; the original reads none of a conflict", RETRY_AFTER),
        |input| Case::parse(input).is_some_and(|case| case.kind == "ConflictError" && case.has("retry-after")),
    ),
    of(
        "openai",
        "RateLimitError 429 / retry-after-ms: 250",
        ("none", "0.25"),
        (MILLISECONDS, OPENAI_CLIENT),
        |input| has_milliseconds(input, false),
    ),
    of(
        "openai",
        "RateLimitError 429 / retry-after: 7 / retry-after-ms: 250",
        ("7", "0.25"),
        (MILLISECONDS, OPENAI_CLIENT),
        |input| has_milliseconds(input, true),
    ),
    of(
        "openai",
        "RateLimitError 429 / x-ratelimit-reset-requests: 250ms / x-ratelimit-reset-tokens: 1s",
        ("1", "0.25"),
        (GO, OPENAI_LIMITS),
        |input| {
            Case::parse(input).is_some_and(|case| {
                let new = |value: &&String| is_new_to_the_original(value);
                case.resets().filter(new).count() == 1 && case.resets().count() == 2 && !case.has("retry-after")
            })
        },
    ),
    of(
        "openai",
        "RateLimitError 429 / x-ratelimit-remaining-requests: 5 / x-ratelimit-remaining-tokens: 0 / \
         x-ratelimit-reset-requests: 1s / x-ratelimit-reset-tokens: 6m0s",
        ("1", "360"),
        (EXHAUSTED, OPENAI_LIMITS),
        is_exhausted,
    ),
    of(
        "openai",
        "InternalServerError 500 / x-ratelimit-remaining-tokens: 5 / x-ratelimit-reset-tokens: 6m0s",
        ("360", "none"),
        (NOT_EXHAUSTED, OPENAI_LIMITS),
        has_something_left,
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"authentication_error"}}"#,
        ("PERMANENT", "AUTH"),
        (BY_WORD, ANTHROPIC_ERRORS),
        |input| is_refusal_with(input, &["authentication_error"]),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"permission_error"}}"#,
        ("PERMANENT", "PERMISSION"),
        (BY_WORD, ANTHROPIC_ERRORS),
        |input| is_refusal_with(input, &["permission_error"]),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"conflict_error"}}"#,
        ("PERMANENT", "CONCURRENCY"),
        (BY_WORD, ANTHROPIC_ERRORS),
        |input| is_refusal_with(input, &["conflict_error"]),
    ),
    of("anthropic", "APIStatusError 401", ("UNKNOWN", "AUTH"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::Auth)
    }),
    of("anthropic", "APIStatusError 403", ("UNKNOWN", "PERMISSION"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::Permission)
    }),
    of("anthropic", "APIStatusError 409", ("UNKNOWN", "CONCURRENCY"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::Concurrency)
    }),
    of("anthropic", "APIStatusError 402", ("UNKNOWN", "PERMANENT"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::Permanent)
    }),
    of("anthropic", "APIStatusError 429", ("UNKNOWN", "RATE_LIMIT"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::RateLimit)
    }),
    of("anthropic", "APIStatusError 520", ("UNKNOWN", "SERVER_ERROR"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::ServerError)
    }),
    of("anthropic", "APIStatusError 421", ("UNKNOWN", "TRANSIENT"), (BY_STATUS, ANTHROPIC_ERRORS), |input| {
        is_unknown_to_anthropic(input, ErrorClass::Transient)
    }),
    of(
        "anthropic",
        r#"RateLimitError 429 / {"error":{"type":"overloaded_error"}}"#,
        ("RATE_LIMIT", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload_as(input, &["RateLimitError"]),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"overloaded_error"}}"#,
        ("PERMANENT", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload_as(input, REFUSALS) || (is_overload(input) && input.starts_with("APIStatusError 413 ")),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"api_error"}}"#,
        ("PERMANENT", "SERVER_ERROR"),
        (BY_WORD, ANTHROPIC_ERRORS),
        |input| {
            is_refusal_with(input, &["api_error", "timeout_error", "cmek_key_unreachable", "cmek_context_unavailable"])
        },
    ),
    of(
        "anthropic",
        r#"ConflictError 409 / {"error":{"type":"overloaded_error"}}"#,
        ("CONCURRENCY", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload_as(input, &["ConflictError"]),
    ),
    of(
        "anthropic",
        r#"AuthenticationError 401 / {"error":{"type":"overloaded_error"}}"#,
        ("AUTH", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload_as(input, &["AuthenticationError"]),
    ),
    of(
        "anthropic",
        r#"PermissionDeniedError 403 / {"error":{"type":"overloaded_error"}}"#,
        ("PERMISSION", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload_as(input, &["PermissionDeniedError"]),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"details":{"error_code":"request_body_timeout"},"type":"invalid_request_error"}}"#,
        ("PERMANENT", "TRANSIENT"),
        ("the body did not arrive in time and nothing was done; nothing is wrong with the request", ANTHROPIC_TIMEOUT),
        |input| is_refusal_with(input, &["request_body_timeout"]),
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"rate_limit_error"}}"#,
        ("PERMANENT", "RATE_LIMIT"),
        (BY_WORD, ANTHROPIC_ERRORS),
        |input| is_refusal_with(input, &["rate_limit_error", "ramp_limit_exceeded"]),
    ),
    of(
        "anthropic",
        r#"RateLimitError 429 / {"error":{"details":{"error_code":"enforced_spend_limit_reached"},"type":"rate_limit_error"}}"#,
        ("RATE_LIMIT", "PERMANENT"),
        (QUOTA, ANTHROPIC_LIMITS),
        |input| Case::parse(input).is_some_and(|case| case.kind == "RateLimitError" && case.has_word(ANTHROPIC_QUOTA)),
    ),
    of(
        "anthropic",
        "APIResponseValidationError 200",
        ("PERMANENT", "UNKNOWN"),
        (NO_STATUS, ANTHROPIC_CLIENT),
        |input| Case::parse(input).is_some_and(|case| case.kind == "APIResponseValidationError"),
    ),
    of("anthropic", "RetryableError", ("TRANSIENT", "UNKNOWN"), (NO_STATUS, ANTHROPIC_CLIENT), |input| {
        input == "RetryableError"
    }),
    of(
        "anthropic",
        "WorkloadIdentityError 429 / retry-after: 7",
        ("none", "7"),
        ("the header is defined for every response; the original reads none of these exceptions", RETRY_AFTER),
        |input| {
            Case::parse(input).is_some_and(|case| {
                let reads_none = ["ConflictError", "WorkloadIdentityError"].contains(&case.kind.as_str());
                reads_none && case.has("retry-after") && case.is_retryable()
            })
        },
    ),
    of(
        "anthropic",
        "RateLimitError 429 / retry-after-ms: 250",
        ("none", "0.25"),
        (MILLISECONDS, ANTHROPIC_CLIENT),
        |input| has_milliseconds(input, false),
    ),
    of(
        "anthropic",
        "RateLimitError 429 / retry-after: 7 / retry-after-ms: 250",
        ("7", "0.25"),
        (MILLISECONDS, ANTHROPIC_CLIENT),
        |input| has_milliseconds(input, true),
    ),
    of(
        "anthropic",
        "RateLimitError 429 / anthropic-ratelimit-requests-remaining: 5 / \
         anthropic-ratelimit-requests-reset: 2031-03-04T05:06:08.25Z / anthropic-ratelimit-tokens-remaining: 0 / \
         anthropic-ratelimit-tokens-reset: 2031-03-04T05:12:07.25Z",
        ("1", "360"),
        (EXHAUSTED, ANTHROPIC_LIMITS),
        is_exhausted,
    ),
    of(
        "anthropic",
        "OverloadedError 529 / anthropic-ratelimit-tokens-remaining: 5 / \
         anthropic-ratelimit-tokens-reset: 2031-03-04T05:12:07.25Z",
        ("360", "none"),
        (NOT_EXHAUSTED, ANTHROPIC_LIMITS),
        has_something_left,
    ),
];
