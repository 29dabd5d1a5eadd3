//! The intended differences between redress-llm and the original in the tables of responses, and
//! the inputs that each covers. Those in the values of resets are in `reset_differences.rs`.

use serde_json::Value;

use super::difference::Difference;
use super::llm::Case;
use super::reset_differences::{GO, OPENAI_LIMITS, is_new_to_the_original};

const OPENAI_ERRORS: &str = "https://platform.openai.com/docs/guides/error-codes";
const OPENAI_CLIENT: &str = "https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py";
const ANTHROPIC_ERRORS: &str = "https://docs.anthropic.com/en/api/errors";
const ANTHROPIC_LIMITS: &str = "https://docs.anthropic.com/en/api/rate-limits";
const ANTHROPIC_CLIENT: &str =
    "https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/_base_client.py";
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
    of("openai", "APIStatusError 401", ("UNKNOWN", "AUTH"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 403", ("UNKNOWN", "PERMISSION"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 409", ("UNKNOWN", "CONCURRENCY"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 422", ("UNKNOWN", "PERMANENT"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 429", ("UNKNOWN", "RATE_LIMIT"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 529", ("UNKNOWN", "SERVER_ERROR"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of("openai", "APIStatusError 421", ("UNKNOWN", "TRANSIENT"), (BY_STATUS, OPENAI_ERRORS), is_unknown_to_openai),
    of(
        "openai",
        r#"RateLimitError 429 / {"error":{"type":"insufficient_quota"}}"#,
        ("RATE_LIMIT", "PERMANENT"),
        (QUOTA, OPENAI_ERRORS),
        |input| case(input).is_some_and(|case| case.status == Some(429) && case.has_word(OPENAI_QUOTA)),
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
        |input| is_refusal_with(input, &["server_error", "api_error", "server_is_overloaded"]),
    ),
    of(
        "openai",
        r#"BadRequestError 400 / {"error":{"code":"invalid_api_key"}}"#,
        ("PERMANENT", "AUTH"),
        (BY_WORD, OPENAI_ERRORS),
        |input| is_refusal_with(input, &["invalid_api_key", "authentication_error"]),
    ),
    of(
        "openai",
        r#"BadRequestError 400 / {"error":{"type":"permission_error"}}"#,
        ("PERMANENT", "PERMISSION"),
        (BY_WORD, OPENAI_ERRORS),
        |input| is_refusal_with(input, &["permission_error"]),
    ),
    of("openai", "APIResponseValidationError 200", ("PERMANENT", "UNKNOWN"), (NO_STATUS, OPENAI_CLIENT), |input| {
        case(input).is_some_and(|case| case.kind == "APIResponseValidationError")
    }),
    of(
        "openai",
        "ConflictError 409 / retry-after: 7",
        ("none", "7"),
        ("the header is defined for every response; the original reads none of a conflict", RETRY_AFTER),
        |input| case(input).is_some_and(|case| case.kind == "ConflictError"),
    ),
    of(
        "openai",
        "RateLimitError 429 / retry-after-ms: 250",
        ("none", "0.25"),
        (MILLISECONDS, OPENAI_CLIENT),
        has_milliseconds,
    ),
    of(
        "openai",
        "RateLimitError 429 / retry-after: 7 / retry-after-ms: 250",
        ("7", "0.25"),
        (MILLISECONDS, OPENAI_CLIENT),
        has_milliseconds,
    ),
    of(
        "openai",
        "RateLimitError 429 / x-ratelimit-reset-requests: 250ms / x-ratelimit-reset-tokens: 1s",
        ("1", "0.25"),
        (GO, OPENAI_LIMITS),
        |input| case(input).is_some_and(|case| case.headers.values().any(|value| is_new_to_the_original(value))),
    ),
    of(
        "openai",
        "RateLimitError 429 / x-ratelimit-remaining-requests: 5 / x-ratelimit-remaining-tokens: 0 / \
         x-ratelimit-reset-requests: 1s / x-ratelimit-reset-tokens: 6m0s",
        ("1", "360"),
        (EXHAUSTED, OPENAI_LIMITS),
        says_what_remains,
    ),
    of(
        "openai",
        "InternalServerError 500 / x-ratelimit-remaining-tokens: 5 / x-ratelimit-reset-tokens: 6m0s",
        ("360", "none"),
        (NOT_EXHAUSTED, OPENAI_LIMITS),
        says_what_remains,
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
    of("anthropic", "APIStatusError 401", ("UNKNOWN", "AUTH"), (BY_STATUS, ANTHROPIC_ERRORS), is_unknown_to_anthropic),
    of(
        "anthropic",
        "APIStatusError 403",
        ("UNKNOWN", "PERMISSION"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        "APIStatusError 409",
        ("UNKNOWN", "CONCURRENCY"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        "APIStatusError 402",
        ("UNKNOWN", "PERMANENT"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        "APIStatusError 429",
        ("UNKNOWN", "RATE_LIMIT"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        "APIStatusError 520",
        ("UNKNOWN", "SERVER_ERROR"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        "APIStatusError 421",
        ("UNKNOWN", "TRANSIENT"),
        (BY_STATUS, ANTHROPIC_ERRORS),
        is_unknown_to_anthropic,
    ),
    of(
        "anthropic",
        r#"RateLimitError 429 / {"error":{"type":"overloaded_error"}}"#,
        ("RATE_LIMIT", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        is_overload,
    ),
    of(
        "anthropic",
        r#"BadRequestError 400 / {"error":{"type":"overloaded_error"}}"#,
        ("PERMANENT", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        |input| is_overload(input) || is_refusal_with(input, &["api_error", "timeout_error"]),
    ),
    of(
        "anthropic",
        r#"ConflictError 409 / {"error":{"type":"overloaded_error"}}"#,
        ("CONCURRENCY", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        is_overload,
    ),
    of(
        "anthropic",
        r#"AuthenticationError 401 / {"error":{"type":"overloaded_error"}}"#,
        ("AUTH", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        is_overload,
    ),
    of(
        "anthropic",
        r#"PermissionDeniedError 403 / {"error":{"type":"overloaded_error"}}"#,
        ("PERMISSION", "SERVER_ERROR"),
        (OVERLOADED, ANTHROPIC_ERRORS),
        is_overload,
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
        |input| case(input).is_some_and(|case| case.status == Some(429) && case.has_word(ANTHROPIC_QUOTA)),
    ),
    of(
        "anthropic",
        "APIResponseValidationError 200",
        ("PERMANENT", "UNKNOWN"),
        (NO_STATUS, ANTHROPIC_CLIENT),
        |input| case(input).is_some_and(|case| case.kind == "APIResponseValidationError"),
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
            case(input).is_some_and(|case| ["ConflictError", "WorkloadIdentityError"].contains(&case.kind.as_str()))
        },
    ),
    of(
        "anthropic",
        "RateLimitError 429 / retry-after-ms: 250",
        ("none", "0.25"),
        (MILLISECONDS, ANTHROPIC_CLIENT),
        has_milliseconds,
    ),
    of(
        "anthropic",
        "RateLimitError 429 / retry-after: 7 / retry-after-ms: 250",
        ("7", "0.25"),
        (MILLISECONDS, ANTHROPIC_CLIENT),
        has_milliseconds,
    ),
    of(
        "anthropic",
        "RateLimitError 429 / anthropic-ratelimit-requests-remaining: 5 / \
         anthropic-ratelimit-requests-reset: 2031-03-04T05:06:08.25Z / anthropic-ratelimit-tokens-remaining: 0 / \
         anthropic-ratelimit-tokens-reset: 2031-03-04T05:12:07.25Z",
        ("1", "360"),
        (EXHAUSTED, ANTHROPIC_LIMITS),
        says_what_remains,
    ),
    of(
        "anthropic",
        "OverloadedError 529 / anthropic-ratelimit-tokens-remaining: 5 / \
         anthropic-ratelimit-tokens-reset: 2031-03-04T05:12:07.25Z",
        ("360", "none"),
        (NOT_EXHAUSTED, ANTHROPIC_LIMITS),
        says_what_remains,
    ),
];

const OPENAI_QUOTA: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
];

const ANTHROPIC_QUOTA: &[&str] = &[
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "billing_error",
];

fn case(input: &str) -> Option<Case> {
    Case::parse(input)
}

impl Case {
    fn has_word(&self, words: &[&str]) -> bool {
        let error = self.body.get("error");
        let found = [
            self.body.get("code"),
            error.and_then(|error| error.get("type")),
            error.and_then(|error| error.get("code")),
            error.and_then(|error| error.get("details")?.get("error_code")),
        ];
        found.into_iter().flatten().filter_map(Value::as_str).any(|word| words.contains(&word))
    }
}

fn is_unknown_to_openai(input: &str) -> bool {
    const KNOWN: [u16; 6] = [408, 425, 500, 502, 503, 504];
    case(input)
        .is_some_and(|case| case.kind == "APIStatusError" && case.status.is_some_and(|status| !KNOWN.contains(&status)))
}

fn is_unknown_to_anthropic(input: &str) -> bool {
    const KNOWN: [u16; 7] = [408, 413, 425, 500, 503, 504, 529];
    const OF_ITS_OWN: [&str; 9] = [
        "AuthenticationError",
        "BadRequestError",
        "ConflictError",
        "InternalServerError",
        "NotFoundError",
        "OverloadedError",
        "PermissionDeniedError",
        "RateLimitError",
        "UnprocessableEntityError",
    ];
    case(input).is_some_and(|case| {
        let is_generic = !OF_ITS_OWN.contains(&case.kind.as_str());
        is_generic && !is_overload(input) && case.status.is_some_and(|status| !KNOWN.contains(&status))
    })
}

fn is_overload(input: &str) -> bool {
    case(input).is_some_and(|case| case.has_word(&["overloaded_error"]))
}

fn is_refusal_with(input: &str, words: &[&str]) -> bool {
    case(input).is_some_and(|case| {
        case.status.is_some_and(|status| [400, 404, 413, 422].contains(&status)) && case.has_word(words)
    })
}

fn has_milliseconds(input: &str) -> bool {
    case(input).is_some_and(|case| case.headers.contains_key("retry-after-ms"))
}

fn says_what_remains(input: &str) -> bool {
    case(input).is_some_and(|case| case.headers.keys().any(|name| name.contains("remaining")))
}
