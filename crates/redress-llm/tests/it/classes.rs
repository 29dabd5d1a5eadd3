//! The class of each row of both tables, and the order in which status, body and headers count.

use http::HeaderMap;
use redress::ErrorClass::{self, Auth, Concurrency, Permanent, Permission, RateLimit, ServerError, Transient, Unknown};
use redress::integration::llm::{BODY_LIMIT, anthropic, openai};

use crate::support::{of_anthropic, of_openai, present, status, typed};

const STATUSES: [(u16, ErrorClass); 24] = [
    (400, Permanent),
    (401, Auth),
    (403, Permission),
    (404, Permanent),
    (405, Permanent),
    (407, Auth),
    (408, Transient),
    (409, Concurrency),
    (413, Permanent),
    (418, Permanent),
    (421, Transient),
    (422, Permanent),
    (423, Concurrency),
    (424, Permanent),
    (425, Transient),
    (429, RateLimit),
    (499, Permanent),
    (500, ServerError),
    (501, Permanent),
    (503, ServerError),
    (504, ServerError),
    (520, ServerError),
    (529, ServerError),
    (600, Unknown),
];

#[test]
fn a_status_decides_where_the_body_says_nothing() {
    for (code, class) in STATUSES {
        for body in
            ["", "<html>busy</html>", "null", "[]", "7", "\"insufficient_quota\"", r#"{"error": "overloaded_error"}"#]
        {
            for failure in [of_openai(code, &[], body), of_anthropic(code, &[], body)] {
                assert_eq!(failure.class(), class, "{code} {body}");
                assert_eq!(failure.detail("status"), Some(code.to_string().as_str()));
                assert_eq!((failure.detail("quota"), failure.detail("error")), (None, None), "{code} {body}");
                assert_eq!((failure.retry_after(), failure.retry_forbidden()), (None, None));
                assert_eq!(failure.is_unsent(), [421, 425].contains(&code), "{code}");
            }
        }
    }
}

#[test]
fn below_400_nothing_is_an_error() {
    for code in [200, 201, 302, 304, 399] {
        let body = typed("overloaded_error");
        assert_eq!(openai::classify(status(code), &HeaderMap::new(), &body, present()), None, "{code}");
        assert_eq!(anthropic::classify(status(code), &HeaderMap::new(), &body, present()), None, "{code}");
    }
}

#[test]
fn a_quota_is_told_from_a_rate_limit() {
    let openai = [
        r#"{"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}"#,
        r#"{"error": {"type": "insufficient_quota", "code": "a_new_code"}}"#,
        r#"{"error": {"type": "insufficient_quota", "code": null}}"#,
        r#"{"error": {"type": "insufficient_quota", "code": "rate_limit_exceeded"}}"#,
        r#"{"error": {"type": null, "code": "insufficient_quota"}}"#,
        r#"{"code": "insufficient_quota"}"#,
    ];
    for body in openai {
        let failure = of_openai(429, &[("retry-after", "7")], body);
        assert_eq!((failure.class(), failure.retry_after()), (Permanent, None), "{body}");
        assert_eq!(failure.detail("quota"), Some("insufficient_quota"), "{body}");
    }
    let codes = [
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
    ];
    for code in codes {
        let body = format!(r#"{{"error": {{"type": "insufficient_quota", "code": "{code}"}}}}"#);
        assert_eq!(of_openai(429, &[], &body).detail("quota"), Some(code));
        assert_eq!(of_openai(400, &[], &body).detail("quota"), Some(code));
    }
    let details = [
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "linked_organization_billing_unavailable",
    ];
    for code in details {
        let body = format!(r#"{{"error": {{"type": "rate_limit_error", "details": {{"error_code": "{code}"}}}}}}"#);
        let failure = of_anthropic(429, &[("retry-after", "7")], &body);
        assert_eq!((failure.class(), failure.retry_after()), (Permanent, None), "{body}");
        assert_eq!(failure.detail("quota"), Some(code));
    }
    assert_eq!(of_anthropic(402, &[], &typed("billing_error")).detail("quota"), Some("billing_error"));
    assert_eq!(of_anthropic(402, &[], "").detail("quota"), Some("payment_required"));
    assert_eq!(of_openai(402, &[], "").detail("quota"), Some("payment_required"));
}

#[test]
fn a_rate_limit_is_one() {
    for body in [
        r#"{"error": {"type": "tokens", "code": "rate_limit_exceeded"}}"#,
        r#"{"error": {"type": "requests", "code": "slow_down"}}"#,
        r#"{"error": {"type": "insufficient_QUOTA"}}"#,
        r#"{"error": {"message": "insufficient_quota"}}"#,
        r#"{"type": "insufficient_quota"}"#,
        r#"{"error": {"code": 429, "type": ["insufficient_quota"]}}"#,
    ] {
        assert_eq!(of_openai(429, &[], body).class(), RateLimit, "{body}");
    }
    assert_eq!(of_anthropic(429, &[], &typed("rate_limit_error")).class(), RateLimit);
    let ramp = r#"{"error": {"type": "rate_limit_error", "details": {"error_code": "ramp_limit_exceeded"}}}"#;
    assert_eq!(of_anthropic(429, &[], ramp).class(), RateLimit);
}

#[test]
fn a_quota_behind_a_server_error_or_a_refused_key_is_that() {
    let spent = r#"{"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}"#;
    for (code, class) in [(500, ServerError), (503, ServerError), (401, Auth), (403, Permission), (408, Transient)] {
        assert_eq!(of_openai(code, &[], spent).class(), class, "{code}");
        assert_eq!(of_anthropic(code, &[], &typed("billing_error")).class(), class, "{code}");
    }
}

#[test]
fn an_overload_of_anthropic_is_one_under_any_status() {
    for code in [400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 501, 529, 600] {
        let failure = of_anthropic(code, &[("retry-after", "7")], &typed("overloaded_error"));
        assert_eq!(
            (failure.class(), failure.retry_after().map(|wait| wait.as_secs())),
            (ServerError, Some(7)),
            "{code}"
        );
        assert_eq!(failure.detail("error"), Some("overloaded_error"));
    }
}

#[test]
fn a_code_of_anthropic_decides_where_the_status_only_refuses() {
    let with_code = |code: &str| {
        format!(r#"{{"type": "error", "error": {{"type": "api_error", "details": {{"error_code": "{code}"}}}}}}"#)
    };
    let late = of_anthropic(400, &[("retry-after", "7")], &with_code("request_body_timeout"));
    assert_eq!((late.class(), late.detail("error")), (Transient, Some("request_body_timeout")));
    assert_eq!(late.retry_after().map(|wait| wait.as_secs()), Some(7));
    for code in ["cmek_key_unreachable", "cmek_context_unavailable"] {
        let failure = of_anthropic(503, &[], &with_code(code));
        assert_eq!((failure.class(), failure.detail("error")), (ServerError, None), "{code}");
    }
    for code in ["cmek_key_disabled", "organization_on_hold", "claude_code_version_too_old"] {
        let body = with_code(code).replace("api_error", "invalid_request_error");
        assert_eq!(of_anthropic(400, &[], &body).class(), Permanent, "{code}");
    }
}

#[test]
fn a_type_decides_where_the_status_only_refuses() {
    let anthropic = [
        ("api_error", ServerError),
        ("timeout_error", ServerError),
        ("rate_limit_error", RateLimit),
        ("conflict_error", Concurrency),
        ("authentication_error", Auth),
        ("permission_error", Permission),
        ("not_found_error", Permanent),
        ("request_too_large", Permanent),
        ("invalid_request_error", Permanent),
    ];
    for (kind, class) in anthropic {
        let failure = of_anthropic(418, &[], &typed(kind));
        assert_eq!((failure.class(), failure.detail("error")), (class, Some(kind)));
        assert_eq!(of_anthropic(600, &[], &typed(kind)).class(), class, "{kind}");
        assert_eq!(of_anthropic(409, &[], &typed(kind)).class(), Concurrency, "{kind}");
        assert_eq!(of_anthropic(500, &[], &typed(kind)).class(), ServerError, "{kind}");
    }
    let openai = [
        ("rate_limit_exceeded", RateLimit),
        ("slow_down", RateLimit),
        ("server_is_overloaded", ServerError),
        ("server_error", ServerError),
        ("service_unavailable_error", ServerError),
        ("invalid_api_key", Auth),
        ("authentication_error", Auth),
        ("context_length_exceeded", Permanent),
        ("invalid_request_error", Permanent),
    ];
    for (kind, class) in openai {
        assert_eq!(of_openai(418, &[], &typed(kind)).class(), class, "{kind}");
        assert_eq!(of_openai(503, &[], &typed(kind)).class(), ServerError, "{kind}");
    }
    assert_eq!(of_anthropic(501, &[], &typed("rate_limit_error")).class(), Permanent, "the server's status decides");
    assert_eq!(of_anthropic(418, &[], r#"{"type": "api_error"}"#).class(), Permanent);
    let code_first = r#"{"error": {"type": "invalid_request_error", "code": "rate_limit_exceeded"}}"#;
    assert_eq!(of_openai(400, &[], code_first).class(), RateLimit);
    assert_eq!(of_anthropic(418, &[], &typed("a_new_error")).class(), Permanent);
}

#[test]
fn x_should_retry_is_obeyed() {
    for of in [of_openai, of_anthropic] {
        let refused = of(503, &[("x-should-retry", "false"), ("retry-after", "7")], "");
        assert_eq!((refused.class(), refused.retry_forbidden()), (ServerError, Some("x_should_retry")));

        let allowed = of(400, &[("x-should-retry", "true"), ("retry-after", "7")], &typed("invalid_request_error"));
        assert_eq!((allowed.class(), allowed.retry_after().map(|wait| wait.as_secs())), (Transient, Some(7)));
        assert_eq!((allowed.detail("status"), allowed.detail("error")), (Some("400"), Some("invalid_request_error")));
        assert_eq!(of(429, &[("x-should-retry", " true ")], "").class(), RateLimit);
        for unclear in ["TRUE", "1", "", "yes", "true, false"] {
            assert_eq!(of(400, &[("x-should-retry", unclear)], "").class(), Permanent, "{unclear}");
            assert_eq!(of(503, &[("x-should-retry", unclear)], "").retry_forbidden(), None, "{unclear}");
        }
    }
    let spent = r#"{"error": {"type": "insufficient_quota"}}"#;
    assert_eq!(of_openai(429, &[("x-should-retry", "true")], spent).class(), Permanent);
    assert_eq!(of_anthropic(402, &[("x-should-retry", "true")], "").class(), Permanent);
}

#[test]
fn a_body_counts_up_to_the_limit() {
    let quota = r#"{"error": {"type": "insufficient_quota"}}"#;
    let padded = |length: usize| format!("{quota}{}", " ".repeat(length - quota.len()));
    assert_eq!(of_openai(429, &[], &padded(BODY_LIMIT)).class(), Permanent);
    assert_eq!(of_openai(429, &[], &padded(BODY_LIMIT + 1)).class(), RateLimit);
}

#[test]
fn a_body_that_is_deep_or_broken_leaves_the_status_alone() {
    let deep = "[".repeat(BODY_LIMIT);
    let nested = format!("{}{}", r#"{"error":"#.repeat(500), "}".repeat(500));
    for body in [
        deep.as_str(),
        &nested,
        r#"{"error": {"type": "insufficient_quota""#,
        "{\"error\": {\"type\": \"\\ud800\"}}",
        "\u{0}",
    ] {
        assert_eq!(of_openai(429, &[], body).class(), RateLimit);
        assert_eq!(of_anthropic(429, &[], body).class(), RateLimit);
    }
    let bytes = b"{\"error\": {\"type\": \"insufficient_quota\", \"message\": \"\xff\"}}";
    let failure = openai::classify(status(429), &HeaderMap::new(), bytes, present());
    assert_eq!(failure.expect("a failure").class(), RateLimit, "not text, so not JSON");
}
