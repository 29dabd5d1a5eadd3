//! [`Answers`], the settings of a server's answers, and the writing of a response.

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderValue, Response};

use crate::answer::Answer;
use crate::answer_form::AnswerForm;

/// How a server writes its [`Answer`]s.
///
/// | setting | default |
/// |---|---|
/// | [`always`](Self::always) | the form that the request's `Accept` prefers |
/// | [`name_operation`](Self::name_operation) | the body does not name the operation |
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use redress::{Policy, StopReason};
/// use redress::integration::http::{Answer, AnswerForm, Answers};
///
/// let outcome = Policy::default().operation("load").abort_if(|| true).execute(|| std::fs::read("settings"));
/// let answer = Answer::unless_ok(outcome.summary()).unwrap_err();
///
/// let answers = Answers::new().always(AnswerForm::Text).name_operation();
/// let response = answers.respond(&answer, answers.form_for(&HeaderMap::new()));
/// assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
/// assert_eq!(response.body(), "Service Unavailable (load)");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    form: Option<AnswerForm>,
    names_operation: bool,
}

impl Answers {
    /// Creates the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self { form: None, names_operation: false }
    }

    /// Writes every answer in this form. Default: the form that the request's `Accept` prefers.
    #[must_use]
    pub const fn always(mut self, form: AnswerForm) -> Self {
        self.form = Some(form);
        self
    }

    /// Names the operation in the body, as the member `operation` of a problem, for the person on
    /// call. Callers read it too. Default: the body names nothing.
    #[must_use]
    pub const fn name_operation(mut self) -> Self {
        self.names_operation = true;
        self
    }

    /// Returns the form for a request with these headers.
    #[must_use]
    pub fn form_for(&self, headers: &HeaderMap) -> AnswerForm {
        self.form.unwrap_or_else(|| AnswerForm::accepted(headers))
    }

    /// Returns the form of every answer, if it is set, or else `accepted`, the form that the
    /// request accepts.
    #[must_use]
    pub fn form_or(&self, accepted: AnswerForm) -> AnswerForm {
        self.form.unwrap_or(accepted)
    }

    /// Returns the response in this form. If the form depends on the request, the response says so
    /// with `Vary: Accept` ([RFC 9110, section
    /// 12.5.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5)).
    #[must_use]
    pub fn respond(&self, answer: &Answer, form: AnswerForm) -> Response<String> {
        let operation = answer.operation().filter(|_| self.names_operation);
        let mut response = answer.written(form, operation);
        if self.form.is_none() {
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        }
        response
    }
}

impl Answer {
    /// Returns the response in this form, without the operation's name. The response has this
    /// answer in its extensions.
    #[must_use]
    pub fn to_response(&self, form: AnswerForm) -> Response<String> {
        self.written(form, None)
    }

    /// Returns the answer in the extensions of this response; `None` if the response is not one of
    /// an [`Answer`]. For a server's log.
    #[must_use]
    pub fn of<B>(response: &Response<B>) -> Option<&Self> {
        response.extensions().get()
    }

    fn written(&self, form: AnswerForm, operation: Option<&str>) -> Response<String> {
        let body = match form {
            AnswerForm::Problem => self.problem(operation),
            AnswerForm::Text => self.text(operation),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, form.content_type());
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self.clone());
        response
    }

    /// With the type `about:blank`, the title is the status's own (RFC 9457, section 4.2.1).
    fn problem(&self, operation: Option<&str>) -> String {
        let mut body = String::from(r#"{"type":"about:blank""#);
        if let Some(title) = self.status().canonical_reason() {
            body.push_str(r#","title":"#);
            push_json(&mut body, title);
        }
        body.push_str(r#","status":"#);
        body.push_str(self.status().as_str());
        if let Some(operation) = operation {
            body.push_str(r#","operation":"#);
            push_json(&mut body, operation);
        }
        body.push('}');
        body
    }

    fn text(&self, operation: Option<&str>) -> String {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_else(|| status.as_str());
        operation.map_or_else(|| title.to_owned(), |operation| format!("{title} ({operation})"))
    }
}

/// Appends a JSON string (RFC 8259, section 7).
fn push_json(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            // Writing to a string does not fail.
            '\0'..='\x1f' => drop(write!(json, "\\u{:04x}", u32::from(letter))),
            _ => json.push(letter),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests;
