//! Events of streams that began with 200: which are errors, of which class, and when a retry is
//! forbidden.

use redress::ErrorClass::{self, Auth, Concurrency, Permanent, Permission, RateLimit, ServerError, Transient, Unknown};
use redress::integration::llm::{BODY_LIMIT, EVENT_LIMIT, Output, StreamError, anthropic, openai};

use crate::support::typed;

fn of_openai(data: &str) -> Option<ErrorClass> {
    openai::classify_event(data, Output::Undelivered).map(|failure| failure.class())
}

fn of_anthropic(data: &str) -> Option<ErrorClass> {
    anthropic::classify_event(data, Output::Undelivered).map(|failure| failure.class())
}

#[test]
fn an_error_event_of_anthropic_is_classified_by_its_type() {
    let rows = [
        ("overloaded_error", ServerError),
        ("api_error", ServerError),
        ("timeout_error", ServerError),
        ("cmek_key_unreachable", ServerError),
        ("cmek_context_unavailable", ServerError),
        ("request_body_timeout", Transient),
        ("rate_limit_error", RateLimit),
        ("conflict_error", Concurrency),
        ("authentication_error", Auth),
        ("permission_error", Permission),
        ("billing_error", Permanent),
        ("invalid_request_error", Permanent),
        ("not_found_error", Permanent),
        ("request_too_large", Permanent),
        ("a_new_error", Unknown),
    ];
    for (kind, class) in rows {
        assert_eq!(of_anthropic(&typed(kind)), Some(class), "{kind}");
    }
    let spent = r#"{"type": "error", "error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}"#;
    let failure = anthropic::classify_event(spent, Output::Undelivered).expect("an error");
    assert_eq!(failure.detail("quota"), Some("enforced_spend_limit_reached"));
}

#[test]
fn the_errors_of_both_kinds_of_stream_of_openai_are_read() {
    let rows = [
        (r#"{"error": {"type": "server_error", "code": null}}"#, ServerError),
        (r#"{"error": {"type": "insufficient_quota", "code": "credit_balance_exhausted"}}"#, Permanent),
        (r#"{"error": {"message": "..."}}"#, Unknown),
        (r#"{"type": "error", "code": "rate_limit_exceeded", "message": "...", "sequence_number": 1}"#, RateLimit),
        (r#"{"type": "error", "code": "insufficient_quota"}"#, Permanent),
        (r#"{"type": "error", "error": {"type": "server_error"}}"#, ServerError),
        (r#"{"type": "error"}"#, Unknown),
        (r#"{"type": "response.failed", "response": {"error": {"code": "server_error"}}}"#, ServerError),
        (r#"{"type": "response.failed", "response": {"error": {"code": "invalid_prompt"}}}"#, Permanent),
        (r#"{"type": "response.failed", "response": {"error": {"code": "vector_store_timeout"}}}"#, ServerError),
        (r#"{"type": "response.failed", "response": {"error": {"code": "invalid_image"}}}"#, Permanent),
        (r#"{"type": "response.failed", "response": {"error": {"code": "cyber_policy"}}}"#, Permanent),
        (r#"{"type": "response.failed", "response": {"error": {"code": "failed_to_download_image"}}}"#, Unknown),
        (r#"{"type": "response.failed", "response": {"error": null}}"#, Unknown),
        (
            r#"{"type": "error", "sequence_number": 2,
                "error": {"type": "service_unavailable_error", "code": "server_is_overloaded", "param": null}}"#,
            ServerError,
        ),
        (r#"{"type": "error", "error": {"type": "service_unavailable_error", "code": null}}"#, ServerError),
    ];
    for (data, class) in rows {
        assert_eq!(of_openai(data), Some(class), "{data}");
    }
}

#[test]
fn output_is_no_error() {
    let rows = [
        "[DONE]",
        "",
        "error",
        "\"error\"",
        "[\"error\"]",
        r#"{"choices": [{"delta": {"content": "an error, overloaded_error"}}]}"#,
        r#"{"type": "response.created", "response": {"error": null}}"#,
        r#"{"type": "response.in_progress", "response": {"error": {"code": "server_error"}}}"#,
        r#"{"type": "response.failed"}"#,
        r#"{"error": null}"#,
        r#"{"error": "server_error"}"#,
        r#"{"type": "ping"}"#,
        r#"{"type": "content_block_delta", "delta": {"text": "{\"type\": \"error\"}"}}"#,
    ];
    for data in rows {
        assert_eq!(of_openai(data), None, "{data}");
        assert_eq!(of_anthropic(data), None, "{data}");
    }
    let mut long = typed("overloaded_error");
    long.push_str(&" ".repeat(BODY_LIMIT - long.len()));
    assert_eq!((long.len(), of_anthropic(&long)), (BODY_LIMIT, Some(ServerError)));
    long.push(' ');
    assert_eq!(of_anthropic(&long), None);
    let quoting =
        format!(r#"{{"error": {{"type": "server_error", "message": "response.failed"}}}}{}"#, " ".repeat(BODY_LIMIT));
    assert_eq!(of_openai(&quoting), None);
}

#[test]
fn a_failed_response_is_read_with_all_that_it_repeats() {
    let failed = |length: usize| {
        let event = |instructions: &str| {
            format!(
                r#"{{"type": "response.failed", "response": {{"instructions": "{instructions}",
                    "error": {{"code": "rate_limit_exceeded"}}}}}}"#
            )
        };
        event(&"x".repeat(length - event("").len()))
    };
    for length in [BODY_LIMIT, BODY_LIMIT + 1, EVENT_LIMIT] {
        assert_eq!(of_openai(&failed(length)), Some(RateLimit), "{length}");
    }
    assert_eq!(of_openai(&failed(EVENT_LIMIT + 1)), None);
}

#[test]
fn after_delivered_output_a_retry_is_forbidden() {
    type Check = fn(&str, Output) -> Result<(), StreamError>;
    let both: [Check; 2] =
        [|data, output| anthropic::check_event(data, output), |data, output| openai::check_event(data, output)];
    for check in both {
        let data = typed("rate_limit_error");
        let before = check(&data, Output::Undelivered).expect_err("an error");
        assert_eq!((before.classification().class(), before.classification().retry_forbidden()), (RateLimit, None));
        let after = check(&data, Output::Delivered).expect_err("an error");
        assert_eq!(after.classification().class(), RateLimit);
        assert_eq!(after.classification().retry_forbidden(), Some("output_delivered"));
        assert!(check(r#"{"type": "ping"}"#, Output::Delivered).is_ok());
    }
}

#[test]
fn a_connection_that_broke_in_a_stream_is_classified_by_its_error() {
    use std::error::Error as _;
    use std::io;

    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let before = StreamError::interrupted(reset(), Output::Undelivered);
    assert_eq!((before.classification().class(), before.classification().retry_forbidden()), (Transient, None));
    assert!(before.source().is_some_and(<dyn std::error::Error>::is::<io::Error>));
    let after = StreamError::interrupted(reset(), Output::Delivered);
    assert_eq!(after.classification().retry_forbidden(), Some("output_delivered"));
    assert_eq!(after.to_string(), "the stream was interrupted: TRANSIENT");
}
