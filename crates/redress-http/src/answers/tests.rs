//! The bodies and headers of answers.

use std::io;
use std::time::Duration;

use http::StatusCode;
use http::header::ACCEPT;
use redress_core::breaker::CircuitState;
use redress_core::classify::error_classifier;
use redress_core::error::CircuitOpenError;
use redress_core::{CallError, ErrorClass, Policy};

use super::*;

/// The answer for an operation of this name whose dependency failed for good.
fn failed(operation: &str) -> Answer {
    let classifier = error_classifier(|_: &io::Error| ErrorClass::Permanent);
    let policy = Policy::builder().classifier(classifier).build().expect("valid");
    let error = policy.operation(operation.to_owned()).call(|| Err::<(), _>(io::Error::other("password=hunter2")));
    error.expect_err("it fails").into()
}

fn asking(accept: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))])
}

#[test]
fn a_body_names_the_status_and_nothing_else() {
    let problem = failed("load").to_response(AnswerForm::Problem);
    assert_eq!(problem.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(problem.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(problem.body(), r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#);
    assert_eq!(problem.headers().len(), 1);

    let text = failed("load").to_response(AnswerForm::Text);
    assert_eq!(text.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(text.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(text.body(), "Bad Gateway");
}

#[test]
fn a_body_names_the_operation_only_if_that_is_set() {
    let named = Answers::new().name_operation();
    for (answers, problem, text) in [
        (Answers::new(), r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#, "Bad Gateway"),
        (
            named,
            r#"{"type":"about:blank","title":"Bad Gateway","status":502,"operation":"load"}"#,
            "Bad Gateway (load)",
        ),
    ] {
        assert_eq!(answers.respond(&failed("load"), AnswerForm::Problem).body(), problem);
        assert_eq!(answers.respond(&failed("load"), AnswerForm::Text).body(), text);
    }
    let rejected = CircuitOpenError::new(CircuitState::Open, None).by("orders-db");
    let rejected = Answer::from(CallError::<io::Error>::CircuitOpen(rejected));
    assert_eq!(named.respond(&rejected, AnswerForm::Text).body(), "Service Unavailable");
}

#[test]
fn a_name_is_escaped() {
    let response = Answers::new().name_operation().respond(&failed("a\"b\\c\n\u{1f}\u{e9}"), AnswerForm::Problem);
    let operation = r#""operation":"a\"b\\c\u000a\u001fé"}"#;
    assert!(response.body().ends_with(operation), "{}", response.body());
}

#[test]
fn a_status_without_a_phrase_has_no_title() {
    let answer = failed("load").with_status(StatusCode::from_u16(499).expect("a status"));
    assert_eq!(answer.to_response(AnswerForm::Problem).body(), r#"{"type":"about:blank","status":499}"#);
    assert_eq!(answer.to_response(AnswerForm::Text).body(), "499");
}

#[test]
fn the_form_is_the_setting_or_else_the_request_s() {
    for form in [AnswerForm::Problem, AnswerForm::Text] {
        for accept in ["text/plain", "application/problem+json"] {
            assert_eq!(Answers::new().always(form).form_for(&asking(accept)), form);
        }
    }
    assert_eq!(Answers::new().form_for(&asking("text/plain")), AnswerForm::Text);
    assert_eq!(Answers::new().form_for(&HeaderMap::new()), AnswerForm::Problem);
}

#[test]
fn a_response_varies_with_accept_only_if_it_depends_on_it() {
    let answer = failed("load");
    assert_eq!(Answers::new().respond(&answer, AnswerForm::Text).headers()[VARY], "accept");
    let always = Answers::new().always(AnswerForm::Text);
    assert!(!always.respond(&answer, AnswerForm::Text).headers().contains_key(VARY));
}

#[test]
fn a_response_carries_retry_after_and_its_answer() {
    let rejected = CircuitOpenError::new(CircuitState::Open, Some(Duration::from_millis(6_100)));
    let answer = Answer::from(CallError::<io::Error>::CircuitOpen(rejected));
    let response = answer.to_response(AnswerForm::Problem);
    assert_eq!(response.headers()[RETRY_AFTER], "7");
    assert_eq!(Answer::of(&response), Some(&answer));
    assert_eq!(Answer::of(&Response::new(())), None);
}
