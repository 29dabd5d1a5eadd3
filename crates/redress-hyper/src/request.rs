//! One request through a policy: its settings, and sending it.

use std::borrow::Cow;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use redress_core::driver::Timer;
use redress_core::error::Failure;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, ErrorClass, RetryOutcome, StopReason};
use redress_http::{
    Drain, Head, IdempotencyGuard, Redacted, ReplayBody, RequestRules, SelectedPolicy, default_operation,
};

use crate::attempts::{Attempts, send_once};
use crate::error::HyperError;
use crate::read_ahead::ReadAhead;
use crate::request_replay::{Allowed, RequestReplay};
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// The full outcome of a call over `T`. [`last_value`](RetryOutcome::last_value) is the response by
/// reference, failed or not, and [`last_classification`](RetryOutcome::last_classification) the
/// classification of a failed one.
pub type RequestOutcome<T> = RetryOutcome<Response<ResponseBody<<T as Transport>::ResponseBody>>, HyperError>;

/// A request to be sent through a policy. Made by a [`RetryingClient`](crate::RetryingClient),
/// whose settings it starts with, or by [`new`](Self::new).
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, T: Transport, C, Tm, N = NoRetryHook> {
    transport: &'c T,
    policy: SelectedPolicy<'c, AsyncPolicy<C, Tm>>,
    context: CallContext<'c, (), N>,
    parts: Parts,
    body: ReplayBody<T::RequestBody>,
    settings: Settings<'c>,
}

/// The settings of a request, from its client or set on the request.
#[derive(Default)]
pub(crate) struct Settings<'c> {
    pub(crate) guard: IdempotencyGuard,
    pub(crate) drain: Drain,
    pub(crate) bypass: bool,
    /// The client's settings for the call.
    pub(crate) of_client: Option<CallContext<'static, ()>>,
    /// The client's rules, which may name the request.
    pub(crate) rules: Option<&'c RequestRules>,
    /// The name of this request.
    pub(crate) name: Option<Cow<'c, str>>,
    /// Why the request could not be built.
    pub(crate) never: Option<http::Error>,
}

impl<'c, T: Transport, C, Tm> RetryingRequest<'c, T, C, Tm> {
    /// Creates a request over this transport with this policy.
    pub fn new<B>(transport: &'c T, policy: &'c AsyncPolicy<C, Tm>, request: Request<B>) -> Self
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        Self::with(transport, SelectedPolicy::Own(policy), request, Settings::default())
    }

    pub(crate) fn with<B>(
        transport: &'c T,
        policy: SelectedPolicy<'c, AsyncPolicy<C, Tm>>,
        request: Request<B>,
        settings: Settings<'c>,
    ) -> Self
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        let (parts, body) = request.into_parts();
        Self { transport, policy, context: CallContext::new(), parts, body: body.into(), settings }
    }

    /// Makes the request fail with this error when it is sent.
    pub(crate) fn never(mut self, error: http::Error) -> Self {
        self.settings.never = Some(error);
        self
    }
}

impl<'c, T: Transport, C, Tm, N> RetryingRequest<'c, T, C, Tm, N> {
    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.parts.headers.append(name, value);
        self
    }

    /// Names the operation in events and metrics. Default: the client's name for the request, or
    /// method and path.
    pub fn operation(mut self, name: impl Into<Cow<'c, str>>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Sets whether this request may be sent again even if it is not known to be idempotent.
    /// Default: the client's guard.
    pub const fn retry_non_idempotent(mut self, retry: bool) -> Self {
        self.settings.guard = self.settings.guard.retry_non_idempotent(retry);
        self
    }

    /// Sets how much of a response that will be retried is read, and for how long. Default: the
    /// client's setting, see [`drain`](crate::RetryingClient::drain).
    pub const fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.settings.drain = Drain::new(max_bytes, max_time);
        self
    }

    /// Sets whether this request bypasses the policy: one attempt, no breaker, no events. Default:
    /// the client's [`bypass_if`](crate::RetryingClient::bypass_if).
    pub const fn bypass(mut self, bypass: bool) -> Self {
        self.settings.bypass = bypass;
        self
    }

    /// Sends the request through this policy instead of the client's. It may have another
    /// classifier and timer. The request holds a clone, which shares the policy's breaker and
    /// budget. Settings made before, including [`context`](Self::context), are kept.
    pub fn policy<D: Clone, Tm2: Clone>(self, policy: &AsyncPolicy<D, Tm2>) -> RetryingRequest<'c, T, D, Tm2, N> {
        let Self { transport, context, parts, body, settings, .. } = self;
        RetryingRequest { transport, policy: SelectedPolicy::Provided(policy.clone()), context, parts, body, settings }
    }

    /// Sets the context of this request's call: a deadline, an abort handle, hooks, a sleep
    /// handler, a timeline. It goes [within](CallContext::within) the client's settings: the
    /// deadlines and abort handles of both apply.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    /// use redress::integration::hyper::{RetryingClient, Transport};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # fn get<T: Transport<RequestBody: Default + 'static>, C>(client: &RetryingClient<T, AsyncPolicy<C>>, gave_up: &AbortHandle) {
    /// let context = CallContext::new().deadline(Duration::from_secs(2)).abort_on(gave_up);
    /// let request = client.get("http://localhost/orders").context(context);
    /// # let _ = request;
    /// # }
    /// ```
    pub fn context<M>(self, context: CallContext<'c, (), M>) -> RetryingRequest<'c, T, C, Tm, M> {
        let Self { transport, policy, parts, body, settings, .. } = self;
        RetryingRequest { transport, policy, context, parts, body, settings }
    }
}

