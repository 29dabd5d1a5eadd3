//! The kept request of a call: the request of each attempt, and whether it may be sent again.

use redress_core::error::Failure;
use redress_core::{Attempt, Classification};
use redress_http::{IdempotencyGuard, RetrySafety};
use reqwest::Url;

use crate::wire::{Answer, Outgoing, Refusal};

/// The request of every attempt.
///
/// Keeps N4 of [`IdempotencyGuard`]: counts the exchanges of an attempt, of which redirects make
/// several.
pub(crate) struct Replay<R> {
    request: Option<R>,
    /// Of a request that may be sent again only after some failures.
    url: Option<Url>,
    guard: IdempotencyGuard,
    safety: RetrySafety,
    is_replayable: bool,
    follows_redirects: bool,
    attempts_allowed: u32,
    /// How many exchanges of this attempt have ended.
    exchanges: u32,
}

/// The failure of an attempt. Both fields are `None` after a timeout of the policy.
pub(crate) struct Seen<'f, T, E> {
    pub(crate) answer: Option<&'f T>,
    pub(crate) error: Option<&'f E>,
}

impl<'f, T, E> From<&'f Failure<T, E>> for Seen<'f, T, E> {
    fn from(failure: &'f Failure<T, E>) -> Self {
        Self { answer: failure.result(), error: failure.error() }
    }
}

impl<R: Outgoing> Replay<R> {
    pub(crate) fn new(request: R, guard: IdempotencyGuard, follows_redirects: bool, attempts_allowed: u32) -> Self {
        let safety = guard.safety(request.method(), request.headers());
        Self {
            url: (!safety.may_retry()).then(|| request.url().clone()),
            guard,
            safety,
            is_replayable: request.is_replayable(),
            request: Some(request),
            follows_redirects,
            attempts_allowed,
            exchanges: 0,
        }
    }

    /// Returns the request of this attempt.
    pub(crate) fn request_for(&mut self, attempt: Attempt) -> Option<R> {
        self.exchanges = 0;
        let is_last = attempt.number() >= self.attempts_allowed || !self.is_replayable;
        if is_last { self.request.take() } else { self.request.as_ref()?.again() }
    }

    pub(crate) const fn count(&mut self, exchanges: u32) {
        self.exchanges = self.exchanges.saturating_add(exchanges);
    }

    /// Whether another attempt could follow this one, depending on its failure.
    pub(crate) const fn may_follow(&self, attempt: Attempt) -> bool {
        attempt.number() < self.attempts_allowed && self.is_replayable
    }

    /// The guard, with its answer for the head of the request.
    pub(crate) const fn allowed(&self) -> (IdempotencyGuard, RetrySafety) {
        (self.guard, self.safety)
    }

    pub(crate) fn retry_forbidden<T: Answer, E: Refusal>(
        &self,
        failure: &Seen<'_, T, E>,
        meaning: &Classification,
    ) -> Option<&'static str> {
        let safety = if self.safety.may_retry() { self.safety } else { self.after(failure, meaning) };
        safety.with_body(self.is_replayable).retry_forbidden()
    }

    fn after<T: Answer, E: Refusal>(&self, failure: &Seen<'_, T, E>, meaning: &Classification) -> RetrySafety {
        if !self.had_one_exchange(failure.answer) {
            return self.safety;
        }
        let safety = self.safety.if_never_sent(failure.error.is_some_and(Refusal::is_unsent));
        self.guard.after(safety, failure.answer.map(Answer::status), meaning)
    }

    fn had_one_exchange<T: Answer>(&self, answer: Option<&T>) -> bool {
        match (self.exchanges, answer) {
            _ if !self.follows_redirects => true,
            // Not counted, because the client is not from `client_builder`. A response has the URL
            // of the last redirect; an error says nothing about redirects.
            (0, Some(answer)) => self.url.as_ref().is_some_and(|url| is_same(answer.url(), url)),
            (exchanges, _) => exchanges == 1,
        }
    }
}

/// Whether these are the same URL on the wire, which has no fragment.
fn is_same(one: &Url, other: &Url) -> bool {
    let on_wire = |url: &Url| (url.origin(), url.path().to_owned(), url.query().map(str::to_owned));
    on_wire(one) == on_wire(other)
}
