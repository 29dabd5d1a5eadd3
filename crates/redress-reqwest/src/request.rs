//! One request through a policy: its settings, and sending it.

use std::borrow::Cow;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use redress_core::driver::Timer;
use redress_core::error::Failure;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, ErrorClass, RetryOutcome, StopReason};
use redress_http::{Drain, Head, SelectedPolicy};
use reqwest::{Body, Client, Request, RequestBuilder, Response};

use crate::attempts::{Attempts, ReadAhead};
use crate::replay::Replay;
use crate::response::with_summary;
use crate::settings::{Own, Settings};
use crate::wire::{redacted, uri_of};

/// The full outcome of a call. [`last_value`](RetryOutcome::last_value) is the response by
/// reference, good or bad, and [`last_classification`](RetryOutcome::last_classification) the
/// classification of a bad one.
pub type RequestOutcome = RetryOutcome<Response, reqwest::Error>;

/// A request to be sent through a policy. Made by a [`RetryingClient`](crate::RetryingClient), whose
/// settings it starts with.
///
/// Methods of reqwest's builder that are not here are reached by [`with`](Self::with).
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, C, Tm, N = NoRetryHook> {
    request: RequestBuilder,
    policy: Choice<'c, AsyncPolicy<C, Tm>>,
    rules: &'c redress_http::RequestRules,
    context: CallContext<'c, (), N>,
    drain: Drain,
    follows_redirects: bool,
    own: Own<'c>,
}

/// The policy of a request.
enum Choice<'c, P> {
    /// Chosen by the client, when the request is sent.
    OfClient(&'c redress_http::PolicySelector<P>),
    /// Set on the request.
    Own(P),
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

impl<'c, C, Tm, N> RetryingRequest<'c, C, Tm, N> {
    /// Changes reqwest's builder, for the methods that are not here: `json`, `form`, `query` and
    /// `multipart` exist with features of reqwest.
    ///
    /// ```
    /// use redress::integration::reqwest::RetryingClient;
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # fn create<C>(client: &RetryingClient<AsyncPolicy<C>>, order: &serde_json::Value) {
    /// let request = client.post("http://localhost/orders").with(|request| request.json(order)).operation("create_order");
    /// # let _ = request;
    /// # }
    /// ```
    pub fn with(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.request = change(self.request);
        self
    }

    /// Adds a header, as [`RequestBuilder::header`].
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.with(|request| request.header(name, value))
    }

    /// Sets headers, as [`RequestBuilder::headers`].
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|request| request.headers(headers))
    }

    /// Sets a bearer token, as [`RequestBuilder::bearer_auth`].
    pub fn bearer_auth(self, token: impl fmt::Display) -> Self {
        self.with(|request| request.bearer_auth(token))
    }

    /// Sets user and password, as [`RequestBuilder::basic_auth`].
    pub fn basic_auth(self, user: impl fmt::Display, password: Option<impl fmt::Display>) -> Self {
        self.with(|request| request.basic_auth(user, password))
    }

    /// Sets the body, as [`RequestBuilder::body`]. Bytes and text can be sent again, streams cannot.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with(|request| request.body(body))
    }

    /// Sets reqwest's timeout of each attempt, as [`RequestBuilder::timeout`]. It covers reading the
    /// body as well; the policy's attempt timeout ends with the response's head. Default: the
    /// client's.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| request.timeout(timeout))
    }

    /// Names the operation in events and metrics. Default: the client's name for the request, or
    /// method and path.
    pub fn operation(mut self, name: impl Into<Cow<'c, str>>) -> Self {
        self.own.name = Some(name.into());
        self
    }

    /// Sets whether this request may be sent again even if it is not known to be idempotent.
    /// Default: the client's guard.
    pub fn retry_non_idempotent(mut self, retry: bool) -> Self {
        let guard = self.own.guard.unwrap_or_else(|| self.rules.idempotency());
        self.own.guard = Some(guard.retry_non_idempotent(retry));
        self
    }

    /// Sets how much of a response that will be retried is read, and for how long. Default: the
    /// client's setting, see [`drain`](crate::RetryingClient::drain).
    pub fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.own.drain = Some(Drain::new(max_bytes, max_time));
        self
    }

    /// Sets whether this request bypasses the policy: one attempt, no breaker, no events. Default:
    /// the client's [`bypass_if`](crate::RetryingClient::bypass_if).
    pub fn bypass(mut self, bypass: bool) -> Self {
        self.own.bypass = Some(bypass);
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
        let (uri, extensions) = (uri_of(request.url()), Extensions::new());
        let head = Head::new(request.method(), &uri, request.headers(), &extensions);
        let policy = match policy {
            Choice::OfClient(policies) => policies.select(&head),
            Choice::Own(policy) => SelectedPolicy::Provided(policy),
        };
        let (guard, drain) = (own.guard.unwrap_or_else(|| rules.idempotency()), own.drain.unwrap_or(drain));
        let (call, attempts) = if own.bypasses(rules, &head) {
            (policy.passthrough().into_poll_call(), 1)
        } else {
            let context = own.context(context, rules, &head, policy.is_watched());
            (policy.poll_call().context(context), policy.max_attempts())
        };
        let replay = Replay::new(request, guard, follows_redirects, attempts);
        let (allowed, timer, classifier) = (replay.allowed(), policy.timer(), policy.classifier());
        let begin = |mut request: Request, attempt, is_followed: bool| {
            rules.prepare(request.headers_mut(), attempt);
            let (client, ahead) = (client.clone(), is_followed.then(|| ReadAhead::new(drain, attempt, timer)));
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
