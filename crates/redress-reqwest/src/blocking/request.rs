//! One blocking request through a policy: its settings, and sending it.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use http::Extensions;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{Attempt, CallContext, CallError, Classification, Classifier, ErrorClass, Policy, RetryOutcome};
use redress_http::{Head, RequestRules, SelectedPolicy};
use reqwest::blocking::{Body, Client, Request, RequestBuilder, Response};

use crate::replay::{Replay, Seen};
use crate::request::{Choice, never};
use crate::response::with_summary;
use crate::settings::{Own, Settings};
use crate::wire::{Refusal as _, redacted, uri_if};

/// The full outcome of a blocking call. [`last_value`](RetryOutcome::last_value) is the response by
/// reference, good or bad, and [`last_classification`](RetryOutcome::last_classification) the
/// classification of a bad one.
pub type RequestOutcome = RetryOutcome<Response, reqwest::Error>;

/// A blocking request to be sent through a policy. Made by a
/// [`RetryingClient`](super::RetryingClient), whose settings it starts with.
///
/// Methods of reqwest's builder that are not here are reached by [`with`](Self::with).
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, C, N = NoRetryHook> {
    request: RequestBuilder,
    policy: Choice<'c, Policy<C>>,
    rules: &'c RequestRules,
    context: CallContext<'c, (), N>,
    follows_redirects: bool,
    own: Own<'c>,
}

impl<'c, C> RetryingRequest<'c, C> {
    pub(crate) fn new(settings: &'c Settings<Policy<C>>, request: RequestBuilder) -> Self {
        let Settings { policies, rules, follows_redirects, .. } = settings;
        let (policy, own) = (Choice::OfClient(policies), Own::default());
        Self { request, policy, rules, context: CallContext::new(), follows_redirects: *follows_redirects, own }
    }
}

request_setters!(['c, C, N] RetryingRequest<'c, C, N>, 'c, RequestBuilder, Body);

impl<'c, C, N> RetryingRequest<'c, C, N> {
    /// Sets reqwest's timeout of each attempt, which covers reading the body. An attempt with less
    /// time left has that instead. Default: the time that the attempt has left, or the client's
    /// timeout if that is not limited.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| request.timeout(timeout))
    }

    /// Sends the request through this policy instead of the client's. It may have another
    /// classifier. The request holds a clone, which shares the policy's breaker and budget.
    /// Settings made before, including [`context`](Self::context), are kept.
    pub fn policy<D: Clone>(self, policy: &Policy<D>) -> RetryingRequest<'c, D, N> {
        let Self { request, rules, context, follows_redirects, own, .. } = self;
        RetryingRequest { request, policy: Choice::Own(policy.clone()), rules, context, follows_redirects, own }
    }

    /// Sets the context of this request's call: a deadline, an abort handle, hooks, a sleep
    /// handler, a timeline. It goes [within](CallContext::within) the client's settings: the
    /// deadlines and abort handles of both apply.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{CallContext, Policy};
    /// use redress::integration::reqwest::blocking::RetryingClient;
    ///
    /// # fn get<C>(client: &RetryingClient<Policy<C>>) {
    /// let context = CallContext::new().deadline(Duration::from_secs(2));
    /// let request = client.get("http://localhost/orders").context(context);
    /// # let _ = request;
    /// # }
    /// ```
    pub fn context<M>(self, context: CallContext<'c, (), M>) -> RetryingRequest<'c, C, M> {
        let Self { request, policy, rules, follows_redirects, own, .. } = self;
        RetryingRequest { request, policy, rules, context, follows_redirects, own }
    }
}

impl<'c, C, N> RetryingRequest<'c, C, N>
where
    C: Classifier<Response, reqwest::Error> + Clone,
    N: RetryHook<reqwest::Error>,
{
    /// Sends the request, retrying as the policy allows.
    ///
    /// Returns the server's response, good or bad, also if the policy gave up on it; call
    /// [`error_for_status`](Response::error_for_status) on it as on any other. The response carries
    /// an [`OutcomeSummary`](redress_core::OutcomeSummary) in its extensions, which
    /// [`outcome`](super::outcome) reads.
    ///
    /// # Errors
    ///
    /// If there is no response: the connection failed, the attempt timed out, the breaker is open,
    /// or the call was aborted or deferred. A request that could not be built, such as with an
    /// invalid URL, fails with reqwest's error, without calling the policy or the server. The URLs
    /// of errors have no user, password or query.
    ///
    /// # Panics
    ///
    /// In a debug build, if called in an asynchronous runtime: see
    /// [`reqwest::blocking`]. Otherwise as [`Policy::call`].
    pub fn send(self) -> Result<Response, CallError<reqwest::Error>> {
        with_summary(self.execute())
    }

    /// Like [`send`](Self::send), but returns the full outcome, in which a bad response is the last
    /// failure.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    pub fn execute(self) -> RequestOutcome {
        let Self { request, policy, rules, context, follows_redirects, own } = self;
        let (client, request) = request.build_split();
        let request = match request {
            Ok(request) => request,
            Err(error) => return never(redacted(error)),
        };
        let is_watched = context.settings().is_watched() || policy.known().is_none_or(Policy::is_watched);
        let (uri, extensions) = (uri_if(is_watched || rules.reads_heads(), request.url()), Extensions::new());
        let head = Head::new(request.method(), &uri, request.headers(), &extensions);
        let policy = policy.select(&head);
        let guard = own.guard.unwrap_or_else(|| rules.idempotency());
        let (policy, context) = if own.bypasses(rules, &head) {
            (SelectedPolicy::Provided(policy.passthrough()), None)
        } else {
            let is_watched = policy.is_watched();
            (policy, Some(rules.context_within(context, own.name, &head, is_watched)))
        };
        let replay = RefCell::new(Replay::new(request, guard, follows_redirects, policy.max_attempts()));
        let guarded = policy.with_classifier(Guarded { inner: policy.classifier(), replay: &replay });
        let send = |attempt| exchange(&client, rules, &replay, attempt);
        match context {
            Some(context) => context.through(&guarded).execute_with(send),
            None => guarded.execute_with(send),
        }
    }
}

