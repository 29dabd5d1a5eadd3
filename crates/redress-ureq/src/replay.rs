//! The kept request of a call: what each attempt sends, and whether it may be sent again.

use std::cell::RefCell;
use std::time::Duration;

use http::{Request, Response};
use redress_core::{Attempt, Cause, Classification, Classifier, ErrorClass};
use redress_http::{IdempotencyGuard, LastFailure, Repetition, RequestRules, RetrySafety, with_head_of};
use ureq::{Agent, Body, Error, ResponseExt as _};

use crate::classifier::classify_error;
use crate::replay_body::ReplayBody;
use crate::secrets::redacted;

/// The request of every attempt.
///
/// Keeps N4 of [`IdempotencyGuard`]: reads from a response how many exchanges the attempt had, of
/// which redirects make several.
pub(crate) struct Replay<'c> {
    request: Option<Request<()>>,
    body: ReplayBody<'c>,
    guard: IdempotencyGuard,
    safety: RetrySafety,
    limits: Limits,
    attempts_allowed: u32,
    last_failure: Option<LastFailure>,
}

/// What each attempt is allowed besides the time it has left.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) follows_redirects: bool,
    pub(crate) timeout: Timeout,
}

/// The timeout of ureq for an attempt, which the time left may shorten.
#[derive(Clone, Copy)]
pub(crate) enum Timeout {
    OfAgent,
    /// Set on the request, in place of the agent's.
    Own(Duration),
    /// Unknown: the request has a configuration of ureq, which cannot be read.
    Configured,
}

impl<'c> Replay<'c> {
    pub(crate) fn new(
        request: Request<()>,
        body: ReplayBody<'c>,
        guard: IdempotencyGuard,
        limits: Limits,
        attempts_allowed: u32,
    ) -> Self {
        let safety = guard.safety(request.method(), request.headers());
        Self { request: Some(request), body, guard, safety, limits, attempts_allowed, last_failure: None }
    }

    /// Sends the request of this attempt.
    pub(crate) fn send(
        &mut self,
        agent: &Agent,
        rules: &RequestRules,
        attempt: Attempt,
    ) -> Result<Response<Body>, Error> {
        // The classifier forbids another attempt of a request that cannot be sent again. This
        // handles a policy that makes one anyway.
        let sent = self.head_of(attempt).and_then(|mut head| {
            rules.prepare(head.headers_mut(), attempt);
            let repetition = self.last_failure.map(|failure| Repetition::new(attempt.number(), failure));
            let head = self.configured(agent, head, repetition, attempt);
            self.body.send(agent, head)
        });
        sent.unwrap_or_else(|| Err(Error::Other("the request was sent, and cannot be sent again".into())))
            .map_err(redacted)
    }

    fn head_of(&mut self, attempt: Attempt) -> Option<Request<()>> {
        let is_last = attempt.number() >= self.attempts_allowed;
        if is_last { self.request.take() } else { self.request.as_ref().map(|request| with_head_of(request, ())) }
    }

    fn configured(
        &self,
        agent: &Agent,
        mut head: Request<()>,
        repetition: Option<Repetition>,
        attempt: Attempt,
    ) -> Request<()> {
        if let Some(repetition) = repetition {
            head.extensions_mut().insert(repetition);
        }
        let mut config = agent.configure_request(head).http_status_as_error(false);
        let shorter = |own: Option<Duration>| own.into_iter().chain(attempt.time_left()).min();
        match self.limits.timeout {
            Timeout::OfAgent => config = config.timeout_global(shorter(agent.config().timeouts().global)),
            Timeout::Own(own) => config = config.timeout_global(shorter(Some(own))),
            Timeout::Configured if attempt.time_left().is_some() => {
                config = config.timeout_per_call(attempt.time_left());
            }
            Timeout::Configured => {}
        }
        if !self.limits.follows_redirects {
            config = config.max_redirects(0);
        } else if !self.safety.may_retry() {
            config = config.save_redirect_history(true);
        }
        if repetition.is_some_and(|repetition| repetition.wants_fresh_connection()) {
            // Passes over the pooled connections, which are as old as the one that failed.
            config = config.max_idle_age(Duration::ZERO);
        }
        config.build()
    }

    fn retry_forbidden(
        &self,
        result: &Result<Response<Body>, Error>,
        meaning: &Classification,
    ) -> Option<&'static str> {
        let safety = if self.safety.may_retry() || !self.had_one_exchange(result) {
            self.safety
        } else {
            let is_unsent = result.as_ref().is_err_and(|error| classify_error(error).is_unsent());
            let answer = result.as_ref().ok().map(Response::status);
            self.guard.after(self.safety.if_never_sent(is_unsent), answer, meaning)
        };
        safety.with_body(self.body.is_replayable()).retry_forbidden()
    }

    /// An error of ureq does not say whether it followed a redirect; a response does.
    fn had_one_exchange(&self, result: &Result<Response<Body>, Error>) -> bool {
        let history = |response: &Response<Body>| response.get_redirect_history().map(<[_]>::len);
        !self.limits.follows_redirects || result.as_ref().is_ok_and(|response| history(response) == Some(1))
    }
}

/// The policy's classifier, which also says whether the request may be sent again.
pub(crate) struct Guarded<'r, 'c, C> {
    pub(crate) inner: &'r C,
    pub(crate) replay: &'r RefCell<Replay<'c>>,
}

impl<C> Classifier<Response<Body>, Error> for Guarded<'_, '_, C>
where
    C: Classifier<Response<Body>, Error>,
{
    fn classify(&self, result: &Result<Response<Body>, Error>) -> Option<Classification> {
        let failure = match self.inner.classify(result) {
            Some(failure) => failure,
            // No opinion about an error counts as `Unknown`, which may be retried.
            None if result.is_err() => ErrorClass::Unknown.into(),
            None => return None,
        };
        // The timeout is the attempt's, also for a custom classifier.
        let is_timeout = matches!(result, Err(Error::Timeout(_)));
        let failure = if is_timeout && !failure.is_abort() { failure.timed_out() } else { failure };
        let mut replay = self.replay.borrow_mut();
        let cause = if is_timeout { Cause::Timeout } else { Cause::Error };
        let answer = result.as_ref().ok().map(Response::status);
        replay.last_failure = Some(LastFailure::of(cause, answer, &failure));
        match replay.retry_forbidden(result, &failure) {
            Some(why) if failure.retry_forbidden().is_none() => Some(failure.forbid_retry(why)),
            _ => Some(failure),
        }
    }
}
