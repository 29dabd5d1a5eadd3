//! The layer that writes the bodies of answers in the form that a request accepts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use pin_project_lite::pin_project;
use redress_http::{Answer, AnswerForm, Answers};
use tower_layer::Layer;
use tower_service::Service;

/// Writes the body of every [`Unserved`](crate::Unserved) below it in the form that the request's
/// `Accept` prefers: a problem or plain text. Other responses pass through unchanged.
///
/// | setting | default |
/// |---|---|
/// | [`always`](Self::always) | the form that the request's `Accept` prefers |
/// | [`name_operation`](Self::name_operation) | the body does not name the operation |
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use redress::integration::axum::{AnswerLayer, Unserved};
///
/// async fn order() -> Result<String, Unserved> {
///     // ..
///     # Ok(String::new())
/// }
///
/// let router: Router = Router::new().route("/orders/{id}", get(order)).layer(AnswerLayer::new().name_operation());
/// # let _ = router;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerLayer {
    answers: Answers,
}

impl AnswerLayer {
    /// Creates a layer with the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self { answers: Answers::new() }
    }

    /// Writes every answer in this form. Default: the form that the request's `Accept` prefers.
    #[must_use]
    pub const fn always(self, form: AnswerForm) -> Self {
        Self { answers: self.answers.always(form) }
    }

    /// Names the operation in the body, for the person on call. Callers read it too. Default: the
    /// body names nothing.
    #[must_use]
    pub const fn name_operation(self) -> Self {
        Self { answers: self.answers.name_operation() }
    }
}

impl From<Answers> for AnswerLayer {
    fn from(answers: Answers) -> Self {
        Self { answers }
    }
}

impl<S> Layer<S> for AnswerLayer {
    type Service = AnswerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AnswerService { inner, answers: self.answers }
    }
}

/// A service whose answers are in the form that the request accepts. Made by [`AnswerLayer`].
#[derive(Clone, Debug)]
pub struct AnswerService<S> {
    inner: S,
    answers: Answers,
}

impl<S: Service<Request, Response = Response>> Service<Request> for AnswerService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = AnswerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let writer = Writer::new(self.answers, &request);
        AnswerFuture { running: self.inner.call(request), writer }
    }
}

pin_project! {
    /// One request through an [`AnswerService`].
    #[must_use = "a request is not handled unless its future is polled"]
    pub struct AnswerFuture<F> {
        #[pin]
        running: F,
        writer: Writer,
    }
}

impl<E, F: Future<Output = Result<Response, E>>> Future for AnswerFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.running.poll(cx))?;
        Poll::Ready(Ok(this.writer.rewritten(response)))
    }
}

impl<F> fmt::Debug for AnswerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFuture").finish_non_exhaustive()
    }
}

/// Writes the answer to one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    answers: Answers,
    form: AnswerForm,
}

impl Writer {
    pub(crate) fn new(answers: Answers, request: &Request) -> Self {
        Self { answers, form: answers.form_for(request.headers()) }
    }

    pub(crate) fn written(self, answer: &Answer) -> Response {
        self.answers.respond(answer, self.form).map(Body::from)
    }

    /// Replaces the body and keeps the other headers, which layers below have set.
    pub(crate) fn rewritten(self, mut response: Response) -> Response {
        let Some(answer) = Answer::of(&response) else { return response };
        // A response with another status, or with a compressed body, has been changed since.
        if response.status() != answer.status() || response.headers().contains_key(CONTENT_ENCODING) {
            return response;
        }
        let (written, body) = self.written(answer).into_parts();
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        for (name, value) in &written.headers {
            if name != VARY {
                headers.insert(name, value.clone());
            } else if !headers.get_all(VARY).iter().any(|known| known == value) {
                headers.append(VARY, value.clone());
            }
        }
        response
    }
}
