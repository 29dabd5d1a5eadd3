//! The kept request of a call: what each attempt sends, and whether it may be sent again.

use http::request::Parts;
use http::{Request, Response, StatusCode};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification};
use redress_http::{IdempotencyGuard, LastFailure, Repetition, ReplayBody, RetrySafety};

use crate::error::HyperError;
use crate::progress::Progress;

/// How an attempt failed.
pub(crate) type Answer<R> = Failure<Response<R>, HyperError>;

/// Whether a request may be sent again, judged by its head.
#[derive(Clone, Copy)]
pub(crate) struct Allowed {
    guard: IdempotencyGuard,
    safety: RetrySafety,
}

impl Allowed {
    pub(crate) fn of(guard: IdempotencyGuard, parts: &Parts) -> Self {
        Self { guard, safety: guard.safety(&parts.method, &parts.headers) }
    }

    pub(crate) const fn if_never_sent(self, never_sent: bool) -> Self {
        Self { safety: self.safety.if_never_sent(never_sent), ..self }
    }

    pub(crate) fn after(self, answer: Option<StatusCode>, failure: &Classification) -> RetrySafety {
        self.guard.after(self.safety, answer, failure)
    }
}

/// The request of every attempt.
pub(crate) struct RequestReplay<B> {
    parts: Option<Parts>,
    body: ReplayBody<B>,
    allowed: Allowed,
    attempts_allowed: u32,
    /// The attempt that was started, counted from 1.
    number: u32,
    /// The extension of the next attempt's request.
    repetition: Option<Repetition>,
    /// How far the attempt has come.
    progress: Progress,
}

impl<B> RequestReplay<B> {
    pub(crate) fn new(parts: Parts, body: ReplayBody<B>, allowed: Allowed, attempts_allowed: u32) -> Self {
        let (parts, progress) = (Some(parts), Progress::default());
        Self { parts, body, allowed, attempts_allowed, number: 0, repetition: None, progress }
    }

    /// Returns the request of this attempt. The head is the same each time; only the [`Repetition`]
    /// and the progress mark in the extensions change.
    pub(crate) fn request_for(&mut self, attempt: Attempt) -> Option<Request<B>> {
        self.number = attempt.number();
        let is_last = attempt.number() >= self.attempts_allowed;
        let parts = if is_last { self.parts.take() } else { self.parts.clone() };
        let mut request = Request::from_parts(parts?, self.body.next(is_last)?);
        if let Some(repetition) = self.repetition {
            request.extensions_mut().insert(repetition);
        }
        self.progress.reset();
        request.extensions_mut().insert(self.progress.clone());
        Some(request)
    }

    /// Whether another attempt could follow this one, depending on its failure.
    pub(crate) fn may_follow(&self, attempt: Attempt) -> bool {
        attempt.number() < self.attempts_allowed && self.body.is_replayable()
    }

    pub(crate) fn retry_forbidden<R>(&self, failure: &Answer<R>, meaning: &Classification) -> Option<&'static str> {
        // No classifier sees a timeout.
        let is_unsent = match failure {
            Failure::Error(error) => error.is_unsent(),
            Failure::Timeout => self.progress.is_connecting(),
            _ => false,
        };
        let answer = failure.result().map(Response::status);
        let safety = self.allowed.if_never_sent(is_unsent).after(answer, meaning);
        safety.with_body(self.body.is_replayable()).retry_forbidden()
    }

    /// Sets the repetition of the attempt that follows this failure.
    pub(crate) fn repeat_after<R>(&mut self, failure: &Answer<R>) {
        let why = match failure {
            Failure::Result(response) => LastFailure::Answer(response.status()),
            Failure::Timeout => LastFailure::Timeout,
            Failure::Error(error) if error.is_connection() => LastFailure::Connection,
            _ => LastFailure::Error,
        };
        self.repetition = Some(Repetition::new(self.number + 1, why));
    }
}
