//! The inputs that the differences of `llm_differences.rs` cover: why the original answers as it
//! does, read from an exception's name, its status, its body and its headers.

use std::time::SystemTime;

use http::StatusCode;
use redress_core::ErrorClass;
use redress_http::classify_status;
use serde_json::Value;

use super::llm::Case;

pub(super) const OPENAI_QUOTA: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
];

pub(super) const ANTHROPIC_QUOTA: &[&str] = &[
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "billing_error",
];

impl Case {
    /// Our class.
    fn class(&self, table: &str) -> Option<ErrorClass> {
        Some(self.classify(table, SystemTime::UNIX_EPOCH).ok()?.class())
    }

    /// Whether the status is of a class that is retried, so that a hint counts.
    pub(super) fn is_retryable(&self) -> bool {
        let status = self.status.and_then(|status| StatusCode::from_u16(status).ok());
        status.and_then(classify_status).is_some_and(ErrorClass::is_retryable)
    }

    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.contains_key(header)
    }

    /// The code that the original reads.
    pub(super) fn code(&self) -> Option<&str> {
        let nested = || self.body.get("error")?.get("code")?.as_str();
        self.body.get("code").and_then(Value::as_str).or_else(nested)
    }

    pub(super) fn resets(&self) -> impl Iterator<Item = &String> {
        self.headers.iter().filter(|(name, _)| name.contains("-reset")).map(|(_, value)| value)
    }

    /// What remains of each limit, with the name of the header of its reset.
    fn remaining(&self) -> impl Iterator<Item = (String, &str)> {
        let limits = self.headers.iter().filter(|(name, _)| name.contains("-remaining"));
        limits.map(|(name, value)| (name.replace("-remaining", "-reset"), value.as_str()))
    }

    pub(super) fn has_word(&self, words: &[&str]) -> bool {
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

/// The exceptions that the original calls permanent without reading the body.
pub(super) const REFUSALS: &[&str] =
    &["BadRequestError", "ContentTooLargeError", "NotFoundError", "RequestTooLargeError", "UnprocessableEntityError"];

/// Whether the original knows neither a subclass nor the status, and we have this class.
pub(super) fn is_unknown_to_openai(input: &str, class: ErrorClass) -> bool {
    const KNOWN: [u16; 6] = [408, 425, 500, 502, 503, 504];
    Case::parse(input).is_some_and(|case| {
        let is_unknown = case.kind == "APIStatusError" && case.status.is_some_and(|status| !KNOWN.contains(&status));
        is_unknown && case.class("openai") == Some(class)
    })
}

/// The same for Anthropic, whose generic exception is also the base of some that the original does
/// not name.
pub(super) fn is_unknown_to_anthropic(input: &str, class: ErrorClass) -> bool {
    const KNOWN: [u16; 7] = [408, 413, 425, 500, 503, 504, 529];
    const NAMED: [&str; 11] = [
        "AuthenticationError",
        "ConflictError",
        "DeadlineExceededError",
        "GatewayTimeoutError",
        "HTTPNotImplementedError",
        "InternalServerError",
        "OverloadedError",
        "PermissionDeniedError",
        "RateLimitError",
        "ServiceUnavailableError",
        "APIResponseValidationError",
    ];
    Case::parse(input).is_some_and(|case| {
        let (kind, Some(status)) = (case.kind.as_str(), case.status) else { return false };
        let is_unknown = match kind {
            "WorkloadIdentityError" => {
                !matches!(status, 400 | 401 | 403 | 404 | 408 | 409 | 413 | 422 | 425 | 429 | 500..=599)
            }
            _ => !NAMED.contains(&kind) && !REFUSALS.contains(&kind) && !is_overload(input) && !KNOWN.contains(&status),
        };
        is_unknown && case.class("anthropic") == Some(class)
    })
}

pub(super) fn is_overload(input: &str) -> bool {
    Case::parse(input).is_some_and(|case| case.has_word(&["overloaded_error"]))
}

pub(super) fn is_overload_as(input: &str, kinds: &[&str]) -> bool {
    is_overload(input) && Case::parse(input).is_some_and(|case| kinds.contains(&case.kind.as_str()))
}

pub(super) fn is_refusal_with(input: &str, words: &[&str]) -> bool {
    Case::parse(input).is_some_and(|case| REFUSALS.contains(&case.kind.as_str()) && case.has_word(words))
}

/// Whether `retry-after-ms` says when to retry, with the other header or without it.
pub(super) fn has_milliseconds(input: &str, with_seconds: bool) -> bool {
    Case::parse(input).is_some_and(|case| {
        case.has("retry-after-ms") && case.has("retry-after") == with_seconds && case.is_retryable()
    })
}

/// Whether a limit has nothing left and another one resets at another time.
pub(super) fn is_exhausted(input: &str) -> bool {
    Case::parse(input).is_some_and(|case| {
        let exhausted = case.remaining().find(|(_, remaining)| *remaining == "0");
        let reset = exhausted.and_then(|(limit, _)| case.headers.get(&limit));
        reset.is_some_and(|reset| case.resets().any(|other| other != reset))
    })
}

/// Whether each limit with a reset has something left, and the response reports no rate limit.
pub(super) fn has_something_left(input: &str) -> bool {
    Case::parse(input).is_some_and(|case| {
        let is_left = case.remaining().all(|(_, remaining)| remaining != "0");
        case.status != Some(429)
            && is_left
            && case.resets().count() > 0
            && case.resets().count() == case.remaining().count()
    })
}