/// Sends one attempt.
fn exchange(
    client: &Client,
    rules: &RequestRules,
    replay: &RefCell<Replay<Request>>,
    attempt: Attempt,
) -> Result<Response, reqwest::Error> {
    // The classifier forbids another attempt of a request that cannot be sent again. This handles
    // a policy that makes one anyway.
    let Some(mut request) = replay.borrow_mut().request_for(attempt) else { return Err(reqwest::Error::spent()) };
    rules.prepare(request.headers_mut(), attempt);
    if let Some(left) = attempt.time_left() {
        let timeout = request.timeout_mut();
        *timeout = Some(timeout.map_or(left, |own| own.min(left)));
    }
    client.execute(request).map_err(redacted)
}

/// The policy's classifier. Forbids a retry of a request that may not be sent again.
struct Guarded<'r, C> {
    inner: &'r C,
    replay: &'r RefCell<Replay<Request>>,
}

impl<C> Classifier<Response, reqwest::Error> for Guarded<'_, C>
where
    C: Classifier<Response, reqwest::Error>,
{
    fn classify(&self, result: &Result<Response, reqwest::Error>) -> Option<Classification> {
        let failure = match self.inner.classify(result) {
            Some(failure) => failure,
            // No opinion about an error counts as `Unknown`, which may be retried.
            None if result.is_err() => ErrorClass::Unknown.into(),
            None => return None,
        };
        // The timeout is the attempt's, also for a custom classifier.
        let is_timeout = result.as_ref().err().is_some_and(reqwest::Error::is_timeout);
        let failure = if is_timeout && !failure.is_abort() { failure.timed_out() } else { failure };
        let seen = Seen { answer: result.as_ref().ok(), error: result.as_ref().err() };
        match self.replay.borrow().retry_forbidden(&seen, &failure) {
            Some(why) if failure.retry_forbidden().is_none() => Some(failure.forbid_retry(why)),
            _ => Some(failure),
        }
    }
}

impl<C, N> fmt::Debug for RetryingRequest<'_, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingRequest").field("own", &self.own).finish_non_exhaustive()
    }
}
