//! One request through a policy: its settings, and sending it.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use http::Extensions;
use redress_core::driver::Timer;
use redress_core::error::Failure;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, ErrorClass, RetryOutcome, StopReason};
use redress_http::{Drain, Head, PolicySelector, RequestRules, SelectedPolicy};
use reqwest::{Body, Client, Request, RequestBuilder, Response};

use crate::attempts::{Attempts, ReadAhead, Step};
use crate::replay::Replay;
use crate::response::with_summary;
use crate::settings::{Own, Settings, boxed};
use crate::wire::{redacted, uri_if};

/// The full outcome of a call. [`last_value`](RetryOutcome::last_value) is the response by
/// reference, good or bad, and [`last_classification`](RetryOutcome::last_classification) the
/// classification of a bad one.
pub type RequestOutcome = RetryOutcome<Response, reqwest::Error>;

/// A request to be sent through a policy. Made by a [`RetryingClient`](crate::RetryingClient),
/// whose settings it starts with.
///
/// Methods of reqwest's builder that are not here are reached by [`with`](Self::with).
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, C, Tm, N = NoRetryHook> {
    request: RequestBuilder,
    policy: Choice<'c, AsyncPolicy<C, Tm>>,
    rules: &'c RequestRules,
    context: CallContext<'c, (), N>,
    drain: Drain,
    follows_redirects: bool,
    own: Own<'c>,
}

/// The policy of a request.
pub(crate) enum Choice<'c, P> {
    /// Chosen by the client, when the request is sent.
    OfClient(&'c PolicySelector<P>),
    /// Set on the request.
    Own(P),
}

impl<'c, P> Choice<'c, P> {
    /// The policy, if it is the same for every head.
    pub(crate) fn known(&self) -> Option<&P> {
        match self {
            Self::OfClient(policies) => (!policies.reads_heads()).then(|| policies.policy()),
            Self::Own(policy) => Some(policy),
        }
    }

    pub(crate) fn select(self, head: &Head<'_>) -> SelectedPolicy<'c, P> {
        match self {
            Self::OfClient(policies) => policies.select(head),
            Self::Own(policy) => SelectedPolicy::Provided(policy),
        }
    }
}

impl<'c, C, Tm> RetryingRequest<'c, C, Tm> {
    pub(crate) fn new(settings: &'c Settings<AsyncPolicy<C, Tm>>, request: RequestBuilder) -> Self {
        Self {
            request,
            policy: Choice::OfClient(&settings.policies),
            rules: &settings.rules,
            context: CallContext::new(),
            drain: settings.drain,
            follows_redirects: settings.follows_redirects,
            own: Own::default(),
        }
    }
}

request_setters!(['c, C, Tm, N] RetryingRequest<'c, C, Tm, N>, 'c, RequestBuilder, Body);

impl<'c, C, Tm, N> RetryingRequest<'c, C, Tm, N> {
    /// Sets reqwest's timeout of each attempt, as [`RequestBuilder::timeout`]. It covers reading
    /// the body as well; the policy's attempt timeout ends with the response's head. Default: the
    /// client's.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| request.timeout(timeout))
    }

    /// Sets how much of a response that will be retried is read, and for how long. Default: the
    /// client's setting, see [`drain`](crate::RetryingClient::drain).
    pub fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.own.drain = Some(Drain::new(max_bytes, max_time));
        self
    }

    /// Sends the request through this policy instead of the client's. It may have another
    /// classifier and timer. The request holds a clone, which shares the policy's breaker and
    /// budget. Settings made before, including [`context`](Self::context), are kept.
    pub fn policy<D: Clone, Tm2: Clone>(self, policy: &AsyncPolicy<D, Tm2>) -> RetryingRequest<'c, D, Tm2, N> {
        let Self { request, rules, context, drain, follows_redirects, own, .. } = self;
        RetryingRequest { request, policy: Choice::Own(policy.clone()), rules, context, drain, follows_redirects, own }
    }