impl<'c, T, C, Tm, N> RetryingRequest<'c, T, C, Tm, N>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError> + Clone,
    Tm: Timer + Clone,
    N: RetryHook<HyperError> + Send + Sync + 'c,
{
    /// Sends the request, retrying as the policy allows.
    ///
    /// Returns the server's response, also if it is a failure that the policy gave up on. The
    /// response carries an [`OutcomeSummary`](redress_core::OutcomeSummary) in its extensions.
    ///
    /// # Errors
    ///
    /// If there is no response: the connection failed, the attempt timed out, the breaker is open,
    /// or the call was aborted or deferred. If the request's URI is invalid, fails with a
    /// [`HyperError`] for which [`is_request`](HyperError::is_request) is true, without calling the
    /// policy or the server.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt, stops the call, and returns the breaker's permit.
    pub async fn send(self) -> Result<Response<ResponseBody<T::ResponseBody>>, CallError<HyperError>> {
        let outcome = self.execute().await;
        let summary = outcome.summary().clone();
        let mut response = outcome.into_last_value()?;
        response.extensions_mut().insert(summary);
        Ok(response)
    }

    /// Like [`send`](Self::send), but returns the full outcome, in which a failed response is the
    /// last failure.
    ///
    /// ```
    /// use redress::integration::hyper::{HyperClassifier, RetryingClient, Transport};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # async fn get<T: Transport<RequestBody: Default + 'static>>(client: &RetryingClient<T, AsyncPolicy<HyperClassifier>>) {
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
    pub async fn execute(self) -> RequestOutcome<T> {
        let Self { transport, policy, context, parts, body, mut settings } = self;
        if let Some(error) = settings.never {
            let failure = Failure::Error(HyperError::request(error));
            return RetryOutcome::from_failure(StopReason::NonRetryableClass, 0, ErrorClass::Permanent, failure);
        }
        let call = if settings.bypass {
            policy.passthrough().into_poll_call(None)
        } else {
            let context = match &settings.of_client {
                Some(of_client) => context.within(of_client.settings()),
                None => context,
            };
            let name = settings.name.take();
            let set = context.settings();
            let is_watched = policy.is_watched() || set.is_watched();
            let by_default = || settings.name_of(&Head::from(&parts));
            let name = name.or_else(|| (is_watched && set.operation().is_none()).then(by_default));
            let context = if let Some(name) = name { context.operation(name) } else { context };
            AsyncPolicy::clone(&policy).into_poll_call(Some(context.into()))
        };
        let attempts = if settings.bypass { 1 } else { policy.max_attempts() };
        let allowed = Allowed::of(settings.guard, &parts);
        let replay = RequestReplay::new(parts, body, allowed, attempts);
        let mut running = pin!(None);
        let (timer, drain) = (policy.timer(), settings.drain);
        let begin = |mut request: Request<_>, attempt, is_followed: bool| {
            if let Some(rules) = settings.rules {
                rules.prepare(request.headers_mut(), attempt);
            }
            let ahead = is_followed.then(|| ReadAhead::new(drain, attempt, timer));
            send_once(transport.clone(), request, (policy.classifier(), timer), (allowed, ahead))
        };
        call.run(Attempts::new(replay, begin, running.as_mut())).await
    }
}

impl<'c> Settings<'c> {
    fn name_of(&self, head: &Head<'_>) -> Cow<'c, str> {
        let named = self.rules.and_then(|rules| rules.operation_name(head));
        named.unwrap_or_else(|| default_operation(head.method, head.uri).into())
    }
}

impl<T: Transport, C, Tm, N> fmt::Debug for RetryingRequest<'_, T, C, Tm, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingRequest")
            .field("method", &self.parts.method)
            .field("uri", &self.settings.never.is_none().then_some(Redacted(&self.parts.uri)))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