    /// Sets the context of this request's call: a deadline, an abort handle, hooks, a sleep
    /// handler, a timeline. It goes [within](CallContext::within) the client's settings: the
    /// deadlines and abort handles of both apply.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    /// use redress::integration::reqwest::RetryingClient;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # fn get<C>(client: &RetryingClient<AsyncPolicy<C>>, gave_up: &AbortHandle) {
    /// let context = CallContext::new().deadline(Duration::from_secs(2)).abort_on(gave_up);
    /// let request = client.get("http://localhost/orders").context(context);
    /// # let _ = request;
    /// # }
    /// ```
    pub fn context<M>(self, context: CallContext<'c, (), M>) -> RetryingRequest<'c, C, Tm, M> {
        let Self { request, policy, rules, drain, follows_redirects, own, .. } = self;
        RetryingRequest { request, policy, rules, context, drain, follows_redirects, own }
    }
}

impl<'c, C, Tm, N> RetryingRequest<'c, C, Tm, N>
where
    C: Classifier<Response, reqwest::Error> + Clone,
    Tm: Timer + Clone,
    N: RetryHook<reqwest::Error> + Send + Sync + 'c,
{
    /// Sends the request, retrying as the policy allows.
    ///
    /// Returns the server's response, good or bad, also if the policy gave up on it; call
    /// [`error_for_status`](Response::error_for_status) on it as on any other. The response carries
    /// an [`OutcomeSummary`](redress_core::OutcomeSummary) in its extensions, which
    /// [`outcome`](crate::outcome) reads.
    ///
    /// # Errors
    ///
    /// If there is no response: the connection failed, the attempt timed out, the breaker is open,
    /// or the call was aborted or deferred. A request that could not be built, such as with an
    /// invalid URL, fails with reqwest's error, without calling the policy or the server. The URLs
    /// of errors have no user, password or query.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt, stops the call, and returns the breaker's permit.
    pub async fn send(self) -> Result<Response, CallError<reqwest::Error>> {
        with_summary(self.execute().await)
    }

    /// Like [`send`](Self::send), but returns the full outcome, in which a bad response is the last
    /// failure.
    ///
    /// ```
    /// use redress::integration::reqwest::{ReqwestClassifier, RetryingClient};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # async fn get(client: &RetryingClient<AsyncPolicy<ReqwestClassifier>>) {
    /// let outcome = client.get("http://localhost/orders").execute().await;
    /// if let (Some(response), Some(failure)) = (outcome.last_value(), outcome.last_classification()) {
    ///     println!("{}: {} after {} attempts", response.status(), failure.class(), outcome.attempts());
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn execute(self) -> RequestOutcome {
        let Self { request, policy, rules, context, drain, follows_redirects, own } = self;
        let (client, request) = request.build_split();
        let request = match request {
            Ok(request) => request,
            Err(error) => return never(redacted(error)),
        };
        let is_watched = context.settings().is_watched() || policy.known().is_none_or(AsyncPolicy::is_watched);
        let (uri, extensions) = (uri_if(is_watched || rules.reads_heads(), request.url()), Extensions::new());
        let head = Head::new(request.method(), &uri, request.headers(), &extensions);
        let policy = policy.select(&head);
        let (guard, drain) = (own.guard.unwrap_or_else(|| rules.idempotency()), own.drain.unwrap_or(drain));
        let (call, attempts) = if own.bypasses(rules, &head) {
            (policy.passthrough().into_poll_call(None), 1)
        } else {
            let context = boxed(rules.context_within(context, own.name, &head, policy.is_watched()));
            (AsyncPolicy::clone(&policy).into_poll_call(context), policy.max_attempts())
        };
        let replay = Replay::new(request, guard, follows_redirects, attempts);
        let (allowed, timer, classifier) = (replay.allowed(), policy.timer(), policy.classifier());
        let begin = |mut request: Request, step: Step| {
            rules.prepare(request.headers_mut(), step.attempt);
            let (client, ahead) = (client.clone(), ReadAhead::of(&step, drain, timer));
            async move {
                let response = exchange(&client, request).await?;
                match ahead {
                    Some(ahead) => ahead.apply(response, classifier, allowed).await,
                    None => Ok(response),
                }
            }
        };
        let mut running = pin!(None);
        call.run(Attempts::new(replay, begin, running.as_mut())).await
    }
}

async fn exchange(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    client.execute(request).await.map_err(redacted)
}

/// The outcome of a request that could not be built.
pub(crate) fn never<T>(error: reqwest::Error) -> RetryOutcome<T, reqwest::Error> {
    RetryOutcome::from_failure(StopReason::NonRetryableClass, 0, ErrorClass::Permanent, Failure::Error(error))
}

impl<C, Tm, N> fmt::Debug for RetryingRequest<'_, C, Tm, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingRequest").field("own", &self.own).finish_non_exhaustive()
    }
}
